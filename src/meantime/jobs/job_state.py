"""The states of a job and the one table of legal transitions. Nothing else decides what a job may become.

::

    queued ──> running ──> done
       │         │  │ └──> failed
       │         │  └────> queued      (the process ended in between; the job runs again)
       └─────────┴───────> cancelled
"""

from __future__ import annotations

from enum import StrEnum

from meantime.errors import IllegalTransitionError


class JobState(StrEnum):
    """Where a job stands. The last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    is_final: bool
    """Whether the job has ended: the table has no further step."""


TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED}),
    JobState.RUNNING: frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.QUEUED}),
    JobState.DONE: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}
for _state, _next in TRANSITIONS.items():
    _state.is_final = not _next


def check_transition(current: JobState, wanted: JobState) -> None:
    """Raise unless a job may go from one state to the other.

    Raises
    ------
    IllegalTransitionError
        The table has no such step.

    Examples
    --------
    >>> check_transition(JobState.QUEUED, JobState.RUNNING)
    >>> check_transition(JobState.DONE, JobState.RUNNING)
    Traceback (most recent call last):
    ...
    meantime.errors.IllegalTransitionError: a job that is done can't become running
    """
    if wanted not in TRANSITIONS[current]:
        raise IllegalTransitionError(f"a job that is {current} can't become {wanted}")
