"""The rows of the table ``jobs``, with their types: as they are read, and the two kinds that are written."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from meantime.errors import StoreCorruptError
from meantime.fields.kinds import is_time
from meantime.jobs.job import Job, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import Submission


class JobRow(NamedTuple):
    """A row as it is read; the fields are the columns."""

    number: int
    task: str
    arguments: str
    version: str
    owner: str
    idempotency_key: str | None
    checksum: int
    state: str
    attempt: int
    submitted_at: float
    started_at: float | None
    finished_at: float | None
    result_sha256: str | None
    result_size: int | None
    reason: str | None

    def is_whole(self) -> bool:
        """Whether the job is the one that was written: its number, its task, its owner and its key; and at a time."""
        task = Task(self.task, self.arguments, self.version)
        times = (self.submitted_at, self.started_at, self.finished_at)
        if not all(each is None or is_time(each) for each in times):
            return False
        return self.checksum == row_checksum(self.number, task, self.owner, self.idempotency_key)

    def to_job(self) -> Job:
        """Return the job.

        Raises
        ------
        StoreCorruptError
            What was asked for is no longer what was written, or the state or a time is none.
        """
        if not self.is_whole():
            raise StoreCorruptError(
                f"job {self.number} in the store is damaged (its checksum or a time); restore a backup"
            )
        return Job(
            number=self.number,
            task=Task(self.task, self.arguments, self.version),
            owner=self.owner,
            state=to_state(self.state),
            attempt=self.attempt,
            submitted_at=self.submitted_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
            result_sha256=self.result_sha256,
            result_size=self.result_size,
            reason=self.reason,
        )


class AcceptedRow(NamedTuple):
    """An accepted job, as the view ``batch`` takes it: it has no state yet."""

    number: int
    state: None
    task: str
    arguments: str
    version: str
    owner: str
    checksum: int
    submitted_at: float
    idempotency_key: str | None

    @classmethod
    def of(cls, number: int, submission: Submission) -> AcceptedRow:
        """Return the row of a submission under its number."""
        task, owner, key = submission.task, submission.owner, submission.idempotency_key
        checksum = row_checksum(number, task, owner, key)
        return cls(number, None, task.name, task.arguments, task.version, owner, checksum, submission.submitted_at, key)


class NoteRow(NamedTuple):
    """How a job stands, as the view ``batch`` takes it."""

    number: int
    state: str
    attempt: int
    started_at: float | None
    finished_at: float | None
    result_sha256: str | None
    result_size: int | None
    reason: str | None
    unused: None = None

    @classmethod
    def of(cls, job: Job) -> NoteRow:
        """Return the row of a job."""
        return cls(
            job.number,
            str(job.state),  # the driver takes long over a subclass of str
            job.attempt,
            job.started_at,
            job.finished_at,
            job.result_sha256,
            job.result_size,
            job.reason,
        )


BatchRow = AcceptedRow | NoteRow


def row_checksum(number: int, task: Task, owner: str, idempotency_key: str | None) -> int:
    """Return the CRC-32 of a job's number and what it was asked to do, so that a flipped byte is noticed."""
    text = "\x00".join((str(number), task.name, task.arguments, task.version, owner, idempotency_key or ""))
    return zlib.crc32(text.encode("utf-8"))


def to_state(text: str) -> JobState:
    """Return the state that a column names; StoreCorruptError when there is no such state."""
    try:
        return JobState(text)
    except ValueError:
        raise StoreCorruptError(f"the store holds the unknown job state {text!r}; restore a backup") from None
