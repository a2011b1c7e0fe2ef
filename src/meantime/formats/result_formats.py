"""The table of the forms in which a result can be had, and the one that is a few lines: CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

from meantime.formats import Answer, records_of
from meantime.formats.json_stat import encode_json_stat
from meantime.formats.parquet import encode_parquet

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def encode_csv(answer: Answer) -> bytes:
    """Return the records of a result as CSV (RFC 4180), which a spreadsheet can open without harm.

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


@dataclass(frozen=True, slots=True)
class Format:
    """One form of a result. ``encode`` is None where the stored bytes are sent as they are."""

    name: str
    media_type: str
    encode: Callable[[Answer], bytes] | None = None
    is_file: bool = False  # a browser should save it rather than show it
    takes_child: bool = False  # a process is started for each


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format("json", "application/json"),
        Format("csv", "text/csv", encode_csv, is_file=True),
        Format("parquet", "application/vnd.apache.parquet", encode_parquet, is_file=True, takes_child=True),
        Format("jsonstat", "application/vnd.json-stat+json", encode_json_stat),
    )
}
"""Every form by its name, which is also its extension; the first one is for clients that don't say what they want."""
