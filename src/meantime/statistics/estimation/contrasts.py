"""Differences between estimates, with interval, p-value and verdict; and what is said about such tests.

A difference is always value minus reference, on the linear scale, in percentage points. Which estimates are compared is
up to the caller.

Sources
-------
W. G. Cochran, Sampling Techniques, 3rd ed., Wiley 1977, chapter 2 (the variance of a difference of independent
means is the sum of their variances). N. Schenker and J. F. Gentleman, On judging the significance of differences by
examining the overlap between confidence intervals, American Statistician 55, 2001: why the test is on the
difference, and not on whether two intervals overlap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meantime.statistics.estimation.selection import Selection
from meantime.statistics.estimation.uncertainty import EQUAL_WITHIN, interval, two_sided_p
from meantime.statistics.result import Column
from meantime.survey.cube.limits import Scale
from meantime.survey.cube.survey_cube import FloatArray
from meantime.survey.questions import Direction

TEST_FORMULA = "SE = sqrt(SE_a^2 + SE_b^2), two-sided z-test"

BETTER, SIMILAR, WORSE, HIGHER, LOWER = "better", "similar", "worse", "higher", "lower"


@dataclass(frozen=True, slots=True, eq=False)
class Contrasts:
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


def contrasts(
    value: FloatArray,
    standard_error: FloatArray,
    reference: FloatArray,
    reference_error: FloatArray,
    *,
    level: float,
    direction: Direction | None,
) -> Contrasts:
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
    Contrasts
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
    return Contrasts(reference, reference_error, difference, error, low, high, two_sided_p(difference, error), verdict)


def words_of(direction: Direction | None) -> tuple[str, str]:
    """Return the verdicts for "above" and "below"."""
    if direction is None:
        return HIGHER, LOWER
    return (WORSE, BETTER) if direction is Direction.LOWER_IS_BETTER else (BETTER, WORSE)


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
