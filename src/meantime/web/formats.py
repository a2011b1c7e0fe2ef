"""Results in other forms than the stored JSON: which there are, which one a client wants, and CSV.

JSON-stat is in ``json_stat.py``, Parquet in ``survey/parquet_file.py``. Nothing is computed here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import NotAcceptable

from meantime.survey.parquet_file import encode_parquet
from meantime.web.json_stat import encode_json_stat

Answer = Mapping[str, object]
"""A v1 result, decoded: ``records``, ``unit``, ``method``, ``cautions``, ``provenance``."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Format:
    """One form of a result. ``encode`` is None where the stored bytes are sent as they are."""

    name: str
    media_type: str
    encode: Callable[[Answer], bytes] | None = None
    is_file: bool = False  # a browser should save it rather than show it


def records_of(answer: Answer) -> list[dict[str, object]]:
    """Return the records of a decoded result."""
    records = answer["records"]
    return records if isinstance(records, list) else []


def encode_csv(answer: Answer) -> bytes:
    """Return the records of a result as CSV (RFC 4180), which a spreadsheet can open without harm.

    A text that a spreadsheet would take for a formula gets an apostrophe in front. None is an empty cell.
    """
    records = records_of(answer)
    text = io.StringIO()
    writer = csv.writer(text)
    if records:
        writer.writerow([_csv_cell(name) for name in records[0]])
    for record in records:
        writer.writerow([_csv_cell(value) for value in record.values()])
    return text.getvalue().encode()


def _csv_cell(value: object) -> object:
    """Return what the csv module is to write.

    >>> _csv_cell("=1+1"), _csv_cell(-1.5), _csv_cell(True), _csv_cell(None)
    ("'=1+1", -1.5, 'true', None)
    """
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def _encode_parquet(answer: Answer) -> bytes:
    rest = {name: value for name, value in answer.items() if name != "records"}
    return encode_parquet(records_of(answer), {"meantime": orjson.dumps(rest).decode("utf-8")})


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format("json", "application/json"),
        Format("csv", "text/csv", encode_csv, is_file=True),
        Format("parquet", "application/vnd.apache.parquet", _encode_parquet, is_file=True),
        Format("jsonstat", "application/vnd.json-stat+json", encode_json_stat),
    )
}
"""Every form by its name, which is also its extension; the first one is for clients that don't say what they want."""


def choose_format(accept: MIMEAccept, offered: Sequence[Format]) -> Format:
    """Return the form that a client likes best (RFC 9110, section 12.5.1); the first without an Accept header.

    Raises
    ------
    NotAcceptable
        The client accepts none of them.
    """
    if not accept.provided:
        return offered[0]
    found = accept.best_match([each.media_type for each in offered])
    for each in offered:
        if each.media_type == found:
            return each
    names = ", ".join(f"{each.media_type} (.{each.name})" for each in offered)
    raise NotAcceptable(f"this result comes as {names}")
