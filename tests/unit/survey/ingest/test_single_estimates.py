"""Single estimates come out of the source as they are in it, and only while it is the file that was read."""

from __future__ import annotations

from pathlib import Path

import pytest

from meantime.errors import DataChangedError
from meantime.survey.ingest.data_ingestor import DataIngestor
from meantime.survey.ingest.single_estimates import SingleEstimates, SourceEstimates
from tests.reference import Row
from tests.unit.survey.tables import csv_of, csv_text, written

pytestmark = pytest.mark.slow

TOTAL, MALE = ("Total", "Total"), ("Sex", "Male")


def row(location: str, year: int, segment: tuple[str, str], value: float | None, question: str = "A") -> Row:
    return Row(question, "", location, "", year, *segment, value, None, None, None)


TABLE = [
    row("Ohio", 2020, TOTAL, 10.0),
    row("Ohio", 2020, TOTAL, 12.0),
    row("Ohio", 2020, TOTAL, None),
    row("Ohio", 2021, TOTAL, 30.0),
    row(" Guam ", 2020, TOTAL, 20.0),
    row("Guam", 2020, MALE, 21.0),
    row("Guam", 2020, ("Sex", "Total"), 22.0),
    row("Guam", 2020, TOTAL, 99.0, question="B"),
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return written(tmp_path, csv_of(TABLE))


@pytest.fixture
def estimates(source: Path, tmp_path: Path) -> SourceEstimates:
    mapping = written(tmp_path, "[rows]\npool = true", "pool.toml")
    found = DataIngestor(source, mapping=mapping).ingest().estimates
    assert found is not None
    return found


def listed(found: SingleEstimates) -> list[tuple[int, int, int, float]]:
    columns = (found.location, found.year, found.segment, found.value)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def test_every_value_of_a_full_cell_is_found(estimates: SourceEstimates) -> None:
    found = estimates.single_estimates("A", [2020, 2021], ["Ohio"], [TOTAL])
    assert listed(found) == [(0, 2020, 0, 10.0), (0, 2020, 0, 12.0), (0, 2021, 0, 30.0)]


def test_names_and_rows_are_those_of_the_cube(tmp_path: Path) -> None:
    """A row that is there twice counts once, another spelling of a name is the name, and only kept rows count."""
    again = [*TABLE, TABLE[0], row("OHIO", 2020, TOTAL, 14.0), row("Guam", 2020, ("Age", "Old"), 23.0)]
    source = written(tmp_path, csv_of(again))
    mapping = written(tmp_path, '[rows]\npool = true\nkeep = {Stratification1 = "total"}', "pool.toml")
    found = DataIngestor(source, mapping=mapping).ingest().estimates
    assert found is not None
    estimates = found.single_estimates("A", [2020], ["OHIO", "Guam"], [TOTAL, ("Age", "Old")])
    assert listed(estimates) == [(0, 2020, 0, 10.0), (0, 2020, 0, 12.0), (0, 2020, 0, 14.0), (1, 2020, 0, 20.0)]


def test_numbers_are_read_as_in_the_cube_whatever_part_of_the_table_is_asked_for(tmp_path: Path) -> None:
    """A comma elsewhere in the table says that the dots here stand between thousands."""
    lines = ["Q;Ohio;2020;1.234", "Q;Ohio;2020;5.678", "Q;Utah;2020;20,5"]
    source = written(tmp_path, csv_text(lines, ["Question;LocationDesc;YearStart;Data_Value"]))
    dataset = DataIngestor(source, mapping=written(tmp_path, "[rows]\npool = true", "pool.toml")).ingest()
    assert dataset.cube.cells.value_sum.tolist() == [6912.0, 20.5]
    assert dataset.estimates is not None
    found = dataset.estimates.single_estimates("Q", [2020], ["Ohio"], [TOTAL])
    assert listed(found) == [(0, 2020, 0, 1234.0), (0, 2020, 0, 5678.0)]


def test_places_are_those_of_the_lists_that_were_asked_for(estimates: SourceEstimates) -> None:
    found = estimates.single_estimates("A", [2020], ["Guam", "Ohio"], [MALE, TOTAL])
    assert listed(found) == [(0, 2020, 0, 21.0), (0, 2020, 1, 20.0), (1, 2020, 1, 10.0), (1, 2020, 1, 12.0)]


def test_a_question_without_values_gives_empty_arrays(estimates: SourceEstimates) -> None:
    assert listed(estimates.single_estimates("B", [1999], ["Guam"], [TOTAL])) == []


def test_a_source_that_was_replaced_is_refused(source: Path, estimates: SourceEstimates) -> None:
    source.write_text(csv_of(TABLE[:2]))
    with pytest.raises(DataChangedError, match="no longer the one that was hashed"):
        estimates.single_estimates("A", [2020], ["Ohio"], [TOTAL])
