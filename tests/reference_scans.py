"""The naive reference of ``disparity_scan``, and of the range of normal variables: plain Python with ``fsum``.

Nothing of Meantime; see ``reference_estimates.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from tests.reference import STRATUM_ORDERS, Row
from tests.reference_comparisons import adjusted
from tests.reference_estimates import Estimate, Options, pooled


class Gap(NamedTuple):
    """The largest difference between two strata, with its test; the sides are the first of equal ones."""

    value: float
    low: float
    high: float
    p_value: float
    p_adjusted: float
    highest: str
    lowest: str
    is_doubtful: bool


Key = tuple[str, str, str]
"""Question, location, category."""


def scan(rows: Sequence[Row], year: int, options: Options, adjust: str) -> dict[Key, Gap]:
    """Return all gaps that can be tested in a year."""
    found: dict[Key, Gap] = {}
    for key in sorted({(row.question, row.location, row.category) for row in rows if row.category != "Total"}):
        question, location, category = key
        scale = STRATUM_ORDERS.get(category, {})
        names = sorted({row.stratum for row in rows if (row.question, row.category) == (question, category)})
        names = [name for name in names if name in scale] if _has_scale(rows, category) else names
        strata = {}
        for name in sorted(names, key=lambda name: (scale.get(name, 0), name)):
            own = [row for row in rows if row[:2] + row[4:7] == (question, row[1], year, category, name)]
            strata[name] = pooled([row for row in own if row.location == location], options)
        valued = {name: own for name, own in strata.items() if own.value is not None}
        if len(names) >= 2 and len(valued) >= 2 and all(own.standard_error for own in valued.values()):
            found[key] = _gap(valued, options.level)
    p_adjusted = adjusted([gap.p_value for gap in found.values()], adjust)
    return {key: gap._replace(p_adjusted=p or 0.0) for (key, gap), p in zip(found.items(), p_adjusted, strict=True)}


def _has_scale(rows: Sequence[Row], category: str) -> bool:
    return any(row.category == category and row.stratum in STRATUM_ORDERS.get(category, {}) for row in rows)


def _gap(valued: dict[str, Estimate], level: float) -> Gap:
    values = {name: round(own.value or 0.0, 9) for name, own in valued.items()}
    highest, lowest = max(values, key=lambda name: values[name]), min(values, key=lambda name: values[name])
    estimates = list(valued.values())
    pairs = [
        (abs((one.value or 0.0) - (other.value or 0.0)), math.hypot(one.standard_error or 0, other.standard_error or 0))
        for place, one in enumerate(estimates)
        for other in estimates[:place]
    ]
    critical = critical_range(len(estimates), level) / math.sqrt(2)
    return Gap(
        max(apart for apart, _ in pairs),
        max(0.0, *(apart - critical * error for apart, error in pairs)),
        max(apart + critical * error for apart, error in pairs),
        range_p(len(estimates), math.sqrt(2) * max(apart / error for apart, error in pairs)),
        math.nan,
        highest,
        lowest,
        "caution" in {valued[highest].reliability, valued[lowest].reliability},
    )


@cache
def range_p(count: int, width: float) -> float:
    """Return the probability that the range of so many standard normal variables is as wide.

    k integral of phi(x) [S(x)^(k-1) - (S(x) - S(x + w))^(k-1)] dx, S the upper tail: nothing cancels.
    """
    if width == 0:
        return 1.0
    terms = []
    for step in range(-64 * 9, 64 * 9):
        x = step / 64
        near, far = math.erfc(x / math.sqrt(2)) / 2, math.erfc((x + width) / math.sqrt(2)) / 2
        if far < near:
            part = -math.expm1((count - 1) * math.log1p(-far / near)) * near ** (count - 1)
            terms.append(count * math.exp(-x * x / 2) / math.sqrt(2 * math.pi) * part / 64)
    return min(1.0, math.fsum(terms))


@cache
def critical_range(count: int, level: float) -> float:
    """Return the width that the range of so many standard normal variables exceeds with probability 1 - level."""
    low, high = 0.0, 30.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if range_p(count, middle) > 1 - level else (low, middle)
    return high
