"""The port through which jobs are kept. Adapters: ``sqlite_job_store.py``.

What an adapter must hold: ``add`` returns only when the job would survive a power cut; numbers count up from 1 and are
never used twice, whatever is deleted, lost or restored; a final state is never overwritten.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from meantime.jobs.durations import Durations
from meantime.jobs.job import Job, Task
from meantime.jobs.job_state import JobState

HIGHEST_NUMBER = 2**53 - 1
"""No job has a greater number: JSON readers that hold numbers as doubles are exact up to here."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A task on its way to becoming a job. ``submitted_at`` is in seconds since the epoch."""

    task: Task
    submitted_at: float
    owner: str = ""
    idempotency_key: str | None = None
    request_id: str = ""  # of the request that it comes from; not stored


class Receipt(NamedTuple):
    """The number of a submission's job; ``is_new`` is False when its idempotency key had that job before."""

    number: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs a list shows; None stands for all.

    ``version_prefix`` is how the version of a job's task begins; ``submitted_since`` is in seconds since the epoch.
    """

    owner: str | None = None
    state: JobState | None = None
    task_name: str | None = None
    version_prefix: str | None = None
    submitted_since: float | None = None


@dataclass(frozen=True, slots=True)
class EndedJob:
    """A finished job, as far as it matters to whoever decides what is kept."""

    number: int
    finished_at: float
    result_sha256: str | None
    result_bytes: int


class EndedTotals(NamedTuple):
    """All finished jobs together; ``newest_at`` is when the last one ended, in seconds since the epoch."""

    job_count: int
    result_bytes: int
    newest_at: float | None


class JobStore(ABC):
    """Keeps jobs durably. Every method may be called from any thread.

    Every method may raise a StoreError: StorageFullError when there is no space (try again later),
    StoreUnavailableError once a write or a sync has failed (restart the server).
    """

    commit_durations: Durations
    """How long commits took: ``durable`` with a sync, ``soon`` without."""

    @abstractmethod
    def add(self, submission: Submission, on_durable: Callable[[Job], None] = lambda _: None) -> Receipt:
        """Make a job durable, unless its owner has used its idempotency key before.

        Parameters
        ----------
        submission
            What the job is to do.
        on_durable
            Called with the new job, queued, once it is durable and before anybody can read it from the store or hear
            that it has the key; not called when there is no new job. Jobs come in the order of their numbers, one at a
            time, perhaps in another caller's thread, while the store is locked: it must neither call the store, nor
            wait for somebody who does, nor raise. Locks are taken in the order store, pool.

        Returns
        -------
        Receipt
            Of the new job, or of the one that has the key.

        Raises
        ------
        StoreUnavailableError
            Also when no number up to HIGHEST_NUMBER is left.
        """

    @abstractmethod
    def record(self, job: Job, *, at_once: bool = False) -> None:
        """Write how a job stands; it survives the end of the process, not a power cut.

        With ``at_once`` it is written before this returns, otherwise with the next commit or ``flush``. Reading sees it
        in either case. A job whose final state is already recorded is left as it is.
        """

    @abstractmethod
    def flush(self) -> None:
        """Write what ``record`` has left for later."""

    @abstractmethod
    def get(self, number: int) -> Job | None:
        """Return one job as recorded, or None; any whole number may be asked for."""

    @abstractmethod
    def unfinished(self) -> list[Job]:
        """Return every job that has not ended, by number."""

    @abstractmethod
    def states_after(self, number: int, limit: int, *, owner: str | None = None) -> list[tuple[int, JobState]]:
        """Return up to ``limit`` (number, state) pairs of jobs with a greater number, ascending; None: all owners'."""

    @abstractmethod
    def page(self, job_filter: JobFilter, *, before: int | None, limit: int) -> list[Job]:
        """Return up to ``limit`` jobs with a number below ``before``, newest first."""

    @abstractmethod
    def evict(self, *, keep_count: int, limit: int) -> Sequence[EndedJob]:
        """Delete up to ``limit`` finished jobs that exceed a count of jobs, oldest first, and return them."""

    @abstractmethod
    def ended_after(self, number: int, limit: int) -> Sequence[EndedJob]:
        """Return up to ``limit`` finished jobs with a greater number, ascending."""

    @abstractmethod
    def ended_totals(self) -> EndedTotals:
        """Return what finished jobs come to; it reads them all."""

    @abstractmethod
    def delete(self, numbers: Sequence[int]) -> None:
        """Delete finished jobs; one that has not ended stays."""

    @abstractmethod
    def is_sound(self) -> bool:
        """Whether jobs can be accepted: not while there is no room, and never again after a failed write or sync."""

    @abstractmethod
    def back_up(self, target: Path, *, enclosed: Mapping[str, str] | None = None) -> None:
        """Write a consistent copy of the store to a new file, while jobs go on being accepted.

        ``enclosed`` are texts by name that lie in the copy for whoever restores it; the store doesn't know what they
        mean.

        A copy that is opened as a store begins a range of numbers of its own, far above those given so far: however
        often it is restored, no number is given a second time.

        Raises
        ------
        BackupError
            The file exists already or can't be written; nothing is left of it.
        """

    @abstractmethod
    def close(self) -> None:
        """Write what is pending and let go of the store. Closing twice is harmless."""
