"""Which request and which job the current thread works for, so that every line of a log can say so.

The request's id goes with its job: from the thread that accepts it, in ``Job.request_id``, to the runner that runs it.
What a line of the log looks like is not decided here.
"""

from __future__ import annotations

from contextvars import ContextVar

WorkedFor = tuple[str, int | None]
"""A request's id, or an empty string, and a job's number, or None. Plain tuples: one is made for every request."""

NOTHING: WorkedFor = ("", None)

worked_for: ContextVar[WorkedFor] = ContextVar("worked_for", default=NOTHING)
"""Set by whoever begins to work for something; each thread has its own."""
