"""Figures that can hardly be right are noted with their count, their first rows, and the answers that they touch."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from meantime.survey.ingest.notes import Note
from tests.unit.survey.tables import csv_text, read, written

pytestmark = pytest.mark.slow

HEADER = (
    "Question", "LocationDesc", "YearStart", "Data_Value", "Low_Confidence_Limit", "High_Confidence_Limit",
    "Data_Value_Unit",
)  # fmt: skip
SOUND = ("Q,Ohio,2020,20,19,22,%", "Q,Utah,2020,30,29,31,%", "Other,Ohio,2020,50,49,51,%")
KINDS = {"outside_limits", "limits_reversed", "no_width", "sentinels", "outside_scale"}

ODD: dict[str, str] = {
    # a note's kind: a row that it is about
    "outside_limits": "Q,Iowa,2021,3.99,38.1,41.7,%",
    "limits_reversed": "Q,Iowa,2021,40,41.7,38.1,%",
    "no_width": "Q,Iowa,2021,40,40,40,%",
    "sentinels": "Q,Iowa,2021,-999,,,%",
    "outside_scale": "Q,Iowa,2021,120,119,121,%",
}


def implausible(folder: Path, *lines: str) -> list[Note]:
    _, report = read(written(folder, csv_text(lines, HEADER)))
    return [note for note in report.notes if note.kind in KINDS]


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_figure_is_noted_for_the_answers_that_it_touches(kind: str, tmp_path: Path) -> None:
    [note] = implausible(tmp_path, SOUND[0], ODD[kind], *SOUND[1:])
    assert (note.kind, note.count, note.lines) == (kind, 1, (3,))
    assert [set(each or ()) for each in (note.questions, note.locations, note.years)] == [{"Q"}, {"Iowa"}, {2021}]
    assert note.text.endswith(": 1 (line 3)")


def test_sound_figures_are_not_noted(tmp_path: Path) -> None:
    assert implausible(tmp_path, *SOUND) == []


@pytest.mark.parametrize(
    "line",
    [
        "Q,Iowa,2021,0,0,0.4,%",  # a limit may be the value itself
        "Change,Iowa,2021,-9,-10,-8,points",  # below 0, and no percentage
        "Deaths,Iowa,2021,99999,99000,100001,persons",  # like a sentinel, and the only value
        "Rate,Iowa,2021,120,119,121,per 1000",  # above 100, and no percentage
        "Q,Iowa,2021,,5,4,%",  # no value
    ],
)
def test_a_figure_that_may_well_be_right_is_not_noted(line: str, tmp_path: Path) -> None:
    assert implausible(tmp_path, *SOUND, line) == []


def test_the_first_three_rows_are_named_and_all_are_counted(tmp_path: Path) -> None:
    lines = [f"Q,L{place},2020,3.99,38.1,41.7,%" for place in range(2500)]
    [note] = implausible(tmp_path, *SOUND, *lines)
    assert (note.count, note.lines) == (2500, (5, 6, 7))
    assert note.text.endswith(": 2,500 (lines 5, 6, 7)")


def test_limits_that_do_not_hold_their_value_give_no_standard_error(tmp_path: Path) -> None:
    cube, _ = read(written(tmp_path, csv_text([ODD["outside_limits"]], HEADER)))
    assert (cube.cells.value_count.tolist(), cube.cells.variance_count.tolist()) == ([1], [0])


def test_rows_are_found_by_the_numbers_as_people_write_them(tmp_path: Path) -> None:
    lines = [line.replace(",", ";").replace("20;19;22", "20,5;19,5;22,5") for line in SOUND]
    odd = "Q;Iowa;2021;3,99;38,1;41,7;%"
    _, report = read(written(tmp_path, csv_text([*lines, odd], [";".join(HEADER)])))
    assert [note.lines for note in report.notes if note.kind == "outside_limits"] == [(5,)]


def test_rows_of_a_parquet_file_are_called_rows(tmp_path: Path) -> None:
    source = written(tmp_path, csv_text([*SOUND, ODD["outside_limits"]], HEADER))
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT * FROM read_csv('{source}')) TO '{tmp_path}/table.parquet' (FORMAT parquet)")
    _, report = read(tmp_path / "table.parquet")
    assert [note.text for note in report.notes if note.kind == "outside_limits"] == [
        "values outside their own limits, which are not used: 1 (row 4)"
    ]


@pytest.mark.parametrize("stratum", ["5-Sep", "Oct-14", "5-Mar", "14-October", "9/5/2019", "2019-09-05"])
def test_a_stratum_that_looks_like_a_date_is_noted(stratum: str, tmp_path: Path) -> None:
    header = (*HEADER[:4], "StratificationCategory1", "Stratification1")
    _, report = read(written(tmp_path, csv_text([f"Q,Ohio,2020,5,Age,{stratum}", "Q,Ohio,2020,6,Age,18 - 24"], header)))
    [note] = [note for note in report.notes if note.kind == "spreadsheet_dates"]
    assert (note.count, note.text.startswith(f"{stratum} look")) == (1, True)


def test_a_sentinel_with_its_limits_and_more_than_all_are_noted_where_the_scale_is_known(tmp_path: Path) -> None:
    rows = ("Q,Ohio,2019,-999,-999,-999,%", "Q,Utah,2019,8,7,9,%", "Q,Iowa,2019,108,107,109,%")
    found = {note.kind: (note.lines, set(note.locations or ())) for note in implausible(tmp_path, *rows)}
    assert found["sentinels"] == ((2,), {"Ohio"})
    assert found["outside_scale"] == ((4,), {"Iowa"})
