"""What is run and how it stands: Task, Job and its id, EncodedResult, Checkpoint. Plain values, no threads."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from meantime.errors import JobCancelledError, TimeLimitError, UnknownJobError
from meantime.jobs.job_state import JobState

_JOB_ID = re.compile(r"(?:job_id_)?([1-9][0-9]{0,17})", re.ASCII)


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


class Job(NamedTuple):
    """One accepted task, as it stood at one moment. It never changes: whoever wants to know more asks the pool again.

    Read by name, and made by name. A tuple, since one is made for every step: a frozen dataclass takes twice as long.
    Times are seconds since the epoch (UTC); ``result_size`` is in bytes; ``reason`` says why it failed or was
    cancelled; ``request_id`` is that of the request that was accepted, and isn't stored.
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
    result_size: int | None = None
    reason: str | None = None
    request_id: str = ""

    def evolve(self, **changes: Any) -> Job:  # noqa: ANN401  # each field has its own type
        """Return the job with some fields changed. Whether a state may follow another is the pool's to check."""
        return self._replace(**changes)


def job_number(job_id: str) -> int:
    """Return the number in an id, ``job_id_7`` or ``7``.

    Raises
    ------
    UnknownJobError
        It isn't an id.

    Examples
    --------
    >>> job_number("job_id_7"), job_number("7")
    (7, 7)
    """
    found = _JOB_ID.fullmatch(job_id)
    if found is None:
        raise UnknownJobError("that is no job id; they look like job_id_1")
    return int(found[1])


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
