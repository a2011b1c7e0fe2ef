"""Copy the database of a running job store, through the one connection that it has.

The copy is made a few megabytes at a time; between two portions jobs go on being accepted, and SQLite carries what they
write over into the copy. Opening and checking stores is in ``opening.py``.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from pathlib import Path

from meantime.errors import BackupError
from meantime.jobs.sqlite import statements
from meantime.jobs.state_directory.durable_files import move_durably

PAGES_PER_PORTION = 512
_PAUSE_S = 0.001


def copy_database(connection: sqlite3.Connection, connection_lock: threading.Lock, target: Path) -> None:
    """Write a copy of a database to a new file; it appears there whole, checked and synced.

    Parameters
    ----------
    connection
        The store's connection.
    connection_lock
        Held by whoever uses the connection; taken here for each portion.
    target
        A file that doesn't exist.

    Raises
    ------
    BackupError
        The target exists or can't be written, or the copy is damaged; nothing is left of it.
    """
    if target.exists():
        raise BackupError(f"{target} exists already; name a new file")
    unfinished = target.with_name(target.name + ".unfinished")
    try:
        # Made here and not by SQLite, which would let others read it.
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
        with contextlib.closing(sqlite3.connect(unfinished, isolation_level=None)) as copy:
            _copy(connection, connection_lock, copy)
            _finish(copy)
        move_durably(unfinished, target)
    except (sqlite3.Error, OSError) as error:
        raise BackupError(f"can't write the backup {target}: {error}; name a file elsewhere") from error
    finally:
        for leftover in (unfinished, unfinished.with_name(unfinished.name + "-journal")):
            leftover.unlink(missing_ok=True)


def _copy(connection: sqlite3.Connection, connection_lock: threading.Lock, copy: sqlite3.Connection) -> None:
    def let_others_in(_: int, remaining: int, __: int) -> None:
        if remaining:
            connection_lock.release()
            time.sleep(_PAUSE_S)  # a lock is not fair: without a pause this thread would take it again at once
            connection_lock.acquire()

    with connection_lock:
        connection.backup(copy, pages=PAGES_PER_PORTION, progress=let_others_in, sleep=_PAUSE_S)


def _finish(copy: sqlite3.Connection) -> None:
    """Make the copy one file that needs no log beside it, say in it that it is a copy, and check it."""
    copy.execute(statements.NO_LOG)
    copy.execute(statements.MARK_AS_COPY)
    problems = [str(row[0]) for row in copy.execute(statements.QUICK_CHECK)]
    if problems != ["ok"]:
        raise sqlite3.DatabaseError(f"the copy is damaged ({'; '.join(problems)})")
