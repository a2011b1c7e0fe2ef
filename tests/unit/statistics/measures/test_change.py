"""Changes beside a reference's: what is compared, what verdicts mean, what is said, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.result import Record
from tests import reference_changes as reference
from tests.asking import agree, ask, records_in
from tests.bundled import bundled_cube, bundled_rows
from tests.cubes import cube_of
from tests.reference import STRATUM_ORDERS, Row
from tests.reference_changes import Asked
from tests.reference_comparisons import Rule
from tests.reference_estimates import Options, Query
from tests.tables import OBESITY, STRENGTH, VISITS

FIRST, LAST = 2012, 2022


def row(location: str, year: int, value: float | None, stratum: str = "Total", question: str = OBESITY) -> Row:
    low, high = (None, None) if value is None else (value - 1, value + 1)
    category = "Total" if stratum == "Total" else "Sex"
    return Row(question, question[-4:], location, location[:2], year, category, stratum, value, low, high, 400.0)


def table(question: str = OBESITY) -> list[Row]:
    """Return a nation that rises by 5, and states that rise by 5, by 9, fall by 4, and have no last value."""
    ends = {"National": (25, 30), "Iowa": (20, 25), "Ohio": (21, 30), "Utah": (24, 20), "Maine": (24, None)}
    return [
        row(place, year, value, question=question)
        for place, values in ends.items()
        for year, value in zip((FIRST, LAST), values, strict=True)
    ]


def asked_of(rows: list[Row], **asked: object) -> dict[str, Record]:
    found = records_in("change", cube_of(rows), {"question": rows[0].question, **asked})
    return {str(record["location"]): record for record in found}


def cautions_of(asked: Mapping[str, object]) -> list[str]:
    found = ask("change", bundled_cube(), asked)["cautions"]
    assert isinstance(found, list)
    return found


UNCLEAR = "no clear difference"


@pytest.mark.parametrize(
    ("question", "more", "less"),
    [(OBESITY, "worse", "better"), (STRENGTH, "better", "worse"), (VISITS, "higher", "lower")],
)
def test_verdicts_are_about_the_difference_of_the_two_changes(question: str, more: str, less: str) -> None:
    found = asked_of(table(question))
    assert {name: (one["value"], one["difference"], one["verdict"]) for name, one in found.items()} == {
        "Iowa": (5.0, 0.0, UNCLEAR),
        "Maine": (None, None, None),
        "Ohio": (9.0, 4.0, more),
        "Utah": (-4.0, -9.0, less),
    }
    assert {one["reference"] for one in found.values()} == {5.0}


def test_a_change_as_large_as_the_references_can_be_similar() -> None:
    assert asked_of(table(), margin=3.0)["Iowa"]["verdict"] == "similar"


def test_what_lacks_a_year_is_named_and_not_compared() -> None:
    found = asked_of(table())["Maine"]
    assert (found["reliability"], found["cells_used"], found["cells_suppressed"]) == ("suppressed", 1, 1)
    cautions = ask("change", cube_of(table()), {"question": OBESITY})["cautions"]
    assert isinstance(cautions, list)
    assert "not compared, because an estimate is lacking on one side: 1 of 4 (Maine)" in cautions


def test_each_sides_change_is_what_compare_finds_for_it() -> None:
    beside = {"question": "Q036", "years": [2022], "against_year": 2013, "include": ["states", "nation"]}
    alone = {str(one["location"]): one for one in records_in("compare", bundled_cube(), beside)}
    found = records_in("change", bundled_cube(), {"question": "Q036", "years": [2013, 2022]})
    assert len(found) == 51
    for record in found:
        for name, side in ((str(record["location"]), "value"), ("National", "reference")):
            assert record[side] == pytest.approx(alone[name]["difference"])
        for end in ("standard_error", "low", "high"):
            assert record[end] == pytest.approx(alone[str(record["location"])][f"difference_{end}"])
            assert record[f"reference_{end}"] == pytest.approx(alone["National"][f"difference_{end}"])


def test_each_sides_slope_is_that_of_trend_where_no_year_is_lacking() -> None:
    asked = {"question": "Q036", "years": {"from": 2015}, "locations": ["Colorado", "National", "Ohio"]}
    alone = {str(one["location"]): one for one in records_in("trend", bundled_cube(), asked)}
    for record in records_in("change", bundled_cube(), asked | {"of": "trend"}):
        own, nation = alone[str(record["location"])], alone["National"]
        assert (record["value"], record["standard_error"]) == pytest.approx((own["value"], own["standard_error"]))
        beside = record["reference"], record["reference_standard_error"]
        assert beside == pytest.approx((nation["value"], nation["standard_error"]))
        assert record["widened_by"] == pytest.approx(own["widened_by"])


def test_a_fixed_panel_as_reference_is_that_of_compare_and_of_trend() -> None:
    asked: dict[str, object] = {"question": "Q036", "locations": ["Ohio"], "panel": "fixed"}
    alone: dict[str, object] = {"question": "Q036", "panel": "fixed"}
    [record] = records_in("change", bundled_cube(), asked | {"years": [2013, 2023]})
    [panel] = records_in("compare", bundled_cube(), alone | {"years": [2023], "against_year": 2013})
    assert record["against"] == panel["location"] == "states in every year"
    assert record["reference"] == pytest.approx(panel["difference"])
    assert record["reference_standard_error"] == pytest.approx(panel["difference_standard_error"])
    years = {"years": {"from": 2018}}
    [record] = records_in("change", bundled_cube(), asked | years | {"of": "trend"})
    [panel] = records_in("trend", bundled_cube(), alone | years)
    assert record["reference"] == pytest.approx(panel["value"])
    assert record["reference_standard_error"] == pytest.approx(panel["standard_error"])


def test_a_change_of_a_gap_is_how_much_more_a_stratum_changed_than_the_reference_stratum() -> None:
    ends = {"Female": (20, 31), "Male": (25, 30)}
    rows = [row("Ohio", year, v, sex) for sex, vs in ends.items() for year, v in zip((FIRST, LAST), vs, strict=True)]
    asked: dict[str, object] = {"of": "disparity", "categories": ["Sex"], "reference": "Male"}
    found = asked_of(rows, **asked)["Ohio"]
    assert (found["first_value"], found["last_value"], found["value"]) == (-5.0, 1.0, 6.0)
    assert (found["stratum"], found["reference"], found["verdict"]) == ("Female", 0.0, "worse")
    assert found["standard_error"] == pytest.approx(2 / 1.959964)  # four times 1 / 1.959964, squared and added
    both = [*rows, *(each._replace(location="Utah", abbreviation="UT") for each in rows)]
    [record] = records_in("change", cube_of(both), {"question": OBESITY, **asked, "against": "Utah"})
    assert (record["reference"], record["difference"], record["verdict"]) == (6.0, 0.0, UNCLEAR)


def test_lines_are_through_the_years_that_both_sides_have() -> None:
    cautions = cautions_of({"question": "Q036", "of": "trend", "years": {"from": 2017}, "locations": ["FL", "OH"]})
    assert "lines are only through the years that both sides have: 1 of 2 (Florida without 2021)" in cautions
    assert any("is without New Jersey in 2019, Florida in 2021" in caution for caution in cautions)
    assert any(caution.startswith("2 of 2 lines of the reference scatter more") for caution in cautions)


def test_a_break_between_the_years_is_said_to_be_on_both_sides() -> None:
    asked: dict[str, object] = {"question": "Q043", "locations": ["Ohio"], "years": [2019, 2023]}
    assert any("both sides cross that: what it moved alike on both drops out" in each for each in cautions_of(asked))
    assert not any("both sides cross" in each for each in cautions_of(asked | {"years": [2017, 2019]}))


def test_trends_stop_at_a_break_unless_they_are_told_to_cross_it() -> None:
    asked: dict[str, object] = {"question": "Q043", "locations": ["Ohio"], "of": "trend"}
    [apart] = records_in("change", bundled_cube(), asked)
    [across] = records_in("change", bundled_cube(), asked | {"breaks": "cross"})
    assert (apart["last_year"], across["last_year"]) == (2019, 2023)
    assert "between breaks too few years for a trend, so left out: 2023" in cautions_of(asked)
    assert any("both sides cross that" in each for each in cautions_of(asked | {"breaks": "cross"}))


def test_a_state_beside_the_nation_is_called_dependent() -> None:
    asked: dict[str, object] = {"question": "Q036", "years": [2013, 2022], "locations": ["Ohio"]}
    assert any(each.startswith("each state is part of National") for each in cautions_of(asked))
    assert not any("is part of" in each for each in cautions_of(asked | {"against": "Utah"}))


def test_one_doubtful_estimate_on_either_side_makes_a_change_doubtful() -> None:
    doubted = [
        each._replace(sample_size=10.0) if (each.location, each.year) == ("National", FIRST) else each
        for each in table()
    ]
    assert asked_of(table())["Ohio"]["reliability"] == "ok"
    assert asked_of(doubted)["Ohio"]["reliability"] == "caution"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"years": {"from": 2012}}, "years: 3 are selected; a change of value is between two years"),
        ({"years": [2022]}, "years: 1 is selected; a change of value is between"),
        ({"years": [2022], "of": "trend"}, "years: 1 is selected; a change of trend takes two years or more"),
        ({"years": [2012, 2022], "breaks": "cross"}, "breaks: only a trend can stop at them"),
        ({"locations": ["Ohio"], "against": "Ohio"}, "against: Ohio would be compared with itself"),
        ({"include": ["nation"]}, "against: National would be compared with itself"),
        ({"reference": "Male"}, "reference: only a disparity is measured from a stratum"),
        ({"of": "disparity", "categories": ["Sex"]}, "reference: missing"),
        ({"of": "disparity", "reference": "Male"}, "categories: a gap is between strata of one category"),
        ({"of": "disparity", "categories": ["Sex"], "reference": "Total"}, "reference: Total is no stratum of Sex"),
        ({"of": "disparity", "strata": ["Male"], "reference": "Male"}, "strata: Male would be compared with itself"),
        ({"panel": "fixed", "against": "Utah"}, "panel: a fixed panel stands for the nation"),
        ({"panel": "fixed", "categories": ["Sex"]}, "panel: a fixed panel is of the same states for one stratum"),
    ],
)
def test_what_fits_no_change_is_refused_with_the_reason(asked: dict[str, object], message: str) -> None:
    sexes = [row("Ohio", year, 30.0, sex) for sex in ("Female", "Male") for year in (FIRST, LAST)]
    rows = [*table(), *sexes, row("Ohio", 2015, 25.0)]
    with pytest.raises(InvalidParameterError, match=message):
        asked_of(rows, **asked)


def test_without_a_nation_a_reference_has_to_be_named() -> None:
    rows = [each for each in table() if each.location != "National"]
    with pytest.raises(InvalidParameterError, match="no nation to compare with; name a location"):
        asked_of(rows)
    assert asked_of(rows, against="Iowa")["Ohio"]["difference"] == 4.0


def test_a_reference_without_a_value_and_places_without_a_change_fail_with_the_reason() -> None:
    with pytest.raises(StatisticError, match="Maine has no value"):
        asked_of([*table()[:-2], row("Maine", FIRST, None), row("Maine", LAST, None)], against="Maine")
    with pytest.raises(StatisticError, match="nothing has estimates in the years that a change takes"):
        asked_of(table(), locations=["Maine"])


EDUCATION = tuple(("Education", stratum) for stratum in STRATUM_ORDERS["Education"])
PLACES = ("Colorado", "Florida", "Kentucky", "National", "Ohio", "Texas")


@pytest.mark.parametrize("rule", [Rule("none"), Rule("holm"), Rule("bh", 2.0)])
@pytest.mark.parametrize(
    ("asked", "years"),
    [
        (Asked("value", "National"), (2013, 2023)),
        (Asked("value", "Ohio"), (2013, 2022)),
        (Asked("trend", "National"), tuple(range(2015, 2024))),
        (Asked("disparity", None, "College graduate"), (2013, 2023)),
        (Asked("disparity", "National", "Less than high school"), (2013, 2022)),
    ],
)
def test_changes_in_cdcs_table_agree_with_the_reference(asked: Asked, years: tuple[int, ...], rule: Rule) -> None:
    segments = tuple(each for each in EDUCATION if each[1] != asked.reference)
    query = Query(OBESITY, years, PLACES, segments)
    sent: dict[str, object] = {"question": OBESITY, "years": years, "locations": PLACES, "categories": ["Education"]}
    sent |= {"scale": "logit", "of": asked.of, "against": asked.against, "reference": asked.reference}
    sent |= rule._asdict()
    rows = [each for each in bundled_rows() if each.question == OBESITY and each.location in PLACES]
    expected = reference.change(rows, query, asked, Options(scale="logit"), rule)
    assert len(expected) >= 3 * (len(PLACES) - 1)
    agree(records_in("change", bundled_cube(), sent), expected)


def test_an_explanation_has_the_rows_of_both_sides() -> None:
    asked = {"question": "Q036", "years": [2013, 2022], "locations": ["Ohio"], "explain": True}
    explanation = ask("change", bundled_cube(), asked)["explanation"]
    assert isinstance(explanation, dict)
    assert [one["value"] for one in explanation["rows"]] == [30.4, 38.1]
    assert [one["value"] for one in explanation["reference"]["rows"]] == [28.3, 33.3]
