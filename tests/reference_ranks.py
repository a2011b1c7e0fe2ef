"""The naive reference of what tells two ranked estimates apart: plain Python over the same seeded draws.

Nothing of Meantime; the sets are written from their definitions, without any short cut.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from statistics import NormalDist

import numpy as np

from tests.reference_estimates import quantile_of_normal

DRAWS, SEED = 4000, 20260101

Apart = Callable[[int, int], bool]


@cache
def draws(count: int) -> list[list[float]]:
    """Return standard normal numbers, one list per estimate in order of value and standard error."""
    found: list[list[float]] = (
        np.random.default_rng((SEED, count)).standard_normal((count, DRAWS), dtype=np.float32).tolist()
    )
    return found


def critical_value(values: Sequence[float], errors: Sequence[float | None], level: float) -> float:
    """Return with how many standard errors a pair is told apart: step-down over all ordered pairs."""
    count = len(values)
    order = sorted(
        range(count), key=lambda one: (round(values[one], 9), math.inf if errors[one] is None else errors[one])
    )
    noise = dict(zip(order, draws(count), strict=True))
    place = math.ceil(level * (DRAWS - 1))
    if DRAWS - 1 - place < 10:
        return NormalDist().inv_cdf(1 - (1 - level) / max(2, count * (count - 1)))
    known = {one: error for one, error in enumerate(errors) if error is not None}
    open_claims = {
        (high, low): math.hypot(known[high], known[low])
        for high in known
        for low in known
        if high != low and known[high] + known[low] > 0
    }
    while True:
        largest = [0.0] * DRAWS
        for (high, low), error in open_claims.items():
            a, b = known[high] / error, known[low] / error
            largest = [
                max(most, a * one - b * other)
                for most, one, other in zip(largest, noise[high], noise[low], strict=True)
            ]
        critical = max(quantile_of_normal(level), sorted(largest)[place])
        proven = {
            (high, low)
            for (high, low), error in open_claims.items()
            if values[high] - values[low] > max(critical * error, 1e-9)
        }
        if not proven:
            return critical
        open_claims = {claim: error for claim, error in open_claims.items() if claim not in proven}


def rule_of(kind: str, values: Sequence[float], errors: Sequence[float | None], level: float) -> Apart:
    """Return the rule by which two of the estimates are surely apart."""
    if kind == "non_overlap":
        factor = quantile_of_normal(1 - (1 - level) / len(values))
    else:
        factor = quantile_of_normal(level) if kind == "pairwise" else critical_value(values, errors, level)

    def apart(one: int, other: int) -> bool:
        first, second = errors[one], errors[other]
        if first is None or second is None:
            return False
        error = first + second if kind == "non_overlap" else math.hypot(first, second)
        return abs(values[one] - values[other]) > max(factor * error, 1e-9)

    return apart
