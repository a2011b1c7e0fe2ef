"""What is wrong with single rows: where the first unreadable value is, and which rows are left out.

Called only when the engine has failed or rows are missing from the cube, since it looks at row by row.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from meantime.survey.reading.columns import NUMBER_ROLES, ColumnMap, Role
from meantime.survey.reading.csv_rows import NumberedRow, text_fault
from meantime.survey.reading.forms.unread_texts import number_hint
from meantime.survey.reading.forms.written_forms import WrittenForms
from meantime.survey.reading.forms.year_forms import year_fault
from meantime.survey.reading.left_out_rows import LeftOutRow

BLANKS = " \t\r\n"
"""What is trimmed from both ends of every field."""

NEEDED_ROLES = (Role.QUESTION, Role.LOCATION, Role.YEAR)
"""A row in which one of these is blank has no place in the cube and is left out."""


@dataclass(frozen=True, slots=True)
class RowFault:
    """The first field that can't be read: its row, its column's position and role, and what is wrong with its text."""

    row: NumberedRow
    position: int
    role: Role | None
    text: str
    problem: str


def first_fault(
    rows: Iterable[NumberedRow], columns: ColumnMap, missing: tuple[str, ...], forms: WrittenForms
) -> RowFault | None:
    """Look for the first field that can't be read: foreign bytes, control characters, numbers and years that are none.

    Parameters
    ----------
    rows
        All rows of the source.
    columns
        Where the roles are; other columns are not looked at.
    missing
        Texts that stand for an empty field.
    forms
        How numbers and years are written.
    """
    numbers = {position: role for role, position in columns.position.items() if role in NUMBER_ROLES}
    for row in rows:
        for position in columns.used:
            text, role = row.fields[position].strip(BLANKS), numbers.get(position)
            problem = text_fault(text) or (_number_fault(role, text, missing, forms) if role else "")
            if problem:
                return RowFault(row, position, role, text, problem)
    return None


def left_out_rows(
    rows: Iterable[NumberedRow], columns: ColumnMap, missing: tuple[str, ...], place: str, limit: int
) -> tuple[LeftOutRow, ...]:
    """Return the first rows that are not in the cube, because their question, location or year is blank."""
    return tuple(itertools.islice(_left_out(rows, columns, missing, place), limit))


def _left_out(
    rows: Iterable[NumberedRow], columns: ColumnMap, missing: tuple[str, ...], place: str
) -> Iterator[LeftOutRow]:
    needed = [(role, columns.position[role]) for role in NEEDED_ROLES if role in columns.position]
    for row in rows:
        for role, position in needed:
            text = row.fields[position].strip(BLANKS)
            if not text or text in missing:
                yield LeftOutRow(row.line, columns.header[role].strip(), f"no {role}", place)
                break


def _number_fault(role: Role, text: str, missing: tuple[str, ...], forms: WrittenForms) -> str:
    if not text or text in missing:
        return ""
    if role is Role.YEAR:
        return "" if forms.year.year(text) else year_fault(text)
    number = forms.number_of(role).number(text)
    if number is not None and math.isfinite(number):
        return ""
    hint = number_hint(text)
    return f"{text[:60]!r} is no number" + (f": {hint}" if hint else "")
