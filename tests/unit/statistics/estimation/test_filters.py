"""Filters and their defaults: which cells a request is about."""

from __future__ import annotations

import pytest

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.catalogue import Surface, statistics_of
from meantime.statistics.estimation.filters import Filters, PlaceFilters
from meantime.statistics.measures.coverage import Coverage
from meantime.statistics.measures.mean import Mean
from meantime.statistics.measures.trend import Trend
from meantime.statistics.requests import read_request
from meantime.survey.cube.survey_cube import SurveyCube
from tests.asking import answer_to, ask, records_in, request_for
from tests.bundled import bundled_cube
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY, STRENGTH


def row(question: str, location: str, year: int, stratum: tuple[str, str], value: float | None) -> Row:
    limits = (None, None, None) if value is None else (value - 1, value + 1, 400.0)
    return Row(
        question, "Q036" if question == OBESITY else "Q046", location, location[:2], year, *stratum, value, *limits
    )


TOTAL, MALE, FEMALE = ("Total", "Total"), ("Sex", "Male"), ("Sex", "Female")


@pytest.fixture(scope="module")
def cube() -> SurveyCube:
    return cube_of(
        [
            row(OBESITY, location, year, stratum, 20.0 + len(location) + (year - 2020) + len(stratum[1]))
            for location in ("Ohio", "Utah", "Guam", "National")
            for year in (2020, 2021)
            for stratum in (TOTAL, MALE, FEMALE)
        ]
        + [row(OBESITY, "Ohio", 2022, TOTAL, None), row(STRENGTH, "Ohio", 2023, ("", ""), 50.0)]
    )


def settled(cube: SurveyCube, **raw: object) -> Mean:
    return read_request(Mean, cube, {"question": "Q036", **raw})


def test_the_default_is_the_newest_year_with_a_value_the_states_and_everybody(cube: SurveyCube) -> None:
    request = settled(cube)
    assert request.years == (2021,)
    assert request.include == ("states",)
    (record,) = records_in("mean", cube, {"question": "Q036"})
    assert (record["year"], record["category"], record["stratum"]) == (2021, "Total", "Total")
    assert record["cells_used"] == 2


def test_a_trend_and_a_coverage_take_all_years_by_default(cube: SurveyCube) -> None:
    assert read_request(Trend, cube, {"question": "Q036"}).years == (2020, 2021)
    assert read_request(Coverage, cube, {}).years == (2020, 2021, 2022, 2023)


@pytest.mark.parametrize(
    "row", [row for row in statistics_of(Surface.V1) if issubclass(row, PlaceFilters)], ids=lambda row: row.name
)
def test_a_statistic_whose_years_have_another_default_says_so(row: type[PlaceFilters]) -> None:
    words, usual = (
        next(each.default_in_words for each in own.parameters() if each.name == "years") for own in (row, Filters)
    )
    assert (words != usual) == (row.default_years is not Filters.default_years)


@pytest.mark.parametrize(
    ("include", "count"),
    [(["states"], 2), (["territories"], 1), (["nation"], 1), (["states", "territories", "nation"], 4)],
)
def test_include_lets_kinds_of_locations_in(include: list[str], count: int, cube: SurveyCube) -> None:
    assert len(records_in("mean", cube, {"question": "Q036", "include": include, "by": ["location"]})) == count


def test_named_locations_need_no_include(cube: SurveyCube) -> None:
    assert settled(cube, locations=["National", "Guam"]).include == ("territories", "nation")
    found = records_in("mean", cube, {"question": "Q036", "locations": ["National", "Guam"], "by": ["location"]})
    assert [record["location"] for record in found] == ["Guam", "National"]


def test_a_named_location_that_include_leaves_out_is_refused(cube: SurveyCube) -> None:
    with pytest.raises(InvalidParameterError, match="Guam is a territory") as refused:
        settled(cube, locations=["Ohio", "Guam"], include=["states"])
    assert refused.value.field == "include"


def test_categories_take_all_their_strata_and_strata_take_the_named_ones(cube: SurveyCube) -> None:
    both = records_in("mean", cube, {"question": "Q036", "categories": ["Sex"], "by": ["stratum"]})
    assert [record["stratum"] for record in both] == ["Female", "Male"]
    one = records_in("mean", cube, {"question": "Q036", "strata": ["Male"], "by": ["stratum"]})
    assert [(record["category"], record["stratum"]) for record in one] == [MALE]


def test_strata_of_another_category_are_refused(cube: SurveyCube) -> None:
    with pytest.raises(InvalidParameterError, match="no such stratum in these categories") as refused:
        settled(cube, categories=["Total"], strata=["Male"])
    assert refused.value.field == "strata"
    assert refused.value.accepted == ("Total",)


def test_a_selection_without_a_row_fails_as_a_job_and_not_before(cube: SurveyCube) -> None:
    request = request_for("mean", cube, {"question": "Q036", "years": [2023]})
    with pytest.raises(StatisticError, match="has no row"):
        answer_to(request, cube)


def test_a_row_without_a_stratum_is_in_no_selection(cube: SurveyCube) -> None:
    assert settled(cube, question="Q046").years == (2023,)
    with pytest.raises(StatisticError):
        records_in("mean", cube, {"question": "Q046"})


def test_a_dataset_without_an_overall_stratum_asks_for_one() -> None:
    cube = cube_of([row(OBESITY, "Ohio", 2020, MALE, 30.0)])
    with pytest.raises(InvalidParameterError, match="no overall stratum") as refused:
        settled(cube)
    assert refused.value.field == "categories"
    assert records_in("mean", cube, {"question": "Q036", "categories": ["Sex"]})[0]["value"] == 30.0


def test_strata_are_in_the_order_of_their_scale_and_those_without_a_place_come_last() -> None:
    found = records_in("mean", bundled_cube(), {"question": "Q036", "categories": ["Income"], "by": ["stratum"]})
    assert [record["stratum"] for record in found] == [
        "Less than $15,000",
        "$15,000 - $24,999",
        "$25,000 - $34,999",
        "$35,000 - $49,999",
        "$50,000 - $74,999",
        "$75,000 or greater",
        "Data not reported",
    ]


def test_records_are_in_order_of_location_year_and_stratum(cube: SurveyCube) -> None:
    found = records_in(
        "mean",
        cube,
        {"question": "Q036", "years": {"from": 2020}, "categories": ["Sex"], "by": ["stratum", "year", "location"]},
    )
    places = [(record["location"], record["year"], record["stratum"]) for record in found]
    assert places == sorted(places, key=str)
    assert len(places) == 8


def test_an_answer_with_too_many_records_is_refused(monkeypatch: pytest.MonkeyPatch, cube: SurveyCube) -> None:
    monkeypatch.setattr("meantime.statistics.estimation.grouping.MAXIMUM_RECORDS", 1)
    monkeypatch.setattr("meantime.statistics.measures.coverage.MAXIMUM_RECORDS", 1)
    for name in ("mean", "coverage"):
        with pytest.raises(StatisticError, match="records are more than the 1 that one answer may have"):
            ask(name, cube, {"question": "Q036", "by": ["location"]})


def test_the_largest_question_of_the_bundled_table_fits_into_one_answer() -> None:
    cube = bundled_cube()
    request = {
        "question": "Q036",
        "years": {"from": 2011},
        "include": ["states", "territories", "nation"],
        "categories": sorted({segment.category for segment in cube.segments}),
        "by": ["location", "year", "stratum"],
    }
    assert len(records_in("mean", cube, request)) == 20_020
