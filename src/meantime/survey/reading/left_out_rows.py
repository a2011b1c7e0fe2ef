"""A row that is left out, as a report keeps it: apart from what finds such rows, so that reading it takes no engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeftOutRow:
    """One row that is not in the cube: its line in the file (1 is the header), the column and the reason.

    ``place`` says what ``line`` counts: a ``line``, or a ``row`` of a Parquet file from 1.
    """

    line: int
    column: str
    reason: str
    place: str = "line"
