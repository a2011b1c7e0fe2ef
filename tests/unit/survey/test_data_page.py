"""``docs/data.md`` says what the code does: roles, endings, the mapping file and the errors that it prints."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from meantime.survey.reading.columns import ALIASES, Role, folded
from meantime.survey.reading.files.packing import SourceKind
from meantime.survey.reading.mapping import CLAIMS, parse_mapping
from meantime.survey.reading.profile import Profile
from tests.unit.survey.ingest.test_ingest_errors import FAULTS


@pytest.fixture(scope="module")
def page(project: Path) -> str:
    return (project / "docs" / "data.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("role", Role)
def test_every_role_is_documented_with_cdc_s_column(role: Role, page: str) -> None:
    [row] = [line for line in page.splitlines() if line.startswith("|") and f"`{role}`" in line.split("|")[1]]
    columns = {folded(name) for name in re.findall(r"`([^`]+)`", row.split("|")[2])}
    assert columns & set(ALIASES[role])


@pytest.mark.parametrize("kind", SourceKind)
def test_every_ending_is_documented(kind: SourceKind, page: str) -> None:
    assert re.search(rf"^\| .*`{re.escape(kind)}`", page, re.MULTILINE)


def test_the_mappings_on_the_page_are_valid_and_show_every_key(page: str) -> None:
    examples = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    mappings = [parse_mapping(example, "page") for example in examples]
    changed = {
        field.name
        for field in fields(Profile)
        for mapping in mappings
        if getattr(mapping.profile, field.name) != getattr(Profile(), field.name)
    }
    assert changed == {field.name for field in fields(Profile)} - {"layout"}
    assert {claim for mapping in mappings for claim in mapping.claims} == set(CLAIMS)


def test_the_errors_on_the_page_are_among_those_that_are_tested(page: str) -> None:
    shown = re.findall(r"^Error: table\.csv, line \d+, column .*?: (.*)$", page, re.MULTILINE)
    tested = [expected.rpartition(": ")[2] for _, expected in FAULTS.values()]
    assert len(shown) == 3
    for words in shown:
        assert any(expected in words for expected in tested), words
