"""The statistic ``difference``, and the arithmetic of differences that other statistics share.

A difference is always value minus reference, on the linear scale, in percentage points. Which estimates are
compared is up to the caller.

Sources
-------
W. G. Cochran, Sampling Techniques, 3rd ed., Wiley 1977, chapter 2 (the variance of a difference of independent
means is the sum of their variances). N. Schenker and J. F. Gentleman, On judging the significance of differences by
examining the overlap between confidence intervals, American Statistician 55, 2001: why the test is on the
difference, and not on whether two intervals overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

import numpy as np

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.cautions import cautions_of
from meantime.statistics.explanation import explain as explanation_of
from meantime.statistics.grouping import LOCATION, group
from meantime.statistics.parameters import Parameter, ParameterKind
from meantime.statistics.pooling import EXPLAIN, LEVEL, SCALE, WEIGHTS, Estimates, pool, settle_scale
from meantime.statistics.result import Column, Result, records_of
from meantime.statistics.selection import FILTERS, Filters, Selection, cells_selected, select, settle_filters
from meantime.statistics.uncertainty import Scale, interval, two_sided_p
from meantime.survey.cube import FloatArray, SurveyCube
from meantime.survey.questions import Direction, LocationKind

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

TEST_FORMULA = "SE = sqrt(SE_a^2 + SE_b^2), two-sided z-test"

EQUAL_WITHIN = 5e-10
"""Differences smaller than this are noise of floating-point sums."""

BETTER, SIMILAR, WORSE, HIGHER, LOWER = "better", "similar", "worse", "higher", "lower"


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """Value minus reference, one per estimate; NaN where unknown, and then the verdict is None."""

    reference: FloatArray
    reference_error: FloatArray
    difference: FloatArray
    standard_error: FloatArray
    low: FloatArray
    high: FloatArray
    p_value: FloatArray
    verdict: list[str | None]

    @property
    def test_count(self) -> int:
        """How many of the differences could be tested."""
        return len(self.verdict) - self.verdict.count(None)

    def columns(self, reference_low: FloatArray, reference_high: FloatArray) -> dict[str, Column]:
        """Return the fields that a comparison adds to a record; the reference's own limits are among them."""
        return {
            "reference": self.reference,
            "reference_standard_error": self.reference_error,
            "reference_low": reference_low,
            "reference_high": reference_high,
            "difference": self.difference,
            "difference_standard_error": self.standard_error,
            "difference_low": self.low,
            "difference_high": self.high,
            "p_value": self.p_value,
            "verdict": self.verdict,
        }


def differences(
    value: FloatArray,
    standard_error: FloatArray,
    reference: FloatArray,
    reference_error: FloatArray,
    *,
    level: float,
    direction: Direction | None,
) -> Differences:
    """Return value minus reference with interval, p-value and verdict, element by element.

    Parameters
    ----------
    value, reference
        Estimates in one unit.
    standard_error, reference_error
        Their standard errors; 0 for a goal.
    level
        The probability that an interval covers the true difference.
    direction
        Which end is better; None if nobody has said.

    Returns
    -------
    Differences
        The verdict is ``better`` or ``worse`` where the interval excludes 0 (``higher`` or ``lower`` if the direction
        is unknown), else ``similar``, and None where there is no interval.

    Notes
    -----
    SE = sqrt(SE_a^2 + SE_b^2), z-test, two-sided (Cochran 1977, chapter 2). Both estimates are taken as
    independent. A difference below 5e-10 is 0: noise in the last bits gives no verdict.
    """
    difference = value - reference
    difference = np.where(np.abs(difference) < EQUAL_WITHIN, 0.0, difference)
    error = np.sqrt(standard_error**2 + reference_error**2)
    low, high = interval(difference, error, level=level, scale=Scale.LINEAR)
    above, below = words_of(direction)
    verdict: list[str | None] = [
        None if np.isnan(lower) else above if lower > 0 else below if upper < 0 else SIMILAR
        for lower, upper in zip(low.tolist(), high.tolist(), strict=True)
    ]
    return Differences(
        reference, reference_error, difference, error, low, high, two_sided_p(difference, error), verdict
    )


def words_of(direction: Direction | None) -> tuple[str, str]:
    """Return the verdicts for "above" and "below"."""
    if direction is None:
        return HIGHER, LOWER
    return (WORSE, BETTER) if direction is Direction.LOWER_IS_BETTER else (BETTER, WORSE)


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
    See ``differences``.
    """
    chosen = select(cube, **filters)
    others = tuple(index for index in chosen.locations if cube.locations[index].name != against)
    selection = cells_selected(cube, chosen.question.text, chosen.years, others, chosen.segments)
    estimates = pool(group(selection, [LOCATION]), weights=weights, scale=scale, level=level)
    own = None if against is None else _estimate_of(selection, against, estimates)
    numbers = (goal, 0.0, goal, goal) if own is None else (own.value, own.standard_error, own.low, own.high)
    reference, error, low, high = (np.full(len(estimates), number, dtype=np.float64) for number in numbers)
    found = differences(
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


def _cautions(selection: Selection, against: str | None, found: Differences, level: float) -> list[str]:
    cautions = cautions_of_direction(selection)
    cube = selection.cube
    if against is not None and cube.locations[cube.location_index[against]].kind is LocationKind.NATION:
        cautions.append(
            f"each state is part of {against}, so the two estimates are not independent:"
            " the interval is a little too wide"
        )
    return cautions + cautions_of_many_tests(found.test_count, level)


def cautions_of_direction(selection: Selection) -> list[str]:
    """Return a caution where nobody has said which end of the question's scale is better."""
    if selection.question.direction is not None:
        return []
    return ["nobody has said which end of this question is better; verdicts are higher, similar and lower"]


def cautions_of_many_tests(count: int, level: float) -> list[str]:
    """Return a caution about how many of several tests find a difference by chance alone."""
    by_chance = count * (1 - level)
    if by_chance < 0.5:
        return []
    size = f"{100 * (1 - level):.3g} %"
    return [f"{count} tests at {size} find about {by_chance:.0f} differences by chance alone; that isn't corrected"]


def _explanation(
    estimates: Estimates, own: Estimates | None, against: str | None, found: Differences
) -> dict[str, object]:
    similar = found.verdict.count(SIMILAR)
    name = "the goal" if against is None else against
    pitfall = (
        f"{similar} of {found.test_count} locations can't be told from {name}: their differences may be chance."
        " Two intervals that overlap may still differ; the test is on the difference itself."
    )
    return explanation_of(estimates, [pitfall], references={} if own is None else {"reference": own})
