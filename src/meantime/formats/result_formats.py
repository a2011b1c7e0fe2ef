"""The table of the forms in which a result can be had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from meantime.formats import Answer
from meantime.formats.csv_file import encode_csv
from meantime.formats.json_stat import encode_json_stat
from meantime.formats.parquet import encode_parquet


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
