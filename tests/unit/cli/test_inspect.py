"""``meantime inspect`` reports what a table holds and proposes a mapping for one that is not known."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from meantime.cli.inspect import inspect
from tests.unit.survey.tables import ROW, csv_text, written

pytestmark = pytest.mark.slow

UNKNOWN = """\
Survey Year;State Name;Indicator;Pct;Lower CI;Upper CI;N;Breakout
2019;United States;Smokes daily;14.0;13.1;15.2;1000;All adults
2019;Ohio;Smokes daily;NA;;;;All adults
2019;Ohio;Smokes daily;12.5;10;15;90;Men
"""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(inspect, [str(argument) for argument in arguments])


@pytest.fixture
def unknown(tmp_path: Path) -> Path:
    return written(tmp_path, UNKNOWN, "smoking.csv")


def test_a_report_names_rows_columns_and_years(tmp_path: Path) -> None:
    suppressed = ROW.replace("39.2", "").replace("2023", "2022")
    result = run(written(tmp_path, csv_text([ROW, ROW.removeprefix("2023"), suppressed])))
    assert result.exit_code == 0, result.output
    lines = dict(line.split(None, 1) for line in result.stdout.splitlines() if line[:1].strip())
    assert lines["Rows"] == "3"
    assert lines["Left"].split() == ["out", "1"]
    assert "line 3, column 'YearStart': no year" in result.stdout
    assert "value: Data_Value" in lines["Columns"]
    assert "(percent; lower_is_better)" in result.stdout


def test_the_json_report_carries_every_name(tmp_path: Path) -> None:
    result = run(written(tmp_path, csv_text([ROW])), "--json")
    report = json.loads(result.stdout)
    assert report["report"]["row_count"] == 1
    assert report["questions"][0]["direction"] == "lower_is_better"
    assert report["locations"] == [{"name": "Alabama", "abbreviation": "AL", "fips": "01", "kind": "state"}]
    assert report["segments"][0]["is_overall"] is True
    assert len(report["version"]) == 64


HOSTILE = "\x1b[2J\x9b\u202e\x7fOhio"
"""Clears a terminal, and turns the order of letters round."""

TURNED = "\u202eOhio"
"""What of it a table may hold: no control character, but one that can't be seen."""


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["report", "JSON"])
def test_no_unseen_character_of_a_table_gets_to_the_terminal(tmp_path: Path, options: tuple[str, ...]) -> None:
    known = run(written(tmp_path, csv_text([ROW, ROW.replace("Alabama", TURNED).replace("AL", "ZZ")])), *options)
    assert known.exit_code == 0
    assert r"Ohio" in known.output
    assert all(line.isprintable() for line in known.output.split("\n"))
    if options:
        assert TURNED in [place["name"] for place in json.loads(known.stdout)["locations"]]


def test_no_unseen_character_of_an_unknown_table_gets_to_the_terminal_or_breaks_its_mapping(tmp_path: Path) -> None:
    text = UNKNOWN.replace("State Name", f"State {TURNED}").replace("All adults", f"All {TURNED}")
    result = run(written(tmp_path, text, "smoking.csv"))
    assert result.exit_code == 0
    assert all(line.isprintable() for line in result.output.split("\n"))
    assert f"State {TURNED}" in tomllib.loads(result.stdout)["columns"].values()


@pytest.mark.parametrize(
    "text",
    [csv_text([ROW, ROW.replace("Alabama", HOSTILE)]), UNKNOWN.replace("State Name", f"State {HOSTILE}")],
    ids=["known", "unknown"],
)
def test_a_table_with_a_control_character_is_refused_without_printing_it(tmp_path: Path, text: str) -> None:
    result = run(written(tmp_path, text))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "holds a control character (U+001B)" in result.stderr
    assert all(line.isprintable() for line in result.stderr.split("\n"))


def test_no_control_character_of_an_error_gets_to_the_terminal(tmp_path: Path) -> None:
    result = run(tmp_path / f"{HOSTILE}.csv")
    assert result.exit_code == 2
    assert all(line.isprintable() for line in result.output.split("\n"))


def test_a_file_that_can_not_be_read_ends_with_one_line_and_2(tmp_path: Path) -> None:
    result = run(written(tmp_path, csv_text([ROW.replace("39.2", "a lot")])))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: table.csv, line 2, column 'Data_Value': 'a lot' is no number; state ")
    assert result.stderr.count("\n") == 1


def test_a_missing_file_ends_with_one_line_and_2(tmp_path: Path) -> None:
    result = run(tmp_path / "none.csv")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


def test_an_unknown_table_gets_a_mapping_that_is_valid_and_says_how_sure_it_is(unknown: Path) -> None:
    result = run(unknown)
    assert result.exit_code == 0
    assert "Not a known table" in result.stderr
    proposed = tomllib.loads(result.stdout)
    assert proposed["columns"] == {
        "question": "Indicator",
        "year": "Survey Year",
        "location": "State Name",
        "strata": ["Breakout"],
        "value": "Pct",
        "low": "Lower CI",
        "high": "Upper CI",
        "sample_size": "N",
    }
    assert proposed["names"] == {"nation": ["United States"], "overall": ["All adults"], "missing": ["NA"]}
    assert proposed["file"] == {"delimiter": ";"}
    assert 'value = "Pct"  # sure' in result.stdout
    assert 'unit = "percent"  # likely: the name says so' in result.stdout
    assert '# "Smokes daily" = "lower_is_better"' in result.stdout


def test_the_proposed_mapping_reads_the_table_as_it_stands(unknown: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "smoking.toml"
    assert run(unknown, "--write-mapping", mapping).exit_code == 0
    result = run(unknown, "--mapping", mapping, "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert {location["name"]: location["kind"] for location in found["locations"]} == {
        "Ohio": "state",
        "United States": "nation",
    }
    assert found["report"]["suppressed_count"] == 1
    assert [segment["stratum"] for segment in found["segments"] if segment["is_overall"]] == ["Overall"]


def test_a_mapping_that_is_there_already_is_not_overwritten(unknown: Path, tmp_path: Path) -> None:
    mapping = written(tmp_path, "# mine", "mine.toml")
    result = run(unknown, "--write-mapping", mapping)
    assert result.exit_code == 2
    assert "File exists" in result.stderr
    assert mapping.read_text() == "# mine"


def test_a_table_with_names_that_say_nothing_is_guessed_by_what_it_holds(tmp_path: Path) -> None:
    table = "a,b,c\n2019,Ohio,12.5\n2020,Guam,13.5\n"
    result = run(written(tmp_path, table))
    columns = tomllib.loads(result.stdout)["columns"]
    assert columns == {"year": "a", "location": "b", "value": "c"}
    assert result.stdout.count("# unsure") == 4, "three columns and the question"
    assert tomllib.loads(result.stdout)["fixed"] == {"question": "table"}


def test_a_wrong_mapping_ends_with_one_line_that_names_file_and_key(unknown: Path, tmp_path: Path) -> None:
    mapping = written(tmp_path, '[colums]\nvalue = "Pct"\n', "wrong.toml")
    result = run(unknown, "--mapping", mapping)
    assert result.exit_code == 2
    assert result.stderr == "Error: wrong.toml: 'colums' is no section; did you mean 'columns'?\n"


@pytest.mark.parametrize(
    ("values", "proposed"),
    [
        (("0.31", "0.125", "NA"), 'unit = "proportion"  # likely: every value is between 0 and 1'),
        (("31", "12.5", "NA"), '# unit = "percent"  # perhaps: every value is between 0 and 100'),
        (("310", "12.5", "NA"), '# unit = ""  # what one value is, such as "days" or "per 100,000"'),
        (("1", "0", "1"), '# unit = ""  # what one value is, such as "days" or "per 100,000"'),
    ],
)
def test_a_scale_is_proposed_by_what_the_values_are(values: tuple[str, ...], proposed: str, tmp_path: Path) -> None:
    rows = "".join(f"2019,Ohio,Smokes,{value}\n" for value in values)
    result = run(written(tmp_path, f"Survey Year,State Name,Indicator,Estimate\n{rows}"))
    assert proposed in result.stdout
    tomllib.loads(result.stdout)


def test_a_report_doubts_percentages_that_are_all_below_one(tmp_path: Path) -> None:
    row = ROW.replace("39.2", "0.392").replace("37.5", "0.375").replace("40.9", "0.409")
    result = run(written(tmp_path, csv_text([row])))
    assert "every value is between 0 and 1, and the unit is percent" in result.stdout
    mapping = written(tmp_path, '[fixed]\nunit = "proportion"\n', "mine.toml")
    result = run(tmp_path / "table.csv", "--mapping", mapping)
    assert "(proportion; lower_is_better)" in result.stdout
    assert "every value is between" not in result.stdout


SETTLED: dict[str, tuple[str, str]] = {
    # a table whose first proposal is refused: its text, and the line that its refusal names
    "marks below years": (
        (
            "Country Name,Country Code,Indicator Name,2018 [YR2018],2019 [YR2019]\nPortugal,PRT,Obesity,20.8,21.1\n"
            "Ireland,IRL,Obesity,25.3,..\n"
        ),
        'missing = [".."]',
    ),
    "notes below": (
        (
            "Table 1: Smoking\nSource: me\n\nYear,State,Indicator,Percent\n2019,Ohio,Smoking,20.8\n"
            "2020,Ohio,Smoking,21.8\n\n* provisional\nFor example, the manual\n"
        ),
        "footer = 2",
    ),
    "marks below years, and notes below": (
        "Country,Indicator,2018,2019\nPortugal,Obesity,20.8,:\nIreland,Obesity,25.3,24.0\n\nSource: a survey\n",
        'missing = [":"]',
    ),
}


@pytest.mark.parametrize("kind", SETTLED)
def test_the_lines_that_a_refusal_names_are_in_the_proposal(kind: str, tmp_path: Path) -> None:
    text, line = SETTLED[kind]
    table, mapping = written(tmp_path, text), tmp_path / "proposed.toml"
    first = run(table, "--write-mapping", mapping)
    assert (first.exit_code, "As it stands" in first.stderr) == (0, False), first.stderr
    proposed = mapping.read_text(encoding="utf-8")
    assert f"\n{line}  # unsure: without it: " in proposed
    tomllib.loads(proposed)
    assert run(table, "--mapping", mapping).exit_code == 0


def test_a_text_in_a_column_of_numbers_that_no_line_settles_is_said(tmp_path: Path) -> None:
    result = run(written(tmp_path, "Year,State,Indicator,Percent\n2019,Ohio,Smoking,20.8*\n2020,Ohio,Smoking,21.8\n"))
    assert (result.exit_code, "As it stands, the proposed mapping doesn't do either" in result.stderr) == (0, True)
