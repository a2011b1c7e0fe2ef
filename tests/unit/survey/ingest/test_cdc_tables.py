"""Every table of CDC's family is read without an option, and every cell is what plain Python finds in its rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from meantime.survey import bundled_table
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.data_ingestor import DataIngestor
from meantime.survey.ingest.dataset import Dataset
from meantime.survey.questions import Direction, LocationKind
from tests import reference
from tests.cubes import cube_of
from tests.unit.survey.equal_cubes import assert_equal_cubes

pytestmark = pytest.mark.slow

TABLES = {
    # file: rows, rows with a value, questions, locations, segments
    "npao-brfss-2011-2019": (76_393, 68_847, 9, 55, 29),
    "npao-brfss-2011-2021": (88_629, 79_851, 9, 55, 29),
    "npao-brfss-2011-2023": (106_260, 93_505, 9, 55, 28),
    "npao-brfss-partial": (4_583, 4_093, 9, 55, 28),
    "npao-subset-2011-2022": (18_650, 18_650, 9, 55, 29),
    "npao-wic-2008-2014": (7_344, 7_153, 3, 54, 15),
}


@pytest.fixture(scope="module")
def bundled() -> Dataset:
    return DataIngestor(bundled_table()).ingest()


@pytest.mark.parametrize("name", TABLES)
def test_every_cell_of_a_cdc_table_is_what_its_rows_say(name: str, shared: Path) -> None:
    path = shared / "data" / f"{name}.zip"
    dataset = DataIngestor(path).ingest()
    assert_equal_cubes(dataset.cube, cube_of(reference.read_rows(path)))
    report = dataset.report
    found = (report.row_count, report.value_count, report.question_count, report.location_count, report.segment_count)
    assert found == TABLES[name]
    assert report.left_out_count == 0
    assert dataset.cube.cells.value_count.max() == 1


def test_every_cell_of_the_bundled_table_is_what_its_rows_say(bundled: Dataset) -> None:
    assert_equal_cubes(bundled.cube, cube_of(reference.read_rows(bundled_table())))


def test_the_bundled_table_gives_the_very_numbers_of_the_full_export(bundled: Dataset, shared: Path) -> None:
    export = DataIngestor(shared / "data" / "npao-brfss-2011-2023.zip").ingest()
    assert_equal_cubes(bundled.cube, export.cube, rtol=0)
    assert bundled.cube.questions == export.cube.questions
    assert bundled.cube.locations == export.cube.locations
    assert bundled.cube.segments == export.cube.segments


def test_directions_are_those_of_the_contract(bundled: Dataset) -> None:
    found = {each.text: each.direction or each.contract_direction for each in bundled.cube.questions}
    assert found == {text: Direction(direction) for text, direction in reference.CONTRACT_DIRECTIONS.items()}


def test_overweight_alone_has_no_better_end_outside_the_contract(bundled: Dataset) -> None:
    undirected = [question for question in bundled.cube.questions if question.direction is None]
    assert [question.question_id for question in undirected] == ["Q037"]
    assert "who is obese doesn't count as overweight" in undirected[0].undirected_because


def test_the_nation_the_territories_and_dc_are_told_apart(bundled: Dataset) -> None:
    kinds = {location.name: location.kind for location in bundled.cube.locations}
    assert [name for name, kind in kinds.items() if kind is LocationKind.NATION] == ["National"]
    territories = [name for name, kind in kinds.items() if kind is LocationKind.TERRITORY]
    assert territories == ["Guam", "Puerto Rico", "Virgin Islands"]
    assert kinds["District of Columbia"] is LocationKind.STATE


def test_fips_codes_have_two_digits_and_the_nation_has_none(bundled: Dataset) -> None:
    codes = {location.name: location.fips for location in bundled.cube.locations}
    assert (codes["Alabama"], codes["Puerto Rico"], codes["National"]) == ("01", "72", "")


@pytest.mark.parametrize("category", reference.STRATUM_ORDERS)
def test_strata_of_ordered_categories_stand_in_their_order(category: str, bundled: Dataset) -> None:
    found = {s.stratum: s.order for s in bundled.cube.segments if s.category == category and s.order is not None}
    assert found == reference.STRATUM_ORDERS[category]


def test_only_the_total_stands_for_everybody(bundled: Dataset) -> None:
    overall = [(segment.category, segment.stratum) for segment in bundled.cube.segments if segment.is_overall]
    assert overall == [("Total", "Total")]


def test_income_that_was_not_reported_has_no_place_on_the_scale(bundled: Dataset) -> None:
    [segment] = [segment for segment in bundled.cube.segments if segment.stratum == "Data not reported"]
    assert segment.order is None


def test_rows_without_category_and_stratum_are_one_blank_segment(shared: Path) -> None:
    cube = DataIngestor(shared / "data" / "npao-brfss-2011-2019.zip").ingest().cube
    [blank] = [i for i, segment in enumerate(cube.segments) if segment.is_blank]
    where = cube.cells.segment == blank
    assert cube.cells.row_count[where].sum() == 9
    assert {cube.locations[i].name for i in cube.cells.location[where]} == {"New Jersey"}
    assert set(cube.cells.year[where].tolist()) == {2019}


def test_a_footnoted_row_with_a_value_counts_as_a_value(shared: Path) -> None:
    dataset = DataIngestor(shared / "data" / "npao-subset-2011-2022.zip").ingest()
    assert dataset.report.footnotes == {"Data not available because sample size is insufficient.": 1_884}
    assert dataset.report.suppressed_count == 0
    assert "1,884 values have no usable confidence limits" in dataset.report.notes[0].text


@pytest.fixture
def wic(shared: Path) -> Dataset:
    return DataIngestor(shared / "data" / "npao-wic-2008-2014.zip").ingest()


def test_nobody_has_stated_a_direction_for_the_wic_questions(wic: Dataset) -> None:
    assert [question.direction for question in wic.cube.questions] == [None, None, None]
    assert "3 of 3 questions" in wic.report.notes[0].text


def test_months_that_a_spreadsheet_took_for_dates_keep_their_place(wic: Dataset) -> None:
    places = {s.order: s.stratum for s in wic.cube.segments if s.category == "Age (months)"}
    expected = ["5-Mar", "11-Jun", "17-Dec", "18 - 23", "24 - 35", "36 - 47", "48 - 59"]
    assert [places[order] for order in range(7)] == expected


def test_a_known_survey_is_recognised_by_its_questions(wic: Dataset, shared: Path) -> None:
    assert wic.provenance.publisher == "Centers for Disease Control and Prevention"
    assert wic.provenance.title.endswith("Women, Infant, and Child")
    assert wic.provenance.source_name == "npao-wic-2008-2014.zip"


def suppressed(cube: SurveyCube) -> int:
    return int((cube.cells.row_count - cube.cells.value_count).sum())


def test_the_bundled_report_counts_what_cdc_left_empty(bundled: Dataset) -> None:
    report = bundled.report
    assert (report.row_count, report.value_count, report.suppressed_count) == (106_260, 93_505, 12_755)
    assert suppressed(bundled.cube) == 12_755
    assert sum(report.footnotes.values()) == 12_755
    assert report.years == tuple(range(2011, 2024))
    assert report.columns["high"] == "High_Confidence_Limit "
    assert report.notes == ()


def test_the_bundled_provenance_is_complete(bundled: Dataset) -> None:
    provenance = bundled.provenance
    assert provenance.dataset_id == "hn4x-zwk7"
    assert provenance.export_date == "2025-09-06"
    assert len(provenance.export_sha256) == 64
    assert "of 33 columns" in provenance.left_out
    assert provenance.licence.startswith("Public domain")
