"""Copies of a job store: made while it runs, through the one connection that it has, and read row by row.

A copy is read for a person who wants to know whether the store can be trusted: one that is in use is never opened here.

A copy is made a few megabytes at a time; between two portions jobs go on being accepted, and SQLite carries what they
write over into the copy. Opening and checking stores is in ``opening.py``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from meantime.errors import BackupError, StoreCorruptError, StoreError
from meantime.jobs.job_state import JobState
from meantime.jobs.sqlite import statements
from meantime.jobs.sqlite.high_water_mark import HighWaterMark
from meantime.jobs.sqlite.job_rows import JobRow
from meantime.jobs.sqlite.opening import open_database
from meantime.jobs.state_directory import move_durably, unchanging

PAGES_PER_PORTION = 512
NEWEST_DONE_COUNT = 1000
_PAUSE_S = 0.001
_STATES = frozenset(state.value for state in JobState)
_DONE = JobState.DONE.value


def copy_database(
    connection: sqlite3.Connection,
    connection_lock: threading.Lock,
    target: Path,
    *,
    enclosed: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write a copy of a database to a new file; it appears there whole, checked and synced.

    It is made in a new folder beside the target that nobody else may enter: a link that somebody has put in its way is
    never followed.

    Parameters
    ----------
    connection
        The store's connection.
    connection_lock
        Held by whoever uses the connection; taken here for each portion.
    target
        A file that doesn't exist.
    enclosed
        See JobStore.back_up.

    Raises
    ------
    BackupError
        The target exists or can't be written, or the copy is damaged; nothing is left of it.
    """
    if os.path.lexists(target):
        raise BackupError(f"{target} exists already; name a new file")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.", suffix=".unfinished") as folder:
            unfinished = Path(folder) / "copy"
            # Made here and not by SQLite, which would let others read it.
            os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            with contextlib.closing(sqlite3.connect(unfinished, isolation_level=None)) as copy:
                _copy(connection, connection_lock, copy)
                _finish(copy, enclosed)
            move_durably(unfinished, target)
    except (sqlite3.Error, OSError) as error:
        raise BackupError(f"can't write the backup {target}: {error}; name a file elsewhere") from error


def _copy(connection: sqlite3.Connection, connection_lock: threading.Lock, copy: sqlite3.Connection) -> None:
    def let_others_in(_: int, remaining: int, __: int) -> None:
        if remaining:
            connection_lock.release()
            time.sleep(_PAUSE_S)  # a lock is not fair: without a pause this thread would take it again at once
            connection_lock.acquire()

    with connection_lock:
        connection.backup(copy, pages=PAGES_PER_PORTION, progress=let_others_in, sleep=_PAUSE_S)


def _finish(copy: sqlite3.Connection, enclosed: Mapping[str, str]) -> None:
    """Make the copy one file that needs no log beside it, say in it that it is a copy, and check it."""
    copy.execute(statements.NO_LOG)
    copy.execute(statements.MARK_AS_COPY)
    for name, text in enclosed.items():
        copy.execute(statements.ENCLOSE, (statements.ENCLOSED_PREFIX + name, text))
    problems = [str(row[0]) for row in copy.execute(statements.QUICK_CHECK)]
    if problems != ["ok"]:
        raise sqlite3.DatabaseError(f"the copy is damaged ({'; '.join(problems)})")


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What was found.

    ``damaged`` are the numbers of jobs whose checksum or state is wrong, or that are done without a result's checksum;
    ``newest_at`` is when the newest job was accepted, in seconds since the epoch, 0.0 without jobs; ``newest_done`` are
    the (number, result's SHA-256) of the last NEWEST_DONE_COUNT jobs that are done. ``is_backup`` is whether it is a
    copy that nobody has opened as a store yet, ``enclosed`` what lies in it (see JobStore.back_up).
    """

    count_by_state: dict[str, int]
    damaged: tuple[int, ...]
    newest_at: float
    newest_done: tuple[tuple[int, str], ...]
    store_id: str
    is_backup: bool
    enclosed: Mapping[str, str]


def inspect_stopped(directory: Path, folder: Path, *, highest_result: Callable[[], int] = lambda: 0) -> StoreFacts:
    """Open a copy of the store of a server that doesn't run, as that server would, and read every job.

    Parameters
    ----------
    directory
        Where the store is; nothing there is changed, not even by a restored backup's first opening.
    folder
        An empty folder for the copy; the caller removes it.
    highest_result
        See ``opening.open_database``.

    Raises
    ------
    StoreError
        A server uses the store, or would refuse it; the message names the store and not the copy.
    OSError
        The copy can't be written.
    """
    with unchanging(directory):
        for name in ("jobs.sqlite3", "jobs.sqlite3-wal", "store-id", "high-water-mark"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(directory / name, folder / name)
    path, mark = folder / "jobs.sqlite3", HighWaterMark(folder / "high-water-mark")
    try:
        opened = open_database(path, mark, highest_result=highest_result)
        opened.connection.close()
        mark.close()
        return inspect_copy(path)
    except StoreError as error:
        raise type(error)(str(error).replace(str(folder), str(directory))) from error


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
    facts: dict[str, str] = dict(connection.execute(statements.FACTS))
    prefix = statements.ENCLOSED_PREFIX
    enclosed = {name.removeprefix(prefix): text for name, text in facts.items() if name.startswith(prefix)}
    return StoreFacts(
        count_by_state=dict(counts),
        damaged=tuple(damaged),
        newest_at=newest_at,
        newest_done=tuple(done),
        store_id=facts.get(statements.STORE_ID, ""),
        is_backup=statements.IS_COPY in facts,
        enclosed=enclosed,
    )
