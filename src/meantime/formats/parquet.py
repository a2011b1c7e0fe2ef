"""A result as a Parquet file, written by DuckDB in a short-lived child process.

DuckDB would add 60 MB to the serving process and nine threads; a child costs 0.4 s and gives everything back.
"""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from meantime.child import Progress
from meantime.child.child_process import ChildProcess
from meantime.errors import DataError
from meantime.formats import Answer, Record, records_of

TIME_LIMIT_S = 60.0
MEMORY_LIMIT = "256MB"
TABLE_MEMORY_LIMIT = "512MB"

DICTIONARY_LIMIT = 5000
"""A column with more values than this, such as sample sizes, takes less room without a dictionary."""

_log = logging.getLogger(__name__)
_one_at_a_time = threading.Lock()  # a child takes a whole core


def encode_parquet(answer: Answer) -> bytes:
    """Return the records of a result as a Parquet file; all else that it holds is JSON in the file's metadata.

    Raises
    ------
    DataError
        The child failed; the log says why.
    """
    records = records_of(answer)
    metadata = orjson.dumps({name: value for name, value in answer.items() if name != "records"}).decode()
    child = ChildProcess("Parquet", time_limit_s=TIME_LIMIT_S)
    try:
        with _one_at_a_time, tempfile.TemporaryDirectory() as folder:
            source, output = Path(folder) / "records.json", Path(folder) / "records.parquet"
            source.write_bytes(orjson.dumps(records))
            child.run(write_parquet, None, str(source), column_types(records), metadata, str(output))
            return output.read_bytes()
    except (DataError, OSError) as error:
        _log.error("a result can't be written as Parquet: %s", error)
        raise DataError("the Parquet file can't be written; ask for CSV or JSON") from None


def column_types(records: Sequence[Record]) -> dict[str, str]:
    """Return the SQL type of each field; DOUBLE for a field that is None everywhere. A file needs at least one field.

    >>> column_types([{"location": "Ohio", "year": 2023, "value": None, "tied": False}])
    {'location': 'VARCHAR', 'year': 'BIGINT', 'value': 'DOUBLE', 'tied': 'BOOLEAN'}
    """
    if not records:
        return {"record": "BIGINT"}
    names = list(records[0])
    return {name: _type_of({type(record[name]) for record in records} - {type(None)}) for name in names}


def write_parquet(_: Progress, source: str, columns: dict[str, str], metadata: str, output: str) -> None:
    """Write a file of JSON records as a Parquet file; the errand of `encode_parquet`."""
    import duckdb

    types = ", ".join(f"{_quoted(name)}: {_quoted(kind)}" for name, kind in columns.items())
    records = f"read_json({_quoted(source)}, format = 'array', columns = {{{types}}})"
    connection = duckdb.connect(config={"threads": 1, "memory_limit": MEMORY_LIMIT})
    connection.execute(
        f"COPY (SELECT * FROM {records}) TO {_quoted(output)}"  # noqa: S608  # every name is quoted
        f" (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{'meantime': {_quoted(metadata)}}})"
    )
    connection.close()


def parquet_of_csv(source: str, columns: Mapping[str, str], output: str) -> None:
    """Write a CSV file without a header as a Parquet file, in a child process; an empty cell is null.

    Parameters
    ----------
    source, output
        The files.
    columns
        The columns in their order, each with its SQL type.
    """
    import duckdb

    types = ", ".join(f"{_quoted(name)}: {_quoted(kind)}" for name, kind in columns.items())
    rows = (
        f"read_csv({_quoted(source)}, header = false, auto_detect = false, columns = {{{types}}}, delim = ',',"
        " quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = true)"
    )
    connection = duckdb.connect(config={"threads": 1, "memory_limit": TABLE_MEMORY_LIMIT})
    connection.execute(
        f"COPY (SELECT * FROM {rows}) TO {_quoted(output)}"  # noqa: S608  # every name is quoted
        f" (FORMAT parquet, COMPRESSION zstd, DICTIONARY_SIZE_LIMIT {DICTIONARY_LIMIT})"
    )
    connection.close()


def _type_of(kinds: set[type]) -> str:
    if str in kinds:
        return "VARCHAR"
    if kinds == {bool}:
        return "BOOLEAN"
    return "BIGINT" if kinds == {int} else "DOUBLE"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
