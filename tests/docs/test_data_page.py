"""What the page about tables shows, against the bundled table: what ``inspect`` reports of it."""

from __future__ import annotations

import doctest
import gzip
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from meantime.cli.inspect import inspect
from meantime.survey import bundled_table
from meantime.survey.questions import Break
from meantime.survey.reading.mapping import parse_mapping
from tests.conftest import PROJECT

PAGE = (PROJECT / "docs" / "data.md").read_text(encoding="utf-8")
SHOWN = re.findall(
    r"^\$ meantime inspect (\S+)\n(.*?)^```$",
    PAGE.partition("\n## From file to first answer\n")[0],
    re.MULTILINE | re.DOTALL,
)

MAPPING = "\n".join(re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[:2])


def test_the_mapping_file_that_is_shown_can_be_read_and_has_its_break() -> None:
    profile = parse_mapping(MAPPING, "smoking.toml").profile
    assert (profile.pool, profile.wide_years) == (True, "Y{year}")
    for text, question_id in (("Smokes daily", "Q1"), ("Eats vegetables", "Q7")):
        (found,) = profile.question(text, question_id, "").breaks
        assert found == Break(2017, "the question was asked by telephone before", "codebook of 2017, page 3")
    assert profile.question("Eats fruit", "Q8", "").breaks == ()


def test_the_report_that_is_shown_is_the_one_that_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ((name, shown),) = SHOWN
    Path(name).write_bytes(gzip.decompress(bundled_table().read_bytes()))
    printed = CliRunner().invoke(inspect, [name]).stdout
    begin, *further, end = shown.split("...\n")
    assert end == ""
    assert printed.startswith(begin)
    place = len(begin)
    for part in further:
        found = printed.find(f"\n{part}", place)
        assert found > 0, f"not printed so: {part}"
        place = found + len(part)


def test_what_is_shown_of_a_census_table_is_what_python_prints() -> None:
    section = PAGE.partition("\n## The adults of US states\n")[2].partition("\n## ")[0]
    (shown,) = re.findall(r"^```pycon\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    test = doctest.DocTestParser().get_doctest(shown, {}, "data", "data.md", 0)
    assert doctest.DocTestRunner().run(test).failed == 0
