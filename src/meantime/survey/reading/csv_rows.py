"""The rows of a CSV source with their line numbers, read with Python's csv module.

This is the slow and exact way: it names the line and column of what the engine could not read. The cube is never
built from it.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from typing import NamedTuple

from meantime.errors import DataError
from meantime.survey.reading.columns import shown_header
from meantime.survey.reading.forms.unread_texts import control_fault
from meantime.survey.reading.sources import OpenedSource

csv.field_size_limit(2**31 - 1)

_TAIL_ROWS, _TABLE_COLUMNS = 50, 3


class NumberedRow(NamedTuple):
    """One row: the line on which it begins (the header is line 1) and its fields by position."""

    line: int
    fields: list[str]


def read_header(source: OpenedSource, delimiter: str) -> tuple[str, ...]:
    """Return the column names of a CSV source, as written.

    Raises
    ------
    DataError
        There is no line of names, it is not UTF-8, holds control characters or is separated by another character.
    """
    line, header = next(_rows(source, delimiter), NumberedRow(1, []))
    place = f"{source.name}, line {line}"
    if not any(name.strip() for name in header):
        raise DataError(f"{place}: no column names; the first line must hold them")
    for position, name in enumerate(header):
        fault = text_fault(name)
        if fault:
            raise DataError(f"{place}, column {position + 1}: {fault}")
    other = next((mark for mark in ";\t|" if mark in header[0]), None)
    if len(header) == 1 and other:
        raise DataError(
            f"{place}: one column only, and its name holds {other!r}; "
            f"state `delimiter = {other!r}` under [file] in a mapping file"
        )
    if any("\\TIME_PERIOD" in name for name in header):
        raise DataError(
            f"{place}: Eurostat's TSV, whose years are columns and whose first column holds several; "
            "download the table as SDMX-CSV, one estimate a row"
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
            damage = next((fault for field in row.fields if (fault := text_fault(field))), "")
            if damage:
                raise DataError(f"{source.name}, line {row.line}: {damage}")
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


class Tail(NamedTuple):
    """The last lines of a file, when they hold no full row: where they begin, and how many aren't blank.

    They are certainly notes below the table when a blank line stands above them and each has one field.
    """

    line: int
    line_count: int
    is_certain: bool


def tail_of(source: OpenedSource, delimiter: str, column_count: int) -> Tail | None:
    """Return the last lines when they are no rows: fewer fields than columns, or one field that isn't empty."""
    tail: list[NumberedRow] = []
    try:
        for row in _rows(source, delimiter):
            if len(row.fields) >= column_count and _filled_count(row) > 1:
                tail.clear()
            elif tail or _filled_count(row):
                tail.append(row)
            if len(tail) > _TAIL_ROWS:
                return None
    except DataError:
        return None
    if not tail or column_count < _TABLE_COLUMNS:
        return None
    with source.text() as text:
        above, *lines = itertools.islice(text, tail[0].line - source.lines_above - 2, None)
    is_apart = not above.strip(f'{delimiter}" \r\n') and all(_filled_count(row) <= 1 for row in tail)
    return Tail(tail[0].line, sum(1 for line in lines if line.strip()), is_apart)


def _filled_count(row: NumberedRow) -> int:
    return sum(1 for field in row.fields if field.strip())


def text_fault(text: str) -> str:
    """Return why no table holds such a text: foreign bytes, which were decoded as surrogates, or control characters."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        return (
            "not UTF-8; save the file as UTF-8, or state its encoding, "
            'such as `encoding = "windows-1252"`, under [file] in a mapping file'
        )
    return control_fault(text)


def _line_end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _rows(source: OpenedSource, delimiter: str) -> Iterator[NumberedRow]:
    with source.text() as text:
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        while True:
            line = source.lines_above + reader.line_num + 1
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise DataError(f"{source.name}, line {line}: the row's quotes can't be read: {error}") from error
            if fields:
                yield NumberedRow(line, fields)
