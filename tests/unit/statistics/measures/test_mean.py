"""Mean: what it says about what it averaged, and what explain adds. The numbers are held in tests/property."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meantime.errors import InvalidParameterError
from meantime.survey.cube.survey_cube import SurveyCube
from tests.asking import ask, records_in
from tests.bundled import bundled_cube
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY

PLACE = (OBESITY, "Q036")


def cube_with(*cells: tuple[str, int, str, str, float | None]) -> SurveyCube:
    """Return a cube of (location, year, category, stratum, value) with limits 2 below and above and 400 persons."""
    rows = []
    for location, year, category, stratum, value in cells:
        numbers = (None, None, None) if value is None else (value - 2, value + 2, 400.0)
        rows.append(Row(*PLACE, location, location[:2], year, category, stratum, value, *numbers))
    return cube_of(rows)


TWO_STATES = (("Ohio", 2020, "Total", "Total", 30.0), ("Utah", 2020, "Total", "Total", 20.0))
NATION = ("National", 2020, "Total", "Total", 28.0)


def cautions(cube: SurveyCube, **request: object) -> list[str]:
    found = ask("mean", cube, {"question": "Q036", **request})["cautions"]
    assert isinstance(found, list)
    return found


def test_a_single_estimate_keeps_its_published_interval_and_has_no_caution() -> None:
    answer = ask("mean", cube_with(*TWO_STATES), {"question": "Q036", "by": ["location"]})
    records = answer["records"]
    assert isinstance(records, list)
    assert [(record["low"], record["value"], record["high"]) for record in records] == [(28, 30, 32), (18, 20, 22)]
    assert answer["cautions"] == []
    assert str(answer["method"]).startswith(
        "mean/2: single estimates with their published limits; standard errors read on the linear scale"
    )
    assert answer["unit"] == "percent"


def test_at_another_level_the_interval_of_a_single_estimate_is_moved() -> None:
    request = {"question": "Q036", "by": ["location"], "level": 0.5}
    (ohio, _) = records_in("mean", cube_with(*TWO_STATES), request)
    assert ohio["high"] == pytest.approx(30 + 0.674490 * 2 / 1.959964, abs=1e-5)
    assert "each moved to 50 % on the linear scale" in str(ask("mean", cube_with(*TWO_STATES), request)["method"])


def test_limits_in_the_wrong_order_are_no_interval() -> None:
    row = Row(*PLACE, "Ohio", "OH", 2020, "Total", "Total", 30.0, 35.0, 25.0, 400.0)
    (record,) = records_in("mean", cube_of([row]), {"question": "Q036"})
    assert (record["value"], record["standard_error"], record["low"], record["high"]) == (30.0, None, None, None)
    assert record["reliability"] == "caution"


def test_a_pooled_mean_warns_that_it_is_no_national_value_and_that_independence_is_assumed() -> None:
    found = cautions(cube_with(*TWO_STATES, NATION))
    assert any("no national value" in caution for caution in found)
    assert any("takes the pooled estimates as independent" in caution for caution in found)


@pytest.mark.parametrize(
    ("weights", "words"),
    [("sample_size", "sample sizes are not populations"), ("inverse_variance", "precision is not")],
)
def test_other_weights_have_their_own_warning(weights: str, words: str) -> None:
    assert any(words in caution for caution in cautions(cube_with(*TWO_STATES), weights=weights))


def test_averaging_the_nation_with_its_states_is_warned_of() -> None:
    found = cautions(cube_with(*TWO_STATES, NATION), include=["states", "nation"])
    assert "the nation is averaged with locations that are part of it" in found


def test_averaging_years_or_strata_is_warned_of() -> None:
    cube = cube_with(
        *TWO_STATES,
        ("Ohio", 2021, "Total", "Total", 31.0),
        ("Ohio", 2021, "Sex", "Male", 32.0),
        ("Ohio", 2021, "Sex", "Female", 33.0),
    )
    years = cautions(cube, years=[2020, 2021], locations=["Ohio"])
    assert any("several years are averaged" in caution for caution in years)
    strata = cautions(cube, categories=["Sex"], locations=["Ohio"])
    assert any("strata of unequal size" in caution for caution in strata)
    categories = cautions(cube, categories=["Sex", "Total"], locations=["Ohio"])
    assert any("counted more than once" in caution for caution in categories)


def test_absent_and_suppressed_locations_are_counted_and_named() -> None:
    iowa = [("Iowa", 2020, "Total", "Total", None), ("Iowa", 2020, "Sex", "Male", 30.0)]
    cube = cube_with(*TWO_STATES, *iowa, ("Maine", 2019, "Total", "Total", 30.0))
    answer = ask("mean", cube, {"question": "Q036", "by": ["location"]})
    records, found = answer["records"], answer["cautions"]
    assert isinstance(records, list)
    assert isinstance(found, list)
    assert [(record["location"], record["reliability"]) for record in records] == [
        ("Iowa", "suppressed"),
        ("Ohio", "ok"),
        ("Utah", "ok"),
    ]
    assert "without a value: 2 of 4 locations (Iowa, Maine)" in found
    assert any(caution.startswith("suppressed, so not counted: 1 of 3 estimates") for caution in found)


def test_a_location_without_any_estimate_in_a_year_is_not_called_suppressed() -> None:
    found = cautions(cube_with(*TWO_STATES, ("Iowa", 2020, "Total", "Total", None)), by=["location"])
    assert "not in the survey that year, so without an estimate: Iowa 2020" in found
    assert not any("suppressed" in caution for caution in found)


def test_a_year_in_which_nothing_was_asked_is_named() -> None:
    request = {"question": "Q043", "years": [2012, 2013], "locations": ["Ohio"], "by": ["year"]}
    answer = ask("mean", bundled_cube(), request)
    records, found = answer["records"], answer["cautions"]
    assert isinstance(records, list)
    assert isinstance(found, list)
    assert [record["year"] for record in records] == [2013]
    assert any(caution.startswith("without a value: 1 of 2 years (2012)") for caution in found)


def test_estimates_without_weight_or_limits_are_counted() -> None:
    bare = Row(*PLACE, "Iowa", "IA", 2020, "Total", "Total", 40.0, None, None, None)
    full = Row(*PLACE, "Ohio", "OH", 2020, "Total", "Total", 30.0, 28.0, 32.0, 400.0)
    plain = cautions(cube_of([bare, full]))
    assert "without a standard error, because an estimate in them has no limits: 1 values" in plain
    sized = cautions(cube_of([bare, full]), weights="sample_size")
    assert "without a sample size, so not counted: 1 estimates" in sized


def test_explain_names_the_nations_own_value_as_the_issue_has_it() -> None:
    answer = ask("mean", bundled_cube(), {"question": "Q036", "years": [2023], "explain": True})
    explanation = answer["explanation"]
    assert isinstance(explanation, dict)
    (pitfall,) = explanation["pitfalls"]
    assert pitfall.startswith("You averaged 49 estimates of locations of unequal population and got 33.6;")
    assert pitfall.endswith("the table's own value for National is 32.8 (32.4 to 33.1).")
    assert explanation["row_count"] == 49
    assert explanation["rows_truncated"] is False
    assert explanation["sums"][0]["weight_sum"] == 49
    assert explanation["rows"][0] == {
        "location": "Alabama",
        "year": 2023,
        "category": "Total",
        "stratum": "Total",
        "value": 39.2,
        "standard_error": pytest.approx((41.3 - 37.3) / (2 * 1.959964)),
        "low": 37.3,
        "high": 41.3,
        "sample_size": 4077.0,
        "weight": 1.0,
    }


def test_the_rows_of_an_explanation_and_its_sums_give_its_value() -> None:
    request = {"question": "Q036", "weights": "sample_size", "explain": True}
    answer = ask("mean", bundled_cube(), request)
    explanation, records = answer["explanation"], answer["records"]
    assert isinstance(explanation, dict)
    assert isinstance(records, list)
    weighted = sum(row["weight"] * row["value"] for row in explanation["rows"])
    assert weighted == pytest.approx(explanation["sums"][0]["weighted_value_sum"])
    assert records[0]["value"] == pytest.approx(weighted / sum(row["weight"] for row in explanation["rows"]))


def test_an_explanation_says_when_it_shows_only_some_of_its_rows() -> None:
    request = {"question": "Q036", "years": {"from": 2011}, "categories": ["Income"], "explain": True}
    explanation = ask("mean", bundled_cube(), request)["explanation"]
    assert isinstance(explanation, dict)
    assert len(explanation["rows"]) == 1000
    assert explanation["rows_truncated"] is True
    assert explanation["row_count"] > 1000


def test_a_nation_without_a_row_in_that_year_is_not_quoted() -> None:
    cube = cube_with(*TWO_STATES, ("National", 2019, "Total", "Total", 28.0))
    explanation = ask("mean", cube, {"question": "Q036", "explain": True})["explanation"]
    assert isinstance(explanation, dict)
    assert explanation["pitfalls"] == ["You averaged 2 estimates of locations of unequal population."]


def test_without_a_nation_the_pitfall_has_no_number_of_its_own() -> None:
    explanation = ask("mean", cube_with(*TWO_STATES), {"question": "Q036", "explain": True})["explanation"]
    assert isinstance(explanation, dict)
    assert explanation["pitfalls"] == ["You averaged 2 estimates of locations of unequal population."]


POPULATION = [
    {"location": "Ohio", "year": 2020, "population": 11_000_000},
    {"location": "Utah", "year": 2020, "population": 3_000_000},
]


def test_population_weights_count_people() -> None:
    request = {"question": "Q036", "weights": "population", "population": POPULATION}
    (record,) = records_in("mean", cube_with(*TWO_STATES), request)
    assert record["value"] == pytest.approx((30 * 11 + 20 * 3) / 14)
    assert not any("no national value" in caution for caution in cautions(cube_with(*TWO_STATES), **request))


def test_a_location_that_the_population_table_lacks_is_left_out_with_a_caution() -> None:
    request = {"question": "Q036", "weights": "population", "population": POPULATION[:1]}
    (record,) = records_in("mean", cube_with(*TWO_STATES), request)
    assert (record["value"], record["cells_used"]) == (30.0, 1)
    found = cautions(cube_with(*TWO_STATES), **request)
    assert "without a population in the table, so not counted: 1 estimates" in found


@pytest.mark.parametrize(
    ("request_", "field", "message"),
    [
        ({"weights": "population", "categories": ["Sex"], "strata": ["Male"]}, "population", "count all adults"),
        ({"population": POPULATION}, "population", "the weights are 'none'"),
        ({"weights": "population", "population": POPULATION, "categories": ["Sex"]}, "weights", "counts everybody"),
    ],
)
def test_population_weights_and_their_table_come_together(
    request_: dict[str, object], field: str, message: str
) -> None:
    cells = [("Ohio", 2020, "Sex", stratum, 30.0) for stratum in ("Male", "Female")]
    with pytest.raises(InvalidParameterError, match=message) as refused:
        ask("mean", cube_with(*TWO_STATES, *cells), {"question": "Q036", **request_})
    assert refused.value.field == field


def test_population_weights_take_several_strata_when_they_are_kept_apart() -> None:
    cells = [("Ohio", 2020, "Sex", stratum, 30.0) for stratum in ("Male", "Female")]
    request = {"question": "Q036", "weights": "population", "population": POPULATION, "categories": ["Sex"]}
    assert len(records_in("mean", cube_with(*TWO_STATES, *cells), request | {"by": ["stratum"]})) == 2


def test_the_logit_scale_reads_a_smaller_error_off_limits_near_0() -> None:
    row = Row(*PLACE, "Ohio", "OH", 2020, "Total", "Total", 2.0, 1.0, 4.0, 400.0)
    errors = [
        records_in("mean", cube_of([row]), {"question": "Q036", "scale": scale})[0]["standard_error"]
        for scale in ("linear", "logit")
    ]
    assert errors[0] == pytest.approx(3 / (2 * 1.959964))
    assert errors[1] == pytest.approx(0.7083, abs=5e-4)


def test_the_logit_scale_is_for_percentages_only() -> None:
    cube = cube_with(*TWO_STATES)
    per_thousand = replace(cube, questions=(replace(cube.questions[0], unit="per 1,000"),))
    assert ask("mean", per_thousand, {"question": "Q036"})["unit"] == "per 1,000"
    with pytest.raises(InvalidParameterError, match="'per 1,000'; use linear") as refused:
        ask("mean", per_thousand, {"question": "Q036", "scale": "logit"})
    assert refused.value.field == "scale"


def test_cells_of_several_estimates_are_read_on_the_linear_scale_with_a_caution() -> None:
    rows = [Row(*PLACE, "Ohio", "OH", 2020, "Total", "Total", value, 1.0, 6.0, 400.0) for value in (2.0, 3.0)]
    linear, logit = (
        records_in("mean", cube_of(rows), {"question": "Q036", "scale": scale})[0] for scale in ("linear", "logit")
    )
    assert linear["standard_error"] == logit["standard_error"]
    assert any("read on the linear scale" in caution for caution in cautions(cube_of(rows), scale="logit"))


def test_averaging_years_on_both_sides_of_a_known_break_is_warned_of() -> None:
    rows = [Row(*PLACE, "Ohio", "OH", year, "Total", "Total", 30.0, 28.0, 32.0, 400.0) for year in (2010, 2011, 2012)]
    wanted = "estimates from 2011 on can't be compared with earlier ones, and both kinds are averaged"
    assert any(caution.startswith(wanted) for caution in cautions(cube_of(rows), years=[2010, 2011]))
    assert not any("can't be compared" in caution for caution in cautions(cube_of(rows), years=[2011, 2012]))
