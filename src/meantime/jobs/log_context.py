"""Which request and which job the current thread works for, so that every line of a log can say so.

The request's id goes with its job: from the thread that accepts it, in ``Job.request_id``, to the runner that runs it.
What a line of the log looks like is not decided here.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import NamedTuple


class WorkedFor(NamedTuple):
    """A request's id, or an empty string, and a job's number, or None."""

    request_id: str = ""
    job_number: int | None = None


NOTHING = WorkedFor()

worked_for: ContextVar[WorkedFor] = ContextVar("worked_for", default=NOTHING)
"""Set by whoever begins to work for something; each thread has its own."""
