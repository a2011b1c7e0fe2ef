"""The naive reference of ``trend``: lines between known breaks, over matched cells; plain Python and exact fractions.

Nothing of Meantime; estimates are pooled by ``reference_estimates.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from tests.reference import BREAKS, DIRECTIONS, Row
from tests.reference_comparisons import Rule, counts, decided, shared
from tests.reference_estimates import Answer, Estimate, Options, Query, contrast, fixed, grouped, matching, pooled

Points = list[tuple[int, Estimate]]

WORDS = {"higher": "rising", "lower": "falling", "no clear difference": "no clear change"}


class Line(NamedTuple):
    """A line's numbers: slope and its error before widening, and chi-square."""

    slope: float
    error: float
    chi_square: float


def trend(
    rows: Sequence[Row],
    query: Query,
    by: Sequence[str],
    options: Options,
    *,
    crosses: bool = False,
    adjust: str = "bh",
    break_years: Sequence[int] = (),
) -> list[Answer]:
    """Return the records of ``trend``; none where no stretch has a line."""
    chosen = matching(rows, query)
    asked = sorted({row.year for row in chosen if row.value is not None})
    cuts = BREAKS.get(query.question, ())
    counted = {*break_years, *(() if crosses else cuts)}
    numbers = [sum(cut <= year for cut in counted) for year in asked]

    def stretch_of(year: int) -> int:
        return next((number for own, number in zip(asked, numbers, strict=True) if own >= year), numbers[-1])

    found: list[tuple[int, Points, Answer]] = []
    for dimensions, members in grouped(chosen, query, by) if asked else []:
        dimensions.pop("year", None)
        for number in sorted(set(numbers)):
            own = [row for row in members if stretch_of(row.year) == number]
            counting = [row for row in own if counts(row, options)]
            kept = shared(counting, lambda row: row.year, lambda row: (row.location, row.category, row.stratum))
            left_out = [row for row in counting if row not in kept]
            points, record = _series([row for row in own if row not in left_out], options)
            years = [year for year, other in zip(asked, numbers, strict=True) if other == number]
            record |= _panel([row for row in own if row.value is not None], points, years, cuts)
            found.append((number, points, dimensions | record | {"cells_left_out": len(left_out)}))
    with_a_line = {number for number, points, _ in found if len(points) >= 2}
    records = [_fitted(points, options.level) | record for number, points, record in found if number in with_a_line]
    return _judged(records, options.level, DIRECTIONS.get(query.question), adjust)


def _series(rows: Sequence[Row], options: Options) -> tuple[Points, Answer]:
    yearly = {year: pooled([row for row in rows if row.year == year], options) for year in {row.year for row in rows}}
    points = [(year, own) for year, own in sorted(yearly.items()) if own.standard_error and own.value is not None]
    sizes = [own.sample_size for _, own in points if own.sample_size is not None]
    worst = "caution" if any(own.reliability == "caution" for _, own in points) else "ok"
    return points, {
        "sample_size": math.fsum(sizes) if sizes else None,
        "cells_used": sum(own.cells_used for _, own in points),
        "cells_suppressed": sum(own.cells_suppressed for own in yearly.values()),
        "reliability": worst if len(points) >= 2 else "suppressed",
    }


def _fitted(points: Points, level: float) -> Answer:
    names = ("residual_ratio", "misfit_p", "widened_by", "jump_year")
    found: Answer = dict.fromkeys(names)
    line = fixed(0.0)._replace(value=None, standard_error=None)
    if len(points) >= 2:
        own = line_through([(year, each.value or 0.0, each.standard_error or 0.0) for year, each in points])
        freedom = len(points) - 2
        ratio = own.chi_square / freedom if freedom else None
        widened_by = max(1.0, math.sqrt(ratio)) if ratio is not None else 1.0
        misfit_p = chi_square_p(own.chi_square, freedom) if freedom else None
        jumps = [_jump(first, second, own.slope) for first, second in pairwise(points)]
        is_misfit = misfit_p is not None and misfit_p <= 0.05
        found = dict(zip(names, (ratio, misfit_p, widened_by, max(jumps)[1] if is_misfit else None), strict=True))
        line = fixed(own.slope)._replace(standard_error=own.error * widened_by)
    return found | contrast(line, fixed(0.0), level, None) | _change(points, level)


def _jump(first: tuple[int, Estimate], second: tuple[int, Estimate], slope: float) -> tuple[float, int]:
    (year, before), (next_year, after) = first, second
    step = (after.value or 0.0) - (before.value or 0.0) - slope * (next_year - year)
    return round(abs(step) / math.hypot(before.standard_error or 0.0, after.standard_error or 0.0), 9), next_year


def _judged(records: Sequence[Answer], level: float, direction: str | None, adjust: str) -> list[Answer]:
    """Return records with verdicts and the names that a trend gives to the fields of a comparison."""
    found = []
    rule = Rule(adjust)
    both = zip(decided(records, level, direction, rule), decided(records, level, None, rule), strict=True)
    for judged, plain in both:
        record = {name: own for name, own in judged.items() if not name.startswith(("reference", "difference"))}
        names = {"value": "", "standard_error": "_standard_error", "low": "_low", "high": "_high"}
        record |= {name: judged[f"difference{ending}"] for name, ending in names.items()}
        verdict, course = judged["verdict"], plain["verdict"]
        record |= {"verdict": WORDS.get(str(verdict), verdict), "course": WORDS.get(str(course), course)}
        found.append(record)
    return found


def line_through(points: Sequence[tuple[int, float, float]]) -> Line:
    """Solve the weighted normal equations for (year, value, standard error) exactly."""
    weighted = [(1 / Fraction(error) ** 2, year, Fraction(value)) for year, value, error in points]
    s = sum((w for w, _, _ in weighted), Fraction())
    sx = sum((w * x for w, x, _ in weighted), Fraction())
    sy = sum((w * y for w, _, y in weighted), Fraction())
    sxx = sum((w * x * x for w, x, _ in weighted), Fraction())
    sxy = sum((w * x * y for w, x, y in weighted), Fraction())
    determinant = s * sxx - sx * sx
    slope = (s * sxy - sx * sy) / determinant
    intercept = (sy - slope * sx) / s
    chi_square = sum((w * (y - intercept - slope * x) ** 2 for w, x, y in weighted), Fraction())
    return Line(float(slope), math.sqrt(s / determinant), float(chi_square))


def chi_square_p(chi_square: float, freedom: int) -> float:
    """Return 1 - P(k / 2, x / 2) by the power series of the lower incomplete gamma function."""
    a, x = freedom / 2, chi_square / 2
    if x <= 0:
        return 1.0
    if x > 600:
        return 0.0
    terms = (math.exp((a + n) * math.log(x) - x - math.lgamma(a + n + 1)) for n in range(3000))
    return max(0.0, 1 - math.fsum(terms))


def _change(points: Points, level: float) -> Answer:
    names = ("first_year", "last_year", "first_value", "last_value", "change", "change_standard_error")
    if len(points) < 2:
        return {"year_count": len(points), **dict.fromkeys((*names, "change_low", "change_high"))}
    (first_year, first), (last_year, last) = points[0], points[-1]
    found = contrast(last, first, level, None)
    return {
        "year_count": len(points),
        "first_year": first_year,
        "last_year": last_year,
        "first_value": first.value,
        "last_value": last.value,
        "change": found["difference"],
        "change_standard_error": found["difference_standard_error"],
        "change_low": found["difference_low"],
        "change_high": found["difference_high"],
    }


def _panel(with_value: Sequence[Row], points: Points, asked: Sequence[int], cuts: Sequence[int]) -> Answer:
    used = [year for year, _ in points]
    missing = [year for year in asked if year not in used]
    places = [{(row.location, row.category, row.stratum) for row in with_value if row.year == year} for year in asked]
    return {
        "missing_years": ", ".join(map(str, missing)),
        "panel_complete": not missing and all(own == places[0] for own in places),
        "breaks_crossed": ", ".join(str(cut) for cut in cuts if used and used[0] < cut <= used[-1]),
    }
