"""The naive reference of comparisons: matched cells, adjusted p-values, verdicts; plain Python over rows.

Nothing of Meantime; estimates are pooled by ``reference_estimates.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from tests.reference import DIRECTIONS, HIGHER, LOWER, Row
from tests.reference_estimates import (
    Answer,
    Estimate,
    Options,
    Query,
    by_location,
    contrast,
    grouped,
    matching,
    pooled,
    scale_of,
    weight_of,
)
from tests.reference_ranks import rule_of

Key = Callable[[Row], Hashable]


class Rule(NamedTuple):
    """How differences are tested."""

    adjust: str = "bh"
    margin: float | None = None


def counts(row: Row, options: Options) -> bool:
    """Whether a row has a value, and the weight that is asked for."""
    return row.value is not None and weight_of(row, options) is not None


def place_of(row: Row) -> tuple[int, tuple[object, ...]]:
    """Return where in a location a row is, so that places sort by year and stratum."""
    return row.year, scale_of(row.category, row.stratum)


def words_for(places: Sequence[tuple[int, tuple[object, ...]]], query: Query) -> str:
    """Return the names of some places, at most ten of them."""
    names = []
    for year, (*_, stratum) in sorted(places):
        several_strata, several_years = len(query.segments) > 1, len(query.years) > 1
        words = [str(year)] if several_years or not several_strata else []
        names.append(" ".join([*words, *([str(stratum)] if several_strata else [])]))
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def shared(rows: Sequence[Row], side: Key, place: Key) -> list[Row]:
    """Return the rows (all of them count) at the places that all sides have.

    While there are none, the sides with the fewest rows go.
    """
    remaining = list(rows)
    while remaining:
        sides = {side(row): {place(other) for other in remaining if side(other) == side(row)} for row in remaining}
        common = set.intersection(*sides.values())
        if common:
            return [row for row in remaining if place(row) in common]
        fewest = min(map(len, sides.values()))
        remaining = [row for row in remaining if len(sides[side(row)]) > fewest]
    return []


def adjusted(p_values: Sequence[float | None], adjust: str) -> list[float | None]:
    """Return p-values adjusted for their number, each from the definition."""
    known = [p for p in p_values if p is not None]
    m = len(known)

    def of(p: float) -> float:
        if adjust == "holm":
            return min(1.0, max((m - sum(r < q for r in known)) * q for q in known if q <= p))
        if adjust == "bh":
            return min(1.0, *(q * m / sum(r <= q for r in known) for q in known if q >= p))
        return p

    return [None if p is None else max(p, of(p)) for p in p_values]


def decided(records: Sequence[Answer], level: float, direction: str | None, rule: Rule) -> list[Answer]:
    """Return records of contrasts with the verdicts that they earn together."""
    found = [dict(record) for record in records]
    p_adjusted = adjusted([_number(record["p_value"]) for record in records], rule.adjust)
    equivalences: list[float | None] = [None] * len(records)
    if rule.margin is not None:
        margin = rule.margin
        one_sided = [_one_sided(record, margin) for record in records]
        equivalences = adjusted(one_sided, rule.adjust)
    above, below = {LOWER: ("worse", "better"), HIGHER: ("better", "worse"), None: ("higher", "lower")}[direction]
    for record, p, alike in zip(found, p_adjusted, equivalences, strict=True):
        record["p_adjusted"] = p
        if rule.margin is not None:
            record["p_equivalence"] = alike
        gap, low, high = (_number(record[name]) for name in ("difference", "difference_low", "difference_high"))
        if p is None or gap is None or low is None or high is None:
            record["verdict"] = None
            continue
        differs = (low > 0 or high < 0) and (rule.adjust == "none" or p <= 1 - level)
        record["verdict"] = "no clear difference"
        if alike is not None and alike <= 1 - level:
            record["verdict"] = "similar"
        elif differs:
            record["verdict"] = above if gap > 0 else below
    return found


def _number(value: object) -> float | None:
    return value if isinstance(value, float) else None


def _one_sided(record: Answer, margin: float) -> float | None:
    gap, error = _number(record["difference"]), _number(record["difference_standard_error"])
    if gap is None or error is None:
        return None
    excess = abs(gap) - margin
    if error == 0:
        return 0.0 if excess < 0 else 0.5 if excess == 0 else 1.0
    return math.erfc(-excess / error / math.sqrt(2)) / 2


def _worse(own: Estimate, reference: Estimate) -> str:
    return "caution" if own.reliability == "ok" and reference.reliability == "caution" else own.reliability


def difference(
    rows: Sequence[Row], query: Query, against: str | None, goal: float, options: Options, rule: Rule
) -> list[Answer]:
    """Return the records of ``difference``; against a goal if ``against`` is None."""
    direction = DIRECTIONS.get(query.question)
    others = query._replace(locations=tuple(name for name in query.locations if name != against))
    references = [row for row in matching(rows, query._replace(locations=(str(against),))) if counts(row, options)]
    records = []
    for dimensions, members in grouped(matching(rows, others), others, ["location"]):
        fixed = Estimate(goal, 0.0, goal, goal, None, 0, 0, "ok")
        if against is None:
            own = pooled(members, options)
            records.append(dimensions | own.fields() | contrast(own, fixed, options.level, direction))
            continue
        own_places = {place_of(row) for row in members if counts(row, options)}
        other_places = {place_of(row) for row in references}
        both, either = own_places & other_places, own_places ^ other_places
        own = pooled([row for row in members if not both or place_of(row) in both or not counts(row, options)], options)
        reference = pooled([row for row in references if not both or place_of(row) in both], options)
        nothing = Estimate(None, None, None, None, None, 0, 0, "")
        shown = contrast(nothing, reference, options.level, direction)
        records.append(
            dimensions
            | own.fields()
            | {"reliability": _worse(own, reference)}
            | (contrast(own, reference, options.level, direction) if both else shown)
            | {"cells_matched": len(both), "cells_left_out": len(either), "left_out": words_for(list(either), query)}
        )
    return decided(records, options.level, direction, rule)


def compare(rows: Sequence[Row], query: Query, other: Query, options: Options, rule: Rule) -> list[Answer]:
    """Return the records of ``compare``: query minus other, for locations that have a row in both."""
    first, second = by_location(rows, query, options), by_location(rows, other, options)
    direction = DIRECTIONS.get(query.question) if query.question == other.question else None
    records = [
        dimensions
        | own.fields()
        | {"reliability": _worse(own, second[name][1])}
        | contrast(own, second[name][1], options.level, direction)
        | {"reference_sample_size": second[name][1].sample_size}
        for name, (dimensions, own) in first.items()
        if name in second
    ]
    return decided(records, options.level, direction, rule)


def ranking(rows: Sequence[Row], query: Query, k: int, end: str, options: Options, kind: str) -> list[Answer]:
    """Return the records of ``ranking``, with rank intervals of a kind."""
    chosen = matching(rows, query)
    counted = [row for row in chosen if counts(row, options)]
    kept = shared(counted, lambda row: row.location, place_of)
    lost = [row for row in counted if row not in kept]
    remaining = [row for row in chosen if row in kept or not counts(row, options)]
    by_name = by_location(remaining, query, options).items()
    found = {name: own for name, own in by_name if own[1].value is not None}
    if not found:
        return []
    highest_first = end == "highest" or (end != "lowest" and (DIRECTIONS[query.question] == HIGHER) == (end == "best"))
    sign = -1 if highest_first else 1
    key = {name: round(sign * (own.value or 0.0), 9) for name, (_, own) in found.items()}
    ranks = {name: 1 + sum(other < key[name] for other in key.values()) for name in found}
    last_rank = max(rank for rank in ranks.values() if rank <= k)
    last = {name for name, rank in ranks.items() if rank == last_rank}
    records = []
    in_order = list(found)
    values = [own.value or 0.0 for _, own in found.values()]
    apart = rule_of(kind, values, [own.standard_error for _, own in found.values()], options.level)
    for name in sorted(found, key=lambda name: (key[name], name)):
        dimensions, own = found[name]
        here = in_order.index(name)
        different = {other: key[other] - key[name] for there, other in enumerate(in_order) if apart(here, there)}
        low = 1 + sum(gap < 0 for gap in different.values())
        high = len(found) - sum(gap > 0 for gap in different.values())
        left_out = [place_of(row) for row in lost if row.location == name]
        record = {
            "cells_matched": own.cells_used,
            "cells_left_out": len(left_out),
            "left_out": words_for(left_out, query),
            "rank": ranks[name],
            "rank_low": low,
            "rank_high": high,
            "tied": list(ranks.values()).count(ranks[name]) > 1,
            "among_k": ranks[name] <= k,
            "surely_among_k": high <= k,
            "possibly_among_k": low <= k,
            "differs_from_k": last <= set(different),
            "ranked_count": len(found),
            "direction": DIRECTIONS.get(query.question),
        }
        if ranks[name] <= k or not record["differs_from_k"] or low <= k:
            records.append(dimensions | own.fields() | record)
    return records
