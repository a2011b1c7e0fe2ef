"""The shape of a table that nobody has described: its encoding, delimiter and header line, found in its first lines.

Whatever its columns are; what they hold is counted in ``column_facts.py``.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from meantime.errors import DataError
from meantime.survey.reading.files.contents import byte_order_mark, unmarked_utf_16
from meantime.survey.reading.files.plain_text import UTF_8
from meantime.survey.reading.profile import FileForm
from meantime.survey.reading.sources import OpenedSource

_DELIMITERS = "\t;|,"
"""The rarer ones first: they decide where two give equally many fields in every line."""

_SAMPLE_LINES = 200


@dataclass(frozen=True, slots=True)
class TableShape:
    """How a table's text is laid out.

    ``skip`` lines stand above the header; ``other_lines`` of the sample have another number of fields than it.
    ``encoding`` is empty where nobody has to state it.
    """

    headers: tuple[str, ...]
    delimiter: str
    encoding: str = ""
    skip: int = 0
    other_lines: int = 0
    second_header: tuple[str, ...] = ()
    has_separator_line: bool = False

    @property
    def form(self) -> FileForm:
        """What a mapping has to state of it under [file]."""
        if self.has_separator_line:
            return FileForm()
        return FileForm(delimiter=self.delimiter or ",", encoding=self.encoding, skip=self.skip or None)


def table_shape(source: OpenedSource) -> TableShape:
    """Find delimiter and header line.

    Raises
    ------
    DataError
        The first lines are no table.
    """
    encoding, lines = _first_lines(source.head())
    found = [_shape(lines, delimiter, encoding) for delimiter in _DELIMITERS]
    shapes = [(shape, share) for shape, share in found if shape is not None]
    if not shapes:
        raise DataError(f"{source.name}: no line of column names was found in the first {len(lines)} lines")
    return max(shapes, key=lambda each: each[1])[0]


def rows_alike(source: OpenedSource, shape: TableShape) -> Iterator[list[str]]:
    """Yield the rows below the header that have as many fields as it, reading line by line."""
    encoding = byte_order_mark(source.head()) or shape.encoding or UTF_8
    with Path(source.engine_path).open(encoding=encoding, errors="replace", newline="") as text:
        reader = csv.reader(itertools.islice(text, shape.skip, None), delimiter=shape.delimiter)
        next(reader, None)
        try:
            yield from (row for row in reader if len(row) == len(shape.headers))
        except csv.Error:
            return


def _first_lines(head: bytes) -> tuple[str, list[str]]:
    """Return the encoding that has to be stated, if any, and the first lines."""
    marked, unmarked = byte_order_mark(head), unmarked_utf_16(head)
    encoding = "" if marked else unmarked
    text = _decoded(head, marked or unmarked or UTF_8)
    if text is None:
        encoding = "windows-1252"
        text = head.decode("cp1252", "replace")
    return encoding, io.StringIO(text, newline="").readlines()[:_SAMPLE_LINES]


def _decoded(head: bytes, encoding: str) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(head, final=False)
    except UnicodeDecodeError:
        return None


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
    has_separator_line = bool(filled) and filled[0][1][0].startswith("sep=")
    if has_separator_line:
        del filled[0]
    counts = Counter(len(row) for _, row in filled if len(row) > 1)
    if not counts:
        return None, 0.0
    width, most = max(counts.items(), key=lambda item: (item[1], item[0]))
    alike = [(line, row) for line, row in filled if len(row) == width]
    skip, headers = alike[0]
    second = alike[1][1] if len(alike) > 1 and _is_second_header(alike[1][1], headers) else []
    shape = TableShape(tuple(headers), delimiter, encoding, skip, len(filled) - most, tuple(second), has_separator_line)
    return shape, most / len(filled)


def _is_second_header(row: list[str], headers: list[str]) -> bool:
    """Whether a row looks like a second line of names: partly empty, without a digit, below names that repeat."""
    texts = [text.strip() for text in row]
    has_gaps = any(not text for text in texts) or len({name.strip() for name in headers}) < len(headers)
    return has_gaps and any(texts) and not any(letter.isdigit() for text in texts for letter in text)
