"""A store of many jobs, made without submitting each."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from meantime.jobs.job import Task
from meantime.jobs.sqlite.job_rows import row_checksum


def multiply_the_job(store_file: Path, job_count: int) -> None:
    """Make the one job of a store, which no server uses, so many of them."""
    with closing(sqlite3.connect(store_file)) as connection, connection:
        connection.create_function("row_checksum", 4, _checksum, deterministic=True)
        names = [row[1] for row in connection.execute("PRAGMA table_info(jobs)")]
        chosen = {name: name for name in names} | {
            "number": "n",
            "checksum": "row_checksum(n, task, arguments, version)",
        }
        connection.execute(
            "WITH RECURSIVE counter(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM counter WHERE n < ?) "
            f"INSERT INTO jobs ({', '.join(chosen)}) SELECT {', '.join(chosen.values())} FROM counter, jobs "
            "WHERE number = 1",
            (job_count,),
        )


def _checksum(number: int, task: str, arguments: str, version: str) -> int:
    return row_checksum(number, Task(task, arguments, version), "", None)
