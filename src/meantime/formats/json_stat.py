"""A result as JSON-stat 2.0 (https://json-stat.org): a sparse cube of the record's dimensions and its measures.

Suppressed and doubtful estimates are marked in ``status``, and the notes say what the marks mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import orjson

from meantime.formats import Answer, Record, records_of
from meantime.statistics.estimation.uncertainty import Reliability
from meantime.statistics.result import DIMENSION_FIELDS

MEASURE = "measure"
RECORD = "record"
SEGMENT = ("category", "stratum")

STATUS_LABELS = {
    Reliability.CAUTION.value: "use with caution: fewer than 50 persons, a relative standard error of 30 % or more, or"
    " limits that can't be right",
    Reliability.UNWEIGHTED.value: "there is a value, but not the weight that was asked for",
    Reliability.SUPPRESSED.value: "suppressed by the publisher: no estimate",
}


@dataclass(frozen=True)
class _Dimension:
    """One dimension: the id of its member for each record, and its members in the order in which they appear."""

    name: str
    members: list[str]

    @cached_property
    def index(self) -> dict[str, int]:
        return {member: place for place, member in enumerate(dict.fromkeys(self.members))}


def encode_json_stat(answer: Answer) -> bytes:
    """Return a decoded v1 result as a JSON-stat dataset.

    The dimensions are those of the records; a stratum is told from its namesakes by its category
    (``Sex: Male``), and what is about a category as a whole has that alone (``Sex``). Records that their dimensions
    don't tell apart are numbered by a dimension of their own. The last dimension, ``measure``, holds the other fields.
    """
    records = records_of(answer)
    dimensions = _dimensions(records)
    measures = [name for name in (records[0] if records else {}) if name not in DIMENSION_FIELDS]
    values, status = _values(records, dimensions, measures)
    names = [dimension.name for dimension in dimensions] + [MEASURE]
    document = {
        "version": "2.0",
        "class": "dataset",
        "label": _label(answer),
        "source": _source(answer),
        "note": [
            *_texts(answer, "cautions"),
            *_notes(answer),
            *(f"{code}: {label}" for code, label in STATUS_LABELS.items()),
        ],
        "id": names,
        "size": [len(dimension.index) for dimension in dimensions] + [len(measures)],
        "role": _roles(names),
        "dimension": {
            dimension.name: {"label": dimension.name, "category": {"index": list(dimension.index)}}
            for dimension in dimensions
        }
        | {MEASURE: {"label": MEASURE, "category": {"index": measures}}},
        "value": values,
        "status": status,
        "extension": {
            "status": {"label": STATUS_LABELS},
            "unit": answer.get("unit"),
            "method": answer.get("method"),
            "provenance": answer.get("provenance"),
        },
    }
    return orjson.dumps(document)


def _values(
    records: Sequence[Record], dimensions: Sequence[_Dimension], measures: Sequence[str]
) -> tuple[dict[str, object], dict[str, str]]:
    """Return the values that there are, and the marks of doubtful ones, each by its place in the cube."""
    indexes = [dimension.index for dimension in dimensions]
    values: dict[str, object] = {}
    status: dict[str, str] = {}
    for i, record in enumerate(records):
        place = 0
        for dimension, index in zip(dimensions, indexes, strict=True):
            place = place * len(index) + index[dimension.members[i]]
        place *= len(measures)
        for j, name in enumerate(measures):
            if record[name] is not None:
                values[str(place + j)] = _scalar(record[name])
        if record.get("reliability") in STATUS_LABELS and "value" in measures:
            status[str(place + measures.index("value"))] = str(record["reliability"])
    return values, status


def _dimensions(records: Sequence[Record]) -> list[_Dimension]:
    """Return the dimensions of some records; together they tell all of them apart."""
    present = [name for name in DIMENSION_FIELDS if records and name in records[0]]
    if all(name in present for name in SEGMENT):
        present = [name for name in present if name not in SEGMENT]
        segments = [": ".join(str(record[name]) for name in SEGMENT if record[name] is not None) for record in records]
        found = [*(_dimension(records, name) for name in present), _Dimension(SEGMENT[1], segments)]
    else:
        found = [_dimension(records, name) for name in present]
    keys = set(zip(*(dimension.members for dimension in found), strict=True)) if found else set()
    if len(keys) < len(records) or not found:
        found.append(_Dimension(RECORD, [str(i + 1) for i in range(len(records))]))
    return found


def _dimension(records: Sequence[Record], name: str) -> _Dimension:
    return _Dimension(name, [str(record[name]) for record in records])


def _roles(names: Sequence[str]) -> dict[str, list[str]]:
    """Return which dimensions are times, places and measures."""
    known = {"time": ["year"], "geo": ["location"], "metric": [MEASURE]}
    return {role: members for role, members in known.items() if members[0] in names}


def _scalar(value: object) -> object:
    """Return a value that JSON-stat allows: numbers and texts."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def _texts(answer: Answer, name: str) -> list[str]:
    found = answer.get(name)
    return [str(text) for text in found] if isinstance(found, list) else []


def _notes(answer: Answer) -> list[str]:
    found = answer.get("notes")
    return [str(note["text"]) for note in found] if isinstance(found, list) else []


def _label(answer: Answer) -> str:
    return f"{answer.get('method')} ({answer.get('unit')})"


def _source(answer: Answer) -> str:
    provenance = answer.get("provenance")
    return str(provenance.get("citation", "")) if isinstance(provenance, dict) else ""
