"""The naive reference of ``people``: each location's own pooled share times its people; plain Python over rows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.reference import Row
from tests.reference_estimates import (
    Answer,
    Estimate,
    Options,
    Population,
    Query,
    grouped,
    interval_of,
    matching,
    pooled,
)


def people(
    rows: Sequence[Row], query: Query, by: Sequence[str], population: Population, options: Options
) -> list[Answer]:
    """Return the records of ``people``."""
    records = []
    for dimensions, members in grouped(matching(rows, query), query, [*by, "year"]):
        places = sorted({row.location for row in members})
        every = {place: pooled([row for row in members if row.location == place], options) for place in places}
        year = members[0].year
        counted = [
            (population[place, year], own)
            for place, own in every.items()
            if own.value is not None and (place, year) in population
        ]
        records.append(dimensions | _record(counted, list(every.values()), options))
    return records


def _record(counted: list[tuple[float, Estimate]], every: list[Estimate], options: Options) -> Answer:
    persons = math.fsum(count for count, _ in counted)
    found: Answer = dict.fromkeys(("value", "standard_error", "low", "high", "sample_size"))
    share = None
    flag = "unweighted" if any(own.cells_used for own in every) else "suppressed"
    if counted:
        share, error, low, high = _share(counted, persons, options)
        figures = (share, error, low, high)
        scaled = [None if figure is None else figure * persons / 100 for figure in figures]
        found |= dict(zip(found, scaled, strict=False))
        flag = "ok" if all(own.reliability == "ok" for _, own in counted) else "caution"
    sizes = [own.sample_size for _, own in counted if own.sample_size is not None]
    return found | {
        "sample_size": math.fsum(sizes) if sizes else None,
        "cells_used": sum(own.cells_used for _, own in counted),
        "cells_suppressed": sum(own.cells_suppressed for own in every),
        "reliability": flag,
        "population": round(persons),
        "share_percent": share,
        "location_count": len(counted),
    }


def _share(
    counted: list[tuple[float, Estimate]], persons: float, options: Options
) -> tuple[float, float | None, float | None, float | None]:
    if len(counted) == 1:
        own = counted[0][1]
        assert own.value is not None
        return own.value, own.standard_error, own.low, own.high
    share = math.fsum(count * own.value for count, own in counted if own.value is not None) / persons
    errors = [count * own.standard_error for count, own in counted if own.standard_error is not None]
    if len(errors) < len(counted):
        return share, None, None, None
    error = math.sqrt(math.fsum(each * each for each in errors)) / persons
    return share, error, *interval_of(share, error, options)
