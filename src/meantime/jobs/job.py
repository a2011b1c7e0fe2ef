"""What is run and how it stands: Task, Job, EncodedResult. Plain values; no threads are started here."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from meantime.errors import JobCancelledError, TimeLimitError
from meantime.jobs.job_state import JobState, check_transition
from meantime.jobs.latch import Latch


@dataclass(frozen=True, slots=True)
class Task:
    """What to call, with arguments.

    ``arguments`` is canonical JSON text, so that equal tasks compare equal; ``version`` names the data that the
    task is about. A task must give the same result whenever it is run.
    """

    name: str
    arguments: str
    version: str


@dataclass(frozen=True, slots=True)
class EncodedResult:
    """A result as it is stored and sent: bytes and their SHA-256 in hexadecimal."""

    content: bytes
    sha256: str

    @classmethod
    def of(cls, content: bytes) -> EncodedResult:
        """Wrap bytes and compute their checksum."""
        return cls(content, hashlib.sha256(content).hexdigest())


@dataclass(slots=True, eq=False)
class Job:
    """One accepted task.

    Times are seconds since the epoch (UTC). A job that the pool holds is changed only by the pool
    (guarded by ThreadPool._lock); one that was read from the store is a snapshot.
    """

    number: int
    task: Task
    owner: str = ""
    state: JobState = JobState.QUEUED
    attempt: int = 0
    submitted_at: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None
    result_sha256: str | None = None
    result_size: int | None = None  # bytes
    reason: str | None = None  # why it failed or was cancelled
    request_id: str = ""  # of the request that was accepted; not stored
    cancel_requested: bool = False
    runner: threading.Thread | None = field(default=None, repr=False)  # the thread that runs it
    overdue_at: float | None = None  # monotonic seconds; from then on its runner is given up
    finished: Latch = field(default_factory=Latch, repr=False)  # opened once the state is final

    def move_to(self, state: JobState) -> None:
        """Change the state along the table of transitions.

        Raises
        ------
        IllegalTransitionError
            The table has no such step; the job is unchanged.
        """
        check_transition(self.state, state)
        self.state = state


class Checkpoint:
    """What a running task calls now and then, so that it can be stopped.

    Parameters
    ----------
    is_cancelled
        Says whether somebody wants the job to end.
    time_limit_s
        Seconds the task may run, or None.
    monotonic
        The clock that limits are measured on, seconds.
    """

    def __init__(
        self,
        is_cancelled: Callable[[], bool],
        time_limit_s: float | None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_cancelled = is_cancelled
        self._monotonic = monotonic
        self.time_limit_s = time_limit_s
        self.deadline = None if time_limit_s is None else monotonic() + time_limit_s

    def __call__(self) -> None:
        """Return, or raise when the task must stop.

        Raises
        ------
        JobCancelledError
            Somebody cancelled the job.
        TimeLimitError
            The time limit has passed.
        """
        if self._is_cancelled():
            raise JobCancelledError("the job was cancelled")
        if self.deadline is not None and self._monotonic() > self.deadline:
            raise TimeLimitError(f"timeout: the job ran longer than {self.time_limit_s:g} s")


Perform = Callable[[Task, Checkpoint], EncodedResult]
"""Runs a task. It may raise anything: the runner records the failure and lives on."""
