"""The naive reference of v1 statistics over groups of estimates: distribution, disparity, correlation, coverage.

Plain Python with ``fsum`` and exact fractions, nothing of Meantime; see ``reference_estimates.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

from tests.reference import DIRECTIONS, HIGHER, STRATUM_ORDERS, Row
from tests.reference_comparisons import adjusted, place_of, shared
from tests.reference_estimates import (
    Answer,
    Estimate,
    Options,
    Query,
    by_location,
    grouped,
    matching,
    p_of,
    pooled,
    quantile_of_normal,
    scale_of,
)


def distribution(rows: Sequence[Row], query: Query, by: Sequence[str], quantiles: Sequence[float]) -> list[Answer]:
    """Return the records of ``distribution``."""
    records = []
    for dimensions, members in grouped(matching(rows, query), query, by):
        values = sorted(row.value for row in members if row.value is not None)
        own = pooled(members, Options())
        spread = None
        if len(values) > 1:
            centre = math.fsum(values) / len(values)
            spread = math.sqrt(math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1))
        record = own.fields() | {
            "value": quantile_of(values, 0.5),
            "standard_error": None,
            "low": None,
            "high": None,
            "reliability": None if values else "suppressed",
            "count": len(values),
            "mean": own.value,
            "standard_deviation": spread,
            "minimum": values[0] if values else None,
            "maximum": values[-1] if values else None,
        }
        record |= {f"quantile_{fraction}": quantile_of(values, fraction) for fraction in quantiles}
        records.append(dimensions | record)
    return records


def quantile_of(ascending: Sequence[float], fraction: float) -> float | None:
    """Return a quantile by linear interpolation at 1 + (n - 1) p, in exact fractions."""
    if not ascending:
        return None
    place = (len(ascending) - 1) * Fraction(fraction)
    below = math.floor(place)
    above = min(below + 1, len(ascending) - 1)
    exact = Fraction(ascending[below]) + (place - below) * (Fraction(ascending[above]) - Fraction(ascending[below]))
    return float(exact)


SIMULATED = (
    "standard_error", "low", "high", "p_value", "value_by_chance", "ratio_low", "ratio_high", "index_of_disparity_low",
    "between_group_variance_low", "between_group_variance_high",
)  # fmt: skip
"""What is simulated in a disparity's record, or needs a root or an eigenvalue, and so isn't here."""


def disparity(
    rows: Sequence[Row], query: Query, reference: str, options: Options, people: dict[str, float] | None = None
) -> list[Answer]:
    """Return the records of ``disparity`` but for what is simulated; the query's segments are those compared.

    ``people`` are how many there are of each stratum, where that isn't the sample's business.
    """
    records = []
    for dimensions, members in grouped(matching(rows, query), query, ["location"]):
        counting = [row for row in members if row.value is not None]
        kept = shared(counting, lambda row: row.stratum, lambda row: row.year)
        left_out = [row for row in counting if row not in kept]
        own = [row for row in members if row not in left_out]
        strata = {
            stratum: pooled([row for row in own if row.stratum == stratum], options)
            for _, stratum in sorted(query.segments, key=lambda segment: scale_of(*segment))
        }
        valued = {stratum: own for stratum, own in strata.items() if own.value is not None}
        years = tuple({row.year for row in kept}) or query.years
        everybody = query._replace(
            segments=(("Total", "Total"),), locations=(str(dimensions["location"]),), years=years
        )
        overall = by_location(rows, everybody, options).get(everybody.locations[0])
        dimensions.pop("stratum", None)
        sized = {
            stratum: own if people is None else own._replace(sample_size=people[stratum])
            for stratum, own in valued.items()
        }
        record = _disparity(query, strata, sized, overall[1].value if overall else None, options.level)
        known = [own.sample_size for own in valued.values() if own.sample_size is not None]
        record["sample_size"] = math.fsum(known) if known else None
        record |= _gap(query, valued, reference) | {"cells_left_out": len(left_out)}
        records.append(dimensions | record)
    return records


def _disparity(
    query: Query, strata: dict[str, Estimate], valued: dict[str, Estimate], overall: float | None, level: float
) -> Answer:
    record = _slope_index(query, valued, level)
    values = [own.value or 0.0 for own in valued.values()]
    sizes = [own.sample_size for own in valued.values() if own.sample_size is not None]
    shares_known = len(values) >= 2 and len(sizes) == len(values)
    variance = None
    if shares_known:
        total = math.fsum(sizes)
        centre = math.fsum(n * v for n, v in zip(sizes, values, strict=True)) / total
        variance = math.fsum(n * (v - centre) ** 2 for n, v in zip(sizes, values, strict=True)) / total
    worst = "caution" if any(own.reliability == "caution" for own in valued.values()) else "ok"
    record |= _index_uncertainty(valued, overall, level) | _variance_uncertainty(valued, variance)
    return record | {
        "cells_used": sum(own.cells_used for own in valued.values()),
        "cells_suppressed": sum(own.cells_suppressed for own in strata.values()),
        "reliability": worst if len(values) >= 2 else "suppressed",
        "index_of_disparity_percent": math.fsum(abs(v - overall) for v in values) / len(values) / overall * 100
        if overall and len(values) >= 2
        else None,
        "between_group_variance": variance,
        "overall_value": overall,
        "strata_count": len(values),
        "strata_missing": len(strata) - len(values),
    }


def _index_uncertainty(valued: dict[str, Estimate], overall: float | None, level: float) -> Answer:
    names = ("index_of_disparity_standard_error", "index_of_disparity_high", "index_of_disparity_by_chance")
    errors = [own.standard_error for own in valued.values() if own.standard_error is not None]
    if not overall or len(valued) < 2 or len(errors) < len(valued):
        return dict.fromkeys(names)
    distances = [(own.value or 0.0) - overall for own in valued.values()]
    variance = math.fsum(folded_variance(m, s) for m, s in zip(distances, errors, strict=True))
    mean = math.fsum(map(abs, distances)) / len(errors)
    steepest = math.sqrt(math.fsum(s * s for s in errors)) / len(errors)
    by_chance = math.fsum(errors) / len(errors) * math.sqrt(2 / math.pi)
    found = (math.sqrt(variance) / len(errors), mean + quantile_of_normal(level) * steepest, by_chance)
    return {name: 100 / overall * number for name, number in zip(names, found, strict=True)}


def folded_variance(mean: float, error: float) -> float:
    """Return the variance of |y| for normal y: its second moment less the square of its mean."""
    if error == 0:
        return 0.0
    centre = abs(mean) * math.erf(abs(mean) / error / math.sqrt(2))
    centre += error * math.sqrt(2 / math.pi) * math.exp(-((mean / error) ** 2) / 2)
    return max(0.0, mean * mean + error * error - centre * centre)


def _variance_uncertainty(valued: dict[str, Estimate], variance: float | None) -> Answer:
    names = ("between_group_variance_standard_error", "between_group_variance_by_chance")
    errors = [own.standard_error for own in valued.values() if own.standard_error is not None]
    sizes = [own.sample_size for own in valued.values() if own.sample_size is not None]
    if variance is None or len(errors) < len(valued):
        return dict.fromkeys(names)
    values = [own.value or 0.0 for own in valued.values()]
    shares = [size / math.fsum(sizes) for size in sizes]
    k = range(len(values))
    # A = diag(p) - pp' as a plain matrix; Var(y'Ay) = 4 y'ASAy + 2 tr(ASAS), its mean with no difference tr(AS)
    matrix = [[shares[i] * (i == j) - shares[i] * shares[j] for j in k] for i in k]
    along = [math.fsum(matrix[i][j] * values[j] for j in k) for i in k]
    traces = math.fsum((matrix[i][j] * errors[i] * errors[j]) ** 2 for i in k for j in k)
    spread = 4 * math.fsum((along[i] * errors[i]) ** 2 for i in k) + 2 * traces
    return dict(zip(names, (math.sqrt(spread), math.fsum(matrix[i][i] * errors[i] ** 2 for i in k)), strict=True))


def _gap(query: Query, valued: dict[str, Estimate], reference: str) -> Answer:
    names = (
        "value", "highest_stratum", "highest_value", "lowest_stratum", "lowest_value", "ratio",
        "relative_difference_percent",
    )  # fmt: skip
    values = {name: own.value or 0.0 for name, own in valued.items()}
    others = {name: reference for name in values if name != reference}
    if len(values) < 2 or (reference not in {"best", "others"} and reference not in values):
        return dict.fromkeys(names) | {"reliability": "suppressed"}
    if reference == "best":
        above = max(values, key=lambda name: round(values[name], 9))
        below = min(values, key=lambda name: round(values[name], 9))
    else:
        if reference == "others":
            others = dict.fromkeys(values, "all others")
        means = {name: math.fsum(values[each] for each in values if each != name) for name in values}
        against = {
            name: means[name] / (len(values) - 1) if reference == "others" else values[reference] for name in others
        }
        furthest = max(others, key=lambda name: round(abs(values[name] - against[name]), 9))
        values[others[furthest]] = against[furthest]
        is_above = round(values[furthest] - against[furthest], 9) >= 0
        above, below = (furthest, others[furthest]) if is_above else (others[furthest], furthest)
    high, low = values[above], values[below]
    best = high if DIRECTIONS.get(query.question) == HIGHER else low
    relative = (high - low) / best * 100 if best > 0 else None
    found = (high - low, above, high, below, low, high / low if low > 0 else None, relative)
    return dict(zip(names, found, strict=True))


def _slope_index(query: Query, valued: dict[str, Estimate], level: float) -> Answer:
    names = (
        "slope_index", "slope_index_standard_error", "slope_index_low", "slope_index_high", "relative_index",
        "relative_index_standard_error", "relative_index_low", "relative_index_high",
    )  # fmt: skip
    scale = STRATUM_ORDERS.get(query.segments[0][0], {})
    sizes = [Fraction(own.sample_size) for own in valued.values() if own.sample_size]
    if not scale or len(valued) < 2 or len(sizes) < len(valued):
        return dict.fromkeys(names)
    shares = [size / sum(sizes) for size in sizes]
    places = [sum(shares[:index], Fraction()) + share / 2 for index, share in enumerate(shares)]
    values = [Fraction(own.value or 0) for own in valued.values()]

    def slope_of(ys: Sequence[Fraction]) -> Fraction:
        x_bar = sum((p * x for p, x in zip(shares, places, strict=True)), Fraction())
        y_bar = sum((p * y for p, y in zip(shares, ys, strict=True)), Fraction())
        top = sum((p * (x - x_bar) * (y - y_bar) for p, x, y in zip(shares, places, ys, strict=True)), Fraction())
        return top / sum((p * (x - x_bar) ** 2 for p, x in zip(shares, places, strict=True)), Fraction())

    slope = float(slope_of(values))
    errors = [own.standard_error for own in valued.values() if own.standard_error is not None]
    error, moves = None, list[float]()
    if len(errors) == len(valued):  # what each stratum moves the slope by, one at a time
        moves = [float(slope_of([Fraction(int(i == j)) for j in range(len(errors))])) for i in range(len(errors))]
        error = math.sqrt(math.fsum((move * own) ** 2 for move, own in zip(moves, errors, strict=True)))
    half = None if error is None else quantile_of_normal(level) * error
    mean_value = float(sum((p * y for p, y in zip(shares, values, strict=True)), Fraction()))
    no_ratio: Answer = dict.fromkeys(names[5:])
    return {
        "slope_index": slope,
        "slope_index_standard_error": error,
        "slope_index_low": None if half is None else slope - half,
        "slope_index_high": None if half is None else slope + half,
        "relative_index": slope / mean_value if mean_value > 0 else None,
        **(_fieller(moves, [*map(float, shares)], errors, slope, mean_value, level) if error is not None else no_ratio),
    }


def _fieller(
    moves: list[float], shares: list[float], errors: list[float], slope: float, mean: float, level: float
) -> Answer:
    """Return the ratios r at which slope - r mean is z standard errors from 0, by bisection on each side."""
    names = ("relative_index_standard_error", "relative_index_low", "relative_index_high")

    def error_at(ratio: float) -> float:
        return math.hypot(*((a - ratio * p) * s for a, p, s in zip(moves, shares, errors, strict=True)))

    z = quantile_of_normal(level)
    if mean <= 0 or mean**2 <= z**2 * math.fsum((p * s) ** 2 for p, s in zip(shares, errors, strict=True)):
        return dict.fromkeys(names)
    ratio, ends = slope / mean, []
    for side in (-1.0, 1.0):
        near, far = 0.0, 1.0
        while abs(slope - (ratio + side * far) * mean) < z * error_at(ratio + side * far):
            far *= 2
        for _ in range(200):
            middle = (near + far) / 2
            is_inside = abs(slope - (ratio + side * middle) * mean) < z * error_at(ratio + side * middle)
            near, far = (middle, far) if is_inside else (near, middle)
        ends.append(ratio + side * near)
    return dict(zip(names, (error_at(ratio) / mean, *ends), strict=True))


def correlation(rows: Sequence[Row], query: Query, other: str, level: float) -> dict[str, Answer]:
    """Return the records of ``correlation`` by coefficient; empty when there is none."""
    sides = [
        [row for row in matching(rows, query._replace(question=question)) if row.value is not None]
        for question in (query.question, other)
    ]
    places = [{(row.location, place_of(row)) for row in side} for side in sides]
    common = places[0] & places[1]
    kept = [
        shared([row for row in side if (row.location, place_of(row)) in common], lambda row: row.location, place_of)
        for side in sides
    ]
    first = by_location(kept[0], query, Options())
    second = by_location(kept[1], query._replace(question=other), Options())
    pairs = [
        (x, y)
        for name, (_, own) in first.items()
        if (x := own.value) is not None and name in second and (y := second[name][1].value) is not None
    ]
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    if len(pairs) < 3 or len({round(x, 9) for x in xs}) == 1 or len({round(y, 9) for y in ys}) == 1:
        return {}
    found = {"pearson": _product_moment(xs, ys), "spearman": _product_moment(_ranks(xs), _ranks(ys))}
    answers = {name: _fisher(value, len(pairs), level) for name, value in found.items()}
    p_values = [p if isinstance(p, float) else None for p in (answer["p_value"] for answer in answers.values())]
    return {
        name: answer | {"p_adjusted": p}
        for (name, answer), p in zip(answers.items(), adjusted(p_values, "bh"), strict=True)
    }


def _product_moment(xs: Sequence[float], ys: Sequence[float]) -> float:
    x_bar, y_bar = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    top = math.fsum((x - x_bar) * (y - y_bar) for x, y in zip(xs, ys, strict=True))
    return top / math.sqrt(math.fsum((x - x_bar) ** 2 for x in xs) * math.fsum((y - y_bar) ** 2 for y in ys))


def _ranks(values: Sequence[float]) -> list[float]:
    rounded = [round(value, 9) for value in values]
    return [1 + sum(v < own for v in rounded) + (rounded.count(own) - 1) / 2 for own in rounded]


def _fisher(value: float, count: int, level: float) -> Answer:
    low: float | None = None
    high: float | None = None
    error = p_value = None
    if count > 3:
        error = 1 / math.sqrt(count - 3)
        if abs(value) > 1 - 1e-12:
            low = high = float(round(value))
            p_value = 0.0
        else:
            z = 0.5 * math.log((1 + value) / (1 - value))
            half = quantile_of_normal(level) * error
            low, high = ((math.exp(2 * limit) - 1) / (math.exp(2 * limit) + 1) for limit in (z - half, z + half))
            p_value = p_of(z, error)
    return {
        "value": value,
        "low": low,
        "high": high,
        "fisher_z_standard_error": error,
        "p_value": p_value,
        "location_count": count,
    }


REASONS = ("cells_suppressed", "cells_not_surveyed", "cells_not_asked", "cells_missing")


def why_empty(
    rows: Sequence[Row], question: str, location: str, year: int, segment: tuple[str, str], *, has_row: bool
) -> str | None:
    """Return why a place would be empty, as the field that counts it; None if no row is ever about it."""
    if not any(row.question == question and (row.category, row.stratum) == segment for row in rows):
        return None
    there = [row for row in rows if row.value is not None and row.location == location and row.year == year]
    if not there:
        return "cells_not_surveyed"
    if not any(row.question == question for row in there):
        return "cells_not_asked"
    return "cells_suppressed" if has_row else "cells_missing"


def coverage(rows: Sequence[Row], queries: Sequence[Query], by: Sequence[str]) -> list[Answer]:
    """Return the records of ``coverage`` over some questions, place by place of the grid."""
    counts: dict[tuple[object, ...], dict[str, int]] = {}
    pick: dict[str, Callable[[Query, str, int, tuple[str, str]], object]] = {
        "question": lambda query, _location, _year, _segment: query.question,
        "location": lambda _query, location, _year, _segment: location,
        "year": lambda _query, _location, year, _segment: year,
        "category": lambda _query, _location, _year, segment: segment[0],
        "stratum": lambda _query, _location, _year, segment: scale_of(*segment),
    }
    kept = [name for name in pick if name in by or (name == "category" and "stratum" in by)]
    for query in queries:
        asked = {row.year for row in rows if row.question == query.question}
        there: dict[tuple[str, int, tuple[str, str]], list[Row]] = {}
        for row in matching(rows, query):
            there.setdefault((row.location, row.year, (row.category, row.stratum)), []).append(row)
        for location in query.locations:
            for year in sorted(asked & set(query.years)):
                for segment in query.segments:
                    found = there.get((location, year, segment), [])
                    key = tuple(pick[name](query, location, year, segment) for name in kept)
                    reason = why_empty(rows, query.question, location, year, segment, has_row=bool(found))
                    if reason is None:
                        continue
                    count = counts.setdefault(key, dict.fromkeys(("cells_used", *REASONS), 0))
                    count["cells_used"] += sum(row.value is not None for row in found)
                    count[reason] += sum(row.value is None for row in found) + (not found)
    records: list[Answer] = []
    for key in sorted(counts):
        total = sum(counts[key].values())
        dimensions = {
            name: part[3] if name == "stratum" and isinstance(part, tuple) else part
            for name, part in zip(kept, key, strict=True)
        }
        records.append(
            dimensions | counts[key] | {"value": 100 * counts[key]["cells_used"] / total, "cells_expected": total}
        )
    return records
