"""The naive reference of ``change``: two changes and their difference for each place; plain Python over rows.

Nothing of Meantime; estimates are pooled by ``reference_estimates.py``, lines are those of ``reference_trends.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from tests.reference import BREAKS, DIRECTIONS, Row
from tests.reference_comparisons import Rule, decided
from tests.reference_estimates import (
    Answer,
    Estimate,
    Options,
    Query,
    contrast,
    fixed,
    grouped,
    matching,
    pooled,
    quantile_of_normal,
)
from tests.reference_trends import chi_square_p, line_through

NOTHING = Estimate(None, None, None, None, None, 0, 0, "suppressed")
Series = dict[int, Estimate]


class Asked(NamedTuple):
    """What changes, beside what."""

    of: str
    against: str | None
    reference: str | None = None
    crosses: bool = False


def change(rows: Sequence[Row], query: Query, asked: Asked, options: Options, rule: Rule) -> list[Answer]:
    """Return the records of ``change``; ``query`` names the segments that have a record. None where there are none."""
    others = query._replace(locations=tuple(name for name in query.locations if name != asked.against))
    table = [row for row in rows if row.question == query.question and row.year in query.years]
    used = [row for row in table if (row.category, row.stratum) in query.segments or row.stratum == asked.reference]
    there = [row for row in used if row.location == asked.against and row.value is not None]
    if asked.against is not None and not there:
        return []
    valued = {row.year for row in used if row.location in others.locations and row.value is not None}
    years = sorted(valued | {row.year for row in there}) if asked.of == "trend" else list(query.years)
    stretches = _stretches(years, () if asked.crosses or asked.of != "trend" else BREAKS.get(query.question, ()))
    found = []
    for dimensions, members in grouped(matching(rows, others), others, ["location", "stratum"]):
        place, segment = members[0].location, (members[0].category, members[0].stratum)
        own = _series(table, place, segment, asked.reference, options, years)
        beside = dict.fromkeys(years, fixed(0.0)) if asked.against is None else {}
        beside = beside or _series(table, str(asked.against), segment, asked.reference, options, years)
        for number, stretch in enumerate(stretches):
            here, there_ = ({year: side[year] for year in stretch} for side in (own, beside))
            of_kind = _along if asked.of == "trend" else _between
            record, count = of_kind(here, there_, asked, options)
            dimensions.pop("year", None)
            found.append((number, count, dimensions | record | {"against": asked.against}))
    lines = {number for number, count, _ in found if count >= 2}
    records = [record for number, _, record in found if asked.of != "trend" or number in lines]
    if all(record["value"] is None for record in records):
        return []
    return decided(records, options.level, DIRECTIONS.get(query.question), rule)


def _stretches(years: Sequence[int], cuts: Sequence[int]) -> list[list[int]]:
    numbers = sorted({sum(cut <= year for cut in cuts) for year in years})
    return [[year for year in years if sum(cut <= year for cut in cuts) == number] for number in numbers]


def _series(
    table: Sequence[Row],
    place: str,
    segment: tuple[str, str],
    reference: str | None,
    options: Options,
    years: Sequence[int],
) -> Series:
    """Return the yearly estimates of a place and stratum, or its gaps from the reference stratum."""

    def of(year: int, stratum: str) -> Estimate:
        found = [row for row in table if (row.location, row.year, row.category) == (place, year, segment[0])]
        found = [row for row in found if row.stratum == stratum]
        return pooled(found, options) if found else NOTHING

    if reference is None:
        return {year: of(year, segment[1]) for year in years}
    return {year: _gap(of(year, segment[1]), of(year, reference)) for year in years}


def _gap(first: Estimate, second: Estimate) -> Estimate:
    value = None if first.value is None or second.value is None else first.value - second.value
    errors = (first.standard_error, second.standard_error)
    sizes = [size for size in (first.sample_size, second.sample_size) if size is not None]
    return Estimate(
        value,
        math.hypot(*(each for each in errors if each is not None)) if None not in errors else None,
        None,
        None,
        math.fsum(sizes) if sizes else None,
        first.cells_used + second.cells_used,
        first.cells_suppressed + second.cells_suppressed,
        "ok" if first.reliability == second.reliability == "ok" else "caution",
    )


def _with_limits(value: float | None, error: float | None, level: float) -> Estimate:
    half = None if error is None else quantile_of_normal(level) * error
    known = value is not None and half is not None
    low, high = (value - half, value + half) if value is not None and half is not None else (None, None)
    return Estimate(value, error if known else None, low, high, None, 0, 0, "ok")


def _recorded(
    own: Estimate, beside: Estimate, used: Sequence[Estimate], there: Sequence[Estimate], here: Series, level: float
) -> Answer:
    """Return the fields of a record that all kinds of change have."""
    sizes = [each.sample_size for each in used if each.sample_size is not None]
    doubtful = any(each.reliability != "ok" for each in [*used, *there])
    common = own._replace(
        sample_size=math.fsum(sizes) if sizes else None,
        cells_used=sum(each.cells_used for each in used),
        cells_suppressed=sum(each.cells_suppressed for each in here.values()),
        reliability="suppressed" if own.value is None else "caution" if doubtful else "ok",
    )
    return common.fields() | contrast(own, beside, level, None)


def _between(here: Series, there: Series, asked: Asked, options: Options) -> tuple[Answer, int]:
    (first_year, first), (last_year, last) = here.items()
    before, after = there.values()

    def changed(one: Estimate, other: Estimate) -> Estimate:
        gap = _gap(other, one)
        return _with_limits(gap.value, gap.standard_error, options.level)

    used, others = ([each for each in side.values() if each.value is not None] for side in (here, there))
    own, beside = changed(first, last), fixed(0.0) if asked.against is None else changed(before, after)
    record = _recorded(own, beside, used, others if asked.against else [], here, options.level)
    record |= {"first_year": first_year, "last_year": last_year, "first_value": first.value, "last_value": last.value}
    if asked.against is not None:
        record |= {"reference_first_value": before.value, "reference_last_value": after.value}
    return record, 2


def _along(here: Series, there: Series, asked: Asked, options: Options) -> tuple[Answer, int]:
    def usable(side: Series) -> set[int]:
        return {year for year, own in side.items() if own.value is not None and own.standard_error}

    both, lost = sorted(usable(here) & usable(there)), sorted(usable(here) ^ usable(there))
    sides = [_line([(year, side[year]) for year in both], options.level) for side in (here, there)]
    (own, own_fit), (beside, fit_beside) = sides
    record = _recorded(own, beside, [here[year] for year in both], [there[year] for year in both], here, options.level)
    has_line = len(both) >= 2
    return record | {
        "year_count": len(both),
        "first_year": both[0] if has_line else None,
        "last_year": both[-1] if has_line else None,
        **own_fit,
        **{f"reference_{name}": number for name, number in fit_beside.items()},
        "cells_left_out": len(lost),
        "left_out": ", ".join(map(str, lost)),
    }, len(both)


def _line(points: Sequence[tuple[int, Estimate]], level: float) -> tuple[Estimate, Answer]:
    if len(points) < 2:
        return _with_limits(None, None, level), {"misfit_p": None, "widened_by": None}
    line = line_through([(year, own.value or 0.0, own.standard_error or 0.0) for year, own in points])
    freedom = len(points) - 2
    widened_by = max(1.0, math.sqrt(line.chi_square / freedom)) if freedom else 1.0
    misfit_p = chi_square_p(line.chi_square, freedom) if freedom else None
    slope = _with_limits(line.slope, line.error * widened_by, level)
    return slope, {"misfit_p": misfit_p, "widened_by": widened_by}
