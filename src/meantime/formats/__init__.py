"""Results in other forms than the stored JSON, as bytes; ``result_formats.py`` lists them. Here is what each takes.

What a result holds is computed in ``statistics``. Which form a client gets is decided in ``web``: nothing here knows
HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping

Answer = Mapping[str, object]
"""``records``, ``unit``, ``method``, ``cautions``, ``provenance``; ``explanation`` and ``notes`` if there are any."""

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
