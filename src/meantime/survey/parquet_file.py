"""Records as a Parquet file, written by DuckDB in a short-lived child process; run as ``-m`` this is the child.

DuckDB would add 60 MB to the serving process and nine threads; a child costs 0.4 s and gives everything back. The
child reads a length, a header and the records from its standard input and writes the file to its standard output.
"""

from __future__ import annotations

import json
import logging
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence

from meantime.errors import DataError
from meantime.survey.ingest.child_process import child_environment

TIME_LIMIT_S = 60.0
MEMORY_LIMIT = "256MB"

_log = logging.getLogger(__name__)
_one_at_a_time = threading.Lock()  # a child takes a whole core


def encode_parquet(records: Sequence[Mapping[str, object]], metadata: Mapping[str, str]) -> bytes:
    """Return records as a Parquet file.

    Parameters
    ----------
    records
        All with the same fields; every value is a text, a number, a truth value or None.
    metadata
        Key-value metadata of the file.

    Raises
    ------
    DataError
        The child failed; the log says why.
    """
    header = json.dumps({"columns": column_types(records), "metadata": dict(metadata)}).encode()
    content = struct.pack("<Q", len(header)) + header + json.dumps(list(records)).encode()
    with _one_at_a_time:
        try:
            child = subprocess.run(  # noqa: S603  # our own interpreter and module
                [sys.executable, "-P", "-m", __name__],
                input=content,
                capture_output=True,
                env=child_environment(),
                timeout=TIME_LIMIT_S,
                check=True,
            )
        except subprocess.SubprocessError as error:
            words = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip()
            _log.error("the process that writes Parquet failed: %s %s", error, words)
            raise DataError("the Parquet file can't be written; ask for CSV or JSON") from None
    return child.stdout


def column_types(records: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """Return the SQL type of each field; DOUBLE for a field that is None everywhere. A file needs at least one field.

    >>> column_types([{"location": "Ohio", "year": 2023, "value": None, "tied": False}])
    {'location': 'VARCHAR', 'year': 'BIGINT', 'value': 'DOUBLE', 'tied': 'BOOLEAN'}
    """
    if not records:
        return {"record": "BIGINT"}
    names = list(records[0])
    return {name: _type_of({type(record[name]) for record in records} - {type(None)}) for name in names}


def _type_of(kinds: set[type]) -> str:
    if str in kinds:
        return "VARCHAR"
    if kinds == {bool}:
        return "BOOLEAN"
    return "BIGINT" if kinds == {int} else "DOUBLE"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _write() -> None:
    """Be the child: standard input to standard output. DuckDB goes on reading where the header ends."""
    import duckdb

    with os.fdopen(os.dup(0), "rb", buffering=0) as source:
        header = json.loads(_read_exactly(source.fileno(), struct.unpack("<Q", _read_exactly(source.fileno(), 8))[0]))
    columns = ", ".join(f"{_quoted(name)}: {_quoted(kind)}" for name, kind in header["columns"].items())
    metadata = ", ".join(f"{_quoted(name)}: {_quoted(value)}" for name, value in header["metadata"].items())
    records = f"read_json('/dev/stdin', format = 'array', columns = {{{columns}}})"
    connection = duckdb.connect(config={"threads": 1, "memory_limit": MEMORY_LIMIT})
    connection.execute(
        f"COPY (SELECT * FROM {records}) TO '/dev/stdout'"  # noqa: S608  # every name is quoted
        f" (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{metadata}}})"
    )


def _read_exactly(descriptor: int, count: int) -> bytes:
    content = b""
    while len(content) < count:
        part = os.read(descriptor, count - len(content))
        if not part:
            raise EOFError("the header ended early")
        content += part
    return content


if __name__ == "__main__":
    _write()
    sys.stdout.flush()
    os._exit(0)  # DuckDB is not asked to tidy up
