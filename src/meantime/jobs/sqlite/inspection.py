"""What a copy of a job store holds, row by row: for a person who wants to know whether it can be trusted.

A store that is in use is never opened here: ``JobStore.back_up`` makes the copy.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path

from meantime.errors import StoreCorruptError
from meantime.jobs.job_state import JobState
from meantime.jobs.sqlite import statements
from meantime.jobs.sqlite.job_rows import JobRow

NEWEST_DONE_COUNT = 1000

_STATES = frozenset(state.value for state in JobState)
_DONE = JobState.DONE.value


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What was found.

    ``damaged`` are the numbers of jobs whose checksum or state is wrong, or that are done without a result's checksum;
    ``newest_at`` is when the newest job was accepted, in seconds since the epoch, 0.0 without jobs; ``newest_done`` are
    the (number, result's SHA-256) of the last NEWEST_DONE_COUNT jobs that are done.
    """

    count_by_state: dict[str, int]
    damaged: tuple[int, ...]
    newest_at: float
    newest_done: tuple[tuple[int, str], ...]


def inspect_copy(path: Path) -> StoreFacts:
    """Read every job of a copy of a store.

    Raises
    ------
    StoreCorruptError
        The file is no job store, or SQLite finds it damaged.
    """
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            problems = [str(row[0]) for row in connection.execute(statements.INTEGRITY_CHECK)]
            if problems != ["ok"]:
                raise StoreCorruptError(f"{path} is damaged ({'; '.join(problems)}); restore a backup")
            return _read_jobs(connection)
    except sqlite3.Error as error:
        raise StoreCorruptError(f"{path} can't be read as a job store: {error}; restore a backup") from error


def _read_jobs(connection: sqlite3.Connection) -> StoreFacts:
    counts: Counter[str] = Counter()
    damaged: list[int] = []
    newest_at = 0.0
    done: deque[tuple[int, str]] = deque(maxlen=NEWEST_DONE_COUNT)
    for columns in connection.execute(*statements.EVERY_JOB):
        row = JobRow._make(columns)
        counts[row.state] += 1
        newest_at = max(newest_at, row.submitted_at)
        if not row.is_whole() or row.state not in _STATES or (row.state == _DONE and row.result_sha256 is None):
            damaged.append(row.number)
        elif row.state == _DONE and row.result_sha256 is not None:
            done.append((row.number, row.result_sha256))
    return StoreFacts(dict(counts), tuple(damaged), newest_at, tuple(done))
