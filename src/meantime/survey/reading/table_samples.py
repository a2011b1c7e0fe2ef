"""The first rows of a table whose columns are not known yet, for a person or ``mapping_proposal.py`` to look at."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path

from meantime.child import Progress
from meantime.child.child_process import ChildProcess
from meantime.errors import DataError
from meantime.survey.reading.csv_rows import numbered_rows, read_header
from meantime.survey.reading.files.packing import SourceKind
from meantime.survey.reading.sources import DEFAULT_SIZE_LIMIT_BYTES, OpenedSource, open_source

SAMPLE_ROWS = 1000
_DELIMITERS = ",;\t|"

Sample = tuple[list[str], list[list[str]], str]
"""Header, rows and delimiter, as they go from the child to the parent."""


@dataclass(frozen=True, slots=True)
class TableSample:
    """Column names and the first rows as texts; ``delimiter`` is empty for Parquet."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    delimiter: str

    def column(self, position: int) -> list[str]:
        """Return the texts of one column that aren't empty."""
        return [row[position].strip() for row in self.rows if row[position].strip()]


def sample_table(source: Path, *, size_limit_bytes: int = DEFAULT_SIZE_LIMIT_BYTES) -> TableSample:
    """Read the first rows of any table, in a child process.

    Raises
    ------
    DataError
        It can't be opened, or is no table.
    """
    with tempfile.TemporaryDirectory() as scratch:
        header, rows, delimiter = ChildProcess(source.name).run(
            read_sample, None, str(source), size_limit_bytes=size_limit_bytes, scratch_directory=scratch
        )
    return TableSample(tuple(header), tuple(tuple(row) for row in rows), delimiter)


def read_sample(_: Progress, source: str, *, size_limit_bytes: int, scratch_directory: str) -> Sample:
    """Read the first rows of a table, whatever its columns are; the errand of `sample_table`."""
    scratch = Path(scratch_directory)
    with open_source(Path(source), size_limit_bytes=size_limit_bytes, scratch_directory=scratch) as opened:
        if opened.kind is SourceKind.PARQUET:
            return _parquet_sample(opened, scratch_directory)
        with opened.text() as text:
            first_line = text.readline()
        delimiter = max(_DELIMITERS, key=first_line.count)
        header = read_header(opened, delimiter)
        rows = itertools.islice(numbered_rows(opened, delimiter, header), SAMPLE_ROWS)
        return list(header), [row.fields for row in rows], delimiter


def _parquet_sample(opened: OpenedSource, scratch_directory: str) -> Sample:
    from meantime.survey.reading.engines import EngineError
    from meantime.survey.reading.engines.duckdb import DuckDBEngine

    engine = DuckDBEngine(scratch_directory)
    try:
        header = engine.parquet_columns(opened.engine_path)
        frame = engine.open_parquet(opened.engine_path, {f"c{place}": place for place in range(len(header))})
        rows = itertools.islice(engine.rows(frame), SAMPLE_ROWS)
        texts = [["" if value is None else str(value) for value in row] for row in rows]
    except EngineError as error:
        raise DataError(f"{opened.name}: {error}") from error
    finally:
        engine.close()
    return list(header), texts, ""
