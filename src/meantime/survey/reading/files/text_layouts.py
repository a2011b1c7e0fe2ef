"""Where in a CSV's text the table lies: its encoding, what separates its fields, the lines above its header.

Only the head of the file is looked at. What is certain is found here (a byte order mark, a line ``sep=;``, titles above
a header that somebody knows); what isn't is refused with the setting that states it.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from meantime.errors import DataError
from meantime.fields.refusals import shown
from meantime.survey.reading.files.contents import byte_order_mark, unmarked_utf_16
from meantime.survey.reading.files.plain_text import UTF_8, decoding_errors

DELIMITERS = ",;\t|"
_TITLE_LINES = 60
_SEPARATOR_LINE = re.compile(r'"?sep=(\\t|.)"?\s*', re.IGNORECASE)

Recognises = Callable[[Sequence[str]], bool]
"""Whether these are the column names of a table that can be read."""


@dataclass(frozen=True, slots=True)
class TextLayout:
    """How a CSV's text lies in its file.

    ``skip`` counts the lines above the header. ``line_end`` is that of the first line.
    """

    encoding: str = UTF_8
    delimiter: str = ","
    skip: int = 0
    line_end: str = "\n"


@dataclass(frozen=True, slots=True)
class StatedLayout:
    """What a mapping states of it; empty, or None, where it doesn't."""

    encoding: str = ""
    delimiter: str = ""
    skip: int | None = None


def find_text_layout(head: bytes, stated: StatedLayout, recognises: Recognises, source_name: str) -> TextLayout:
    """Find where in a text its table lies.

    Parameters
    ----------
    head
        The first bytes of the file.
    stated
        What a mapping says.
    recognises
        Whether a line's fields are column names that can be read.
    source_name
        The file's name, for messages.

    Raises
    ------
    DataError
        There is no line of column names, or it seems to lie further down and nobody has said so.
    """
    encoding = byte_order_mark(head) or stated.encoding or UTF_8
    if encoding == UTF_8 and (unmarked := unmarked_utf_16(head)):
        raise DataError(
            f'{source_name}: is UTF-16 without a byte order mark; state `encoding = "{unmarked}"` under [file] in a '
            "mapping file, or save it as UTF-8"
        )
    lines = list(io.StringIO(_decoded(head, encoding, source_name), newline=""))
    text_lines = [line.rstrip("\r\n") for line in lines[:_TITLE_LINES]]
    line_end = lines[0][len(text_lines[0]) :] if lines else "\n"
    delimiter, first = _separator_line(text_lines, stated)
    if stated.skip is not None:
        chosen = delimiter or _delimiter(text_lines[stated.skip :], recognises)
        return TextLayout(encoding, chosen, stated.skip, line_end)
    while first < len(text_lines) and not text_lines[first].strip(DELIMITERS + ' "'):
        first += 1
    skip = _header_line(text_lines, first, delimiter or DELIMITERS, recognises)
    chosen = delimiter or _delimiter(text_lines[skip:], recognises)
    _check_header(text_lines, skip, chosen, source_name)
    return TextLayout(encoding, chosen, skip if skip < len(text_lines) else 0, line_end)


def _decoded(head: bytes, encoding: str, source_name: str) -> str:
    try:
        b"a".decode(encoding, "ignore")  # which codecs of Python give text, this alone tells
    except LookupError as error:
        raise DataError(
            f"{source_name}: no encoding is called {encoding!r}, as under [file] in the mapping file"
        ) from error
    try:
        # The head may end amid a character.
        return codecs.getincrementaldecoder(encoding)(decoding_errors(encoding)).decode(head, final=False)
    except UnicodeError as error:
        raise not_in_encoding(source_name, encoding, error) from error


def not_in_encoding(source_name: str, encoding: str, error: UnicodeError) -> DataError:
    """Return the error for bytes that an encoding doesn't have."""
    what = f"byte 0x{error.object[error.start]:02X}" if isinstance(error, UnicodeDecodeError) else "the text"
    return DataError(
        f"{source_name}: {what} isn't {encoding}; state another `encoding` under [file] in a mapping file, "
        "or save the file as UTF-8"
    )


def _separator_line(lines: Sequence[str], stated: StatedLayout) -> tuple[str, int]:
    """Return the delimiter that is certain, or nothing, and the first line that may hold column names."""
    found = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    if found:
        return stated.delimiter or found[1].replace("\\t", "\t"), 1
    return stated.delimiter, 0


def _header_line(lines: Sequence[str], first: int, delimiters: str, recognises: Recognises) -> int:
    """Return the first line that holds known column names; else the first that isn't blank."""
    for number in range(first, len(lines)):
        if any(recognises(_fields(lines[number:], delimiter)) for delimiter in delimiters):
            return number
    return first


def _delimiter(lines: Sequence[str], recognises: Recognises) -> str:
    """Return what separates the fields: it gives known names, else the most names with as many in each line below."""
    known = next((each for each in DELIMITERS if recognises(_fields(lines, each))), "")
    if known:
        return known

    return max(DELIMITERS, key=lambda delimiter: _column_count(lines[:10], delimiter))


def _column_count(lines: Sequence[str], delimiter: str) -> int:
    """Return how many columns lines have, 1 where they don't all have as many."""
    counts = {len(row) for row in _rows(lines, delimiter)}
    return counts.pop() if len(counts) == 1 else 1


def _check_header(lines: Sequence[str], skip: int, delimiter: str, source_name: str) -> None:
    """Refuse a first line of one field above a line of many names."""
    header = _fields(lines[skip:], delimiter)
    if len([name for name in header if name.strip()]) > 1 or skip >= len(lines):
        return
    for number in range(skip + 1, len(lines)):
        if any(_are_names(_fields(lines[number:], each)) for each in DELIMITERS):
            raise DataError(
                f"{source_name}, line {skip + 1}: {shown(header[0], limit=44)} is no line of column names; they seem "
                f"to be in line {number + 1}: state `skip = {number}` under [file] in a mapping file"
            )


def _are_names(fields: Sequence[str]) -> bool:
    """Whether fields can be column names: three and more, each different and none empty."""
    names = {field.strip() for field in fields}
    return len(names) == len(fields) > 2 and "" not in names


def _rows(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    try:
        return [row for row in csv.reader((f"{line}\n" for line in lines), delimiter=delimiter) if row]
    except csv.Error:
        return []


def _fields(lines: Sequence[str], delimiter: str) -> list[str]:
    try:
        return next(csv.reader((f"{line}\n" for line in lines), delimiter=delimiter), [])
    except csv.Error:
        return []
