"""The one connection of a store and its lock: one user at a time, and what a failure means. Which SQL runs isn't known.

After a failed write or sync nobody knows what is on disk, and the next sync may seem to succeed. So the connection is
then broken for good, but for a full disk, which leaves everything as it was.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TypeVar

from meantime.errors import StorageFullError, StoreError, StoreUnavailableError
from meantime.jobs.sqlite import statements
from meantime.jobs.sqlite.job_rows import BatchRow
from meantime.jobs.sqlite.statements import ROWS_PER_STATEMENT, Query

Row = TypeVar("Row")

SQLITE_VERSION = sqlite3.sqlite_version

_FIXED = (3, 51, 3)
_FIXED_IN_BRANCH = {(3, 50): 7, (3, 44): 6}


def has_wal_reset_bug(version: str = SQLITE_VERSION) -> bool:
    """Return whether two connections of this SQLite that write at once can corrupt a WAL database.

    Every release from 3.7.0 to 3.51.2 has the bug, but for 3.50.7 and later 3.50s and 3.44.6 and later 3.44s
    (sqlite.org/wal.html#walresetbug). A server of Meantime has one connection, which can't run into it.

    Examples
    --------
    >>> has_wal_reset_bug("3.40.1"), has_wal_reset_bug("3.50.7"), has_wal_reset_bug("3.51.3")
    (True, False, False)
    """
    major, minor, patch = (int(part) for part in version.split(".")[:3])
    if (major, minor, patch) >= _FIXED or (major, minor) < (3, 7):
        return False
    fixed_patch = _FIXED_IN_BRANCH.get((major, minor))
    return fixed_patch is None or patch < fixed_patch


def in_chunks(rows: Sequence[Row]) -> list[Sequence[Row]]:
    """Return rows as one statement takes them, ROWS_PER_STATEMENT at a time."""
    return [rows[start : start + ROWS_PER_STATEMENT] for start in range(0, len(rows), ROWS_PER_STATEMENT)]


class StoreConnection:
    """A connection that threads share.

    Parameters
    ----------
    connection
        In autocommit mode; syncs on commit.
    path
        The database, for messages.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection  # guarded by self.lock
        self._path = path
        self.lock = threading.Lock()
        self._syncs = True  # guarded by self.lock; whether a commit syncs (PRAGMA synchronous)
        self._broken: StoreError | None = None  # guarded by self.lock; set once, never cleared
        self._closed = False  # guarded by self.lock

    @contextmanager
    def held(self, *, to_read: bool = False) -> Iterator[sqlite3.Connection]:
        """Give the connection, locked. What SQLite raises meanwhile is rolled back and becomes a StoreError.

        A broken connection can still be used ``to_read``.
        """
        with self.lock:
            if self._closed:
                raise StoreUnavailableError("the job store is closed; restart the server")
            if self._broken is not None and not to_read:
                raise self._broken
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise self.after_failure(error) from error

    def write(self, rows: Sequence[BatchRow], *, syncs: bool) -> None:
        """Write and commit: one statement that is its own transaction, where it can be. The caller holds it."""
        if self._syncs != syncs:
            self._connection.execute(statements.SYNC_ON_COMMIT if syncs else statements.NO_SYNC_ON_COMMIT)
            self._syncs = syncs
        if len(rows) <= ROWS_PER_STATEMENT:
            self._insert(rows)
            return
        self._connection.execute(statements.BEGIN)
        for chunk in in_chunks(rows):
            self._insert(chunk)
        self._connection.execute(statements.COMMIT)

    def _insert(self, rows: Sequence[BatchRow]) -> None:
        if rows:
            self._connection.execute(statements.insert_batch(len(rows)), tuple(chain.from_iterable(rows)))

    def read(self, query: Query, make_row: Callable[..., Row]) -> list[Row]:
        """Run a SELECT statement; ``make_row`` takes its columns."""
        with self.held(to_read=True) as connection:
            rows = connection.execute(query.statement, query.parameters).fetchall()
        return [make_row(*row) for row in rows]

    def after_failure(self, error: sqlite3.Error) -> StoreError:
        """Roll back and return what went wrong. The caller holds it."""
        try:
            if self._connection.in_transaction:
                self._connection.execute(statements.ROLLBACK)
        except sqlite3.Error as rollback_error:
            error.add_note(f"rolling back failed too: {rollback_error}")
            self._broken = StoreUnavailableError(f"the job store can't roll back ({error}); restart the server")
            return self._broken
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            return StorageFullError(f"storage full: no space is left for {self._path}; free some space")
        self._broken = StoreUnavailableError(
            f"the job store {self._path} failed ({error}); nothing more is accepted until the server is restarted"
        )
        return self._broken

    def is_sound(self) -> bool:
        """Whether it can be written."""
        with self.lock:
            return self._broken is None and not self._closed

    def close(self) -> bool:
        """Fold the log into the database and close it; return False when it was closed before."""
        with self.lock:
            was_open, self._closed = not self._closed, True
            if was_open:
                self._connection.close()
            return was_open
