"""The rows of an open source, as a frame of an engine and one by one: CSV and Parquet differ here and nowhere above.

Columns are positions in the header; which of them play a role is decided in ``columns.py``. In a wide table each row
counts once for each year, and the year and its value are two columns more at the end of the header.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import narwhals as nw

from meantime.errors import DataError
from meantime.survey.reading.csv_rows import NumberedRow, numbered_rows, read_header
from meantime.survey.reading.csv_text import CsvText, NewFile
from meantime.survey.reading.engines import Engine, EngineError
from meantime.survey.reading.estimate_rows import column_name
from meantime.survey.reading.files.packing import SourceKind
from meantime.survey.reading.files.text_layouts import Recognises
from meantime.survey.reading.forms.wide_years import VALUE_OF_COLUMN, YEAR_OF_COLUMN, year_columns
from meantime.survey.reading.profile import Profile
from meantime.survey.reading.sources import OpenedSource

if TYPE_CHECKING:
    from meantime.survey.reading.engines import Frame


class TableRows:
    """The rows of one source.

    Parameters
    ----------
    source
        The source; it stays the caller's to close.
    profile
        How a mapping says that the file is written, and which headers are years.
    engine
        The engine; it stays the caller's to close.
    recognises
        Whether a line's fields are column names that can be read.
    new_file
        Makes a file without a name for a copy of a text that the engine couldn't read; it's the caller's to close.

    Raises
    ------
    DataError
        There is no header.
    """

    def __init__(
        self,
        source: OpenedSource,
        profile: Profile,
        engine: Engine,
        recognises: Recognises,
        new_file: NewFile,
    ) -> None:
        self._source = source
        self._engine = engine
        self.text: CsvText | None = None
        if source.kind is SourceKind.PARQUET:
            self._names = _parquet_columns(source, engine)
        else:
            self.text = CsvText(source, profile.file, recognises, new_file)
            self._names = read_header(self.text.source, self.text.layout.delimiter)
        self._years = year_columns(self._names, profile.wide_years) if profile.wide_years else {}
        if profile.wide_years and not self._years:
            raise DataError(
                f"{source.name}: no column's name is {profile.wide_years!r}, as `years` under [wide] states"
            )

    @property
    def header(self) -> tuple[str, ...]:
        """The names of all columns."""
        return (*self._names, YEAR_OF_COLUMN, VALUE_OF_COLUMN) if self._years else self._names

    @property
    def header_line(self) -> int:
        """The line of the file that holds the column names."""
        return self.text.layout.skip + 1 if self.text else 1

    def frame(self, positions: Iterable[int]) -> Frame:
        """Return some columns as they are, called as `column_name` says; nothing is read yet."""
        wanted = sorted(set(positions))
        if not self._years:
            return self._opened(wanted)
        own = [position for position in wanted if position < len(self._names)]
        source = self._opened({*own, *self._years})
        year, value = (column_name(len(self._names) + place) for place in range(2))
        return nw.concat(
            [
                source.select(
                    *(nw.col(column_name(each)) for each in own),
                    nw.lit(text).alias(year),
                    nw.col(column_name(position)).alias(value),
                )
                for position, text in self._years.items()
            ]
        )

    def rows(self) -> Iterator[NumberedRow]:
        """Yield the rows as texts, in the file's order."""
        for line, fields in self._own_rows():
            if not self._years:
                yield NumberedRow(line, fields)
            for position, text in self._years.items():
                yield NumberedRow(line, [*fields, text, fields[position]])

    def column_of(self, row: NumberedRow, position: int) -> str:
        """Return the name of the column that a field stands in; in a wide table a value's column is its year's."""
        if position < len(self._names):
            return self._names[position].strip()
        year = row.fields[len(self._names)]
        return next(self._names[place].strip() for place, text in self._years.items() if text == year)

    def mend(self) -> bool:
        """Copy a text that the engine couldn't read as it lies there; say whether there was anything to mend."""
        return self.text is not None and self.text.mend(len(self._names))

    def _opened(self, positions: Iterable[int]) -> Frame:
        wanted = {column_name(position): position for position in positions}
        if self.text is None:
            return self._engine.open_parquet(self._source.engine_path, wanted)
        text = self.text
        return self._engine.open_csv(text.source.engine_path, text.layout.delimiter, len(self._names), wanted)

    def _own_rows(self) -> Iterator[NumberedRow]:
        if self.text is not None:
            yield from numbered_rows(self.text.source, self.text.layout.delimiter, self._names)
            return
        for number, values in enumerate(self._engine.rows(self._opened(range(len(self._names)))), start=1):
            yield NumberedRow(number, ["" if value is None or _is_nan(value) else str(value) for value in values])


def _parquet_columns(source: OpenedSource, engine: Engine) -> tuple[str, ...]:
    try:
        return engine.parquet_columns(source.engine_path)
    except EngineError as error:
        raise DataError(f"{source.name}: {error}") from error


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)
