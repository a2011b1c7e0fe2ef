"""The shape of a table that nobody has described: its encoding, delimiter and header line, found in its first lines.

Whatever its columns are; what they hold is counted in ``column_facts.py``.
"""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from meantime.errors import DataError
from meantime.survey.reading.csv_rows import is_utf8
from meantime.survey.reading.sources import OpenedSource

_DELIMITERS = "\t;|,"
"""The rarer ones first: they decide where two give equally many fields in every line."""

_SAMPLE_LINES = 200


@dataclass(frozen=True, slots=True)
class TableShape:
    """How a table's text is laid out.

    ``skip`` lines stand above the header; ``other_lines`` of the sample have another number of fields than it.
    """

    headers: tuple[str, ...]
    delimiter: str
    encoding: str = ""
    skip: int = 0
    other_lines: int = 0
    second_header: tuple[str, ...] = ()


def table_shape(source: OpenedSource) -> TableShape:
    """Find delimiter and header line.

    Raises
    ------
    DataError
        The first lines are no table.
    """
    with source.text() as text:
        lines = list(itertools.islice(text, _SAMPLE_LINES))
    encoding = "" if is_utf8("".join(lines)) else "windows-1252"
    if encoding:
        lines = [line.encode("utf-8", "surrogateescape").decode("cp1252", "replace") for line in lines]
    found = [_shape(lines, delimiter, encoding) for delimiter in _DELIMITERS]
    shapes = [(shape, share) for shape, share in found if shape is not None]
    if not shapes:
        raise DataError(f"{source.name}: no line of column names was found in the first {len(lines)} lines")
    return max(shapes, key=lambda each: each[1])[0]


def rows_alike(source: OpenedSource, shape: TableShape) -> Iterator[list[str]]:
    """Yield the rows below the header that have as many fields as it, reading line by line."""
    encoding = {"encoding": shape.encoding or "utf-8-sig", "errors": "replace"}
    with Path(source.engine_path).open(newline="", **encoding) as text:
        reader = csv.reader(itertools.islice(text, shape.skip, None), delimiter=shape.delimiter)
        next(reader, None)
        try:
            yield from (row for row in reader if len(row) == len(shape.headers))
        except csv.Error:
            return


def _shape(lines: list[str], delimiter: str, encoding: str) -> tuple[TableShape | None, float]:
    """Return the shape that a delimiter gives, and the part of the lines that fits it."""
    reader = csv.reader(lines, delimiter=delimiter)
    rows: list[tuple[int, list[str]]] = []
    try:
        while True:
            before = reader.line_num
            rows.append((before, next(reader)))
    except (csv.Error, StopIteration):
        pass
    filled = [(line, row) for line, row in rows if any(field.strip() for field in row)]
    if filled and filled[0][1][0].startswith("sep="):
        del filled[0]  # a spreadsheet's own line
    counts = Counter(len(row) for _, row in filled if len(row) > 1)
    if not counts:
        return None, 0.0
    width, most = max(counts.items(), key=lambda item: (item[1], item[0]))
    alike = [(line, row) for line, row in filled if len(row) == width]
    skip, headers = alike[0]
    second = alike[1][1] if len(alike) > 1 and _is_second_header(alike[1][1], headers) else []
    shape = TableShape(tuple(headers), delimiter, encoding, skip, len(filled) - most, tuple(second))
    return shape, most / len(filled)


def _is_second_header(row: list[str], headers: list[str]) -> bool:
    """Whether a row looks like a second line of names: partly empty, without a digit, below names that repeat."""
    texts = [text.strip() for text in row]
    has_gaps = any(not text for text in texts) or len({name.strip() for name in headers}) < len(headers)
    return has_gaps and any(texts) and not any(letter.isdigit() for text in texts for letter in text)
