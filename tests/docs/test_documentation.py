"""The documentation against the code: whatever people can name is documented, and what is documented exists."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from meantime.bootstrap import build_service
from meantime.cli import COMMANDS
from meantime.jobs.job_state import TRANSITIONS
from meantime.settings import Settings, describe_settings
from meantime.statistics.catalogue import CATALOGUE, Statistic, Surface
from meantime.web.app import create_app
from tests.conftest import PROJECT
from tests.datasets import dataset_of

PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")])
ROUTE = re.compile(r"`((?:GET|POST|DELETE) /\S*?)`")


def text_of(page: str) -> str:
    return (PROJECT / page).read_text(encoding="utf-8")


def fenced(page: str, language: str) -> list[str]:
    """Return the code blocks of one language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)


def make_targets() -> list[str]:
    return re.findall(r"^([a-z_-]+):.*## ", text_of("Makefile"), re.MULTILINE)


# ---- commands, make targets, settings -------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    assert re.search(rf"^\| `meantime {command}\b", text_of("docs/running.md"), re.MULTILINE)


@pytest.mark.parametrize("target", make_targets())
def test_every_make_target_is_documented(target: str) -> None:
    assert f"`make {target}`" in text_of("CONTRIBUTING.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    assert set(re.findall(r"[`$] ?make ([a-z_-]+)", page.read_text(encoding="utf-8"))) <= set(make_targets())


def test_every_make_target_is_listed_by_make_alone() -> None:
    declared = set(re.findall(r"^\.PHONY: (\S+)$", text_of("Makefile"), re.MULTILINE))
    assert declared == set(make_targets())


def test_the_table_of_settings_is_the_one_in_the_code() -> None:
    expected = [
        f"| `{each.option}` | `{each.variable}` | {each.default} | {each.summary} Accepts {each.expected}. |"
        for each in describe_settings()
    ]
    documented = re.findall(r"^\| `(?:DATA|--)[^\n]*", text_of("docs/running.md"), re.MULTILINE)
    assert documented == expected


# ---- statistics and routes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("statistic", CATALOGUE.values(), ids=lambda statistic: f"{statistic.surface} {statistic.name}")
def test_every_statistic_has_its_page(statistic: type[Statistic]) -> None:
    page, _, anchor = statistic.documentation.partition("#")
    content = text_of(f"docs/{page}")
    assert statistic.name in content
    if anchor:
        assert anchor in anchors(content)


@pytest.fixture
def routes(tmp_path: Path) -> Iterator[set[str]]:
    """Every route of the application, such as `GET /api/jobs`."""
    settings = Settings(state_dir=tmp_path)
    service = build_service(settings, [dataset_of([], "empty")])
    rules = create_app(service, settings).url_map.iter_rules()
    yield {f"{method} {rule.rule}" for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    service.close()


def without_names(route: str) -> str:
    """Return a route with `{}` for each part that varies, however it is written."""
    of_any = re.sub(r"(/api/v1/answers/)[a-z0-9_]+", r"\1{}", route)
    return re.sub(r"<[^>]*>|\{[^}]*\}", "{}", of_any)


def test_every_route_is_documented_and_every_documented_route_exists(routes: set[str]) -> None:
    """A page writes a route as `GET /api/jobs/<id>`, in backticks; once is enough for all datasets."""
    pages = [page for page in PAGES if page.parent.name == "docs"]
    documented = {without_names(route) for page in pages for route in ROUTE.findall(page.read_text(encoding="utf-8"))}
    existing = {without_names(route) for route in routes} - {"GET /static/{}", "POST /api/graceful_shutdown"}
    of_one_dataset = {route for route in existing if "/datasets/{}/" in route}
    assert existing - of_one_dataset <= documented
    assert documented <= existing


@pytest.mark.parametrize("statistic", [row.name for row in CATALOGUE.values() if row.surface is Surface.CONTRACT])
def test_the_contract_page_lists_every_contract_statistic(statistic: str) -> None:
    assert f"| `POST /api/{statistic}` |" in text_of("docs/contract.md")


# ---- the pages themselves -------------------------------------------------------------------------------------------


def anchors(content: str) -> set[str]:
    """Return the anchors of a page's headings, as a Markdown viewer makes them."""
    headings = re.findall(r"^#+ +(.*?) *$", content, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), target


POINTER = re.compile(r"`([\w./-]+\.(?:py|md|sql|conf|service|timer|toml))`")
MODULES = sorted(PROJECT.glob("src/**/*.py"))
NOT_OURS = {"meantime.toml", "odd.toml", "b.toml"}
"""Files that people make."""


@pytest.mark.parametrize(
    "page",
    [*PAGES, *MODULES],
    ids=lambda page: str(page.relative_to(PROJECT)),
)
def test_every_file_that_is_pointed_to_is_there(page: Path) -> None:
    there = [f"/{path.relative_to(PROJECT)}" for path in tracked_files()]
    for pointer in set(POINTER.findall(page.read_text(encoding="utf-8"))) - NOT_OURS:
        assert any(path.endswith(f"/{pointer}") for path in there), pointer


@cache
def tracked_files() -> list[Path]:
    folders = ("src", "tests", "docs", "deploy", "benchmarks")
    return [*PROJECT.glob("*.*"), *(path for folder in folders for path in (PROJECT / folder).rglob("*.*"))]


def test_the_diagram_of_states_shows_the_table_of_transitions() -> None:
    (diagram,) = fenced("ARCHITECTURE.md", "mermaid")
    drawn = set(re.findall(r"^  (\w+) --> (\w+)", diagram, re.MULTILINE))
    assert drawn == {(str(start), str(end)) for start, ends in TRANSITIONS.items() for end in ends}


def test_the_rooms_are_the_layers_that_the_linter_holds() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(PROJECT / ".importlinter")
    layers = contracts["importlinter:contract:layers"]["layers"].split("\n")
    assert " > ".join(layer for layer in layers if layer) in text_of("ARCHITECTURE.md")
