"""How certain summary measures of strata are: the index of disparity, the between-group variance, the relative index.

The first two are never negative and 0 only where nothing differs, so noise makes them larger, and draws around the
estimates make them larger still: their percentiles cover nothing where nothing differs. The limits here rest on what
holds for any truth. Each of the two (of the variance, its square root) is a norm N of the strata's deviations. Noise e
moves it up by N(e) at most, so N(y) - q is a lower limit, q the point that N(e) exceeds in half of 1 - level. And it
lies above its tangent at the truth, a linear and so a normal sum, so N(y) + z s is an upper limit, s the largest error
that such a sum can have. Values are in ``summaries.py``.

Sources: J. N. Pearcy and K. G. Keppel, A summary measure of health disparity, Public Health Reports 117, 2002. K.
Keppel et al., Methodological issues in measuring health disparities, Vital and Health Statistics 2(141), 2005. E. C.
Fieller, Some problems in interval estimation, Journal of the Royal Statistical Society B 16, 1954 (the ratio of two
normal variables). B. S. Tsirelson, I. A. Ibragimov and V. N. Sudakov, Norms of Gaussian sample functions, Lecture Notes
in Mathematics 550, 1976 (levels that draws don't reach).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from meantime.statistics.estimation.inequality.chance import DRAWS, normal_draws
from meantime.statistics.estimation.inequality.ranges import six_digits
from meantime.statistics.estimation.uncertainty import normal_quantile
from meantime.survey.cube.survey_cube import FloatArray

_FEWEST_BEYOND = 10


@dataclass(frozen=True, slots=True, eq=False)
class Uncertainty:
    """Standard error and limits of a measure in each location, and how large it would be if nothing differed."""

    standard_error: FloatArray
    low: FloatArray
    high: FloatArray
    by_chance: FloatArray


def index_uncertainty(value: FloatArray, standard_error: FloatArray, overall: FloatArray, level: float) -> Uncertainty:
    """Return how certain the index of disparity is.

    Parameters
    ----------
    value, standard_error
        The strata's estimates, percent: one row a stratum, one column a location.
    overall
        The estimate for everybody, above 0; taken as known, since it is far more certain than any stratum.
    level
        The probability that the interval covers the truth, or more.

    Returns
    -------
    Uncertainty
        Percent of the overall estimate.

    Notes
    -----
    N(y) = sum |y_i - R| / k. Noise: sum SE_i |Z_i| / k, by draws; its mean sum SE_i / k sqrt(2 / pi). Largest error of
    a tangent: sqrt(sum SE_i^2) / k. The standard error is that of a sum of folded normal variables.
    """
    count, factor = len(value), 100 / overall
    index = np.abs(value - overall).mean(axis=0)
    steepest = np.sqrt((standard_error**2).sum(axis=0)) / count
    by_chance = standard_error.mean(axis=0) * math.sqrt(2 / math.pi)
    beyond = _exceeded(np.einsum("kl,kd->ld", standard_error / count, _draws(count)[0]), by_chance, steepest, level)
    return Uncertainty(
        factor * np.sqrt(_folded_variance(value - overall, standard_error).sum(axis=0)) / count,
        six_digits(factor * np.maximum(0.0, index - beyond)),
        factor * (index + normal_quantile(level) * steepest),
        factor * by_chance,
    )


def _folded_variance(mean: FloatArray, error: FloatArray) -> FloatArray:
    """Return the variance of |y| for normal y."""
    ratio = np.abs(np.divide(mean, error, out=np.full_like(mean, 40.0), where=error > 0))
    below = np.array([math.erf(own / math.sqrt(2)) for own in ratio.ravel().tolist()]).reshape(ratio.shape)
    expected = error * math.sqrt(2 / math.pi) * np.exp(-(ratio**2) / 2) + np.abs(mean) * below
    found: FloatArray = np.maximum(0.0, mean**2 + error**2 - expected**2)
    return found


def variance_uncertainty(
    value: FloatArray, standard_error: FloatArray, shares: FloatArray, level: float
) -> Uncertainty:
    """Return how certain the between-group variance is.

    Parameters
    ----------
    value, standard_error, shares
        The strata's estimates in percent, and their shares, 1 together: one row a stratum, one column a location.
    level
        The probability that the interval covers the truth, or more.

    Returns
    -------
    Uncertainty
        Squared percentage points.

    Notes
    -----
    N(y)^2 = y'Ay with A = diag(p) - pp'. With l the eigenvalues of A times the variances, the noise is the root of
    sum l Z^2, by draws, whose mean square is sum l; the largest error of a tangent is the root of the largest l. The
    standard error of the variance is sqrt(4 sum (p (y - ybar) SE)^2 + 2 sum l^2).
    """
    mean = (shares * value).sum(axis=0)
    variance = (shares * (value - mean) ** 2).sum(axis=0)
    root, weighted = np.sqrt(variance), (shares * standard_error).T
    form = np.einsum("lk,km->lkm", shares.T * standard_error.T**2, np.eye(len(value)))
    sizes = np.maximum(0.0, np.linalg.eigvalsh(form - weighted[:, :, None] * weighted[:, None, :]))
    steepest, by_chance = np.sqrt(sizes[:, -1]), sizes.sum(axis=1)
    beyond = _exceeded(
        np.sqrt(np.einsum("lk,kd->ld", sizes, _draws(len(value))[1])), np.sqrt(by_chance), steepest, level
    )
    along = ((shares * (value - mean) * standard_error) ** 2).sum(axis=0)
    return Uncertainty(
        np.sqrt(4 * along + 2 * (sizes**2).sum(axis=1)),
        six_digits(np.maximum(0.0, root - beyond) ** 2),
        (root + normal_quantile(level) * steepest) ** 2,
        by_chance,
    )


def _exceeded(drawn: FloatArray, mean: FloatArray, steepest: FloatArray, level: float) -> FloatArray:
    """Return what noise exceeds in half of 1 - level: by draws, one row a location, or else mean + s sqrt(2 ln 1/a)."""
    size = (1 - level) / 2
    if size * DRAWS < _FEWEST_BEYOND:
        return mean + steepest * math.sqrt(2 * math.log(1 / size))
    place = math.ceil((1 - size) * (DRAWS - 1))
    found: FloatArray = np.partition(drawn, place, axis=1)[:, place]
    return found


@lru_cache(maxsize=64)
def _draws(count: int) -> tuple[FloatArray, FloatArray]:
    """Return the draws' absolute values, and their squares."""
    absolute = np.abs(normal_draws(count).astype(np.float64))
    squares = absolute**2
    absolute.flags.writeable = squares.flags.writeable = False
    return absolute, squares


def ratio_uncertainty(
    factors: Sequence[float],
    shares: Sequence[float],
    values: Sequence[float],
    errors: Sequence[float],
    level: float,
) -> tuple[float, float, float] | None:
    """Return standard error and limits of a ratio of two sums over the strata of one location, sum(f v) / sum(p v).

    Notes
    -----
    Fieller 1954: the ratios r for which sum((f - r p) v) is within z standard errors of 0. None where the sum below is
    not clearly above 0.
    """
    below = _product(shares, values)
    ratio = _product(factors, values) / below if below > 0 else 0.0
    apart = [(one - ratio * share) * error for one, share, error in zip(factors, shares, errors, strict=True)]
    noise = [share * error for share, error in zip(shares, errors, strict=True)]
    own, common, squared = _product(apart, apart), _product(apart, noise), normal_quantile(level) ** 2
    certain = below**2 - squared * _product(noise, noise)
    if below <= 0 or certain <= 0:
        return None
    # In r - ratio, so that nothing cancels: certain x^2 + 2 z^2 common x - z^2 own = 0.
    half = math.sqrt(squared * (squared * common**2 + certain * own))
    low, high = ((-squared * common + side * half) / certain for side in (-1, 1))
    return math.sqrt(own) / below, ratio + low, ratio + high


def _product(first: Sequence[float], second: Sequence[float]) -> float:
    return math.fsum(one * other for one, other in zip(first, second, strict=True))
