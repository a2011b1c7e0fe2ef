"""The naive reference of ``age_standardised_mean``: each place and year in turn; plain Python over rows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.reference import Row
from tests.reference_estimates import Answer, Options, Query, flag_of, grouped, interval_of, matching, pooled

AGES = ("18 - 24", "25 - 34", "35 - 44", "45 - 54", "55 - 64", "65 or older")
PEOPLE = (26_258_000, 37_233_000, 44_659_000, 37_030_000, 23_961_000, 18_136_000 + 12_315_000 + 4_259_000)
"""The year-2000 standard population; of 65 and older it prints 65-74, 75-84 and 85 and over."""
AGE = "Age (years)"


def age_standardised_mean(rows: Sequence[Row], query: Query, options: Options) -> list[Answer]:
    """Return the records of ``age_standardised_mean``; the query's segments don't matter."""
    query = query._replace(segments=tuple((AGE, age) for age in AGES))
    everybody = matching(rows, query._replace(segments=(("Total", "Total"),)))
    records = []
    for dimensions, members in grouped(matching(rows, query), query, ["location", "year"]):
        place = (members[0].location, members[0].year)
        ages = [pooled([row for row in members if row.stratum == age], options) for age in AGES]
        crude = pooled([row for row in everybody if (row.location, row.year) == place], options)
        missing = [age for age, own in zip(AGES, ages, strict=True) if own.value is None]
        value = error = low = high = size = None
        flag = "suppressed"
        if not missing:
            shares = [people / sum(PEOPLE) for people in PEOPLE]
            value = math.fsum(share * (own.value or 0.0) for share, own in zip(shares, ages, strict=True))
            sizes = [own.sample_size for own in ages if own.sample_size is not None]
            size = math.fsum(sizes) if sizes else None
            errors = [own.standard_error for own in ages if own.standard_error is not None]
            if len(errors) == len(AGES):
                error = math.sqrt(math.fsum((share * own) ** 2 for share, own in zip(shares, errors, strict=True)))
                low, high = interval_of(value, error, options)
            flag = "caution" if {own.reliability for own in ages} != {"ok"} else flag_of(value, error, size)
        records.append(
            dimensions
            | {
                "value": value,
                "standard_error": error,
                "low": low,
                "high": high,
                "sample_size": size,
                "cells_used": 0 if missing else len(AGES),
                "cells_suppressed": sum(own.cells_suppressed for own in ages),
                "reliability": flag,
                "strata_missing": len(missing),
                "missing_strata": ", ".join(missing),
                "crude_value": crude.value,
                "crude_low": crude.low,
                "crude_high": crude.high,
                "difference_from_crude": None if value is None or crude.value is None else value - crude.value,
            }
        )
    return records if any(record["value"] is not None for record in records) else []
