"""The naive reference of ``heterogeneity``: sums over locations and bisection; plain Python over rows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.reference import Row
from tests.reference_estimates import Answer, Options, Query, grouped, interval_of, matching, pooled

Known = Sequence[tuple[float, float]]
"""Values and standard errors."""

NAMES = (
    *("value", "standard_error", "low", "high", "fixed_value", "fixed_standard_error", "q"),
    *("i_squared_percent", "variance_paule_mandel", "variance_dersimonian_laird"),
)


def mean_of(known: Known, variance: float) -> tuple[float, float]:
    """Return the mean with weights 1 / (SE^2 + variance), and its standard error."""
    weights = [1 / (error**2 + variance) for _, error in known]
    total = math.fsum(weights)
    return math.fsum(w * value for w, (value, _) in zip(weights, known, strict=True)) / total, math.sqrt(1 / total)


def scatter(known: Known, variance: float) -> float:
    """Return the weighted sum of squares about the mean."""
    centre, _ = mean_of(known, variance)
    return math.fsum((value - centre) ** 2 / (error**2 + variance) for value, error in known)


def by_moments(known: Known) -> float:
    """Return the variance of DerSimonian and Laird."""
    weights = [1 / error**2 for _, error in known]
    spread = math.fsum(weights) - math.fsum(w * w for w in weights) / math.fsum(weights)
    return max(0.0, scatter(known, 0.0) - len(known) + 1) / spread


def by_solving(known: Known) -> float:
    """Return the variance of Paule and Mandel."""
    low, high = 0.0, 10_000.0
    if scatter(known, 0.0) <= len(known) - 1:
        return 0.0
    for _ in range(300):
        middle = (low + high) / 2
        low, high = (middle, high) if scatter(known, middle) > len(known) - 1 else (low, middle)
    return low


def heterogeneity(rows: Sequence[Row], query: Query, between: str, options: Options) -> list[Answer]:
    """Return the records of ``heterogeneity``, without ``p_value``."""
    records = []
    for dimensions, members in grouped(matching(rows, query), query, ["year", "stratum"]):
        places = sorted({row.location for row in members})
        every = [pooled([row for row in members if row.location == place], options) for place in places]
        counted = [own for own in every if own.standard_error]
        known = [(own.value, own.standard_error) for own in counted if own.value is not None and own.standard_error]
        found: Answer = dict.fromkeys(NAMES)
        flag = "suppressed"
        if len(known) >= 2:
            flag = "caution" if "caution" in [own.reliability for own in counted] else "ok"
            variance = by_solving(known) if between == "paule_mandel" else by_moments(known)
            value, error = mean_of(known, variance)
            low, high = interval_of(value, error, options)
            fixed, fixed_error = mean_of(known, 0.0)
            q = scatter(known, 0.0)
            share = 100 * max(0.0, q - len(known) + 1) / q if q > 0 else 0.0
            figures = (value, error, low, high, fixed, fixed_error, q, share, by_solving(known), by_moments(known))
            found = dict(zip(NAMES, figures, strict=True))
        sizes = [own.sample_size for own in counted if own.sample_size is not None]
        records.append(
            dimensions
            | found
            | {
                "sample_size": math.fsum(sizes) if sizes else None,
                "cells_used": len(counted),
                "cells_suppressed": sum(own.cells_suppressed for own in every),
                "reliability": flag,
                "location_count": len(counted),
            }
        )
    return records if any(record["value"] is not None for record in records) else []
