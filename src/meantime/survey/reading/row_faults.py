"""What is wrong with single rows: where the first unreadable value is, and which rows are left out.

Called only when the engine has failed or rows are missing from the cube, since it looks at row by row.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from meantime.errors import DataError
from meantime.survey.reading.columns import NUMBER_ROLES, ColumnMap, Role
from meantime.survey.reading.csv_rows import NumberedRow, is_utf8

BLANKS = " \t\r\n"
"""What is trimmed from both ends of every field."""

NEEDED_ROLES = (Role.QUESTION, Role.LOCATION, Role.YEAR)
"""A row in which one of these is blank has no place in the cube and is left out."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class LeftOutRow:
    """One row that is not in the cube: its line in the file (1 is the header), the column and the reason."""

    line: int
    column: str
    reason: str


def check_rows(
    rows: Iterable[NumberedRow], columns: ColumnMap, missing: tuple[str, ...], *, source_name: str, place: str
) -> None:
    """Look for the first field that can't be read.

    Parameters
    ----------
    rows
        All rows of the source.
    columns
        Where the roles are; other columns are not looked at.
    missing
        Texts that stand for an empty field.
    source_name
        The file's name, for the message.
    place
        What the rows' numbers count: ``line`` or ``row``.

    Raises
    ------
    DataError
        A field is not UTF-8, or it should be a number and is none.
    """
    for row in rows:
        for role, position in columns.position.items():
            text = row.fields[position].strip(BLANKS)
            problem = _problem(role, text, missing)
            if problem:
                column = columns.header[role].strip()
                raise DataError(f"{source_name}, {place} {row.line}, column {column!r}: {problem}")


def left_out_rows(
    rows: Iterable[NumberedRow], columns: ColumnMap, missing: tuple[str, ...], limit: int
) -> tuple[LeftOutRow, ...]:
    """Return the first rows that are not in the cube, because their question, location or year is blank."""
    return tuple(itertools.islice(_left_out(rows, columns, missing), limit))


def _left_out(rows: Iterable[NumberedRow], columns: ColumnMap, missing: tuple[str, ...]) -> Iterator[LeftOutRow]:
    needed = [(role, columns.position[role]) for role in NEEDED_ROLES if role in columns.position]
    for row in rows:
        for role, position in needed:
            text = row.fields[position].strip(BLANKS)
            if not text or text in missing:
                yield LeftOutRow(row.line, columns.header[role].strip(), f"no {role}")
                break


def _problem(role: Role, text: str, missing: tuple[str, ...]) -> str:
    if not is_utf8(text):
        return "not UTF-8; save the file as UTF-8"
    if role not in NUMBER_ROLES or not text or text in missing:
        return ""
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        return f"{text[:60]!r} is no number"
    if role is Role.YEAR and (not float(text).is_integer() or not 1 <= float(text) <= 9999):
        return f"{text[:60]!r} is no year"
    return ""
