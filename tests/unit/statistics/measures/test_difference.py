"""Difference and compare: verdicts, references, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.estimation.comparisons.contrasts import contrasts
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.questions import Direction
from tests.asking import ask, records_in
from tests.bundled import bundled_cube
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY, STRENGTH, VISITS


def row(
    location: str, value: float | None, *, question: str = OBESITY, year: int = 2020, stratum: str = "Total"
) -> Row:
    numbers = (None, None, None) if value is None else (value - 1, value + 1, 400.0)
    category = "Total" if stratum == "Total" else "Sex"
    return Row(question, question[-4:], location, location[:2], year, category, stratum, value, *numbers)


def verdicts(cube: SurveyCube, question: str = OBESITY, **request: object) -> dict[object, object]:
    found = records_in("difference", cube, {"question": question, **request})
    return {record["location"]: record["verdict"] for record in found}


UNCLEAR = "no clear difference"
VALUES = {"Iowa": 25.0, "Ohio": 30.0, "Utah": 20.0, "National": 25.5}


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (OBESITY, {"Iowa": UNCLEAR, "Ohio": "worse", "Utah": "better"}),
        (STRENGTH, {"Iowa": UNCLEAR, "Ohio": "better", "Utah": "worse"}),
        (VISITS, {"Iowa": UNCLEAR, "Ohio": "higher", "Utah": "lower"}),
    ],
)
def test_verdicts_follow_the_direction(question: str, expected: dict[str, str]) -> None:
    cube = cube_of([row(location, value, question=question) for location, value in VALUES.items()])
    assert verdicts(cube, question) == expected


def test_obesity_by_state_against_the_nation_is_that_of_the_issue() -> None:
    found = records_in("difference", bundled_cube(), {"question": "Q036", "years": [2023]})
    assert {record["reference"] for record in found} == {32.8}
    assert len(found) == 51
    by_name = {record["location"]: record for record in found}
    colorado, ohio = by_name["Colorado"], by_name["Ohio"]
    assert (colorado["value"], colorado["verdict"]) == (24.9, "better")
    assert (ohio["value"], ohio["verdict"]) == (36.4, "worse")
    assert (by_name["Kentucky"]["value"], by_name["Kentucky"]["verdict"]) == (None, None)


def test_the_default_reference_is_the_nation_and_it_is_not_compared_with_itself() -> None:
    cube = cube_of([row(location, value) for location, value in VALUES.items()])
    assert "National" not in verdicts(cube, include=["states", "nation"])
    cautions = ask("difference", cube, {"question": OBESITY})["cautions"]
    assert isinstance(cautions, list)
    assert any("each state is part of National" in caution for caution in cautions)


def test_a_chosen_location_or_a_goal_is_the_reference() -> None:
    cube = cube_of([row(location, value) for location, value in VALUES.items()])
    assert verdicts(cube, against="Utah") == {"Iowa": "worse", "Ohio": "worse"}
    assert verdicts(cube, goal=25) == {"Iowa": UNCLEAR, "Ohio": "worse", "Utah": "better"}
    (record, *_) = records_in("difference", cube, {"question": OBESITY, "goal": 25})
    assert (record["reference"], record["reference_standard_error"]) == (25.0, 0.0)
    assert record["p_value"] == 1.0


@pytest.mark.parametrize(
    ("request_", "field", "message"),
    [
        ({"against": "Utah", "goal": 25}, "goal", "not both"),
        ({"locations": ["Utah"], "against": "Utah"}, "against", "compared with itself"),
    ],
)
def test_a_reference_that_makes_no_sense_is_refused(request_: dict[str, object], field: str, message: str) -> None:
    cube = cube_of([row(location, value) for location, value in VALUES.items()])
    with pytest.raises(InvalidParameterError, match=message) as refused:
        verdicts(cube, **request_)  # type: ignore[arg-type]  # field names are those of the request
    assert refused.value.field == field


def test_without_a_nation_a_reference_must_be_named() -> None:
    cube = cube_of([row("Iowa", 25.0), row("Utah", 20.0)])
    with pytest.raises(InvalidParameterError, match="no nation"):
        verdicts(cube)
    assert verdicts(cube, against="Utah") == {"Iowa": "worse"}


def test_a_reference_without_a_value_fails() -> None:
    cube = cube_of([row("Iowa", 25.0), row("Utah", 20.0), row("National", None)])
    with pytest.raises(StatisticError, match="National has no value"):
        verdicts(cube)


def test_a_difference_has_the_error_of_both_sides() -> None:
    found = contrasts(np.array([30.0]), np.array([3.0]), np.array([20.0]), np.array([4.0]), level=0.95, direction=None)
    assert (found.difference[0], found.standard_error[0]) == (10.0, 5.0)
    assert (found.low[0], found.high[0]) == pytest.approx((10 - 1.959964 * 5, 10 + 1.959964 * 5))
    assert found.p_value[0] == pytest.approx(0.0455, abs=5e-5)


def test_without_an_error_there_is_no_verdict_and_noise_is_none_either() -> None:
    found = contrasts(
        np.array([30.0, 0.1 + 0.2]),
        np.array([math.nan, 0.0]),
        np.array([20.0, 0.3]),
        np.array([1.0, 0.0]),
        level=0.95,
        direction=Direction.LOWER_IS_BETTER,
    )
    assert found.verdict == [None, UNCLEAR]
    assert found.test_count == 1
    assert found.p_value[1] == 1.0


def test_many_tests_are_warned_of() -> None:
    unadjusted = {"question": "Q036", "years": [2023], "adjust": "none"}
    cautions = ask("difference", bundled_cube(), unadjusted)["cautions"]
    assert isinstance(cautions, list)
    assert "49 tests at 5 % find about 2 differences by chance alone; that isn't corrected" in cautions


# ---- compare --------------------------------------------------------------------------------------------------------


def comparable() -> SurveyCube:
    return cube_of(
        [
            *(row("Ohio", value, stratum=stratum) for stratum, value in (("Male", 35.0), ("Female", 30.0))),
            row("Ohio", 32.0),
            row("Ohio", 28.0, year=2015),
            row("Ohio", 50.0, question=STRENGTH),
            row("Utah", 25.0),
            row("Utah", 24.0, stratum="Male"),
        ]
    )


@pytest.mark.parametrize(
    ("request_", "difference", "verdict", "against"),
    [
        ({"strata": ["Male"], "against_stratum": "Female"}, 5.0, "worse", "Female"),
        ({"strata": ["Male"], "against_stratum": "Total"}, 3.0, "worse", "Total"),
        ({"against_year": 2015}, 4.0, "worse", "2015"),
        ({"against_question": STRENGTH}, -18.0, "lower", STRENGTH),
    ],
)
def test_compare_takes_two_strata_two_years_or_two_questions(
    request_: dict[str, object], difference: float, verdict: str, against: str
) -> None:
    found = records_in("compare", comparable(), {"question": OBESITY, "locations": ["Ohio"], **request_})
    assert [(record["difference"], record["verdict"], record["against"]) for record in found] == [
        (difference, verdict, against)
    ]


def test_only_locations_on_both_sides_are_compared() -> None:
    request = {"question": OBESITY, "strata": ["Male"], "against_stratum": "Female"}
    assert [record["location"] for record in records_in("compare", comparable(), request)] == ["Ohio"]
    with pytest.raises(StatisticError, match="no row"):
        records_in("compare", comparable(), request | {"locations": ["Utah"]})


@pytest.mark.parametrize(
    ("request_", "field", "message"),
    [
        ({}, "against_stratum", "0 are given"),
        ({"against_year": 2015, "against_question": STRENGTH}, "against_year", "2 are given"),
        ({"against_year": 2020}, "against_year", "compared with itself"),
        ({"against_question": OBESITY}, "against_question", "compared with itself"),
        ({"strata": ["Male"], "against_stratum": "Male"}, "against_stratum", "compared with itself"),
        ({"years": [2015, 2020], "against_stratum": "Male"}, "years", "2 years are selected"),
        ({"categories": ["Sex"], "against_year": 2015}, "strata", "2 strata are selected"),
    ],
)
def test_a_comparison_that_makes_no_sense_is_refused(request_: dict[str, object], field: str, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message) as refused:
        records_in("compare", comparable(), {"question": OBESITY, **request_})
    assert refused.value.field == field


def test_a_stratum_that_several_categories_have_is_taken_from_the_same_category_or_refused() -> None:
    rows = [
        Row(OBESITY, "Q", "Ohio", "OH", 2020, category, stratum, 30.0, 29.0, 31.0, 400.0)
        for category, stratum in (("Race", "Other"), ("Race", "Asian"), ("Language", "Other"), ("Total", "Total"))
    ]
    asian = {"question": OBESITY, "strata": ["Asian"], "against_stratum": "Other"}
    assert len(records_in("compare", cube_of(rows), asian)) == 1
    with pytest.raises(InvalidParameterError, match="2 categories have a stratum 'Other'"):
        records_in("compare", cube_of(rows), {"question": OBESITY, "against_stratum": "Other"})


def test_questions_are_compared_in_the_newest_year_that_both_have() -> None:
    rows = [
        row("Ohio", 30.0, year=2021),
        row("Ohio", 31.0, year=2019),
        row("Ohio", 32.0, year=2018),
        *(row("Ohio", 50.0, question=STRENGTH, year=year) for year in (2018, 2019)),
        row("Ohio", 50.0, question=VISITS, year=1999),
    ]
    (record,) = records_in("compare", cube_of(rows), {"question": OBESITY, "against_question": STRENGTH})
    assert (record["year"], record["difference"]) == (2019, -19.0)
    with pytest.raises(InvalidParameterError, match="no year in common"):
        records_in("compare", cube_of(rows), {"question": OBESITY, "against_question": VISITS})


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"against_question": STRENGTH}, "put to the same people"),
        ({"strata": ["Male"], "against_stratum": "Total"}, "the two strata overlap"),
    ],
)
def test_dependent_estimates_are_warned_of(request_: dict[str, object], words: str) -> None:
    cautions = ask("compare", comparable(), {"question": OBESITY, **request_})["cautions"]
    assert isinstance(cautions, list)
    assert any(words in caution for caution in cautions)
