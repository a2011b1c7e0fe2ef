"""Proportions under the name of percentages, and goals on another scale than the values, are told to the reader."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meantime.errors import InvalidParameterError
from meantime.survey.cube.survey_cube import SurveyCube
from tests.asking import ask
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY


def cube_with(*values: float, unit: str = "percent") -> SurveyCube:
    names = ["National", "Ohio", "Utah", "Iowa"]
    cube = cube_of(
        Row(OBESITY, "Q036", name, "", 2020, "Total", "Total", value, value * 0.9, value * 1.1, 100.0)
        for name, value in zip(names, values, strict=False)
    )
    return replace(cube, questions=tuple(replace(question, unit=unit) for question in cube.questions))


PERCENT, PROPORTION = cube_with(30.0, 32.0, 25.0), cube_with(0.30, 0.32, 0.25, unit="proportion")
MISNAMED = cube_with(0.30, 0.32, 0.25)


def cautions(statistic: str, cube: SurveyCube, **parameters: object) -> str:
    found = ask(statistic, cube, {"question": "Q036"} | parameters)["cautions"]
    assert isinstance(found, list)
    return "\n".join(found)


@pytest.mark.parametrize(
    ("cube", "goal", "said"),
    [
        (
            PERCENT,
            0.3,
            "the goal 0.3 is below every value of this question (25 to 32 percent); if 30 is meant, give 30",
        ),
        (PERCENT, 20, "the goal 20 is below every value of this question (25 to 32 percent)"),
        (PERCENT, 80, "the goal 80 is above every value of this question (25 to 32 percent)"),
        (MISNAMED, 30, "above every value of this question (0.25 to 0.32 percent); if 0.3 is meant, give 0.3"),
        (cube_with(3.0, 4.0, 5.0, unit="days"), 9, "the goal 9 is above every value of this question (3 to 5 days)"),
    ],
)
def test_a_goal_that_no_value_is_near_gets_a_caution(cube: SurveyCube, goal: float, said: str) -> None:
    assert said in cautions("difference", cube, goal=goal)


def test_a_goal_that_looks_like_a_proportion_is_held_against_what_is_compared() -> None:
    rows = [
        Row(OBESITY, "Q036", "Ohio", "", 2020, "Total", "Total", 32.0, 31.0, 33.0, 100.0),
        Row(OBESITY, "Q036", "Utah", "", 2020, "Total", "Total", 25.0, 24.0, 26.0, 100.0),
        Row(OBESITY, "Q036", "Utah", "", 2020, "Sex", "Male", 0.1, 0.0, 0.2, 100.0),
    ]
    said = "the goal 0.3 is below every value compared here (25 to 32 percent); if 30 is meant, give 30"
    assert said in cautions("difference", cube_of(rows), goal=0.3)
    assert "the goal" not in cautions("difference", cube_of(rows), goal=20)


@pytest.mark.parametrize(("cube", "goal"), [(PERCENT, 30), (PERCENT, 25), (PROPORTION, 0.3), (MISNAMED, 0.3)])
def test_a_goal_among_the_values_gets_none(cube: SurveyCube, goal: float) -> None:
    assert "the goal" not in cautions("difference", cube, goal=goal)


@pytest.mark.parametrize(
    ("cube", "goal", "said"),
    [
        (PERCENT, 130, "goal: 130 is no percent; give a number from 0 to 100"),
        (PERCENT, -1, "goal: -1 is no percent; give a number from 0 to 100"),
        (PROPORTION, 30, "goal: 30 is no proportion; give a number from 0 to 1"),
    ],
)
def test_a_goal_that_no_value_can_have_is_refused(cube: SurveyCube, goal: float, said: str) -> None:
    with pytest.raises(InvalidParameterError, match=said) as refused:
        ask("difference", cube, {"question": "Q036", "goal": goal})
    assert refused.value.field == "goal"


@pytest.mark.parametrize("statistic", ["mean", "ranking", "difference", "distribution"])
def test_proportions_that_are_called_percentages_get_a_caution(statistic: str) -> None:
    said = "every value is between 0 and 1, and the unit is percent; if they are proportions"
    assert said in cautions(statistic, MISNAMED)
    for cube in (PERCENT, PROPORTION, cube_with(0.4, 0.9, 1.2)):
        assert said not in cautions(statistic, cube)


def test_values_that_no_proportion_can_have_get_a_caution() -> None:
    assert "no proportion is above 1" in cautions("mean", cube_with(0.3, 0.4, 25.0, unit="proportion"))


def test_a_difference_of_proportions_is_in_proportions() -> None:
    assert ask("difference", PROPORTION, {"question": "Q036"})["unit"] == "proportion"
