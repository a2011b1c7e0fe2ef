"""The first rows of a table whose columns are not known yet, for a person or ``mapping_proposal.py`` to look at."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from meantime.errors import DataError
from meantime.survey.reading.csv_rows import numbered_rows, read_header
from meantime.survey.reading.sources import OpenedSource, SourceKind, open_source

SAMPLE_ROWS = 1000
_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class TableSample:
    """Column names and the first rows as texts; ``delimiter`` is empty for Parquet."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    delimiter: str

    def to_json(self) -> str:
        """Return the sample as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> TableSample:
        """Read a sample back."""
        content = json.loads(text)
        return cls(tuple(content["header"]), tuple(tuple(row) for row in content["rows"]), content["delimiter"])

    def column(self, position: int) -> list[str]:
        """Return the texts of one column that aren't empty."""
        return [row[position].strip() for row in self.rows if row[position].strip()]


def read_sample(source: Path, *, size_limit_bytes: int, scratch_directory: Path) -> TableSample:
    """Read the first rows of a table, whatever its columns are.

    Raises
    ------
    DataError
        It can't be opened, or is no table.
    """
    with open_source(source, size_limit_bytes=size_limit_bytes, scratch_directory=scratch_directory) as opened:
        if opened.kind is SourceKind.PARQUET:
            return _parquet_sample(opened, scratch_directory)
        with opened.text() as text:
            first_line = text.readline()
        delimiter = max(_DELIMITERS, key=first_line.count)
        header = read_header(opened, delimiter)
        rows = itertools.islice(numbered_rows(opened, delimiter, header), SAMPLE_ROWS)
        return TableSample(header, tuple(tuple(row.fields) for row in rows), delimiter)


def _parquet_sample(opened: OpenedSource, scratch_directory: Path) -> TableSample:
    from meantime.survey.reading.engines import EngineError
    from meantime.survey.reading.engines.duckdb import DuckDBEngine

    engine = DuckDBEngine(str(scratch_directory))
    try:
        header = engine.parquet_columns(opened.engine_path)
        frame = engine.open_parquet(opened.engine_path, {f"c{place}": place for place in range(len(header))})
        rows = itertools.islice(engine.rows(frame), SAMPLE_ROWS)
        texts = tuple(tuple("" if value is None else str(value) for value in row) for row in rows)
    except EngineError as error:
        raise DataError(f"{opened.name}: {error}") from error
    finally:
        engine.close()
    return TableSample(header, texts, "")
