"""A result of a v1 statistic, decoded, as every form takes it."""

from __future__ import annotations

from collections.abc import Mapping

Answer = Mapping[str, object]
"""``records``, ``unit``, ``method``, ``cautions``, ``provenance``."""

Record = Mapping[str, object]
"""One row of a result; all records of one have the same fields."""


def records_of(answer: Answer) -> list[Record]:
    """Return the records of a result.

    Raises
    ------
    TypeError
        It is no result of v1.
    """
    records = answer["records"]
    if not isinstance(records, list):
        raise TypeError("a v1 result has a list of records")
    return records
