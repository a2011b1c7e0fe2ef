"""Ranks, and which ranks the data allow: for all estimates at once, or for one pair at a time.

An interval of ranks runs from 1 + the number of estimates surely before to n - the number surely after; what "surely"
means is the kind. Which estimates are ranked, and from which end, is up to the caller. Draws are seeded, and given out
by value and standard error, so neither the order of names nor the end from which is counted changes an answer.

Sources
-------
M. Mogstad, J. P. Romano, A. M. Shaikh and D. Wilhelm, Inference for ranks with applications to mobility across
neighbourhoods and academic achievement across countries, Review of Economic Studies 91, 2024: joint sets by a step-down
test of all pairs. M. Klein, T. Wright and J. Wieczorek, A joint confidence region for an overall ranking of
populations, Journal of the Royal Statistical Society C 69, 2020: joint sets by intervals that don't overlap.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from meantime.statistics.estimation.selection import IndexArray
from meantime.statistics.estimation.uncertainty import EQUAL_WITHIN, TIE_DECIMALS, normal_quantile
from meantime.survey.cube.survey_cube import BoolArray, FloatArray

DRAWS = 4000
"""The level of a 95 % statement is met to within 0.7 points (two standard errors of the simulation)."""

SEED = 20260101

FEWEST_BEYOND, MOST_SIMULATED = 10, 100
"""With fewer draws beyond the critical value (levels above 0.997), or more estimates, Bonferroni takes their place."""

NUMBERS_AT_ONCE = 1 << 16
"""A quarter of a megabyte: what stays in a processor's own memory."""

Draws = npt.NDArray[np.float32]


class RankIntervals(StrEnum):
    """For what the level of rank intervals stands."""

    JOINT = "joint"
    NON_OVERLAP = "non_overlap"
    PAIRWISE = "pairwise"


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """Ranks from 1 in one order of the estimates; ``low`` and ``high`` bound what the data allow.

    ``different`` tells of each pair of estimates whether one is surely before the other (square, symmetric);
    ``method`` says by which rule, ``critical_value`` beyond how many standard errors.
    """

    rank: IndexArray
    low: IndexArray
    high: IndexArray
    tied: BoolArray
    different: BoolArray
    critical_value: float
    method: str


def ranks(
    value: FloatArray,
    standard_error: FloatArray,
    *,
    level: float,
    kind: str = RankIntervals.JOINT,
    checkpoint: Callable[[], None] = lambda: None,
) -> Ranks:
    """Return ranks and rank intervals of estimates that are in order, the first rank first.

    Parameters
    ----------
    value, standard_error
        In order, all of one unit; a standard error may be NaN.
    level
        The probability that all intervals hold together (joint, non_overlap), or that a pair of equal estimates isn't
        told apart (pairwise).
    kind
        One of ``RankIntervals``.
    checkpoint
        Called every few milliseconds; it may raise.

    Returns
    -------
    Ranks
        rank = 1 + number of estimates before it that are not equal to it within nine decimals, so ties share a
        rank. The interval runs from 1 + number of estimates surely before it to n - number surely after it; of an
        estimate without a standard error, and of estimates that are equal, nothing is sure.

    Notes
    -----
    a is surely before b if their difference d is

    - joint: more than c sqrt(SE_a^2 + SE_b^2), where c is the level's quantile, in 4,000 draws, of the largest such
      difference in standard errors between independent normal errors, over all ordered pairs; step by step, over those
      that aren't told apart yet, and the reverse of those that are (Mogstad et al. 2024). At least z. Above the level
      0.997, and for more than 100 estimates, c is Bonferroni's.
    - non_overlap: more than z' (SE_a + SE_b), z' at the level 1 - (1 - level) / n (Klein et al. 2020).
    - pairwise: more than z sqrt(SE_a^2 + SE_b^2).
    """
    rounded = np.round(value, TIE_DECIMALS)
    starts = np.r_[True, rounded[1:] != rounded[:-1]]
    rank = np.maximum.accumulate(np.where(starts, np.arange(1, len(value) + 1), 1))
    tied = np.bincount(rank)[rank] > 1
    gap = np.abs(value[:, None] - value[None, :])
    error = np.hypot(standard_error[:, None], standard_error[None, :])
    if kind == RankIntervals.PAIRWISE:
        critical, method = normal_quantile(level), "pairwise two-sided z-tests"
    elif kind == RankIntervals.NON_OVERLAP:
        each = 1 - (1 - level) / len(value)
        error = standard_error[:, None] + standard_error[None, :]
        critical, method = normal_quantile(each), f"{100 * each:.5g} % intervals that don't overlap, jointly"
    else:
        critical, how = _critical_value(value, standard_error, level, checkpoint)
        method = f"step-down z-tests of all pairs, jointly; critical value {critical:.3f} {how}"
    different = _beyond(gap, critical * error)
    places = np.arange(len(value))
    before = (different & (places[None, :] < places[:, None])).sum(axis=1)
    after = (different & (places[None, :] > places[:, None])).sum(axis=1)
    return Ranks(rank, 1 + before, len(value) - after, tied, different, critical, method)


def _beyond(gap: FloatArray, bound: FloatArray) -> BoolArray:
    """Return where a gap is larger than a bound, and no noise of the last bits; never where the bound is NaN."""
    return (gap > bound) & (gap >= EQUAL_WITHIN)


def _critical_value(
    value: FloatArray, standard_error: FloatArray, level: float, checkpoint: Callable[[], None]
) -> tuple[float, str]:
    """Return with how many standard errors a pair is told apart in the last step, and how that was found."""
    count = len(value)
    beyond = DRAWS - 1 - math.ceil(level * (DRAWS - 1))
    if beyond < FEWEST_BEYOND or count > MOST_SIMULATED:
        tests = max(2, count * (count - 1))
        return NormalDist().inv_cdf(1 - (1 - level) / tests), f"by Bonferroni over {tests} one-sided tests"
    order = np.lexsort((np.round(standard_error, TIE_DECIMALS), np.round(value, TIE_DECIMALS)))
    value, standard_error = value[order], standard_error[order]
    gap = value[None, :] - value[:, None]  # [lower, higher]
    error = np.hypot(standard_error[:, None], standard_error[None, :])
    weight = np.divide(1.0, error, out=np.zeros_like(error), where=error > 0).astype(np.float32)
    draws, reach = _draws(count)
    spread = np.nan_to_num(standard_error).astype(np.float32)[:, None]
    unsure = np.triu(np.ones((count, count), dtype=np.bool_), 1)
    # The reverse of every pair stays in every step: a draw that can't reach the largest of those never decides.
    first = 2 * (beyond + 1)
    reverse = _largest(-spread * draws[:, :first], weight, unsure, checkpoint)
    last = np.count_nonzero(reach >= _exceeded_by(reverse, beyond))
    reverse = np.r_[reverse, _largest(-spread * draws[:, first:last], weight, unsure, checkpoint)]
    noise = spread * draws[:, : len(reverse)]
    while True:
        largest = np.maximum(reverse, _largest(noise, weight, unsure, checkpoint))
        critical = max(normal_quantile(level), _exceeded_by(largest, beyond))
        found = unsure & _beyond(gap, critical * error)
        if not found.any():
            return critical, f"by {DRAWS:,} draws, seed {SEED}"
        unsure &= ~found


@lru_cache(maxsize=8)
def _draws(count: int) -> tuple[Draws, Draws]:
    """Return standard normal numbers, one row an estimate, one column a draw; and how far each draw can reach.

    No difference of two in a draw is more standard errors than sqrt(largest^2 + smallest^2), or the larger of them
    where both have one sign. Draws are in that order, the farthest first. At most 1.6 MB each, shared by all threads.
    """
    drawn = np.random.default_rng((SEED, count)).standard_normal((count, DRAWS), dtype=np.float32)
    reach = np.hypot(np.maximum(drawn.max(axis=0), 0.0), np.minimum(drawn.min(axis=0), 0.0))
    reach *= np.float32(1.0001)  # what single precision may lose
    order = np.argsort(-reach, kind="stable")
    drawn, reach = drawn[:, order], reach[order]
    drawn.flags.writeable = reach.flags.writeable = False
    return drawn, reach


def _largest(noise: Draws, weight: Draws, pairs: BoolArray, checkpoint: Callable[[], None]) -> Draws:
    """Return the largest difference of each draw over some pairs, higher less lower, in standard errors; at least 0."""
    largest = np.zeros(noise.shape[1], np.float32)
    lower, higher = np.nonzero(pairs)
    step = 1 + NUMBERS_AT_ONCE // (1 + noise.shape[1])
    for start in range(0, len(lower), step):
        checkpoint()
        some = slice(start, start + step)
        differences = noise[higher[some]]
        differences -= noise[lower[some]]
        differences *= weight[lower[some], higher[some], None]
        np.maximum(largest, differences.max(axis=0), out=largest)
    return largest


def _exceeded_by(numbers: Draws, count: int) -> float:
    """Return the number that so many are above, to six digits, below which computers differ."""
    return float(f"{np.partition(numbers, -1 - count)[-1 - count]:.6g}")
