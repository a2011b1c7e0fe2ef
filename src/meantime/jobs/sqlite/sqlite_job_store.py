"""The job store on SQLite: one connection, one lock, group commit. The default adapter of ``job_store.py``.

Exactly one connection does all the work: SQLite before 3.51.3 can corrupt a WAL database that two connections write at
once. All SQL is in ``statements.py``; how a file is opened, checked and upgraded is in ``opening.py``.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from meantime.errors import StorageFullError, StoreError, StoreUnavailableError
from meantime.jobs.durations import Durations
from meantime.jobs.job import Job
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import HIGHEST_NUMBER, EndedJob, EndedTotals, JobFilter, JobStore, Receipt, Submission
from meantime.jobs.sqlite import statements
from meantime.jobs.sqlite.copies import copy_database
from meantime.jobs.sqlite.group_commit import GroupCommit
from meantime.jobs.sqlite.high_water_mark import HighWaterMark
from meantime.jobs.sqlite.job_rows import AcceptedRow, BatchRow, JobRow, NoteRow, to_state
from meantime.jobs.sqlite.opening import log_new_range, open_database
from meantime.jobs.sqlite.statements import Query
from meantime.jobs.sqlite.store_connection import StoreConnection, in_chunks
from meantime.jobs.state_directory import SpareSpace, StateLock

_DURABLE = ("durable",)
_SOON = ("soon",)

Key = tuple[str, str]
"""An owner and its idempotency key."""


class _Addition(NamedTuple):
    """A submission that waits for its commit, and whom to tell of its job."""

    submission: Submission
    on_durable: Callable[[Job], None]


class _StateRow(NamedTuple):
    number: int
    state: str


def _key_of(submission: Submission) -> Key | None:
    return None if submission.idempotency_key is None else (submission.owner, submission.idempotency_key)


def _numbers_of_keys(connection: sqlite3.Connection, keys: list[Key]) -> dict[Key | None, int]:
    """Return the numbers of those keys that have a job."""
    found: dict[Key | None, int] = {}
    for chunk in in_chunks(keys):
        query = statements.numbers_of_keys(len(chunk))
        for owner, key, number in connection.execute(query, tuple(chain.from_iterable(chunk))):
            found[owner, key] = number
    return found


def _delete(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Delete those of the jobs that have ended, in one transaction."""
    if numbers:
        connection.execute(statements.BEGIN)
        connection.executemany(statements.DELETE_ENDED_JOB, [(number,) for number in numbers])
        connection.execute(statements.COMMIT)


def _spare_space(directory: Path) -> SpareSpace:
    """Have the spare space of a state directory taken, if there is room for it; else nothing is accepted until then."""
    path = directory / "spare-space"
    with contextlib.suppress(FileNotFoundError):
        (directory / "ballast").rename(path)  # its name in earlier releases
    space = SpareSpace(path)
    with contextlib.suppress(StorageFullError):
        space.ensure()
    return space


class SqliteJobStore(JobStore):
    """Keeps jobs in ``<directory>/jobs.sqlite3``.

    Parameters
    ----------
    directory
        Made when it is missing, for this user alone.
    state_lock
        The directory's lock, if this process holds it already; the store frees it on closing.
    highest_result
        See ``opening.open_database``; asked when the directory is locked.

    Raises
    ------
    StoreLockedError, StoreCorruptError, StoreVersionError, StoreUnavailableError, StorageFullError
        On opening, each with a line that says what to do; nothing that was found is overwritten.
    """

    def __init__(
        self,
        directory: Path,
        *,
        state_lock: StateLock | None = None,
        highest_result: Callable[[], int] = lambda: 0,
    ) -> None:
        self._state_lock = state_lock or StateLock(directory)
        self._state_lock.acquire()
        with contextlib.ExitStack() as undo:
            undo.callback(self._state_lock.release)
            self._mark = HighWaterMark(directory / "high-water-mark")
            path = directory / "jobs.sqlite3"
            opened = open_database(path, self._mark, highest_result=highest_result)
            log_new_range(opened, path)
            undo.callback(self._mark.close)
            undo.callback(opened.connection.close)
            self._spare_space = _spare_space(directory)  # guarded by self._connection.lock
            undo.pop_all()
        self._connection = StoreConnection(opened.connection, path)
        self._last_number = opened.last_number  # guarded by self._connection.lock
        self._range_start = opened.range_start  # written before use, read-only after
        self.commit_durations = Durations()
        self._group: GroupCommit[_Addition, Job, Receipt] = GroupCommit(
            self._commit, is_final=lambda job: job.state.is_final
        )

    # Writing ----------------------------------------------------------------------------------------------------------

    def add(self, submission: Submission, on_durable: Callable[[Job], None] = lambda _: None) -> Receipt:
        """Make a job durable, unless its key has one; see JobStore.add."""
        return self._group.commit_durably(_Addition(submission, on_durable))

    def record(self, job: Job, *, at_once: bool = False) -> None:
        """Write how a job stands; see JobStore.record."""
        self._group.note(job.number, job)
        if at_once:
            self._group.flush()

    def flush(self) -> None:
        """Write every note that waits; see JobStore.flush."""
        self._group.flush()
        self._mark.sync()

    def _commit(self, additions: list[_Addition], noted: list[Job]) -> list[Receipt]:
        """Write one transaction; sync if it holds new jobs. Called by the leader of a group."""
        notes = [NoteRow.of(job) for job in noted]
        with self._connection.held() as connection:
            started_at = time.perf_counter()
            try:
                if additions:
                    self._spare_space.ensure()
                    return self._accept(connection, additions, notes)
                self._write_notes(notes)
                return []
            finally:
                label = _DURABLE if additions else _SOON
                self.commit_durations.add(label, time.perf_counter() - started_at)

    def _accept(
        self, connection: sqlite3.Connection, additions: list[_Addition], notes: list[NoteRow]
    ) -> list[Receipt]:
        """Commit new jobs, and tell of them. Holds the connection."""
        keys = [key for each in additions if (key := _key_of(each.submission)) is not None]
        receipts = self._number(additions, _numbers_of_keys(connection, keys) if keys else {})
        new = [(number, added) for (number, is_new), added in zip(receipts, additions, strict=True) if is_new]
        rows: list[BatchRow] = [AcceptedRow.of(number, submission) for number, (submission, _) in new]
        rows += notes
        self._connection.write(rows, syncs=bool(new))
        if new:
            self._mark.raise_to(self._last_number)
        for number, (submission, on_durable) in new:
            on_durable(
                Job(
                    number=number,
                    task=submission.task,
                    owner=submission.owner,
                    submitted_at=submission.submitted_at,
                    request_id=submission.request_id,
                )
            )
        return receipts

    def _number(self, additions: list[_Addition], known: dict[Key | None, int]) -> list[Receipt]:
        """Give each addition its number, or that of the job that its key is known to have. Holds the connection."""
        receipts = []
        for submission, _ in additions:
            key = _key_of(submission)
            if key in known:
                receipts.append(Receipt(known[key], is_new=False))
                continue
            if self._last_number >= HIGHEST_NUMBER:
                raise StoreUnavailableError(
                    f"no job id is left: numbers end at {HIGHEST_NUMBER}; begin a new store with another --state-dir"
                )
            # A number stays used when the write fails: a gap is harmless, a second use is not.
            self._last_number += 1
            if key is not None:
                known[key] = self._last_number
            receipts.append(Receipt(self._last_number, is_new=True))
        return receipts

    def _write_notes(self, notes: list[NoteRow]) -> None:
        """Commit how jobs stand; on a full disk, in the room of the spare space. Holds the connection."""
        try:
            self._connection.write(notes, syncs=False)
        except sqlite3.Error as error:
            failure = self._connection.after_failure(error)
            if not isinstance(failure, StorageFullError) or not self._spare_space.release():
                raise failure from error
            self._connection.write(notes, syncs=False)

    def evict(self, *, keep_count: int, limit: int) -> Sequence[EndedJob]:
        """Delete finished jobs; see JobStore.evict."""
        self._flush_before_reading()
        with self._connection.held() as connection:
            query = statements.ended_up_to(self._newest_beyond(connection, keep_count), limit)
            evicted = [EndedJob(*row) for row in connection.execute(query.statement, query.parameters)]
            _delete(connection, [job.number for job in evicted])
        return evicted

    def ended_after(self, number: int, limit: int) -> Sequence[EndedJob]:
        """Return finished jobs, ascending; see JobStore.ended_after."""
        self._flush_before_reading()
        return self._connection.read(statements.ended_after(number, limit), EndedJob)

    def ended_totals(self) -> EndedTotals:
        """Return what finished jobs come to; see JobStore.ended_totals."""
        self._flush_before_reading()
        return self._connection.read(statements.ENDED_TOTALS, EndedTotals)[0]

    def delete(self, numbers: Sequence[int]) -> None:
        """Delete finished jobs; see JobStore.delete."""
        self._flush_before_reading()
        with self._connection.held() as connection:
            _delete(connection, numbers)

    def _newest_beyond(self, connection: sqlite3.Connection, keep_count: int) -> int:
        """Return the number up to which jobs are beyond the newest so many. Holds the connection."""
        number = self._last_number - keep_count
        if number < self._range_start:  # the kept ones reach over a gap in the numbers, so they are counted
            found = connection.execute(statements.NEWEST_BEYOND, (keep_count,)).fetchone()
            number = found[0] if found else 0
        return number

    # Reading ----------------------------------------------------------------------------------------------------------

    def get(self, number: int) -> Job | None:
        """Return one job as recorded, or None."""
        if not 0 < number <= HIGHEST_NUMBER:
            return None
        if self._group.has_note(number):
            self._flush_before_reading()
        found = self._read_jobs(statements.one_job(number))
        return found[0] if found else None

    def unfinished(self) -> list[Job]:
        """Return every job that has not ended, by number."""
        self._flush_before_reading()
        return self._read_jobs(statements.UNFINISHED_JOBS)

    def states_after(self, number: int, limit: int, *, owner: str | None = None) -> list[tuple[int, JobState]]:
        """Return (number, state) pairs, ascending; see JobStore.states_after."""
        self._flush_before_reading()
        found = self._connection.read(statements.states_after(number, owner, limit), _StateRow)
        return [(row.number, to_state(row.state)) for row in found]

    def page(self, job_filter: JobFilter, *, before: int | None, limit: int) -> list[Job]:
        """Return jobs, newest first; see JobStore.page."""
        self._flush_before_reading()
        return self._read_jobs(statements.page_of_jobs(job_filter, before=before, limit=limit))

    def back_up(self, target: Path, *, enclosed: Mapping[str, str] | None = None) -> None:
        """Write a consistent copy of the store; see JobStore.back_up."""
        self._flush_before_reading()
        with self._connection.held() as connection:  # raises when it can't be used
            lock = self._connection.lock
        copy_database(connection, lock, target, enclosed=enclosed or {})

    def is_sound(self) -> bool:
        """Whether a job could be accepted; see JobStore.is_sound."""
        with self._connection.lock:
            can_accept = self._last_number < HIGHEST_NUMBER
            try:
                self._spare_space.ensure()
            except StoreError:
                can_accept = False
        return can_accept and self._connection.is_sound()

    def close(self) -> None:
        """Write what is pending, fold the log into the database and free the state directory."""
        self._flush_before_reading()  # a job whose note can't be written runs again at the next start
        try:
            if self._connection.close():
                self._mark.close()
        finally:
            self._state_lock.release()

    def _read_jobs(self, query: Query) -> list[Job]:
        """Run a SELECT statement for whole jobs."""
        return [row.to_job() for row in self._connection.read(query, JobRow)]

    def _flush_before_reading(self) -> None:
        """Write the notes that wait, so that what is read is up to date; where that fails, reading still works."""
        with contextlib.suppress(StoreError):
            self._group.flush()
