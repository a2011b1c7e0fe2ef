"""Disparity: measures worked out by hand, and what is said about strata that are missing."""

from __future__ import annotations

import math

import pytest

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.estimation.inequality.disparities import Compared, measures_of, measures_of_each
from meantime.statistics.estimation.inequality.gaps import BEST, Reference, StratumEstimate
from meantime.statistics.estimation.inequality.summaries import (
    between_group_variance,
    index_of_disparity,
    slope_index,
)
from meantime.statistics.result import Record
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.survey_cube import SurveyCube
from tests.asking import ask, records_in, request_for
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY, STRENGTH, VISITS


def cube_with(
    category: str, values: dict[str, float | None], *, question: str = OBESITY, sizes: dict[str, float] | None = None
) -> SurveyCube:
    """Return a cube of one location: stratum to value, standard errors of 1, a Total of 30."""
    rows = [Row(question, "Q", "Ohio", "OH", 2020, "Total", "Total", 30.0, 29.0, 31.0, 1000.0)]
    for stratum, value in values.items():
        low, high = (None, None) if value is None else (value - 1.959964, value + 1.959964)
        size = (sizes or {}).get(stratum, 100.0)
        rows.append(Row(question, "Q", "Ohio", "OH", 2020, category, stratum, value, low, high, size))
    return cube_of(rows)


def measure(cube: SurveyCube, category: str, **request: object) -> Record:
    question = cube.questions[0].text
    (record,) = records_in("disparity", cube, {"question": question, "categories": [category], **request})
    return record


SCHOOLING: dict[str, float | None] = {
    "Less than high school": 40.0,
    "High school graduate": 36.0,
    "Some college or technical school": 34.0,
    "College graduate": 26.0,
}


def test_the_measures_of_an_ordered_category_are_those_worked_out_by_hand() -> None:
    record = measure(cube_with("Education", SCHOOLING), "Education")
    assert (record["highest_stratum"], record["lowest_stratum"]) == ("Less than high school", "College graduate")
    assert record["value"] == 14.0
    assert record["standard_error"] == pytest.approx(math.sqrt(2), rel=0.04)  # by simulation
    assert record["ratio"] == pytest.approx(40 / 26)
    assert record["relative_difference_percent"] == pytest.approx(100 * 14 / 26)
    assert record["index_of_disparity_percent"] == pytest.approx(100 * (10 + 6 + 4 + 4) / 4 / 30)
    assert record["between_group_variance"] == pytest.approx((36 + 4 + 0 + 64) / 4)
    # quarters stand at 1/8, 3/8, 5/8, 7/8: slope = sum (x - 1/2)(y - 34) / sum (x - 1/2)^2
    assert record["slope_index"] == pytest.approx((-3 * 6 - 1 * 2 + 1 * 0 - 3 * 8) / 8 / (20 / 64))
    assert record["slope_index_standard_error"] == pytest.approx(1 / math.sqrt(20 / 64))
    assert record["relative_index"] == pytest.approx(record["slope_index"] / 34)  # type: ignore[operator]  # a float
    assert (record["strata_count"], record["strata_missing"], record["overall_value"]) == (4, 0, 30.0)


@pytest.mark.parametrize(("question", "relative"), [(OBESITY, 100 * 14 / 26), (STRENGTH, 100 * 14 / 40)])
def test_the_relative_difference_is_from_the_most_favourable_stratum(question: str, relative: float) -> None:
    record = measure(cube_with("Education", SCHOOLING, question=question), "Education")
    assert record["relative_difference_percent"] == pytest.approx(relative)


def test_of_unknown_direction_the_lowest_is_the_reference_and_a_caution_says_so() -> None:
    cube = cube_with("Education", SCHOOLING, question=VISITS)
    assert measure(cube, "Education")["relative_difference_percent"] == pytest.approx(100 * 14 / 26)
    cautions = ask("disparity", cube, {"question": VISITS, "categories": ["Education"]})["cautions"]
    assert isinstance(cautions, list)
    assert any("nobody has said which end" in caution for caution in cautions)


def test_a_category_without_a_scale_has_no_slope() -> None:
    record = measure(cube_with("Sex", {"Male": 32.0, "Female": 28.0}), "Sex")
    assert record["value"] == 4.0
    assert (record["slope_index"], record["relative_index"]) == (None, None)


def test_strata_without_a_place_on_the_scale_are_left_out() -> None:
    income: dict[str, float | None] = {
        "Less than $15,000": 40.0,
        "$75,000 or greater": 30.0,
        "Data not reported": 10.0,
    }
    cube = cube_with("Income", income)
    record = measure(cube, "Income")
    assert (record["value"], record["strata_count"]) == (10.0, 2)
    cautions = ask("disparity", cube, {"question": OBESITY, "categories": ["Income"]})["cautions"]
    assert isinstance(cautions, list)
    assert "strata without a place on the category's scale are left out: Data not reported" in cautions


def test_a_suppressed_stratum_is_counted_as_missing() -> None:
    cube = cube_with("Education", SCHOOLING | {"Less than high school": None})
    record = measure(cube, "Education")
    assert (record["value"], record["strata_count"], record["strata_missing"]) == (10.0, 3, 1)
    assert record["cells_suppressed"] == 1
    cautions = ask("disparity", cube, {"question": OBESITY, "categories": ["Education"]})["cautions"]
    assert isinstance(cautions, list)
    assert any(caution.startswith("1 of 1 locations lack a stratum") for caution in cautions)


def test_a_location_with_one_stratum_is_suppressed_and_the_request_fails_when_all_are() -> None:
    lonely = cube_with("Sex", {"Male": 32.0, "Female": None})
    with pytest.raises(StatisticError, match="no location has two strata"):
        measure(lonely, "Sex")
    rows = [
        Row(OBESITY, "Q", location, location[:2], 2020, "Sex", stratum, value, None, None, None)
        for location, stratum, value in (("Ohio", "Male", 30.0), ("Utah", "Male", 31.0), ("Utah", "Female", 33.0))
    ]
    found = records_in("disparity", cube_of(rows), {"question": OBESITY, "categories": ["Sex"]})
    assert [(record["location"], record["value"], record["reliability"]) for record in found] == [
        ("Ohio", None, "suppressed"),
        ("Utah", 2.0, "caution"),
    ]
    assert {record["index_of_disparity_percent"] for record in found} == {None}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"categories": ["Total"]}, "fewer than two strata"),
        ({"categories": ["Sex"], "strata": ["Male"]}, "fewer than two strata"),
        ({"categories": ["Sex", "Total"]}, "give 1 to 1"),
        ({}, "categories: missing"),
    ],
)
def test_one_category_with_two_strata_is_needed(request_: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message) as refused:
        ask("disparity", cube_with("Sex", {"Male": 32.0, "Female": 28.0}), {"question": OBESITY, **request_})
    assert refused.value.field == "categories"


# ---- the measures by themselves -------------------------------------------------------------------------------------


def stratum(value: float, error: float | None = 1.0, size: float | None = 100.0) -> StratumEstimate:
    return StratumEstimate("a stratum", value, error, size)


def measured(*strata: StratumEstimate, overall: float | None = None) -> Record:
    return measures_of(strata, overall, 0.95, Reference(BEST), higher_is_better=False, has_scale=True)


def test_a_ratio_has_the_limits_of_its_logarithm() -> None:
    measures = measured(stratum(40.0, 4.0), stratum(20.0, 1.0))
    low, high = measures["ratio_low"], measures["ratio_high"]
    assert isinstance(low, float)
    assert isinstance(high, float)
    assert math.sqrt(low * high) == pytest.approx(2)
    assert math.log(high / 2) == pytest.approx(1.959964 * math.sqrt(0.1**2 + 0.05**2), rel=0.03)


@pytest.mark.parametrize(("above", "below"), [(stratum(40.0, None), stratum(20.0)), (stratum(40.0), stratum(0.0))])
def test_a_ratio_without_errors_or_to_zero_has_no_interval(above: StratumEstimate, below: StratumEstimate) -> None:
    measures = measured(above, below)
    assert (measures.get("ratio_low"), measures.get("ratio_high")) == (None, None)


def test_an_index_of_disparity_needs_a_reference_above_zero() -> None:
    assert index_of_disparity([1.0, 2.0], None) is None
    assert index_of_disparity([1.0, 2.0], 0.0) is None


def test_large_strata_count_more_in_the_variance() -> None:
    assert between_group_variance([stratum(10.0), stratum(20.0)], [0.75, 0.25]) == pytest.approx(18.75)
    assert measured(stratum(10.0, size=300.0), stratum(20.0))["between_group_variance"] == pytest.approx(18.75)
    assert measured(stratum(10.0), stratum(20.0, size=None))["between_group_variance"] is None


def test_a_slope_needs_sizes_and_two_strata_that_have_people() -> None:
    assert slope_index([stratum(10.0), stratum(20.0)], None) is None
    assert slope_index([stratum(10.0), stratum(20.0)], [1.0, 0.0]) is None
    without_error = slope_index([stratum(10.0), stratum(20.0, error=None)], [0.5, 0.5])
    assert without_error is not None
    assert without_error.slope == pytest.approx(20.0)
    assert without_error.standard_error is None


@pytest.mark.parametrize("reference", [Reference(BEST), Reference("others"), Reference("stratum", "B")])
def test_many_locations_together_have_the_measures_that_each_has_alone(reference: Reference) -> None:
    """More than are computed at once, with strata missing here and there."""
    shift = [place % 7 / 10 for place in range(150)]
    strata = [
        [
            StratumEstimate(name, own + more, 1.0 + more, 100.0)
            for name, own in zip("ABCD", (30, 34, 31, 29), strict=True)
        ]
        for more in shift
    ]
    kept = [own[: 1 + place % 4] for place, own in enumerate(strata)]
    compared = [Compared(own, 31.0, [1 / len(own)] * len(own)) for own in kept]
    together = measures_of_each(compared, 0.9, reference, higher_is_better=False, has_scale=True)
    assert together == [measures_of(own, 31.0, 0.9, reference, higher_is_better=False, has_scale=True) for own in kept]
    assert together[0] == {}


def test_a_category_of_very_many_strata_can_be_compared_and_scanned() -> None:
    rows = [
        Row(
            OBESITY, "Q", place, place[:2], 2020, "County", f"county {number:03}", 30.0 + number / 10, 29.0, 32.0, 100.0
        )
        for place in ("Ohio", "Utah", "Iowa")
        for number in range(700)
    ]
    (first, *_) = records_in("disparity_scan", cube_of(rows), {"scale": "linear"})
    own, *_ = records_in("disparity", cube_of(rows), {"question": OBESITY, "categories": ["County"], "scale": "linear"})
    assert [first[name] for name in ("location", "value", "low", "high", "p_value")] == [
        own[name] for name in ("location", "value", "low", "high", "p_value")
    ]
    assert first["strata_count"] == 700


def test_a_chosen_stratum_is_the_reference() -> None:
    cube = cube_with("Education", SCHOOLING)
    record = measure(cube, "Education", reference="some college or technical school")
    assert (record["highest_stratum"], record["lowest_stratum"]) == (
        "Some college or technical school",
        "College graduate",
    )
    assert [record["value"], record["ratio"]] == pytest.approx([8.0, 34 / 26])


def test_all_others_together_are_the_reference() -> None:
    record = measure(cube_with("Education", SCHOOLING), "Education", reference="others")
    assert (record["highest_stratum"], record["lowest_stratum"]) == ("all others", "College graduate")
    assert record["value"] == pytest.approx(110 / 3 - 26)
    assert record["standard_error"] == pytest.approx(math.sqrt(1 + 1 / 3), rel=0.04)


def test_a_reference_that_is_not_compared_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="none of the strata that are compared") as refused:
        measure(cube_with("Education", SCHOOLING), "Education", reference="Total")
    assert refused.value.field == "reference"
    assert "College graduate" in refused.value.accepted


def test_a_location_that_lacks_the_reference_has_no_gap_but_other_measures() -> None:
    cube = cube_with("Education", SCHOOLING | {"College graduate": None})
    record = measure(cube, "Education", reference="College graduate")
    assert (record["value"], record["reliability"]) == (None, "suppressed")
    assert record["between_group_variance"] is not None


def test_years_that_a_stratum_lacks_are_left_out_for_all() -> None:
    rows = [
        Row(OBESITY, "Q", "Ohio", "OH", year, "Sex", stratum, value, value - 2.0, value + 2.0, 400.0)
        for year, stratum, value in ((2020, "Male", 30.0), (2020, "Female", 28.0), (2021, "Male", 50.0))
    ]
    record = measure(cube_of(rows), "Sex", years=[2020, 2021])
    assert (record["value"], record["cells_left_out"], record["cells_used"]) == (2.0, 1, 2)


def test_equal_strata_are_named_by_their_order_which_changes_no_number() -> None:
    """The rule for ties: the first is named. The standard error is that of all strata, not of those two."""
    alike = [stratum(40.0, 1.0), stratum(40.0, 5.0), stratum(20.0, 1.0)]
    first, second = (measured(*strata) for strata in (alike, [alike[1], alike[0], alike[2]]))
    for name in ("value", "standard_error", "low", "high"):
        assert first[name] == pytest.approx(second[name], rel=0.05)


@pytest.mark.parametrize("value", [99.9, 0.1, 33.3, 56.7])
def test_of_equal_strata_the_first_is_the_higher_side_whatever_the_last_bits_of_a_mean_are(value: float) -> None:
    alike = [StratumEstimate(name, value, 1.0, 100.0) for name in ("Asian", "Hispanic", "Other", "White")]
    for count in (3, 4):
        found = measures_of(alike[:count], None, 0.95, Reference("others"), higher_is_better=False, has_scale=False)
        assert (found["highest_stratum"], found["lowest_stratum"], found["value"]) == ("Asian", "all others", 0.0)


def test_a_disparity_stops_at_a_checkpoint_that_raises() -> None:
    cube = cube_with("Education", SCHOOLING)
    request = request_for("disparity", cube, {"question": OBESITY, "categories": ["Education"]})

    def stop() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        request.compute(StatisticData(cube, None, stop))


# ---- shares of people ------------------------------------------------------------------------------------------------

PEOPLE = {
    "Less than high school": 100.0,
    "High school graduate": 200.0,
    "Some college or technical school": 300.0,
    "College graduate": 400.0,
}


def shares_of(people: dict[str, float], location: str | None = None) -> list[dict[str, object]]:
    place = {} if location is None else {"location": location}
    return [{"stratum": stratum, "share": share, **place} for stratum, share in people.items()]


def test_shares_of_people_count_in_place_of_those_of_the_sample() -> None:
    cube = cube_with("Education", SCHOOLING)
    record = measure(cube, "Education", shares=shares_of(PEOPLE))
    mean = (100 * 40 + 200 * 36 + 300 * 34 + 400 * 26) / 1000
    expected = (
        100 * (40 - mean) ** 2 + 200 * (36 - mean) ** 2 + 300 * (34 - mean) ** 2 + 400 * (26 - mean) ** 2
    ) / 1000
    assert record["between_group_variance"] == pytest.approx(expected)
    places = [0.05, 0.2, 0.45, 0.8]
    top = sum(n * (x - 0.5) * y for n, x, y in zip((1, 2, 3, 4), places, (40, 36, 34, 26), strict=True))
    slope = top / sum(n * (x - 0.5) ** 2 for n, x in zip((1, 2, 3, 4), places, strict=True))
    assert record["slope_index"] == pytest.approx(slope)
    assert record["relative_index"] == pytest.approx(slope / mean)
    unweighted = measure(cube, "Education")
    same = ("value", "low", "high", "index_of_disparity_percent", "index_of_disparity_low", "sample_size")
    assert [record[name] for name in same] == [unweighted[name] for name in same]


def test_people_and_proportions_are_the_same_shares() -> None:
    cube = cube_with("Education", SCHOOLING)
    proportions = {stratum: share / 1000 for stratum, share in PEOPLE.items()}
    one, other = (measure(cube, "Education", shares=shares_of(own)) for own in (PEOPLE, proportions))
    assert one["between_group_variance_high"] == pytest.approx(other["between_group_variance_high"])


def test_a_location_s_own_shares_stand_before_those_for_all() -> None:
    cube = cube_with("Education", SCHOOLING)
    equal = dict.fromkeys(PEOPLE, 1.0)
    own = measure(cube, "Education", shares=[*shares_of(equal), *shares_of(PEOPLE, "OH")])
    assert own == measure(cube, "Education", shares=shares_of(PEOPLE))


def test_a_caution_names_the_shares_of_the_sample_only_where_they_count() -> None:
    cube = cube_with("Education", SCHOOLING)
    for more, said in (({}, True), ({"shares": shares_of(PEOPLE)}, False)):
        answer = ask("disparity", cube, {"question": OBESITY, "categories": ["Education"], **more})
        assert isinstance(answer["cautions"], list)
        assert any("shares are those of the sample" in caution for caution in answer["cautions"]) == said


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        (shares_of({"Less than high school": 1.0}), "none of High school graduate, Some college"),
        (shares_of(PEOPLE | {"Total": 1.0}), "'Total' is no stratum that is compared"),
        (shares_of(PEOPLE | {"College graduates": 1.0}), "did you mean 'College graduate'"),
        (shares_of(PEOPLE | {"College graduate": 0.0}), "0.0 is no share; give a number above 0"),
        (shares_of(PEOPLE | {"College graduate": -1.0}), "-1.0 is no share"),
        (shares_of(PEOPLE) + shares_of(PEOPLE), "is given twice"),
        ([{"stratum": "College graduate"}], "is not a row such as"),
        ([], "0 items"),
    ],
)
def test_shares_that_cannot_be_used_are_refused(shares: list[dict[str, object]], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message) as refused:
        measure(cube_with("Education", SCHOOLING), "Education", shares=shares)
    assert refused.value.field == "shares"


def test_shares_of_other_locations_alone_are_refused_with_the_locations_that_lack_them() -> None:
    rows = [
        Row(OBESITY, "Q", name, code, 2020, "Sex", stratum, 30.0, 29.0, 31.0, 100.0)
        for name, code in (("Ohio", "OH"), ("Utah", "UT"))
        for stratum in ("Female", "Male")
    ]
    shares = shares_of({"Female": 1.0, "Male": 2.0}, "Ohio")
    asked: dict[str, object] = {"question": OBESITY, "categories": ["Sex"], "shares": shares}
    with pytest.raises(InvalidParameterError, match="shares: none for Utah"):
        ask("disparity", cube_of(rows), asked)
    assert len(records_in("disparity", cube_of(rows), asked | {"locations": ["Ohio"]})) == 1
