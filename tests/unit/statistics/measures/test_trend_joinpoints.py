"""Trends that bend: their segments, the words for these, and what is said about years that the data chose."""

from __future__ import annotations

import math

import pytest

from meantime.errors import InvalidParameterError
from meantime.statistics.result import Record
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.survey_cube import SurveyCube
from tests.asking import ask, records_in, request_for
from tests.bundled import bundled_cube
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY, VISITS

BEND = (0.0, 1.1, 1.9, 3.0, 4.1, 4.9, 6.0, 5.1, 3.9, 3.0, 2.1, 0.9, 0.0)
"""Up by 1 a year to the seventh year, then down by 1, give or take 0.1."""


def bending(first_year: int = 2011, years: int = 13, question: str = OBESITY, place: str = "Ohio") -> list[Row]:
    """Return rows with standard errors of 0.1 in consecutive years."""
    return [
        Row(
            question,
            "Q",
            place,
            place[:2],
            first_year + step,
            "Total",
            "Total",
            20 + value,
            20 + value - 0.1959964,
            20 + value + 0.1959964,
            400.0,
        )
        for step, value in enumerate(BEND[:years])
    ]


def trends(cube: SurveyCube, **request: object) -> list[Record]:
    return records_in("trend", cube, {"question": cube.questions[0].text, "scale": "linear", **request})


def cautions(cube: SurveyCube, **request: object) -> list[str]:
    found = ask("trend", cube, {"question": cube.questions[0].text, "joinpoints": 2, **request})["cautions"]
    assert isinstance(found, list)
    return found


def test_a_line_that_bends_has_a_record_for_each_segment() -> None:
    up, down = trends(cube_of(bending()), joinpoints=2)
    assert (up["first_year"], up["last_year"], up["year_count"]) == (2011, 2017, 7)
    assert (down["first_year"], down["last_year"], down["year_count"]) == (2017, 2023, 7)
    assert {up["joinpoints"], down["joinpoints"]} == {"2017"}
    assert [up["value"], down["value"]] == pytest.approx([1.0, -1.0], abs=0.03)
    assert [up["change"], down["change"]] == pytest.approx([6.0, -6.0])
    assert [(up["course"], up["verdict"]), (down["course"], down["verdict"])] == [
        ("rising", "worse"),
        ("falling", "better"),
    ]
    # Each error is that of a line through six years without the joinpoint: sum (x - xbar)^2 is 17.5.
    assert [up["standard_error"], down["standard_error"]] == pytest.approx([0.1 / math.sqrt(17.5)] * 2)
    assert {up["widened_by"], up["jump_year"], up["sample_size"], up["cells_used"]} == {1.0, None, 5200, 13}


def test_the_straight_line_through_a_bend_says_that_nothing_changes() -> None:
    (record,) = trends(cube_of(bending()))
    assert (record["course"], "joinpoints" in record) == ("no clear change", False)


def test_where_no_end_is_better_segments_rise_and_fall() -> None:
    found = trends(cube_of(bending(question=VISITS)), joinpoints=1)
    assert [record["verdict"] for record in found] == ["rising", "falling"]


def test_a_line_without_a_joinpoint_is_the_straight_one() -> None:
    cube, asked = bundled_cube(), {"question": "Q036", "locations": ["Ohio", "Utah"]}
    plain, looked_for = (records_in("trend", cube, asked | {"joinpoints": most}) for most in (0, 2))
    assert looked_for == [record | {"joinpoints": ""} for record in plain]


def test_no_joinpoint_comes_near_a_known_break_or_a_given_one() -> None:
    cube = cube_of(bending(2004, 7) + bending(2011))
    found = trends(cube, joinpoints=2)
    assert [(record["first_year"], record["last_year"]) for record in found] == [
        (2004, 2010),
        (2011, 2017),
        (2017, 2023),
    ]
    found = trends(cube, joinpoints=2, break_years=[2017])
    assert [(record["first_year"], record["last_year"]) for record in found] == [
        (2004, 2010),
        (2011, 2016),
        (2017, 2023),
    ]
    assert {record["joinpoints"] for record in found} == {""}


def test_bends_and_known_breaks_in_one_line_are_refused() -> None:
    cube = cube_of(bending(2004, 7) + bending(2011))
    with pytest.raises(InvalidParameterError, match="can't be told from a known break that the line crosses") as error:
        trends(cube, joinpoints=1, breaks="cross")
    assert error.value.field == "joinpoints"
    assert len(trends(cube, joinpoints=1, breaks="cross", years={"from": 2011})) == 2


@pytest.mark.parametrize("most", [-1, 3, 0.5, "one"])
def test_there_are_at_most_two_joinpoints(most: object) -> None:
    with pytest.raises(InvalidParameterError, match="joinpoints: .* a whole number from 0 to 2"):
        trends(cube_of(bending()), joinpoints=most)


def test_who_looks_for_joinpoints_is_told_that_they_were_chosen_by_the_data() -> None:
    found = "; ".join(cautions(cube_of(bending())))
    assert (
        "the data chose the joinpoints, and test the slopes around them, too: so those p-values are too small" in found
    )
    assert "for a year that is known beforehand, give break_years" in found
    assert "by chance alone" not in found
    assert "joinpoint" not in "; ".join(cautions(cube_of(bending()), joinpoints=0))


def test_how_many_joinpoints_come_by_chance_is_said_where_many_series_are_looked_at() -> None:
    found = cautions(bundled_cube(), question="Q036")
    assert (
        "of 51 series 3 have a joinpoint; tested at 5 % each, about 3 would by chance alone; that isn't corrected"
        in found
    )


def test_series_too_short_for_joinpoints_are_counted() -> None:
    found = cautions(cube_of([*bending(years=6), *bending(years=11, place="Utah"), *bending(place="Iowa")]))
    assert "with fewer than 7 years, too few for a joinpoint: 1 of 3 series" in found
    assert "with fewer than 12 years, too few for more than 1 joinpoint: 2 of 3 series" in found


def test_a_panel_of_states_may_bend_too() -> None:
    found = records_in("trend", bundled_cube(), {"question": "Q036", "panel": "fixed", "joinpoints": 1})
    assert [record["joinpoints"] for record in found] == [""]


def test_the_method_says_how_joinpoints_were_chosen() -> None:
    answer = ask("trend", bundled_cube(), {"question": "Q036", "joinpoints": 1})
    assert "joinpoints by grid search, their number by 999 seeded permutations, at 5 % in all" in str(answer["method"])
    assert "joinpoint" not in str(ask("trend", bundled_cube(), {"question": "Q036"})["method"])


def test_looking_for_joinpoints_stops_at_a_checkpoint() -> None:
    class Cancelled(Exception):  # noqa: N818  # what a checkpoint raises is no error
        pass

    def cancel() -> None:
        raise Cancelled

    cube = bundled_cube()
    with pytest.raises(Cancelled):
        request_for("trend", cube, {"question": "Q036", "joinpoints": 1}).compute(
            StatisticData(cube, checkpoint=cancel)
        )
