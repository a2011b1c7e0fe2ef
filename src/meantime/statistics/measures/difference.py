"""The statistic ``difference``: each location against the nation, another location or a goal.

The arithmetic, with its sources, is in ``contrasts.py``.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.estimation.cautions import cautions_of
from meantime.statistics.estimation.contrasts import (
    SIMILAR,
    TEST_FORMULA,
    Contrasts,
    cautions_of_direction,
    cautions_of_many_tests,
    contrasts,
)
from meantime.statistics.estimation.explanation import explain as explanation_of
from meantime.statistics.estimation.grouping import LOCATION, group
from meantime.statistics.estimation.pooling import Estimates, pool
from meantime.statistics.estimation.pooling_options import EXPLAIN, LEVEL, SCALE, WEIGHTS, settle_scale
from meantime.statistics.estimation.selection import FILTERS, Filters, Selection, cells_selected, select, settle_filters
from meantime.statistics.parameters import Parameter, ParameterKind
from meantime.statistics.result import Result, records_of
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.questions import LocationKind

METHOD = "difference/1"
AGAINST = Parameter(
    name="against",
    kind=ParameterKind.LOCATION,
    summary="The location that each location is compared with.",
    default_summary="the nation, unless a goal is given",
    example="National",
)
GOAL = Parameter(
    name="goal",
    kind=ParameterKind.NUMBER,
    summary="A fixed number, in the question's unit, that each location is compared with instead.",
    default_summary="none",
    example=30.0,
    minimum=-1e9,
    maximum=1e9,
)
PARAMETERS = (*FILTERS, AGAINST, GOAL, WEIGHTS, SCALE, LEVEL, EXPLAIN)


def settle(cube: SurveyCube, arguments: dict[str, object]) -> dict[str, object]:
    """Fill defaults that depend on the data and check what depends on several parameters.

    Raises
    ------
    InvalidParameterError
        ``against`` and ``goal`` are both given; neither is and the dataset has no nation; or nothing is left to
        compare.
    """
    settle_filters(cube, arguments)
    settle_scale(cube, arguments)
    if arguments["goal"] is not None:
        if arguments["against"] is not None:
            raise InvalidParameterError("goal: give either against or goal, not both", field="goal")
        return arguments
    if arguments["against"] is None:
        nations = [place.name for place in cube.locations if place.kind is LocationKind.NATION]
        if not nations:
            raise InvalidParameterError(
                "against: the dataset has no nation to compare with; name a location, or give a goal", field="against"
            )
        arguments["against"] = nations[0]
    if arguments["locations"] == [arguments["against"]]:
        raise InvalidParameterError(
            f"against: {arguments['against']} would be compared with itself; name another location", field="against"
        )
    return arguments


def difference(
    cube: SurveyCube,
    *,
    against: str | None,
    goal: float | None,
    weights: str,
    scale: str,
    level: float,
    explain: bool,
    **filters: Unpack[Filters],
) -> Result:
    """Return how each location differs from the nation, another location or a goal.

    Parameters
    ----------
    cube
        The dataset.
    against, goal
        What to compare with: a location in the same years and strata, or a number in the question's unit.
    weights, scale, level, explain
        See ``means.mean``.
    **filters
        See ``selection.Filters``.

    Returns
    -------
    Result
        One record per location that has a row, by name, without ``against`` itself; ``difference`` is location minus
        reference, in percentage points. The verdict is ``better``, ``similar`` or ``worse`` by the question's
        direction, ``higher`` or ``lower`` if that is unknown, None without an interval.

    Raises
    ------
    StatisticError
        The dataset has no row there, or the reference has no value.

    Notes
    -----
    See ``contrasts.contrasts``.
    """
    chosen = select(cube, **filters)
    others = tuple(index for index in chosen.locations if cube.locations[index].name != against)
    selection = cells_selected(cube, chosen.question.text, chosen.years, others, chosen.segments)
    estimates = pool(group(selection, [LOCATION]), weights=weights, scale=scale, level=level)
    own = None if against is None else _estimate_of(selection, against, estimates)
    numbers = (goal, 0.0, goal, goal) if own is None else (own.value, own.standard_error, own.low, own.high)
    reference, error, low, high = (np.full(len(estimates), number, dtype=np.float64) for number in numbers)
    found = contrasts(
        estimates.value,
        estimates.standard_error,
        reference,
        error,
        level=level,
        direction=selection.question.direction,
    )
    columns = estimates.groups.dimension_columns() | estimates.common_columns() | found.columns(low, high)
    return Result(
        records=records_of(columns),
        unit=selection.question.unit,
        method=f"{estimates.method(METHOD)}; difference = location - {'the goal' if own is None else against},"
        f" {TEST_FORMULA}",
        cautions=(*cautions_of(estimates), *_cautions(selection, against, found, level)),
        explanation=_explanation(estimates, own, against, found) if explain else None,
    )


def _estimate_of(selection: Selection, against: str, estimates: Estimates) -> Estimates:
    """Return the reference location's estimate in the same years and strata.

    Raises
    ------
    StatisticError
        It has no value there.
    """
    cube = selection.cube
    place = (cube.location_index[against],)
    cells = cells_selected(cube, selection.question.text, selection.years, place, selection.segments)
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
    return explanation_of(estimates, [pitfall], references={} if own is None else {"reference": own})
