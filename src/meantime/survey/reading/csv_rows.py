"""The rows of a CSV source with their line numbers, read with Python's csv module.

This is the slow and exact way: it names the line and column of what the engine could not read. The cube is never
built from it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import NamedTuple

from meantime.errors import DataError
from meantime.survey.reading.columns import shown_header
from meantime.survey.reading.sources import OpenedSource

csv.field_size_limit(2**31 - 1)


class NumberedRow(NamedTuple):
    """One row: the line on which it begins (the header is line 1) and its fields by position."""

    line: int
    fields: list[str]


def read_header(source: OpenedSource, delimiter: str) -> tuple[str, ...]:
    """Return the column names of a CSV source, as written.

    Raises
    ------
    DataError
        There is no line of names, it is not UTF-8, or it is separated by another character.
    """
    header = next(_rows(source, delimiter), NumberedRow(1, [])).fields
    if not any(name.strip() for name in header):
        raise DataError(f"{source.name}, line 1: no column names; the first line must hold them")
    for position, name in enumerate(header):
        if not is_utf8(name) or "\0" in name:
            raise DataError(f"{source.name}, line 1, column {position + 1}: not UTF-8; save the file as UTF-8")
    other = next((mark for mark in ";\t|" if mark in header[0]), None)
    if len(header) == 1 and other:
        raise DataError(
            f"{source.name}, line 1: one column only, and its name holds {other!r}; "
            f"state `delimiter = {other!r}` under [file] in a mapping file"
        )
    return tuple(header)


def numbered_rows(source: OpenedSource, delimiter: str, header: tuple[str, ...]) -> Iterator[NumberedRow]:
    """Yield the rows below the header, without blank lines.

    Raises
    ------
    DataError
        A row has more or fewer fields than the header, or its quotes can't be read.
    """
    rows = _rows(source, delimiter)
    next(rows, None)
    for row in rows:
        if len(row.fields) != len(header):
            short = len(row.fields) < len(header)
            column = (
                f", column {shown_header(header[len(row.fields)].strip())}" if short else f", column {len(header) + 1}"
            )
            raise DataError(
                f"{source.name}, line {row.line}{column}: the row has {len(row.fields)} fields, "
                f"the header names {len(header)}"
            )
        yield row


def mixed_line_ends(source: OpenedSource) -> int | None:
    """Return the first line whose end is unlike that of line 1, outside quotes or not; None when there is none."""
    with source.text() as text:
        first = _line_end(text.readline())
        for number, line in enumerate(text, start=2):
            end = _line_end(line)
            if end and end != first:
                return number
    return None


def is_utf8(text: str) -> bool:
    """Whether text that was decoded with surrogates for foreign bytes holds none."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _line_end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _rows(source: OpenedSource, delimiter: str) -> Iterator[NumberedRow]:
    with source.text() as text:
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise DataError(f"{source.name}, line {line}: the row's quotes can't be read: {error}") from error
            if fields:
                yield NumberedRow(line, fields)
