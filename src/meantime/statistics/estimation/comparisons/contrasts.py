"""Differences between estimates, with interval, p-values and verdict; and what is said about such tests.

A difference is always value minus reference, on the linear scale, in percentage points. Which estimates are compared is
up to the caller; what verdicts mean is in ``verdicts.py``, how p-values are adjusted in ``multiplicity.py``.

Sources
-------
W. G. Cochran, Sampling Techniques, 3rd ed., Wiley 1977, chapter 2 (the variance of a difference of independent
means is the sum of their variances). N. Schenker and J. F. Gentleman, On judging the significance of differences by
examining the overlap between confidence intervals, American Statistician 55, 2001: why the test is on the
difference, and not on whether two intervals overlap. D. J. Schuirmann, A comparison of the two one-sided tests
procedure and the power approach for assessing the equivalence of average bioavailability, Journal of Pharmacokinetics
and Biopharmaceutics 15, 1987: why alike is tested for, and not read off a test that found nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meantime.statistics.estimation.comparisons.multiplicity import ADJUSTED_BY, Adjustment, adjusted
from meantime.statistics.estimation.comparisons.verdicts import Verdict, words_of
from meantime.statistics.estimation.uncertainty import EQUAL_WITHIN, interval, one_sided_p, two_sided_p
from meantime.statistics.result import Column
from meantime.survey.cube.limits import Scale
from meantime.survey.cube.survey_cube import FloatArray
from meantime.survey.questions import Direction

TEST_FORMULA = "SE = sqrt(SE_a^2 + SE_b^2), two-sided z-test"


@dataclass(frozen=True, slots=True, eq=False)
class Contrasts:
    """Value minus reference, one per estimate; NaN where unknown, and then the verdict is None.

    ``p_equivalence`` and ``margin`` are None where no margin is given.
    """

    reference: FloatArray
    reference_error: FloatArray
    difference: FloatArray
    standard_error: FloatArray
    low: FloatArray
    high: FloatArray
    p_value: FloatArray
    p_adjusted: FloatArray
    p_equivalence: FloatArray | None
    verdict: list[str | None]
    level: float
    adjust: str
    margin: float | None

    @property
    def test_count(self) -> int:
        """How many of the differences could be tested."""
        return len(self.verdict) - self.verdict.count(None)

    @property
    def unclear_count(self) -> int:
        """How many of the tests found neither a difference nor that there is none."""
        return self.verdict.count(Verdict.UNCLEAR)

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
            **self.verdict_columns(),
        }

    def verdict_columns(self) -> dict[str, Column]:
        """Return the p-values and the verdict."""
        equivalence = {} if self.p_equivalence is None else {"p_equivalence": self.p_equivalence}
        return {"p_value": self.p_value, "p_adjusted": self.p_adjusted, **equivalence, "verdict": self.verdict}

    def method(self) -> str:
        """Return what the verdicts go by, in words."""
        similar = ""
        if self.margin is not None:
            similar = f"; similar by two one-sided tests against a margin of {self.margin:g}, adjusted likewise"
        return f"verdicts at {100 * (1 - self.level):.3g} % by {ADJUSTED_BY[Adjustment(self.adjust)]}{similar}"

    def cautions(self) -> list[str]:
        """Return what must be known of several tests: how many find a difference by chance, or what intervals are."""
        if self.test_count < 2:
            return []
        by_chance = self.test_count * (1 - self.level)
        if self.adjust == Adjustment.NONE and by_chance >= 0.5:
            size = f"{100 * (1 - self.level):.3g} %"
            by_chance_alone = (
                f"{self.test_count} tests at {size} find about {by_chance:.0f} differences by chance alone"
            )
            return [f"{by_chance_alone}; that isn't corrected"]
        excluding = int(((self.low > 0) | (self.high < 0)).sum())
        differing = self.test_count - self.unclear_count - self.verdict.count(Verdict.SIMILAR)
        if self.margin is not None or excluding == differing:
            return []
        counts = (
            f"{excluding} of {self.test_count} intervals exclude 0, {differing} of them after adjusting for so many"
        )
        return [f"{counts} tests; each interval is for its own difference alone"]


def contrasts(
    value: FloatArray,
    standard_error: FloatArray,
    reference: FloatArray,
    reference_error: FloatArray,
    *,
    level: float,
    direction: Direction | None,
    adjust: str = Adjustment.NONE,
    margin: float | None = None,
) -> Contrasts:
    """Return value minus reference with interval, p-values and verdict, element by element.

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
    adjust
        How p-values are adjusted for the number of tests: one of ``Adjustment``.
    margin
        The difference, in the estimates' unit, below which two values count as similar; None if there is none.

    Returns
    -------
    Contrasts
        The verdict is ``better`` or ``worse`` where the interval excludes 0 and the adjusted p is at most 1 - level
        (``higher`` or ``lower`` if the direction is unknown); ``similar`` where both one-sided tests against the
        margin say so, even if the difference is clear; else ``no clear difference``; None where nothing is tested.

    Notes
    -----
    SE = sqrt(SE_a^2 + SE_b^2), z-test, two-sided (Cochran 1977, chapter 2). Equivalence: the larger p of the two
    one-sided tests of |difference| >= margin (Schuirmann 1987), adjusted like the others. Both estimates are taken as
    independent. A difference below 5e-10 is 0: noise in the last bits gives no verdict.
    """
    difference = value - reference
    difference = np.where(np.abs(difference) < EQUAL_WITHIN, 0.0, difference)
    error = np.sqrt(standard_error**2 + reference_error**2)
    low, high = interval(difference, error, level=level, scale=Scale.LINEAR)
    p_value = two_sided_p(difference, error)
    p_adjusted, size = adjusted(p_value, adjust), 1 - level
    excluded = (low > 0) | (high < 0)
    differs = excluded if adjust == Adjustment.NONE else excluded & (p_adjusted <= size)
    p_equivalence, alike = None, np.zeros(len(difference), dtype=np.bool_)
    if margin is not None:
        p_equivalence = adjusted(one_sided_p(np.abs(difference) - margin, error), adjust)
        alike = p_equivalence <= size
    above, below = words_of(direction)
    found = np.where(differs, np.where(difference > 0, 2, 3), 4)
    found[alike] = 1
    found[np.isnan(p_value)] = 0
    words = (None, Verdict.SIMILAR.value, above.value, below.value, Verdict.UNCLEAR.value)
    return Contrasts(
        reference,
        reference_error,
        difference,
        error,
        low,
        high,
        p_value,
        p_adjusted,
        p_equivalence,
        [words[place] for place in found.tolist()],
        level,
        adjust,
        margin,
    )
