"""The answer of a v1 statistic: records, unit, method, cautions; how records are made, and JSON of it all.

A record is flat: every value is a text, a number, a truth value or None, so that each format can hold it. The
provenance of an answer (dataset, checksum, citation) is added by whoever knows the dataset, not here.
What JSON can't hold is refused, never changed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import orjson

from meantime.errors import StatisticError

Scalar = str | float | int | bool | None
Record = dict[str, Scalar]
Column = Sequence[Scalar] | npt.NDArray[np.float64] | npt.NDArray[np.integer] | npt.NDArray[np.bool_]

COMMON_FIELDS = (
    "value",
    "standard_error",
    "low",
    "high",
    "sample_size",
    "cells_used",
    "cells_suppressed",
    "reliability",
)
"""Fields that every record has, after its dimensions; None where there is nothing to say."""

DIMENSION_FIELDS = ("part", "question", "location", "year", "category", "stratum")
"""Fields that say what a record is about, in their order; a record has those that apply."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a v1 statistic found.

    Parameters
    ----------
    records
        One per answer; all have the same fields in the same order.
    unit
        The unit of ``value``, ``standard_error``, ``low`` and ``high``.
    method
        The method with its version, its formula and its choices, in words.
    cautions
        What a reader must know before trusting a number; each is one sentence.
    explanation
        What ``explain`` asked for.
    """

    records: list[Record]
    unit: str
    method: str
    cautions: tuple[str, ...] = ()
    explanation: Mapping[str, object] | None = None

    def to_json(
        self, provenance: Mapping[str, object] | None = None, notes: Sequence[Mapping[str, object]] = ()
    ) -> dict[str, object]:
        """Return the answer as JSON-able values; no ``explanation``, ``notes`` and ``provenance`` if there are none."""
        answer: dict[str, object] = {
            "records": self.records,
            "unit": self.unit,
            "method": self.method,
            "cautions": list(self.cautions),
        }
        if self.explanation is not None:
            answer["explanation"] = self.explanation
        if notes:
            answer["notes"] = list(notes)
        if provenance is not None:
            answer["provenance"] = provenance
        return answer


def records_of(columns: Mapping[str, Column]) -> list[Record]:
    """Return one record per place of the columns, which are of one length; NaN becomes None."""
    lists = [plain(column) for column in columns.values()]
    names = tuple(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True)]


def taken(columns: Mapping[str, Column], places: npt.NDArray[np.intp]) -> dict[str, Column]:
    """Return the columns with only these places, in this order; a place may be there several times."""
    return {
        name: column[places] if isinstance(column, np.ndarray) else [column[place] for place in places.tolist()]
        for name, column in columns.items()
    }


def plain(column: Column) -> list[Scalar]:
    """Return a column as a list of JSON scalars; NaN becomes None."""
    if not isinstance(column, np.ndarray):
        return list(column)
    values: list[Scalar] = column.tolist()
    if column.dtype.kind == "f" and np.isnan(column).any():
        return [None if value != value else value for value in values]  # noqa: PLR0124  # NaN is not itself
    return values


def whole(column: npt.NDArray[np.float64]) -> list[Scalar]:
    """Return a column of counts held as floats: whole numbers as integers, NaN as None."""
    if (column == np.floor(column)).all():
        return list(column.astype(np.int64).tolist())
    return [None if math.isnan(value) else int(value) if value.is_integer() else value for value in column.tolist()]


def encode_answer(answer: object) -> bytes:
    """Encode an answer as JSON.

    Raises
    ------
    StatisticError
        JSON can't hold it: a NaN or an infinity, a set, half of a surrogate pair.

    Examples
    --------
    >>> encode_answer({"Ohio": 33.2, "Guam": None})
    b'{"Ohio":33.2,"Guam":null}'
    """
    try:
        content = orjson.dumps(answer)
    except (TypeError, RecursionError) as error:  # orjson's own error is a TypeError
        raise StatisticError(f"the result can't be written as JSON: {error}; report this as a bug") from error
    # orjson writes NaN and infinities as null, so only a text with a null can hide one.
    if b"null" in content and not _is_finite(answer):
        raise StatisticError("the result can't be written as JSON: it holds NaN or an infinity; report this as a bug")
    return content


def _is_finite(answer: object) -> bool:
    """Whether no number in an answer is NaN or infinite."""
    parts = [answer]
    for part in parts:  # which grows: a call for each of thousands of numbers would take longer than computing them
        if type(part) is float:
            if not math.isfinite(part):
                return False
        elif part is None or type(part) is str or type(part) is int:
            continue
        elif isinstance(part, dict):
            parts.extend(part.values())
        elif isinstance(part, list | tuple):
            parts.extend(part)
    return True
