"""The naive reference of v1 statistics over single estimates: plain Python over rows, from the formulas in the issue.

Each estimate is a row, each sum an ``fsum``; no cells, no arrays, nothing of Meantime. Requests are explicit here:
which rows are meant by a default is checked elsewhere. Series and measures are in ``reference_measures.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.reference import HIGHER, LOWER, STRATUM_ORDERS, Row

Z = 1.959964
Population = dict[tuple[str, int], float]
Answer = dict[str, object]


class Query(NamedTuple):
    """Which rows are asked for: all names, nothing left to a default."""

    question: str
    years: tuple[int, ...]
    locations: tuple[str, ...]
    segments: tuple[tuple[str, str], ...]


class Options(NamedTuple):
    """How estimates are pooled."""

    weights: str = "none"
    population: Population | None = None
    scale: str = "linear"
    level: float = 0.95


class Estimate(NamedTuple):
    """A pooled estimate; None where a number is unknown."""

    value: float | None
    standard_error: float | None
    low: float | None
    high: float | None
    sample_size: float | None
    cells_used: int
    cells_suppressed: int
    reliability: str

    def fields(self) -> Answer:
        """Return the fields that every record has."""
        return dict(self._asdict())


def quantile_of_normal(level: float) -> float:
    """Return z by bisection of the error function; the issue's constant at 95 %."""
    if level == 0.95:
        return Z
    low, high = 0.0, 10.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erf(middle / math.sqrt(2)) < level else (low, middle)
    return low


def p_of(difference: float | None, error: float | None) -> float | None:
    """Return the two-sided p-value of a z-test."""
    if difference is None or error is None:
        return None
    if error == 0:
        return float(difference == 0)
    return math.erfc(abs(difference) / error / math.sqrt(2))


def on_scale(percent: float, scale: str) -> float | None:
    """Return a percentage on a scale; None where it has no place on it."""
    if scale == "linear":
        return percent
    return math.log(percent / (100 - percent)) if 0 < percent < 100 else None


def sides_of(value: float, low: float, high: float, scale: str) -> tuple[float, float] | None:
    """Return the distances of two limits; one that stands alone at 0 or 100 takes the other's. None if unreadable."""
    centre, bottom, top = (on_scale(number, scale) for number in (value, low, high))
    if centre is None:
        return None
    if low <= 0 and value < high < 100 and top is not None:
        return top - centre, top - centre
    if high >= 100 and value > low > 0 and bottom is not None:
        return centre - bottom, centre - bottom
    return None if bottom is None or top is None else (centre - bottom, top - centre)


def error_of(row: Row, scale: str = "linear") -> float | None:
    """Return the standard error that one row's limits imply."""
    if row.value is None or row.low is None or row.high is None or row.high < row.low:
        return None
    sides = sides_of(row.value, row.low, row.high, scale)
    if sides is not None:
        return sum(sides) / (2 * Z) * (row.value * (100 - row.value) / 100 if scale == "logit" else 1)
    return error_of(row, "linear")


def moved_limits(row: Row, options: Options) -> tuple[float | None, float | None]:
    """Return one row's limits at another level: each keeps its side, within 0 and 100 and nested in the published."""
    value, low, high = row.value, row.low, row.high
    if options.level == 0.95 or value is None or low is None or high is None:
        return low, high
    factor = quantile_of_normal(options.level) / Z
    sides, scale = sides_of(value, low, high, options.scale), options.scale
    if sides is None:
        sides, scale = sides_of(value, low, high, "linear"), "linear"
    assert sides is not None
    below, above = (factor * max(side, 0.0) for side in sides)
    lower, upper = value - below, value + above
    if scale == "logit":
        centre = math.log(value / (100 - value))
        lower, upper = 100 / (1 + math.exp(below - centre)), 100 / (1 + math.exp(-above - centre))
    is_wider = options.level > 0.95
    lower, upper = (min(lower, low), max(upper, high)) if is_wider else (max(lower, low), min(upper, high))
    return min(max(lower, 0.0), 100.0), min(max(upper, 0.0), 100.0)


def matching(rows: Iterable[Row], query: Query) -> list[Row]:
    """Return the rows of a query."""
    return [
        row
        for row in rows
        if row.question == query.question
        and row.year in query.years
        and row.location in query.locations
        and (row.category, row.stratum) in query.segments
    ]


def interval_of(value: float, error: float, options: Options) -> tuple[float, float]:
    """Return the limits of a pooled value."""
    half = quantile_of_normal(options.level) * error
    if options.scale == "logit" and 0 < value < 100:
        centre = math.log(value / (100 - value))
        spread = half * 100 / (value * (100 - value))
        return 100 / (1 + math.exp(spread - centre)), 100 / (1 + math.exp(-spread - centre))
    return min(max(value - half, 0.0), 100.0), min(max(value + half, 0.0), 100.0)


def flag_of(value: float | None, error: float | None, size: float | None) -> str:
    """Return CDC's reliability flag."""
    if value is None:
        return "suppressed"
    if error is None or size is None or size < 50 or value <= 0 or error == 0 or 100 * error / value >= 30:
        return "caution"
    return "ok"


def is_odd(row: Row) -> bool:
    """Whether a value lies outside its own limits, or these leave no room."""
    value = row.value or 0.0
    below, above = row.low is not None and value < row.low, row.high is not None and value > row.high
    return below or above or (row.low is not None and row.low == row.high)


def weight_of(row: Row, options: Options) -> float | None:
    """Return what one row counts; None when it has no weight."""
    if options.weights == "none":
        return 1.0
    if options.weights == "sample_size":
        return row.sample_size or None
    if options.weights == "population":
        return (options.population or {}).get((row.location, row.year))
    error = error_of(row, options.scale)
    return 1 / error**2 if error else None


def pooled(rows: Sequence[Row], options: Options) -> Estimate:
    """Pool some rows into one estimate."""
    suppressed = sum(row.value is None for row in rows)
    used = [(row, row.value, weight_of(row, options)) for row in rows if row.value is not None]
    counted = [(row, value, weight) for row, value, weight in used if weight is not None]
    sizes = [row.sample_size for row, _, _ in counted if row.sample_size]
    size = math.fsum(sizes) if sizes else None
    if not counted:
        return Estimate(None, None, None, None, size, 0, suppressed, "unweighted" if used else "suppressed")
    total = math.fsum(weight for _, _, weight in counted)
    value = math.fsum(weight * own for _, own, weight in counted) / total
    errors = [(error_of(row, options.scale), weight) for row, _, weight in counted]
    error = None
    if all(own is not None for own, _ in errors):
        error = math.sqrt(math.fsum((weight * own) ** 2 for own, weight in errors if own is not None)) / total
    low, high = (None, None) if error is None else interval_of(value, error, options)
    only = counted[0][0]
    if len(counted) == 1 and error is not None:
        low, high = moved_limits(only, options)
    flag = "caution" if any(is_odd(row) for row, _, _ in counted) else flag_of(value, error, size)
    return Estimate(value, error, low, high, size, len(counted), suppressed, flag)


def scale_of(category: str, stratum: str) -> tuple[str, bool, int, str]:
    """Return the sort key of a stratum: by its place on the category's scale, the others last."""
    place = STRATUM_ORDERS.get(category, {}).get(stratum)
    return category, place is None, place or 0, stratum


def grouped(rows: Iterable[Row], query: Query, by: Sequence[str]) -> list[tuple[Answer, list[Row]]]:
    """Return the groups of rows with their dimensions, in the order of records."""
    categories = {category for category, _ in query.segments}
    shown = {
        "location": "location" in by or len(query.locations) == 1,
        "year": "year" in by or len(query.years) == 1,
        "category": "category" in by or "stratum" in by or len(categories) == 1,
        "stratum": "stratum" in by or len(query.segments) == 1,
    }
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        segment: tuple[object, ...] = scale_of(row.category, row.stratum) if "stratum" in by else ()
        key = (
            row.location if "location" in by else "",
            row.year if "year" in by else 0,
            row.category if {"category", "stratum"} & set(by) else "",
            segment,
        )
        groups.setdefault(key, []).append(row)
    ordered = sorted(groups.items(), key=lambda item: item[0])
    return [({name: getattr(members[0], name) for name in shown if shown[name]}, members) for _, members in ordered]


def mean(rows: Sequence[Row], query: Query, by: Sequence[str], options: Options) -> list[Answer]:
    """Return the records of ``mean``."""
    return [
        dimensions | pooled(members, options).fields()
        for dimensions, members in grouped(matching(rows, query), query, by)
    ]


def by_location(rows: Sequence[Row], query: Query, options: Options) -> dict[str, tuple[Answer, Estimate]]:
    """Return each location's dimensions and estimate."""
    return {
        str(dimensions["location"]): (dimensions, pooled(members, options))
        for dimensions, members in grouped(matching(rows, query), query, ["location"])
    }


def contrast(own: Estimate, reference: Estimate, level: float, direction: str | None) -> Answer:
    """Return the fields that a comparison adds."""
    gap = error = low = high = verdict = None
    if own.value is not None and reference.value is not None:
        gap = own.value - reference.value
        gap = 0.0 if abs(gap) < 5e-10 else gap
    if own.standard_error is not None and reference.standard_error is not None:
        error = math.hypot(own.standard_error, reference.standard_error)
    if gap is not None and error is not None:
        half = quantile_of_normal(level) * error
        low, high = gap - half, gap + half
        above, below = {LOWER: ("worse", "better"), HIGHER: ("better", "worse"), None: ("higher", "lower")}[direction]
        verdict = above if low > 0 else below if high < 0 else "no clear difference"
    return {
        "reference": reference.value,
        "reference_standard_error": reference.standard_error,
        "reference_low": reference.low,
        "reference_high": reference.high,
        "difference": gap,
        "difference_standard_error": error,
        "difference_low": low,
        "difference_high": high,
        "p_value": p_of(gap, error),
        "verdict": verdict,
    }


def fixed(value: float) -> Estimate:
    """Return a goal as an estimate without error."""
    return Estimate(value, 0.0, value, value, None, 0, 0, "ok")
