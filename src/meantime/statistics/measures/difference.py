"""The statistic ``difference``: each location against the nation, another location or a goal.

The arithmetic, with its sources, is in ``contrasts.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Self

import numpy as np

from meantime.errors import InvalidParameterError, StatisticError
from meantime.fields.fields import Default, Example
from meantime.fields.kinds import Number
from meantime.statistics.estimation.cautions import cautions_of, cautions_of_goal
from meantime.statistics.estimation.contrasts import (
    SIMILAR,
    TEST_FORMULA,
    Contrasts,
    cautions_of_direction,
    cautions_of_many_tests,
    contrasts,
)
from meantime.statistics.estimation.explanation import explain
from meantime.statistics.estimation.filters import Filters, Places
from meantime.statistics.estimation.grouping import LOCATION, group
from meantime.statistics.estimation.options import (
    ExplainOption,
    LevelOption,
    ScaleOption,
    WeightsOption,
    check_scale,
)
from meantime.statistics.estimation.pooling import Estimates, pool
from meantime.statistics.estimation.selection import Selection
from meantime.statistics.kinds import PLACE_NAME
from meantime.statistics.result import Result, records_of
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.questions import SCALES, LocationKind


@dataclass(frozen=True, kw_only=True)
class Difference(Filters):
    """How each location differs from the nation, another location or a goal."""

    name = "difference"
    title = "Difference from the nation, a location or a goal"
    summary = "How each location differs from the nation, another location or a goal, with a verdict."
    unit = "percent"
    method = "difference/1: location minus reference, two-sided z-test"
    example: ClassVar = {"question": "Q036", "years": [2023], "against": "National"}
    documentation = "methods/difference.md"

    against: Annotated[
        str | None,
        PLACE_NAME,
        "The location that each location is compared with.",
        Default("the nation, unless a goal is given"),
        Example("National"),
    ] = None
    goal: Annotated[
        float | None,
        Number(-1e9, 1e9),
        "A fixed number, in the question's unit, that each location is compared with instead.",
        Default("none"),
        Example(30.0),
    ] = None
    weights: WeightsOption = "none"
    scale: ScaleOption = "auto"
    level: LevelOption = 0.95
    explain: ExplainOption = False

    def settled(self, cube: SurveyCube) -> Self:
        """Fill ``against`` too: the nation, unless there is a goal.

        Raises
        ------
        InvalidParameterError
            As for the filters; or ``against`` and ``goal`` are both given; neither is and the dataset has no nation;
            or nothing is left to compare.
        """
        request = super().settled(cube)
        if self.goal is not None:
            if self.against is not None:
                raise InvalidParameterError("goal: give either against or goal, not both", field="goal")
            return request
        against = self.against or _nation(cube)
        if self.locations == (against,):
            raise InvalidParameterError(
                f"against: {against} would be compared with itself; name another location", field="against"
            )
        return request if against == self.against else replace(request, against=against)

    def check(self, places: Places) -> None:
        """Check the scale, and that the goal is on that of the values."""
        check_scale(places.cube, self.question, self.scale)
        unit = places.cube.questions[places.cube.question_index[self.question]].unit
        if self.goal is not None and unit in SCALES and not 0.0 <= self.goal <= SCALES[unit]:
            raise InvalidParameterError(
                f"goal: {self.goal:g} is no {unit}; give a number from 0 to {SCALES[unit]:g}", field="goal"
            )

    def compute(self, data: StatisticData) -> Result:
        """Return one record per location that has a row, by name, without ``against`` itself.

        ``difference`` is location minus reference, in percentage points; the reference is a location in the same
        years and strata, or the goal. The verdict is ``better``, ``similar`` or ``worse`` by the question's
        direction, ``higher`` or ``lower`` if that is unknown, None without an interval.

        Raises
        ------
        StatisticError
            The dataset has no row there, or the reference has no value.

        Notes
        -----
        See ``contrasts.contrasts``.
        """
        cube, against, goal = data.cube, self.against, self.goal
        chosen = self.select(cube)
        others = tuple(index for index in chosen.locations if cube.locations[index].name != against)
        selection = chosen.elsewhere(locations=others)
        estimates = pool(group(selection, [LOCATION]), weights=self.weights, scale=self.scale, level=self.level)
        own = None if against is None else _estimate_of(selection, against, estimates)
        numbers = (goal, 0.0, goal, goal) if own is None else (own.value, own.standard_error, own.low, own.high)
        reference, error, low, high = (np.full(len(estimates), number, dtype=np.float64) for number in numbers)
        found = contrasts(
            estimates.value,
            estimates.standard_error,
            reference,
            error,
            level=self.level,
            direction=selection.question.direction,
        )
        columns = estimates.groups.dimension_columns() | estimates.common_columns() | found.columns(low, high)
        return Result(
            records=records_of(columns),
            unit=selection.question.unit,
            method=f"{estimates.method(self.versioned_method())};"
            f" difference = location - {'the goal' if own is None else against}, {TEST_FORMULA}",
            cautions=(
                *cautions_of(estimates),
                *(
                    []
                    if goal is None
                    else cautions_of_goal(cube, cube.question_index[self.question], goal, estimates.value)
                ),
                *_cautions(selection, against, found, self.level),
            ),
            explanation=_explanation(estimates, own, against, found) if self.explain else None,
        )


def _nation(cube: SurveyCube) -> str:
    for place in cube.locations:
        if place.kind is LocationKind.NATION:
            return place.name
    raise InvalidParameterError(
        "against: the dataset has no nation to compare with; name a location, or give a goal", field="against"
    )


def _estimate_of(selection: Selection, against: str, estimates: Estimates) -> Estimates:
    """Return the reference location's estimate in the same years and strata.

    Raises
    ------
    StatisticError
        It has no value there.
    """
    cells = selection.elsewhere(locations=(selection.cube.location_index[against],))
    own = pool(group(cells, ()), weights=estimates.weights, scale=estimates.scale, level=estimates.level)
    if np.isnan(own.value[0]):
        raise StatisticError(f"{against} has no value there to compare with; choose another location, year or stratum")
    return own


def _cautions(selection: Selection, against: str | None, found: Contrasts, level: float) -> list[str]:
    cautions = cautions_of_direction(selection)
    cube = selection.cube
    if against is not None and cube.locations[cube.location_index[against]].kind is LocationKind.NATION:
        cautions.append(
            f"each state is part of {against}, so the two estimates are not independent:"
            " the interval is a little too wide"
        )
    return cautions + cautions_of_many_tests(found.test_count, level)


def _explanation(
    estimates: Estimates, own: Estimates | None, against: str | None, found: Contrasts
) -> dict[str, object]:
    similar = found.verdict.count(SIMILAR)
    name = "the goal" if against is None else against
    pitfall = (
        f"{similar} of {found.test_count} locations can't be told from {name}: their differences may be chance."
        " Two intervals that overlap may still differ; the test is on the difference itself."
    )
    return explain(estimates, [pitfall], references={} if own is None else {"reference": own})
