"""The naive reference of ``pairwise``: every pair of locations in two loops; plain Python over rows."""

from __future__ import annotations

from collections.abc import Sequence

from tests.reference import DIRECTIONS, Row
from tests.reference_comparisons import Rule, counts, decided, place_of, shared
from tests.reference_estimates import Answer, Options, Query, by_location, contrast, matching


def pairwise(rows: Sequence[Row], query: Query, place: str | None, options: Options, rule: Rule) -> list[Answer]:
    """Return the records of ``pairwise``; of all pairs if ``place`` is None."""
    chosen, direction = matching(rows, query), DIRECTIONS.get(query.question)
    kept = shared([row for row in chosen if counts(row, options)], lambda row: row.location, place_of)
    remaining = [row for row in chosen if row in kept or not counts(row, options)]
    found = {name: own for name, own in by_location(remaining, query, options).items() if own[1].value is not None}
    names = sorted(found)
    pairs = [(first, second) for first in names for second in names if first < second]
    if place is not None:
        pairs = [(name, place) for name in names if name != place and place in found]
    records = []
    for name, against in pairs:
        (dimensions, own), (_, other) = found[name], found[against]
        doubtful = "caution" in (own.reliability, other.reliability)
        records.append(
            dimensions
            | own.fields()
            | {"reliability": "caution" if doubtful else "ok"}
            | contrast(own, other, options.level, direction)
            | {
                "reference_sample_size": other.sample_size,
                "against": against,
                "cells_matched": own.cells_used,
            }
        )
    return decided(records, options.level, direction, rule)
