"""The range of independent standard normal variables: how probable one as large is, and which is exceeded how often.

By it all differences of some estimates are judged at once, without draws, so that a p-value has no lowest value. With
equal errors the judgement is exact; with unequal ones it errs on the safe side (Hayter 1984).

Sources: J. W. Tukey, The problem of multiple comparisons, 1953. C. Y. Kramer, Extension of multiple range tests to
group means with unequal numbers of replications, Biometrics 12, 1956. A. J. Hayter, A proof of the conjecture that the
Tukey-Kramer multiple comparisons procedure is conservative, Annals of Statistics 12, 1984.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from meantime.statistics.estimation.uncertainty import two_sided_p
from meantime.survey.cube.survey_cube import FloatArray

_STEP = 0.025
_WIDEST = 10.0
"""Beyond it (7 standard errors of a difference) the share of the sum is that of here: all but 1, so Bonferroni's."""

_NODES = np.arange(-9.0, 9.0 + _STEP / 2, _STEP)
_DENSITY = np.exp(-(_NODES**2) / 2) / math.sqrt(2 * math.pi)
_BELOW = np.array([math.erfc(-node / math.sqrt(2)) / 2 for node in _NODES.tolist()])


def largest_p(largest: FloatArray, count: int) -> FloatArray:
    """Return how probable it is that some pair differs by so many standard errors if no estimate differs.

    Parameters
    ----------
    largest
        The largest |d| / SE(d) of all pairs; NaN where it is unknown.
    count
        The number of estimates, two or more.

    Returns
    -------
    array
        P(range of ``count`` standard normal variables >= sqrt(2) z); NaN where ``largest`` is.

    Notes
    -----
    P = 1 - k integral of phi(x) (Phi(x) - Phi(x - r))^(k - 1) dx, by the trapezoid rule, as a share of the sum of the
    pairs' own p, k (k - 1) / 2 times 2 Phi(-z); between two points of a grid that share is interpolated. Right to four
    digits.

    Examples
    --------
    >>> largest_p(np.array([3.633 / math.sqrt(2)]), 4).round(4).tolist()  # 3.633 is the 95 % point that tables print
    [0.05]
    """
    pairs = count * (count - 1) / 2
    share = np.interp(math.sqrt(2) * largest, *_shares_of_sum(count))
    found: FloatArray = np.minimum(pairs * two_sided_p(largest, np.ones(len(largest))) * share, 1.0)
    return found


@lru_cache(maxsize=256)
def critical_value(count: int, level: float) -> float:
    """Return how many standard errors the largest of all differences of so many estimates stays within by chance.

    >>> round(critical_value(2, 0.95), 3), round(critical_value(4, 0.95) * math.sqrt(2), 3)
    (1.96, 3.633)
    """
    low, high = 0.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        is_within = largest_p(np.array([middle]), count)[0] > 1 - level
        low, high = (middle, high) if is_within else (low, middle)
    return high


@lru_cache(maxsize=64)
def _shares_of_sum(count: int) -> tuple[FloatArray, FloatArray]:
    """Return a grid of ranges, and at each the probability as a share of the sum of the pairs' p-values."""
    steps = np.arange(int(_WIDEST / _STEP) + 1)
    ranges = (steps * _STEP).astype(np.float64)
    padded = np.concatenate([np.zeros(len(steps)), _BELOW])
    shifted = padded[np.arange(len(_NODES))[:, None] + len(steps) - steps]  # Phi(x - r): the grids are one
    within = count * _STEP * (_DENSITY[:, None] * (_BELOW[:, None] - shifted) ** (count - 1)).sum(axis=0)
    summed = count * (count - 1) / 2 * np.array([math.erfc(width / 2) for width in ranges.tolist()])
    shares: FloatArray = np.clip((1 - within) / summed, 2 / (count * (count - 1)), 1.0)
    shares.flags.writeable = ranges.flags.writeable = False
    return ranges, shares
