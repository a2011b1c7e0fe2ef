"""Notes on how a table was read that isn't written plainly: lines left out, numbers, spans of years, a second year.

What the figures themselves look like is in ``implausible.py``, what the cube holds in ``ingest_report.py``.
"""

from __future__ import annotations

import narwhals as nw

from meantime.survey.ingest.notes import ABOUT_NO_ANSWER, Note
from meantime.survey.reading.columns import Role, folded
from meantime.survey.reading.estimate_rows import field_text
from meantime.survey.reading.forms.number_forms import PLAIN
from meantime.survey.reading.forms.year_forms import is_span
from meantime.survey.reading.table_reader import TableReader

_ROWS_LIMIT = 2_000_000
_SHOWN_LINES = 3


def reading_notes(table: TableReader, row_count: int) -> tuple[Note, ...]:
    """Return a note for each thing that was recognised, or decided, when the table was read.

    Parameters
    ----------
    table
        The table, after all of it was read.
    row_count
        How many rows it has: a large one isn't read again for a note.
    """
    found = [_lines_around(table), _numbers(table), _years(table)]
    if row_count <= _ROWS_LIMIT:
        found.append(_year_ends(table))
    return tuple(note for note in found if note)


def _lines_around(table: TableReader) -> Note | None:
    text = table.text
    if text is None or not (text.layout.skip or text.footer):
        return None
    places = ((text.layout.skip, "above the column names"), (text.footer, "below the table"))
    left_out = " and ".join(f"{count} {where}" for count, where in places if count)
    return Note(kind="lines_left_out", text=f"lines left out: {left_out}", questions=ABOUT_NO_ANSWER)


def _numbers(table: TableReader) -> Note | None:
    if table.forms is None or table.forms.number == PLAIN:
        return None
    form = table.forms.number
    groups = f" and {form.thousands[0]!r} between thousands" if form.thousands else ""
    sentence = f"numbers are read with {form.decimal!r} before decimals{groups}"
    return Note(kind="written_numbers", text=sentence, questions=ABOUT_NO_ANSWER)


def _years(table: TableReader) -> Note | None:
    if table.forms is None or not table.forms.year_example:
        return None
    example, form = table.forms.year_example, table.forms.year
    header = table.columns.header[Role.YEAR].strip()
    if is_span(example) and not form.short_is_month:
        sentence = f"{header!r} holds spans such as {example!r}: their {form.rule} year counts"
        return Note(kind="year_spans", text=sentence)
    sentence = f"{header!r} holds more than years, such as {example!r}: the year of each counts"
    return Note(kind="written_years", text=sentence, questions=ABOUT_NO_ANSWER)


def _year_ends(table: TableReader) -> Note | None:
    """Return a note where a column YearEnd differs from YearStart: these are estimates of several years."""
    start = table.columns.position.get(Role.YEAR)
    ends = [place for place, name in enumerate(table.header) if folded(name) == "yearend"]
    if start is None or len(ends) != 1 or folded(table.header[start]) != "yearstart":
        return None
    [end] = ends
    differs = table.frame([start, end]).filter(field_text(start) != field_text(end)).select(count=nw.len())
    [(count,)] = table.engine.rows(differs)
    if not count:
        return None
    lines = [row.line for row in table.rows() if row.fields[start].strip() != row.fields[end].strip()]
    if not lines:
        return None
    shown = tuple(lines[:_SHOWN_LINES])
    where = f"{table.place}{'s' if len(shown) > 1 else ''} {', '.join(map(str, shown))}"
    sentence = (
        f"rows whose {table.header[end].strip()!r} differs from {table.header[start].strip()!r}, which counts: "
        f"{len(lines):,} ({where})"
    )
    return Note(kind="year_ends", text=sentence, count=len(lines), lines=shown)
