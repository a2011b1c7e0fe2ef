"""DuckDB, the engine of one machine: it reads files larger than memory and needs neither pandas nor pyarrow."""

# ruff: noqa: S608  # the names in the SQL are our own, a path and a column's name are quoted
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import duckdb
import narwhals as nw
import numpy as np

from meantime.survey.reading.engines import Arrays, EngineError, NumberArray

if TYPE_CHECKING:
    from meantime.survey.reading.engines import Frame


class DuckDBEngine:
    """Reads with DuckDB, in this process.

    Parameters
    ----------
    scratch_directory
        Where a computation larger than memory puts what doesn't fit.
    thread_count
        How many threads compute; None is DuckDB's choice, one a core.
    """

    name = f"duckdb {duckdb.__version__}"

    def __init__(self, scratch_directory: str, thread_count: int | None = None) -> None:
        self._connection = duckdb.connect(
            config={
                # Nothing is ever fetched: a file that asks for an extension is refused.
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "enable_external_file_cache": False,
                "temp_directory": scratch_directory,
            }
        )
        self._connection.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")
        if thread_count is not None:
            self._connection.execute(f"SET threads = {thread_count}")
        self._made = 0

    def parquet_columns(self, path: str) -> tuple[str, ...]:
        """Return the names of a Parquet file's columns."""
        return tuple(self._relation(f"SELECT * FROM read_parquet({_quoted(path)})").columns)

    def open_csv(self, path: str, delimiter: str, column_count: int, wanted: Mapping[str, int]) -> Frame:
        """Return the wanted columns (name -> position) of a CSV file with a header, as text."""
        # Columns get names of our own: a header may hold blanks, nothing, or the same name twice.
        types = ", ".join(f"c{position}: 'VARCHAR'" for position in range(column_count))
        source = (
            f"read_csv({_quoted(path)}, auto_detect = false, header = true, delim = {_quoted(delimiter)}, "
            f"quote = '\"', escape = '\"', strict_mode = true, columns = {{{types}}})"
        )
        return self._frame(f"SELECT {_named(wanted, [f'c{i}' for i in range(column_count)])} FROM {source}")

    def open_parquet(self, path: str, wanted: Mapping[str, int]) -> Frame:
        """Return the wanted columns (name -> position) of a Parquet file."""
        return self._frame(f"SELECT {_named(wanted, self.parquet_columns(path))} FROM read_parquet({_quoted(path)})")

    def texts(self, columns: Mapping[str, Sequence[str]]) -> Frame:
        """Return a frame of texts that are at hand, by column."""
        self._made += 1
        named = ", ".join(f"unnest(?::VARCHAR[]) AS {name}" for name in columns)
        self._execute(
            f"CREATE TEMP TABLE texts_{self._made} AS SELECT {named}", [list(each) for each in columns.values()]
        )
        return self._frame(f"SELECT * FROM texts_{self._made}")

    def keep(self, frame: Frame) -> Frame:
        """Compute a frame once, so that later questions don't read the source again."""
        self._made += 1
        table = f"kept_{self._made}"
        self._execute(f"CREATE TEMP TABLE {table} AS {_sql(frame)}")
        return self._frame(f"SELECT * FROM {table}")

    def arrays(self, frame: Frame, numbers: Sequence[str], texts: Sequence[str]) -> Arrays:
        """Return columns of a kept frame in the order of its rows; nulls aren't allowed."""
        types = {text: self._enum(frame, text) for text in texts}
        coded = [f"enum_code({text}::{types[text]})::INTEGER AS {text}" for text in texts]
        found = self._execute(f"SELECT {', '.join([*coded, *numbers])} FROM ({_sql(frame)})").fetchnumpy()
        columns: dict[str, NumberArray] = {name: _unmasked(name, array) for name, array in found.items()}
        return Arrays(
            numbers={name: columns[name] for name in numbers},
            codes={name: columns[name].astype(np.int32, copy=False) for name in texts},
            dictionaries={text: self._texts(types[text]) for text in texts},
        )

    def rows(self, frame: Frame) -> Iterator[tuple[object, ...]]:
        """Yield a frame's rows in the order of the source."""
        found = self._execute(_sql(frame))
        while batch := found.fetchmany(2048):
            yield from batch

    def progress(self) -> float:
        """Return the part of the running computation that is done, 0 to 1; called from another thread."""
        return max(0.0, self._connection.query_progress() / 100)

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def _enum(self, frame: Frame, text: str) -> str:
        """Make an ENUM of a column's texts, in the order of their code points, and return its name."""
        self._made += 1
        name = f"enum_{self._made}"
        self._execute(f"CREATE TYPE {name} AS ENUM (SELECT DISTINCT {text} FROM ({_sql(frame)}) ORDER BY {text})")
        return name

    def _texts(self, enum: str) -> tuple[str, ...]:
        return tuple(text for (text,) in self._execute(f"SELECT unnest(enum_range(NULL::{enum}))").fetchall())

    def _execute(self, sql: str, parameters: Sequence[object] = ()) -> duckdb.DuckDBPyConnection:
        try:
            return self._connection.execute(sql, parameters)
        except duckdb.Error as error:
            raise _engine_error(error) from error

    def _relation(self, sql: str) -> duckdb.DuckDBPyRelation:
        try:
            return self._connection.sql(sql)
        except duckdb.Error as error:
            raise _engine_error(error) from error

    def _frame(self, sql: str) -> Frame:
        return nw.from_native(self._relation(sql))


def _engine_error(error: duckdb.Error) -> EngineError:
    """Return DuckDB's error without its advice and settings; the line of a CSV error is DuckDB's own count."""
    words = str(error).split("\n\n")[0]
    line = re.search(r"CSV Error on Line: (\d+)", words)
    if line:
        return EngineError(f"near line {line[1]}: {words.splitlines()[-1]}")
    return EngineError(" ".join(words.split())[:300])


def _sql(frame: Frame) -> str:
    relation = nw.to_native(frame)
    if not isinstance(relation, duckdb.DuckDBPyRelation):
        raise TypeError(f"a frame of {type(relation).__name__} is none of DuckDB's")
    return relation.sql_query()


def _named(wanted: Mapping[str, int], columns: Sequence[str]) -> str:
    names = (columns[position].replace('"', '""') for position in wanted.values())
    return ", ".join(f'"{name}" AS {role}' for role, name in zip(wanted, names, strict=True))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _unmasked(name: str, array: NumberArray) -> NumberArray:
    if isinstance(array, np.ma.MaskedArray):
        raise EngineError(f"column {name} holds a null")
    return array
