"""What a reload says has changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from meantime.survey.datasets.drift import CellChange, Change, ColumnChange, drift_between
from meantime.survey.ingest.dataset import Dataset
from tests.datasets import dataset_of
from tests.reference import Row

LOCATIONS = ("Guam", "Ohio", "Utah")
COLUMNS = {"value": "Data_Value", "sample_size": "Sample_Size", "year": "YearStart"}


def _row(question: str, location: str, year: int, value: float | None, stratum: str = "Total") -> Row:
    return Row(question, "", location, "", year, "Total", stratum, value, value and value - 1, value and value + 1, 9.0)


ROWS = [
    _row(question, location, year, 10.0 + i)
    for i, (question, location, year) in enumerate(
        (question, location, year)
        for question in "QR"
        for location in ("Guam", "Ohio", "Utah")
        for year in (2021, 2023)
    )
]


def _dataset(rows: Iterable[Row], version: str, columns: dict[str, str] = COLUMNS) -> Dataset:
    return dataset_of(rows, cube_version=version, columns=columns)


def test_the_same_data_has_not_drifted() -> None:
    report = drift_between(_dataset(ROWS, "a"), _dataset(reversed(ROWS), "a"))
    assert report.is_same
    assert (report.columns, report.questions, report.locations) == ((), Change(), Change())
    assert (report.cells.unchanged_count, report.cells.changed_count, report.cells.examples) == (12, 0, ())
    assert report.summary == f"small: unchanged, version {report.version_after[:12]}"


def test_dimensions_that_came_and_went_are_named() -> None:
    after = [row for row in ROWS if row.location != "Guam" and row.question != "R"]
    after += [_row("S", "Iowa", 2024, 3.0), _row("Q", "Ohio", 2023, 4.0, stratum="Male")]
    report = drift_between(_dataset(ROWS, "a"), _dataset(after, "b"))
    assert report.questions == Change(("S",), ("R",))
    assert report.locations == Change(("Iowa",), ("Guam",))
    assert report.years == Change(("2024",), ())
    assert report.strata == Change(("Total: Male",), ())
    assert (report.cells.added_count, report.cells.removed_count, report.cells.unchanged_count) == (2, 8, 4)
    assert "questions +1 -1" in report.summary
    assert "years +1 -0" in report.summary


def test_changed_values_are_counted_and_the_greatest_come_first() -> None:
    after = list(ROWS)
    after[3] = after[3]._replace(value=20.0, low=19.0, high=21.0)
    after[5] = after[5]._replace(value=None, low=None, high=None)
    after[7] = after[7]._replace(value=17.5)
    after[8] = after[8]._replace(high=30.0)
    report = drift_between(_dataset(ROWS, "a"), _dataset(after, "b"))
    assert (report.cells.changed_count, report.cells.unchanged_count, report.cells.largest_change) == (4, 8, 7.0)
    assert report.cells.examples[:2] == (
        CellChange("Q", "Ohio", 2023, "Total", "Total", 13.0, 20.0),
        CellChange("R", "Guam", 2023, "Total", "Total", 17.0, 17.5),
    )
    assert report.cells.examples[-1] == CellChange("Q", "Utah", 2023, "Total", "Total", 15.0, None)


def test_cells_are_matched_by_what_they_are_about_not_by_their_place() -> None:
    # A location and a year that sort first move every index of the new cube.
    after = [_row("A", "Alabama", 1999, 50.0), *ROWS]
    report = drift_between(_dataset(ROWS, "a"), _dataset(after, "b"))
    assert (report.cells.unchanged_count, report.cells.changed_count, report.cells.added_count) == (12, 0, 1)


def test_a_table_that_shares_nothing_with_the_old_one_is_compared() -> None:
    report = drift_between(_dataset(ROWS, "a"), _dataset([_row("Z", "Maine", 1950, None)], "b"))
    assert (report.cells.added_count, report.cells.removed_count, report.cells.changed_count) == (1, 12, 0)
    assert report.cells.largest_change == 0.0


def test_another_title_of_the_same_figures_is_another_version_and_is_said() -> None:
    before = _dataset(ROWS, "a")
    report = drift_between(before, replace(before, provenance=replace(before.provenance, title="Ours")))
    assert not report.is_same
    assert (report.cells.unchanged_count, report.cells.changed_count) == (12, 0)
    assert report.warnings == ("the provenance says otherwise: title",)


def test_columns_that_changed_their_name_came_or_went_are_named_by_role() -> None:
    after = {"value": "Data_Value", "year": "Year", "stratum": "Sex"}
    report = drift_between(_dataset(ROWS, "a"), _dataset(ROWS, "b", after))
    assert report.columns == (
        ColumnChange("sample_size", "Sample_Size", None),
        ColumnChange("stratum", None, "Sex"),
        ColumnChange("year", "YearStart", "Year"),
    )
    assert "year is 'Year', was 'YearStart'" in report.summary
