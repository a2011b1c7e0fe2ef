"""The records of a profile: what they are about, their fields, and the adjusting of their p-values together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum

import numpy as np

from meantime.statistics.estimation.comparisons.multiplicity import Adjustment, adjusted
from meantime.statistics.estimation.comparisons.verdicts import Verdict
from meantime.statistics.result import Record, Scalar
from meantime.survey.questions import Question


class Part(StrEnum):
    """What a record of a profile is about, in the order of the answer."""

    NOW = "now"
    TREND = "trend"
    DISPARITY = "disparity"
    YEAR = "year"
    STRATUM = "stratum"


TESTED = (Part.NOW, Part.TREND, Part.DISPARITY)
"""The parts with p-values; each is adjusted for itself."""

SPREAD = ("minimum", "quantile_0.25", "quantile_0.5", "quantile_0.75", "maximum")
"""Fields of ``distribution`` that a profile has of the states, as ``states_minimum`` and so on."""

FIELDS = (
    *("part", "question", "location", "year", "category", "stratum", "unit"),
    *("value", "standard_error", "low", "high", "sample_size", "cells_used", "cells_suppressed", "reliability"),
    *("absence", "against", "reference", "reference_standard_error", "reference_low", "reference_high"),
    *("difference", "difference_standard_error", "difference_low", "difference_high"),
    *("p_value", "p_adjusted", "verdict", "course", "direction"),
    *("rank", "rank_low", "rank_high", "tied", "ranked_count", "first_rank"),
    *(f"states_{name}" for name in SPREAD),
    *("stretch", "year_count", "first_year", "last_year", "first_value", "last_value", "missing_years", "breaks_since"),
    *("misfit_p", "highest_stratum", "highest_value", "lowest_stratum", "lowest_value", "value_by_chance"),
    *("strata_count", "strata_missing"),
)
"""All fields of a record, in order; a part leaves those that aren't its own None."""

_OF_REFERENCE = {
    "value": "reference",
    "standard_error": "reference_standard_error",
    "low": "reference_low",
    "high": "reference_high",
}


def record_of(part: Part, question: Question, place: str, year: int, *found: Mapping[str, Scalar]) -> Record:
    """Return a record with what was found, as far as it has a field for it; of several the last one counts."""
    record: Record = dict.fromkeys(FIELDS)
    record |= {"unit": question.unit, "cells_used": 0, "cells_suppressed": 0, "reliability": "suppressed"}
    for each in found:
        record.update((name, value) for name, value in each.items() if name in record)
    return record | {"part": part.value, "question": question.text, "location": place, "year": year}


def as_reference(record: Mapping[str, Scalar]) -> Record:
    """Return a record of what is compared with, as the fields of its other side; none where there is no value."""
    if record.get("value") is None:
        return {}
    return {"against": record["location"]} | {name: record[own] for own, name in _OF_REFERENCE.items()}


def gap_verdict(disparity: Mapping[str, Scalar]) -> str | None:
    """Return whether the highest stratum is surely above the lowest, by the interval of all differences at once."""
    if disparity["p_value"] is None:
        return None
    low = disparity["low"]
    return (Verdict.HIGHER if isinstance(low, float) and low > 0 else Verdict.UNCLEAR).value


def adjust_together(records: Sequence[Record], adjust: str, level: float) -> int:
    """Adjust the p-values of records for their number, and with them the verdicts; return how many tests there are.

    A verdict that was earned alone stands if the adjusted p is at most 1 - level, as in ``contrasts.contrasts``.
    """
    p_values = np.array([math.nan if record["p_value"] is None else record["p_value"] for record in records], float)
    tests = np.flatnonzero(~np.isnan(p_values)).tolist()
    found = adjusted(p_values, adjust).tolist()
    for place in tests:
        record = records[place]
        record["p_adjusted"] = found[place]
        if adjust == Adjustment.NONE or found[place] <= 1 - level:
            continue
        if record["part"] == Part.TREND:
            record["verdict"] = record["course"] = Verdict.STEADY.value
        else:
            record["verdict"] = Verdict.UNCLEAR.value
    return len(tests)
