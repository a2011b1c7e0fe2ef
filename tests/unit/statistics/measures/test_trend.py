"""Trend: slopes, changes, and what is said about years and places that are missing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.estimation.series import fit_lines
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
    assert (record["missing_years"], record["panel_complete"], record["crosses_2011"]) == ("", True, False)
    assert ask("trend", cube_with(STRAIGHT), {"question": OBESITY})["unit"] == "percentage points per year"


@pytest.mark.parametrize(("question", "verdict"), [(OBESITY, "worse"), (STRENGTH, "better"), (VISITS, "higher")])
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


def test_the_change_of_method_in_2011_is_flagged() -> None:
    cube = cube_with({("Ohio", 2009): 20.0, ("Ohio", 2010): 21.0, ("Ohio", 2011): 30.0, ("Utah", 2011): 1.0})
    assert [record["crosses_2011"] for record in trends(cube, locations=["Ohio"])] == [True]
    assert any("changed its method in 2011" in caution for caution in cautions(cube))
    later = {"years": {"from": 2009, "to": 2010}}
    assert [record["crosses_2011"] for record in trends(cube, locations=["Ohio"], **later)] == [False]
    assert not any("changed its method" in caution for caution in cautions(cube, **later))


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
    assert [(record["missing_years"], record["year_count"]) for record in found] == [("", 6)]
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
