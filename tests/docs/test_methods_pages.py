"""The pages about methods: their tables, requests, answers and arithmetic are those of the code."""

from __future__ import annotations

import doctest
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from meantime.fields.fields import Field
from meantime.fields.kinds import Choice, ListOf
from meantime.statistics.catalogue import Statistic, Surface, statistics_of
from meantime.statistics.estimation.comparisons.verdicts import MEANINGS, Verdict
from meantime.statistics.estimation.filters import Filters
from meantime.statistics.result import COMMON_FIELDS, Record, Scalar
from tests.asking import ask
from tests.bundled import bundled_cube
from tests.conftest import PROJECT

FOLDER = PROJECT / "docs" / "methods"
PAGES = sorted(FOLDER.glob("*.md"))
V1 = statistics_of(Surface.V1)
EXAMPLE = re.compile(r"^```json\n([^`]*)```\n\n((?:\|[^\n]*\n)+)", re.MULTILINE)
MORE = "..."


def page_of(row: type[Statistic]) -> str:
    return (FOLDER / f"{row.name}.md").read_text(encoding="utf-8")


def row_of(parameter: Field) -> str:
    """Return the line of a parameter in a page's table."""
    is_list = isinstance(parameter.kind, ListOf)
    kind = parameter.kind.item if isinstance(parameter.kind, ListOf) else parameter.kind
    choices = ""
    if isinstance(kind, Choice):
        choices = f" {'One or more' if is_list else 'One'} of: {', '.join(f'`{choice}`' for choice in kind.choices)}."
    given = parameter.default_in_words or json.dumps(parameter.default)
    return f"| `{parameter.name}` | {parameter.summary}{choices} | {'required' if parameter.is_required else given} |"


def table_under(content: str, header: str) -> list[str]:
    """Return the rows of the table that begins with a header."""
    lines = content[content.index(header) :].splitlines()[2:]
    return lines[: next((place for place, line in enumerate(lines) if not line.startswith("|")), len(lines))]


@pytest.mark.parametrize("row", V1, ids=lambda row: row.name)
def test_a_page_has_the_parameters_that_only_its_statistic_has(row: type[Statistic]) -> None:
    own = [parameter for parameter in row.parameters() if parameter not in Filters.parameters()]
    assert table_under(page_of(row), "| parameter |") == [row_of(parameter) for parameter in own]


def test_the_overview_has_the_filters_the_statistics_and_the_common_fields() -> None:
    overview = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert table_under(overview, "| filter |") == [row_of(parameter) for parameter in Filters.parameters()]
    listed = re.findall(r"^\| \[`(\w+)`\]\(\1\.md\) \|", overview, re.MULTILINE)
    assert listed == [row.name for row in V1]
    fields = [re.findall(r"`(\w+)`", line)[0] for line in table_under(overview, "| field |")]
    assert [field for field in fields if field in COMMON_FIELDS] == list(COMMON_FIELDS)


@pytest.mark.parametrize("row", V1, ids=lambda row: row.name)
def test_every_field_that_a_statistic_adds_is_on_its_page(row: type[Statistic]) -> None:
    records = ask(row.name, bundled_cube(), row.example)["records"]
    assert isinstance(records, list)
    shared = {*COMMON_FIELDS, "location", "year", "category", "stratum", "question"}
    content = page_of(row)
    missing = [field for field in records[0] if field not in shared and f"`{field}`" not in content]
    assert [field for field in missing if not field.startswith("quantile_")] == []


def examples() -> Iterator[tuple[str, str, str]]:
    for page in PAGES:
        for number, (request, table) in enumerate(EXAMPLE.findall(page.read_text(encoding="utf-8")), start=1):
            yield f"{page.stem} {number}", request, table


def test_every_statistic_has_an_example_with_an_answer() -> None:
    shown = {json.loads(request)["statistic"] for _, request, _ in examples()}
    assert shown == {row.name for row in V1}


@pytest.mark.parametrize(("request_", "table"), [example[1:] for example in examples()], ids=[e[0] for e in examples()])
def test_an_example_gives_the_answer_that_is_printed(request_: str, table: str) -> None:
    asked = json.loads(request_)
    records = ask(asked["statistic"], bundled_cube(), asked["parameters"])["records"]
    assert isinstance(records, list)
    header, _, *lines = ([cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines())
    fields = [cell.strip("`") for cell in header]
    is_cut = lines[-1][0] == MORE
    rows = lines[:-1] if is_cut else lines
    assert len(records) > len(rows) if is_cut else len(records) == len(rows)
    for line, record in zip(rows, records, strict=False):
        assert line == [printed(record, field, cell) for field, cell in zip(fields, line, strict=True)]


def printed(record: Record, field: str, cell: str) -> str:
    """Return a field of a record as the page prints it: with as many digits as ``cell`` has."""
    value: Scalar = record[field]
    if value is None or isinstance(value, bool | str):
        return json.dumps(value) if not isinstance(value, str) else value
    if "e" in cell:
        return f"{value:.{len(cell.split('e', maxsplit=1)[0].partition('.')[2])}e}"
    return f"{value:.{len(cell.partition('.')[2])}f}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_arithmetic_on_a_page_is_right(page: Path) -> None:
    blocks = "\n".join(re.findall(r"^```pycon\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))
    test = doctest.DocTestParser().get_doctest(blocks, {}, page.stem, str(page), 0)
    assert doctest.DocTestRunner().run(test).failed == 0


def test_the_pages_show_arithmetic() -> None:
    without = [page.stem for page in PAGES if ">>> " not in page.read_text(encoding="utf-8")]
    assert without == ["README"]


@pytest.mark.parametrize("name", [row.name for row in statistics_of(Surface.CONTRACT)])
def test_the_contract_page_shows_a_real_answer_of_each(name: str) -> None:
    content = (FOLDER / "contract.md").read_text(encoding="utf-8")
    section = content[content.index(f"\n## {name}\n") :].partition("\n## ")[2]
    text = section.partition("\n## ")[0]
    request, answer = (
        json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    )
    actual = ask(name, bundled_cube(), request)
    assert [*flat(answer)] == [*flat(actual)][: len([*flat(answer)])]


def flat(answer: object) -> Iterator[tuple[str, object]]:
    """Yield the names and the numbers, to four decimals, of an answer."""
    assert isinstance(answer, dict)
    for key, value in answer.items():
        if isinstance(value, dict):
            yield from flat(value)
        else:
            yield key, round(value, 4)


def test_the_page_of_verdicts_is_the_one_table_of_them() -> None:
    listed = table_under((FOLDER / "verdicts.md").read_text(encoding="utf-8"), "| verdict |")
    words = [f"`{each.verdict}`" if each.verdict else "null" for each in MEANINGS]
    assert listed == [
        f"| {word} | {each.meaning} | {each.when} | `{each.colour}` | `{each.dark_colour}` |"
        for word, each in zip(words, MEANINGS, strict=True)
    ]
    assert [each.verdict for each in MEANINGS] == [*Verdict, None]
