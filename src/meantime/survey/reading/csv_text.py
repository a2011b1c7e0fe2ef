"""A CSV as an engine reads it: the file as it lies there, or a copy of its text where the engine couldn't.

Most files are read where they lie. A copy is made at once of one that is no UTF-8, has lines above its header, or
nothing but carriage returns at its lines' ends; of another one only when the engine has failed at it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

from meantime.errors import DataError
from meantime.survey.reading.csv_rows import Tail, mixed_line_ends, tail_of
from meantime.survey.reading.files.plain_text import UTF_8, write_plain_text
from meantime.survey.reading.files.text_layouts import (
    Recognises,
    StatedLayout,
    TextLayout,
    find_text_layout,
    not_in_encoding,
)
from meantime.survey.reading.profile import FileForm
from meantime.survey.reading.sources import OpenedSource

NewFile = Callable[[], BinaryIO]


class CsvText:
    """The text of a CSV.

    Parameters
    ----------
    source
        The open source; it stays the caller's to close.
    stated
        How a mapping says that it is written.
    recognises
        Whether a line's fields are column names that can be read.
    new_file
        Makes a file without a name for a copy, which stays the caller's to close.

    Raises
    ------
    DataError
        Its bytes are of another encoding, or its header isn't where it should be.
    """

    def __init__(self, source: OpenedSource, stated: FileForm, recognises: Recognises, new_file: NewFile) -> None:
        self._original = source
        self._new_file = new_file
        delimiter = "" if stated.delimiter == FileForm().delimiter else stated.delimiter
        self.layout: TextLayout = find_text_layout(
            source.head(), StatedLayout(stated.encoding, delimiter, stated.skip), recognises, source.name
        )
        self.footer = stated.footer or 0
        self.source = source
        if self.layout.encoding != UTF_8 or self.layout.skip or self.footer or self.layout.line_end == "\r":
            self._write_copy()

    def mend(self, column_count: int) -> bool:
        """Copy a text whose lines end in several ways, or that certainly has notes below its table; say whether."""
        tail = None if self.footer else self.tail(column_count)
        if tail and tail.is_certain:
            self.footer = tail.line_count
        elif self.source is not self._original or mixed_line_ends(self.source) is None:
            return False
        self._write_copy()
        return True

    def tail(self, column_count: int) -> Tail | None:
        """Return the last lines when they hold no rows of so many columns."""
        return tail_of(self.source, self.layout.delimiter, column_count)

    def lines_from(self, line: int) -> int:
        """Return how many lines there are from one of the file's lines on, without blank ones."""
        with self.source.text() as text:
            rest = itertools.islice(text, line - 1 - self.source.lines_above, None)
            return sum(1 for each in rest if each.strip())

    def _write_copy(self) -> None:
        copy = self._new_file()
        layout = self.layout
        try:
            write_plain_text(self._original.engine_path, layout.encoding, copy, skip=layout.skip, footer=self.footer)
        except UnicodeError as error:
            raise not_in_encoding(self._original.name, layout.encoding, error) from error
        except OSError as error:
            raise DataError(f"{self._original.name}: its text can't be written anew: {error.strerror}") from error
        if copy.seek(0, 2) == 0:
            raise DataError(f"{self._original.name}: has no line below the {layout.skip} that are skipped")
        self.source = replace(self._original, plain=copy, lines_above=layout.skip)
