"""Trend: slopes, changes, and what is said about years and places that are missing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.estimation.series.lines import chi_square_p, fit_lines
from meantime.statistics.result import Record
from meantime.survey.cube.survey_cube import SurveyCube
from tests.asking import ask, records_in
from tests.bundled import bundled_cube
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY, STRENGTH, VISITS


def cube_with(values: dict[tuple[str, int], float | None], question: str = OBESITY) -> SurveyCube:
    """Return a cube of (location, year) to value, with limits 1.959964 below and above: standard errors of 1."""
    rows = []
    for (location, year), value in values.items():
        low, high = (None, None) if value is None else (value - 1.959964, value + 1.959964)
        rows.append(Row(question, "Q", location, location[:2], year, "Total", "Total", value, low, high, 400.0))
    return cube_of(rows)


def trends(cube: SurveyCube, **request: object) -> list[Record]:
    return records_in("trend", cube, {"question": cube.questions[0].text, **request})


def cautions(cube: SurveyCube, **request: object) -> list[str]:
    found = ask("trend", cube, {"question": cube.questions[0].text, **request})["cautions"]
    assert isinstance(found, list)
    return found


STRAIGHT: dict[tuple[str, int], float | None] = {("Ohio", 2015 + step): 20.0 + 2 * step for step in range(4)}


def test_a_straight_line_has_its_slope_and_its_error() -> None:
    (record,) = trends(cube_with(STRAIGHT))
    assert record["value"] == pytest.approx(2)
    assert record["standard_error"] == pytest.approx(1 / math.sqrt(5))  # sum (x - xbar)^2 of four years
    assert record["residual_ratio"] == pytest.approx(0, abs=1e-9)
    assert (record["first_year"], record["last_year"], record["year_count"]) == (2015, 2018, 4)
    assert record["change"] == 6.0
    assert record["change_standard_error"] == pytest.approx(math.sqrt(2))
    assert (record["missing_years"], record["panel_complete"], record["breaks_crossed"]) == ("", True, "")
    assert (record["course"], record["widened_by"], record["misfit_p"], record["jump_year"]) == ("rising", 1, 1, None)
    assert ask("trend", cube_with(STRAIGHT), {"question": OBESITY})["unit"] == "percentage points per year"


@pytest.mark.parametrize(("question", "verdict"), [(OBESITY, "worse"), (STRENGTH, "better"), (VISITS, "rising")])
def test_a_rising_series_is_judged_by_the_direction(question: str, verdict: str) -> None:
    (record,) = trends(cube_with(STRAIGHT, question))
    assert record["verdict"] == verdict


def test_precise_years_count_more() -> None:
    owner, years = np.zeros(3, dtype=np.intp), np.array([2015.0, 2016.0, 2017.0])
    values = np.array([20.0, 21.0, 30.0])
    even = fit_lines(owner, years, values, np.array([1.0, 1.0, 1.0]), 1)
    vague_end = fit_lines(owner, years, values, np.array([1.0, 1.0, 100.0]), 1)
    assert even.slope[0] == pytest.approx(5.0)
    assert vague_end.slope[0] == pytest.approx(1.0, abs=0.01)


def test_the_years_of_a_series_may_come_in_any_order() -> None:
    years = np.array([2017.0, 2015.0, 2016.0])
    lines = fit_lines(np.zeros(3, dtype=np.intp), years, np.array([24.0, 20.0, 22.0]), np.ones(3), 1)
    assert lines.slope[0] == pytest.approx(2.0)
    assert (lines.first[0], lines.last[0]) == (1, 0)


def test_a_series_of_one_year_has_no_slope_and_one_of_two_no_residual() -> None:
    lines = fit_lines(np.array([0, 1, 1]), np.array([2015.0, 2015.0, 2016.0]), np.array([1.0, 1.0, 3.0]), np.ones(3), 3)
    assert lines.year_count.tolist() == [1, 2, 0]
    assert np.isnan(lines.slope).tolist() == [True, False, True]
    assert lines.slope[1] == pytest.approx(2.0)
    assert np.isnan(lines.residual_ratio).all()


def test_a_year_without_a_value_is_named() -> None:
    cube = cube_with(STRAIGHT | {("Utah", 2015): 20.0, ("Utah", 2016): None, ("Utah", 2018): 23.0})
    utah = next(record for record in trends(cube) if record["location"] == "Utah")
    assert (utah["missing_years"], utah["panel_complete"], utah["year_count"]) == ("2016, 2017", False, 2)
    assert utah["value"] == pytest.approx(1.0)
    assert utah["cells_suppressed"] == 1
    wanted = "the locations are not the same in every year; without a value: Utah 2016, Utah 2017"
    assert wanted in cautions(cube)


def test_a_series_with_a_single_year_is_suppressed_but_listed() -> None:
    cube = cube_with(STRAIGHT | {("Utah", 2015): 20.0})
    utah = next(record for record in trends(cube) if record["location"] == "Utah")
    assert (utah["value"], utah["reliability"], utah["first_year"]) == (None, "suppressed", None)
    assert utah["missing_years"] == "2016, 2017, 2018"


def test_a_pooled_series_says_when_its_locations_change() -> None:
    changing = cube_with(STRAIGHT | {("Utah", year): 20.0 for year in (2015, 2016, 2017)})
    (record,) = trends(changing, by=[])
    assert (record["missing_years"], record["panel_complete"]) == ("", False)
    assert "without a value: Utah 2018" in "; ".join(cautions(changing, by=[]))
    steady = cube_with(STRAIGHT | {("Utah", year): 20.0 for year in (2015, 2016, 2017, 2018)})
    assert trends(steady, by=[])[0]["panel_complete"] is True


BROKEN: dict[tuple[str, int], float | None] = {
    ("Ohio", 2009): 20.0,
    ("Ohio", 2010): 21.0,
    ("Ohio", 2011): 30.0,
    ("Ohio", 2012): 31.0,
    ("Utah", 2011): 1.0,
}


def test_no_trend_crosses_a_known_break_unasked() -> None:
    before, since = trends(cube_with(BROKEN), locations=["Ohio"])
    assert (before["first_year"], before["last_year"]) == (2009, 2010)
    assert (since["first_year"], since["last_year"]) == (2011, 2012)
    assert [before["value"], since["value"]] == pytest.approx([1.0, 1.0])
    assert [before["breaks_crossed"], since["breaks_crossed"]] == ["", ""]
    wanted = "estimates from 2011 on can't be compared with earlier ones, so that no trend crosses it"
    assert any(caution.startswith(wanted) for caution in cautions(cube_with(BROKEN)))


def test_a_trend_crosses_a_break_where_that_is_asked_for() -> None:
    (record,) = trends(cube_with(BROKEN), locations=["Ohio"], breaks="cross")
    assert (record["first_year"], record["last_year"], record["breaks_crossed"]) == (2009, 2012, "2011")
    assert record["value"] == pytest.approx(4.2)
    found = cautions(cube_with(BROKEN), breaks="cross")
    assert any("the slope mixes that with the change in people" in caution for caution in found)


def test_years_that_are_given_begin_a_trend_besides_the_known_breaks() -> None:
    longer = BROKEN | {("Ohio", 2013): 50.0, ("Ohio", 2014): 48.0}
    found = trends(cube_with(longer), locations=["Ohio"], break_years=[2013])
    assert [(record["first_year"], record["last_year"]) for record in found] == [
        (2009, 2010),
        (2011, 2012),
        (2013, 2014),
    ]
    assert [record["value"] for record in found] == pytest.approx([1.0, 1.0, -2.0])


def test_a_trend_that_crosses_known_breaks_still_begins_in_the_years_that_are_given() -> None:
    found = trends(cube_with(BROKEN), locations=["Ohio"], breaks="cross", break_years=2010)
    assert [(record["first_year"], record["breaks_crossed"]) for record in found] == [(2010, "2011")]
    cut = "between breaks too few years for a trend, so left out: 2009"
    assert cut in cautions(cube_with(BROKEN), locations=["Ohio"], breaks="cross", break_years=[2010])


@pytest.mark.parametrize("year", [2009, 2013])
def test_a_break_year_that_parts_no_years_is_refused(year: int) -> None:
    message = f"break_years: {year} parts none of the selected years, 2009 to 2012; give years after the first"
    with pytest.raises(InvalidParameterError, match=message) as refused:
        trends(cube_with(BROKEN), break_years=[2010, year])
    assert refused.value.field == "break_years"


def test_years_on_one_side_of_a_break_have_no_caution_of_it() -> None:
    later = {"years": {"from": 2009, "to": 2010}}
    assert not any("can't be compared" in caution for caution in cautions(cube_with(BROKEN), **later))


def test_a_year_alone_between_breaks_is_left_out_and_named() -> None:
    cube = bundled_cube()
    (record,) = records_in("trend", cube, {"question": "Q043", "locations": ["National"]})
    assert (record["first_year"], record["last_year"], record["course"]) == (2011, 2019, "no clear change")
    found = ask("trend", cube, {"question": "Q043", "locations": ["National"]})["cautions"]
    assert isinstance(found, list)
    assert "between breaks too few years for a trend, so left out: 2023" in found
    with pytest.raises(StatisticError, match="on one side of a break; select more years, ask for breaks `cross`"):
        records_in("trend", cube, {"question": "Q043", "locations": ["National"], "years": [2019, 2023]})


def test_the_jumps_of_the_issue_are_found_though_no_document_explains_them() -> None:
    (strength,) = records_in("trend", bundled_cube(), {"question": "Q046", "locations": ["National"]})
    assert (strength["jump_year"], strength["breaks_crossed"]) == (2019, "")
    assert isinstance(strength["misfit_p"], float)
    assert strength["misfit_p"] < 1e-100


def test_12_of_51_series_of_obesity_are_misfits_that_a_ratio_of_3_would_miss() -> None:
    found = records_in("trend", bundled_cube(), {"question": "Q036"})
    misfits = [record for record in found if isinstance(p := record["misfit_p"], float) and p <= 0.05]
    missed = [record for record in misfits if isinstance(ratio := record["residual_ratio"], float) and ratio <= 3]
    assert (len(found), len(misfits), len(missed)) == (51, 16, 12)
    assert all(record["jump_year"] is not None for record in misfits)


def test_a_slope_is_widened_by_the_birge_ratio() -> None:
    jagged: dict[tuple[str, int], float | None] = {("Ohio", 2015 + step): 20.0 + 10 * (step % 2) for step in range(6)}
    (record,) = trends(cube_with(jagged))
    assert isinstance(ratio := record["residual_ratio"], float)
    assert record["widened_by"] == pytest.approx(math.sqrt(ratio))
    assert record["standard_error"] == pytest.approx(math.sqrt(ratio / 17.5))  # sum (x - xbar)^2 of six years
    assert record["course"] == "no clear change"


def test_a_pooled_trend_is_over_the_locations_that_every_year_has() -> None:
    """Utah is far below Ohio: in the year in which it is lacking the mean would jump."""
    values = STRAIGHT | {("Utah", year): 0.0 for year in (2015, 2016, 2017)}
    (record,) = trends(cube_with(values), by=[])
    assert record["value"] == pytest.approx(2.0)
    assert (record["cells_left_out"], record["cells_used"]) == (3, 4)
    wanted = "left out, so that each year has the same locations and strata: 3 estimates, of 1 locations (Utah)"
    assert wanted in cautions(cube_with(values), by=[])


def test_a_nation_that_lacks_other_states_in_another_year_is_no_complete_panel() -> None:
    found = records_in("trend", bundled_cube(), {"question": "Q036", "locations": ["National"]})
    assert [record["panel_complete"] for record in found] == [False]
    early = {"question": "Q036", "locations": ["National"], "years": {"to": 2018}}
    assert [record["panel_complete"] for record in records_in("trend", bundled_cube(), early)] == [True]


@pytest.mark.parametrize(
    ("chi_square", "freedom", "p"),
    [(3.841, 1, 0.05), (5.991, 2, 0.05), (18.307, 10, 0.05), (29.588, 10, 0.001), (0.0, 3, 1.0), (24.725, 11, 0.01)],
)
def test_chi_square_probabilities_are_those_of_the_printed_tables(chi_square: float, freedom: int, p: float) -> None:
    assert chi_square_p(np.array([chi_square]), np.array([freedom]))[0] == pytest.approx(p, rel=1e-3)


def test_a_line_that_does_not_fit_is_warned_of() -> None:
    jagged: dict[tuple[str, int], float | None] = {("Ohio", 2015 + step): 20.0 + 10 * (step % 2) for step in range(6)}
    (record,) = trends(cube_with(jagged))
    assert isinstance(record["residual_ratio"], float)
    assert record["residual_ratio"] > 3
    assert any("scatter more around their line" in caution for caution in cautions(cube_with(jagged)))
    assert not any("scatter more" in caution for caution in cautions(cube_with(STRAIGHT)))


def test_years_in_which_a_question_is_not_asked_are_no_gap() -> None:
    cube = bundled_cube()
    found = records_in("trend", cube, {"question": "Q043", "locations": ["National"], "years": {"from": 2011}})
    assert [(record["missing_years"], record["year_count"]) for record in found] == [("", 5)]
    answer = ask("trend", cube, {"question": "Q043", "locations": ["National"], "years": {"from": 2011}})
    assert isinstance(answer["cautions"], list)
    assert any(caution.startswith("without a value: 7 of 13 years (2012, 2014") for caution in answer["cautions"])


def test_one_year_is_no_trend() -> None:
    with pytest.raises(InvalidParameterError, match="at least two years") as refused:
        trends(cube_with(STRAIGHT), years=[2015])
    assert refused.value.field == "years"


def test_no_series_with_two_years_fails() -> None:
    cube = cube_with({("Ohio", 2015): 20.0, ("Utah", 2016): 21.0})
    with pytest.raises(StatisticError, match="nothing has two years"):
        trends(cube)


def test_a_doubtful_year_makes_a_doubtful_trend() -> None:
    rows = [
        Row(OBESITY, "Q", "Ohio", "OH", year, "Total", "Total", 30.0, 28.0, 32.0, size)
        for year, size in ((2015, 400.0), (2016, 49.0))
    ]
    assert [record["reliability"] for record in trends(cube_of(rows))] == ["caution"]
    suppressed = rows[0]._replace(year=2014, value=None, low=None, high=None, sample_size=None)
    reliable = [*(row._replace(sample_size=50.0) for row in rows), suppressed]
    assert [record["reliability"] for record in trends(cube_of(reliable))] == ["ok"]
