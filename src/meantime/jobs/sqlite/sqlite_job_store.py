"""The job store on SQLite: one connection, one lock, group commit. The default adapter of ``job_store.py``.

Exactly one connection does all the work: SQLite before 3.51.3 can corrupt a WAL database that two connections write at
once. The two hot statements go to the driver; schema, migrations and lists go through SQLAlchemy. How a file
is opened, checked and migrated is in ``sqlite_opening.py``.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path

from meantime.errors import (
    StorageFullError,
    StoreCorruptError,
    StoreError,
    StoreUnavailableError,
)
from meantime.jobs.ballast import Ballast
from meantime.jobs.durations import Durations
from meantime.jobs.job import Job, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import EvictedJob, JobFilter, JobStore, Receipt, Submission
from meantime.jobs.sqlite.backup import copy_database
from meantime.jobs.sqlite.group_commit import GroupCommit
from meantime.jobs.sqlite.opening import open_database
from meantime.jobs.sqlite.queries import Query, evict_query, page_query
from meantime.jobs.state_lock import StateLock

_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_WITH_KEY = (
    "INSERT INTO jobs (number, task, arguments, version, owner, checksum, submitted_at, idempotency_key, state,"
    " attempt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0) ON CONFLICT DO NOTHING"
)
ROWS_PER_STATEMENT = 64
_SELECT_ONE = "SELECT * FROM jobs WHERE number = ?"
_SELECT_STATES = "SELECT number, state FROM jobs WHERE number > ? ORDER BY number LIMIT ?"
_SELECT_STATES_OF_OWNER = (
    "SELECT number, state FROM jobs WHERE number > ? AND owner = ? AND owner <> '' ORDER BY number LIMIT ?"
)
_SELECT_UNFINISHED = "SELECT * FROM jobs WHERE state IN ('queued', 'running') ORDER BY number"

_DURABLE = ("durable",)
_SOON = ("soon",)

_SYNC_ON_COMMIT = "PRAGMA synchronous = FULL"
_NO_SYNC_ON_COMMIT = "PRAGMA synchronous = NORMAL"

_Row = tuple[object, ...]
"""One row of the view batch: (number, state, then what a submission or a note carries)."""


def row_checksum(number: int, task: Task, owner: str, idempotency_key: str | None) -> int:
    """Return the CRC-32 of a job's number and what it was asked to do, so that a flipped byte is noticed."""
    text = "\x00".join((str(number), task.name, task.arguments, task.version, owner, idempotency_key or ""))
    return zlib.crc32(text.encode("utf-8"))


@lru_cache(ROWS_PER_STATEMENT)
def _batch_statement(count: int) -> str:
    return "INSERT INTO batch VALUES " + ", ".join([_ROW] * count)  # noqa: S608  # question marks only


def _text(value: object) -> str | None:
    return None if value is None else str(value)


class SqliteJobStore(JobStore):
    """Keeps jobs in ``<directory>/jobs.sqlite3``.

    Parameters
    ----------
    directory
        Made when it is missing, for this user alone.
    state_lock
        The directory's lock, if this process holds it already; the store frees it on closing.

    Raises
    ------
    StoreLockedError, StoreCorruptError, StoreVersionError, StoreUnavailableError, StorageFullError
        On opening, each with a line that says what to do; nothing that was found is overwritten.
    """

    def __init__(self, directory: Path, *, state_lock: StateLock | None = None) -> None:
        self._path = directory / "jobs.sqlite3"
        self._state_lock = state_lock or StateLock(directory)
        self._state_lock.acquire()
        try:
            self._connection = open_database(self._path)
        except BaseException:
            self._state_lock.release()
            raise
        self.commit_durations = Durations()
        self._ballast = Ballast(directory / "ballast")  # guarded by self._connection_lock
        with contextlib.suppress(StorageFullError):  # then nothing is accepted until there is room
            self._ballast.ensure()
        self._connection_lock = threading.Lock()
        self._syncs = True  # guarded by self._connection_lock; whether a commit syncs (PRAGMA synchronous)
        self._last_number = self._read_last_number()  # guarded by self._connection_lock
        self._broken: StoreError | None = None  # guarded by self._connection_lock; set once, never cleared
        self._closed = False  # guarded by self._connection_lock
        self._group: GroupCommit[Submission, _Row, Receipt] = GroupCommit(
            self._commit, is_final=lambda note: JobState(str(note[1])).is_final
        )

    # Writing -----------------------------------------------------------------------------------------------------

    def add(self, submission: Submission, on_durable: Callable[[Job], None]) -> Receipt:
        """Make a job durable; see JobStore.add."""
        receipt = self._group.commit_durably(submission)
        if receipt.is_new:
            on_durable(
                Job(
                    number=receipt.number,
                    task=submission.task,
                    owner=submission.owner,
                    submitted_at=submission.submitted_at,
                )
            )
        return receipt

    def record(self, job: Job, *, at_once: bool = False) -> None:
        """Write how a job stands; see JobStore.record."""
        note: _Row = (
            job.number,
            job.state,
            job.attempt,
            job.started_at,
            job.finished_at,
            job.result_sha256,
            job.result_size,
            job.reason,
            None,
        )
        self._group.note(job.number, note)
        if at_once:
            self.flush()

    def flush(self) -> None:
        """Write every note that waits; see JobStore.flush."""
        self._group.flush()

    def _commit(self, submissions: list[Submission], notes: list[_Row]) -> list[Receipt]:
        """Write one transaction; sync if it holds submissions. Called by the leader of a group."""
        with self._connection_lock:
            self._check_usable()
            started_at = time.perf_counter()
            try:
                if submissions:
                    self._ballast.ensure()
                return self._write(submissions, notes)
            except StorageFullError:
                self._write_notes(notes)
                raise
            except sqlite3.Error as error:
                failure = self._after_failure(error)
                if isinstance(failure, StorageFullError) and notes and self._ballast.throw():
                    self._write_notes(notes)
                    if not submissions:
                        return []
                raise failure from error
            finally:
                label = _DURABLE if submissions else _SOON
                self.commit_durations.add(label, time.perf_counter() - started_at)

    def _write(self, submissions: list[Submission], notes: list[_Row]) -> list[Receipt]:
        """Write and commit. Holds self._connection_lock.

        The driver gives the GIL away at every statement and, with many threads about, waits long to get it back. So a
        batch is one statement that is its own transaction: triggers of the view ``batch`` say what each row means.
        """
        if self._syncs != bool(submissions):
            self._syncs = bool(submissions)
            self._connection.execute(_SYNC_ON_COMMIT if self._syncs else _NO_SYNC_ON_COMMIT)
        receipts, rows = self._number(submissions)
        rows += notes
        chunks = [rows[start : start + ROWS_PER_STATEMENT] for start in range(0, len(rows), ROWS_PER_STATEMENT)]
        if len(chunks) > 1:
            self._connection.execute("BEGIN IMMEDIATE")
        for chunk in chunks:
            self._connection.execute(_batch_statement(len(chunk)), tuple(chain.from_iterable(chunk)))
        if len(chunks) > 1:
            self._connection.execute("COMMIT")
        return receipts

    def _write_notes(self, notes: list[_Row]) -> None:
        """Write how jobs ended, into the space that the ballast kept. Holds self._connection_lock."""
        try:
            self._write([], notes)
        except sqlite3.Error as error:
            raise self._after_failure(error) from error

    def _number(self, submissions: list[Submission]) -> tuple[list[Receipt], list[_Row]]:
        """Give each submission its number; return the receipts and the rows to write. Holds self._connection_lock."""
        receipts: list[Receipt] = []
        rows: list[_Row] = []
        for submission in submissions:
            # A number stays used when the write fails: a gap is harmless, a second use is not.
            self._last_number += 1
            number, task, owner, key = (
                self._last_number,
                submission.task,
                submission.owner,
                submission.idempotency_key,
            )
            content = (task.name, task.arguments, task.version, owner, row_checksum(number, task, owner, key))
            if key is None:
                rows.append((number, None, *content, submission.submitted_at, None))
                receipts.append(Receipt(number, is_new=True))
            else:
                receipts.append(self._insert_with_key((number, *content, submission.submitted_at, key), owner, key))
        return receipts, rows

    def _insert_with_key(self, row: _Row, owner: str, key: str) -> Receipt:
        """Insert one job unless its owner has used the key before. Holds self._connection_lock."""
        if self._connection.execute(_INSERT_WITH_KEY, row).rowcount == 1:
            return Receipt(self._last_number, is_new=True)
        self._last_number -= 1
        found = self._connection.execute(
            "SELECT number FROM jobs WHERE owner = ? AND idempotency_key = ?", (owner, key)
        ).fetchone()
        if found is None:
            raise sqlite3.DatabaseError(f"job number {row[0]} is taken")
        return Receipt(int(found[0]), is_new=False)

    def _after_failure(self, error: sqlite3.Error) -> StoreError:
        """Roll back and say what went wrong. Holds self._connection_lock."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as rollback_error:
            error.add_note(f"rolling back failed too: {rollback_error}")
            self._broken = StoreUnavailableError(f"the job store can't roll back ({error}); restart the server")
            return self._broken
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            return StorageFullError(f"storage full: no space is left for {self._path}; free some space")
        # After a failed sync nobody knows what is on disk, and the next sync may seem to succeed. So: stop.
        self._broken = StoreUnavailableError(
            f"the job store {self._path} failed ({error}); nothing more is accepted until the server is restarted"
        )
        return self._broken

    def _check_usable(self) -> None:
        """Raise when the store is broken or closed. Holds self._connection_lock."""
        if self._broken is not None:
            raise self._broken
        if self._closed:
            raise StoreUnavailableError("the job store is closed; restart the server")

    def evict(self, *, finished_before: float | None, keep_count: int | None, limit: int) -> Sequence[EvictedJob]:
        """Delete finished jobs; see JobStore.evict."""
        self._flush_before_reading()
        with self._connection_lock:
            newest = self._last_number
        query = evict_query(finished_before, None if keep_count is None else newest - keep_count, limit)
        evicted = [EvictedJob(int(str(number)), _text(sha256)) for number, sha256 in self._read(query)]
        if evicted:
            with self._connection_lock:
                self._check_usable()
                try:
                    self._connection.execute("BEGIN IMMEDIATE")
                    self._connection.executemany(
                        "DELETE FROM jobs WHERE number = ?", [(job.number,) for job in evicted]
                    )
                    self._connection.execute("COMMIT")
                except sqlite3.Error as error:
                    raise self._after_failure(error) from error
        return evicted

    # Reading -----------------------------------------------------------------------------------------------------

    def get(self, number: int) -> Job | None:
        """Return one job as recorded, or None."""
        if self._group.has_note(number):
            self._flush_before_reading()
        found = self._read(Query(_SELECT_ONE, (number,)))
        return self._to_job(found[0]) if found else None

    def unfinished(self) -> list[Job]:
        """Return every job that has not ended, by number."""
        self._flush_before_reading()
        return [self._to_job(row) for row in self._read(Query(_SELECT_UNFINISHED, ()))]

    def states_after(self, number: int, limit: int, *, owner: str | None = None) -> list[tuple[int, JobState]]:
        """Return (number, state) pairs, ascending; see JobStore.states_after."""
        self._flush_before_reading()
        if owner is None:
            rows = self._read(Query(_SELECT_STATES, (number, limit)))
        else:
            rows = self._read(Query(_SELECT_STATES_OF_OWNER, (number, owner, limit)))
        return [(int(str(row[0])), self._to_state(row[1])) for row in rows]

    def page(self, job_filter: JobFilter, *, before: int | None, limit: int) -> list[Job]:
        """Return jobs, newest first; see JobStore.page."""
        self._flush_before_reading()
        return [self._to_job(row) for row in self._read(page_query(job_filter, before=before, limit=limit))]

    def back_up(self, target: Path) -> None:
        """Write a consistent copy of the store; see JobStore.back_up."""
        self._flush_before_reading()
        with self._connection_lock:
            self._check_usable()
        copy_database(self._connection, self._connection_lock, target)

    def is_sound(self) -> bool:
        """Whether writes can be trusted."""
        with self._connection_lock:
            return self._broken is None and not self._closed

    def close(self) -> None:
        """Write what is pending, fold the log into the database and free the state directory."""
        notes = self._group.take_notes()
        with self._connection_lock:
            if self._closed:
                return
            self._closed = True
            try:
                if notes and self._broken is None:
                    self._write([], notes)
            except sqlite3.Error as error:
                # The jobs in question run again at the next start.
                self._broken = self._after_failure(error)
            try:
                self._connection.close()
            finally:
                self._state_lock.release()

    def _read(self, query: Query) -> list[tuple[object, ...]]:
        """Run a SELECT statement."""
        with self._connection_lock:
            if self._closed:
                raise StoreUnavailableError("the job store is closed; restart the server")
            try:
                return self._connection.execute(query.statement, query.parameters).fetchall()
            except sqlite3.Error as error:
                raise self._after_failure(error) from error

    def _flush_before_reading(self) -> None:
        """Write the notes that wait, so that what is read is up to date; where that fails, reading still works."""
        with contextlib.suppress(StoreError):
            self.flush()

    def _read_last_number(self) -> int:
        """Return the greatest number ever used, also when its job is gone."""
        found = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'").fetchone()
        return int(found[0]) if found else 0

    def _to_state(self, text: object) -> JobState:
        try:
            return JobState(str(text))
        except ValueError:
            raise StoreCorruptError(f"{self._path} holds the unknown job state {text!r}; restore a backup") from None

    def _to_job(self, row: tuple[object, ...]) -> Job:
        """Make a snapshot of one row, in the order of the table.

        Raises
        ------
        StoreCorruptError
            What the job was asked to do is no longer what was written.
        """
        number, name, arguments, version, owner, key, checksum, state, attempt, submitted, *ending = row
        task = Task(str(name), str(arguments), str(version))
        if row_checksum(int(str(number)), task, str(owner), None if key is None else str(key)) != checksum:
            raise StoreCorruptError(f"job {number} in {self._path} is damaged (checksum differs); restore a backup")
        started, finished, sha256, size, reason = ending
        return Job(
            number=int(str(number)),
            task=task,
            owner=str(owner),
            state=self._to_state(state),
            attempt=int(str(attempt)),
            submitted_at=float(str(submitted)),
            started_at=None if started is None else float(str(started)),
            finished_at=None if finished is None else float(str(finished)),
            result_sha256=_text(sha256),
            result_size=None if size is None else int(str(size)),
            reason=_text(reason),
        )
