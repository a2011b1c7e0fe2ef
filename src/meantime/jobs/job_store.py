"""The port through which jobs are kept. Adapters: ``sqlite_job_store.py``.

What an adapter must hold: ``add`` returns only when the job would survive a power cut; numbers count up from 1 and are
never used twice, whatever is deleted; a final state is never overwritten.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from meantime.jobs.job import Job, Task
from meantime.jobs.job_state import JobState


@dataclass(frozen=True, slots=True)
class Submission:
    """A task on its way to becoming a job. ``submitted_at`` is in seconds since the epoch."""

    task: Task
    submitted_at: float
    owner: str = ""
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs a list shows; None stands for all. ``submitted_since`` is in seconds since the epoch."""

    owner: str | None = None
    state: JobState | None = None
    task_name: str | None = None
    submitted_since: float | None = None


@dataclass(frozen=True, slots=True)
class EvictedJob:
    """A finished job that the store no longer holds."""

    number: int
    result_sha256: str | None


class JobStore(ABC):
    """Keeps jobs durably. Every method may be called from any thread.

    Every method may raise a StoreError: StorageFullError when there is no space (try again later),
    StoreUnavailableError once a write or a sync has failed (restart the server).
    """

    @abstractmethod
    def add(self, submission: Submission) -> int:
        """Make a job durable and return its number.

        Raises
        ------
        IdempotencyConflictError
            The owner has used this idempotency key before; it carries that job's number.
        """

    @abstractmethod
    def record(self, job: Job, *, at_once: bool = False) -> None:
        """Write how a job stands; it survives the end of the process, not a power cut.

        With ``at_once`` it is written before this returns, otherwise with the next commit. A job whose final state is
        already recorded is left as it is.
        """

    @abstractmethod
    def get(self, number: int) -> Job | None:
        """Return one job as recorded, or None."""

    @abstractmethod
    def unfinished(self) -> list[Job]:
        """Return every job that has not ended, by number."""

    @abstractmethod
    def states_after(self, number: int, limit: int) -> list[tuple[int, JobState]]:
        """Return up to ``limit`` (number, state) pairs of jobs with a greater number, ascending."""

    @abstractmethod
    def page(self, job_filter: JobFilter, *, before: int | None, limit: int) -> list[Job]:
        """Return up to ``limit`` jobs with a number below ``before``, newest first."""

    @abstractmethod
    def evict(self, *, finished_before: float | None, keep_count: int | None, limit: int) -> Sequence[EvictedJob]:
        """Delete up to ``limit`` finished jobs that ended before a time or exceed a count, oldest first."""

    @abstractmethod
    def is_sound(self) -> bool:
        """Whether writes can be trusted; False for good once a write or a sync has failed."""

    @abstractmethod
    def close(self) -> None:
        """Write what is pending and let go of the store. Closing twice is harmless."""
