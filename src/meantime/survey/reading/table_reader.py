"""A source as a table of estimates: its columns found, its rows as a frame, its faults explained.

Between the bytes (``sources.py``) and the cells (``cube/rollup.py``); CSV and Parquet differ here and nowhere above.
"""

from __future__ import annotations

import math
import os
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import narwhals as nw

from meantime.child import Progress
from meantime.errors import DataChangedError, DataError
from meantime.fields.refusals import shown
from meantime.survey.reading.columns import Column, ColumnMap, match_columns
from meantime.survey.reading.csv_rows import NumberedRow, mixed_line_ends, numbered_rows, read_header
from meantime.survey.reading.engines import Engine, EngineError
from meantime.survey.reading.engines.duckdb import DuckDBEngine
from meantime.survey.reading.estimate_rows import column_name, estimate_rows, kept_rows
from meantime.survey.reading.layouts import with_layout
from meantime.survey.reading.profile import Profile, normal
from meantime.survey.reading.row_faults import LeftOutRow, check_rows, left_out_rows
from meantime.survey.reading.sources import DEFAULT_SIZE_LIMIT_BYTES, OpenedSource, SourceKind, open_source

if TYPE_CHECKING:
    from meantime.survey.reading.engines import Frame

_PROGRESS_PERIOD_S = 0.2
_SMALL_BYTES = 64 * 1024**2


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
    """

    def __init__(self, source: OpenedSource, profile: Profile, engine: Engine) -> None:
        self.source = source
        self.engine = engine
        self._is_parquet = source.kind is SourceKind.PARQUET
        if self._is_parquet:
            self.header = _parquet_columns(source, engine)
        else:
            self.header = read_header(source, profile.file.delimiter)
        self.profile = with_layout(profile, self.header)
        self.columns: ColumnMap = match_columns(
            self.header,
            source_name=source.name,
            stated=self.profile.columns,
            fixed=self.profile.fixed,
            strata=self.profile.strata,
            keep=self.profile.keep,
        )

    def estimates(self, *, trim: bool, beside: Sequence[int] = ()) -> Frame:
        """Return the rows that are kept, one column a role, and other columns ``beside``; nothing is read yet."""
        rows = kept_rows(self.frame([*self.columns.used, *beside]), self._kept_spellings)
        return estimate_rows(rows, self.columns, self.profile.missing, trim=trim, beside=beside)

    def frame(self, positions: Iterable[int]) -> Frame:
        """Return some of the file's columns as they are, called as `column_name` says; nothing is read yet."""
        wanted = {column_name(position): position for position in positions}
        path = self.source.engine_path
        if self._is_parquet:
            return self.engine.open_parquet(path, wanted)
        return self.engine.open_csv(path, self.profile.file.delimiter, len(self.header), wanted)

    @cached_property
    def _kept_spellings(self) -> dict[Column, tuple[str, ...]]:
        """How the texts that rows are kept by are spelt in the file."""
        return {column: self._spellings(column, texts) for column, texts in self.columns.keep.items()}

    def _spellings(self, column: Column, texts: Iterable[str]) -> tuple[str, ...]:
        """Return how a column spells some texts; a DataError where it has none of them."""
        name, wanted = column_name(column.position), {normal(text) for text in texts}
        distinct = self.frame([column.position]).select(nw.col(name).cast(nw.String).fill_null("")).unique()
        found = sorted(str(text) for (text,) in self.engine.rows(distinct))
        kept = tuple(text for text in found if normal(text) in wanted)
        if not kept:
            raise DataError(
                f"{self.source.name}: keep under [rows] leaves no row: {column.header.strip()!r} is never "
                f"{' or '.join(map(shown, texts))}; it is {_some(found)}"
            )
        return kept

    def explained(self, error: Exception) -> DataError:
        """Return the error that names the first unreadable field, reading row by row; else the engine's own words."""
        place = "row" if self._is_parquet else "line"
        try:
            check_rows(self.rows(), self.columns, self.profile.missing, source_name=self.source.name, place=place)
        except DataError as found:
            return found
        line = None if self._is_parquet else mixed_line_ends(self.source)
        if line is not None:
            return DataError(f"{self.source.name}, line {line}: ends unlike line 1; give all lines the same line ends")
        return DataError(f"{self.source.name}: {error}")

    def left_out_rows(self, limit: int) -> tuple[LeftOutRow, ...]:
        """Return the first rows that have no place in the cube; rows of a Parquet file are counted from 1."""
        return left_out_rows(self.rows(), self.columns, self.profile.missing, limit)

    def rows(self) -> Iterator[NumberedRow]:
        """Yield the rows that are kept as texts, in the file's order."""
        wanted = {column.position: {normal(text) for text in texts} for column, texts in self.columns.keep.items()}
        for row in self._all_rows():
            if all(normal(row.fields[position]) in texts for position, texts in wanted.items()):
                yield row

    def _all_rows(self) -> Iterator[NumberedRow]:
        if not self._is_parquet:
            yield from numbered_rows(self.source, self.profile.file.delimiter, self.header)
            return
        used = range(len(self.header))
        for number, values in enumerate(self.engine.rows(self.frame(used)), start=1):
            fields = [""] * len(self.header)
            for position, value in zip(used, values, strict=True):
                fields[position] = "" if value is None or _is_nan(value) else str(value)
            yield NumberedRow(number, fields)


@contextmanager
def open_table(
    source: Path,
    profile: Profile,
    *,
    expected_sha256: str | None = None,
    size_limit_bytes: int = DEFAULT_SIZE_LIMIT_BYTES,
    scratch_directory: Path | None = None,
    progress: Progress | None = None,
) -> Iterator[TableReader]:
    """Open a source with the engine of one machine.

    Parameters
    ----------
    source
        A path; its ending says how it is packed.
    profile
        How its columns and names are read.
    expected_sha256
        Refuse any other bytes.
    size_limit_bytes
        The most that a packed source may hold when it is unpacked.
    scratch_directory
        Where unpacked bytes and what doesn't fit in memory go; None takes the system's.
    progress
        Called from another thread while the source is read.

    Raises
    ------
    DataError
        The source can't be opened as a table.
    DataChangedError
        Its bytes are not the expected ones, or have changed when the block ends.
    """
    scratch = scratch_directory or Path(tempfile.gettempdir())
    with open_source(source, size_limit_bytes=size_limit_bytes, scratch_directory=scratch, progress=progress) as opened:
        if expected_sha256 not in {None, opened.sha256}:
            raise DataChangedError(f"{opened.name}: the file is no longer the one that was hashed; try again")
        engine = DuckDBEngine(str(scratch), _thread_count(opened))
        try:
            with _watched(engine, progress):
                yield TableReader(opened, profile, engine)
        finally:
            # A file that is being written looks like a faulty one: say which it is.
            opened.check_unchanged()
            engine.close()


def _thread_count(source: OpenedSource) -> int | None:
    """Return 1 for a small CSV: a second thread takes twice the processor time there, and longer."""
    plain_bytes = os.fstat(source.plain.fileno()).st_size
    return 1 if source.kind is not SourceKind.PARQUET and plain_bytes < _SMALL_BYTES else None


@contextmanager
def _watched(engine: Engine, progress: Progress | None) -> Iterator[None]:
    """Tell of the engine's progress from another thread as long as the block runs."""
    if progress is None:
        yield
        return
    done = threading.Event()
    told: Progress = progress

    def watch() -> None:
        while not done.wait(_PROGRESS_PERIOD_S):
            told("read", engine.progress())

    thread = threading.Thread(target=watch, name="ingest-progress")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _parquet_columns(source: OpenedSource, engine: Engine) -> tuple[str, ...]:
    try:
        return engine.parquet_columns(source.engine_path)
    except EngineError as error:
        raise DataError(f"{source.name}: {error}") from error


def _some(texts: list[str], limit: int = 12) -> str:
    more = f" and {len(texts) - limit:,} more" if len(texts) > limit else ""
    return ", ".join(map(shown, texts[:limit])) + more


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)
