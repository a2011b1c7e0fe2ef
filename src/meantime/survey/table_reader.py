"""A source as a table of estimates: its columns found, its rows as a frame, its faults explained.

Between the bytes (``sources.py``) and the cells (``rollup.py``); CSV and Parquet differ here and nowhere above.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from meantime.errors import DataError
from meantime.survey.columns import ColumnMap, Role, match_columns
from meantime.survey.csv_rows import NumberedRow, mixed_line_ends, numbered_rows, read_header
from meantime.survey.dataset import LeftOutRow
from meantime.survey.profile import Profile
from meantime.survey.rollup import estimates
from meantime.survey.row_faults import check_rows, left_out_rows
from meantime.survey.sources import OpenedSource, SourceKind

if TYPE_CHECKING:
    from meantime.survey.engines import Engine, Frame


class TableReader:
    """Reads one open source with one engine.

    Parameters
    ----------
    source
        The source; it stays the caller's to close.
    profile
        How columns and names are read.
    engine
        The engine; it stays the caller's to close.

    Raises
    ------
    DataError
        There is no header, or a required column is missing.
    EngineError
        A Parquet file can't be opened.
    """

    def __init__(self, source: OpenedSource, profile: Profile, engine: Engine) -> None:
        self._source = source
        self._profile = profile
        self._engine = engine
        self._is_parquet = source.kind is SourceKind.PARQUET
        if self._is_parquet:
            self._header = engine.parquet_columns(source.engine_path)
        else:
            self._header = read_header(source, profile.delimiter)
        self.columns: ColumnMap = match_columns(
            self._header, source_name=source.name, stated=profile.columns, fixed=profile.fixed
        )

    def estimates(self, *, trim: bool) -> Frame:
        """Return the rows, one column a role; nothing is read yet."""
        wanted = {str(role): position for role, position in self.columns.position.items()}
        path = self._source.engine_path
        if self._is_parquet:
            source = self._engine.open_parquet(path, wanted)
        else:
            source = self._engine.open_csv(path, self._profile.delimiter, len(self._header), wanted)
        return estimates(source, self.columns, self._profile.missing, trim=trim)

    def explained(self, error: Exception) -> DataError:
        """Return the error that names the first unreadable field, reading row by row; else the engine's own words."""
        place = "row" if self._is_parquet else "line"
        try:
            check_rows(self._rows(), self.columns, self._profile.missing, source_name=self._source.name, place=place)
        except DataError as found:
            return found
        line = None if self._is_parquet else mixed_line_ends(self._source)
        if line is not None:
            return DataError(f"{self._source.name}, line {line}: ends unlike line 1; give all lines the same line ends")
        return DataError(f"{self._source.name}: {error}")

    def left_out_rows(self, limit: int) -> tuple[LeftOutRow, ...]:
        """Return the first rows that have no place in the cube; rows of a Parquet file are counted from 1."""
        return left_out_rows(self._rows(), self.columns, self._profile.missing, limit)

    def _rows(self) -> Iterator[NumberedRow]:
        if not self._is_parquet:
            yield from numbered_rows(self._source, self._profile.delimiter, self._header)
            return
        roles: dict[Role, int] = self.columns.position
        frame = self._engine.open_parquet(self._source.engine_path, {str(role): roles[role] for role in roles})
        for number, values in enumerate(self._engine.rows(frame), start=1):
            fields = [""] * len(self._header)
            for position, value in zip(roles.values(), values, strict=True):
                fields[position] = "" if value is None or _is_nan(value) else str(value)
            yield NumberedRow(number, fields)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)
