"""A result as CSV (RFC 4180), which a spreadsheet can open without harm."""

from __future__ import annotations

import csv
import io

from meantime.formats.records import Answer, records_of

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def encode_csv(answer: Answer) -> bytes:
    """Return the records of a result as CSV.

    A text that a spreadsheet would take for a formula gets an apostrophe in front. None is an empty cell.
    """
    records = records_of(answer)
    text = io.StringIO()
    writer = csv.writer(text)
    if records:
        writer.writerow([_cell(name) for name in records[0]])
    for record in records:
        writer.writerow([_cell(value) for value in record.values()])
    return text.getvalue().encode()


def _cell(value: object) -> object:
    """Return what the csv module is to write.

    >>> _cell("=1+1"), _cell(-1.5), _cell(True), _cell(None)
    ("'=1+1", -1.5, 'true', None)
    """
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
