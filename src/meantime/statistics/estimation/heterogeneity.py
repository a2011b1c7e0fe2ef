"""How much estimates differ beyond their own errors, and their mean as a sample of places that truly differ.

Which estimates these are is in ``measures/heterogeneity.py``.

Sources
-------
W. G. Cochran, The combination of estimates from different experiments, Biometrics 10, 1954: Q. R. DerSimonian and N.
Laird, Meta-analysis in clinical trials, Controlled Clinical Trials 7, 1986: the variance between places by moments.
R. C. Paule and J. Mandel, Consensus values and weighting factors, Journal of Research of the National Bureau of
Standards 87, 1982: the same, by solving for it. J. P. T. Higgins and S. G. Thompson, Quantifying heterogeneity in a
meta-analysis, Statistics in Medicine 21, 2002: I squared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meantime.statistics.estimation.grouping import sum_by
from meantime.statistics.estimation.selection import IndexArray
from meantime.survey.cube.survey_cube import FloatArray

_MOST_STEPS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Families:
    """Estimates and their standard errors (above 0), each of one of ``count`` families, given by number."""

    value: FloatArray
    error: FloatArray
    family: IndexArray
    count: int

    def mean(self, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return each family's mean with weights 1 / (SE^2 + variance) and its standard error; NaN without estimates.

        Variance 0 gives the fixed mean, the variance between places the random-effects mean.
        """
        weight = 1 / (self.error**2 + variance[self.family])
        total = sum_by(self.family, weight, self.count)
        with np.errstate(invalid="ignore", divide="ignore"):
            return sum_by(self.family, weight * self.value, self.count) / total, np.sqrt(1 / total)

    def scatter(self, variance: FloatArray, power: int = 1) -> FloatArray:
        """Return each family's sum of (v - mean)^2 / (SE^2 + variance)^power, about the mean with these weights."""
        mean, _ = self.mean(variance)
        within = self.error**2 + variance[self.family]
        return sum_by(self.family, (self.value - mean[self.family]) ** 2 / within**power, self.count)


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """For each family: Q, its degrees of freedom, I squared, and the variance between places by either method."""

    q: FloatArray
    degrees_of_freedom: IndexArray
    i_squared_percent: FloatArray
    variance_by_moments: FloatArray
    variance_by_solving: FloatArray


def spread_of(families: Families) -> Spread:
    """Return how much the estimates of each family differ beyond their errors; no sense with fewer than two.

    Notes
    -----
    With w = 1 / SE^2 and m = sum(w v) / sum(w): Q = sum(w (v - m)^2), df = k - 1, I^2 = max(0, (Q - df) / Q). By
    moments (DerSimonian and Laird): max(0, (Q - df) / (sum(w) - sum(w^2) / sum(w))). By solving (Paule and Mandel): the
    t at which sum((v - m)^2 / (SE^2 + t)), m with weights 1 / (SE^2 + t), is df; 0 where it is below df at 0 already.
    """
    weight = 1 / families.error**2
    total, squares = (sum_by(families.family, weight**power, families.count) for power in (1, 2))
    freedom = np.bincount(families.family, minlength=families.count) - 1
    q = families.scatter(np.zeros(families.count))
    excess = np.maximum(q - freedom, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(q > 0, excess / q, 0.0)
        by_moments = excess / (total - squares / total)
    return Spread(q, freedom, 100 * share, by_moments, _solved(families, freedom))


def _solved(families: Families, freedom: IndexArray) -> FloatArray:
    """Return the variance of Paule and Mandel, by Newton's steps from 0."""
    # The scatter falls and is convex in the variance, as a least value of quotients x^2 / t is: no step is too long.
    variance = np.zeros(families.count)
    for _ in range(_MOST_STEPS):
        slope = families.scatter(variance, 2)
        excess = np.maximum(families.scatter(variance) - freedom, 0.0)
        step = np.divide(excess, slope, out=np.zeros(families.count), where=(slope > 0) & (freedom > 0))
        variance = variance + step
        if (step <= 1e-13 * variance).all():
            break
    return variance
