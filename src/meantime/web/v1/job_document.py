"""A job as the v1 surface shows it."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from meantime.formats.result_formats import FORMATS, Format
from meantime.jobs.job import Job
from meantime.jobs.job_state import JobState

JOBS_PATH = "/api/v1/jobs"


def timestamp(seconds: float | None) -> str | None:
    """Return a time as RFC 3339 in UTC, to the millisecond.

    >>> timestamp(1732310400.5)
    '2024-11-22T21:20:00.500Z'
    """
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def offered_formats(*, has_records: bool) -> list[Format]:
    """Return the forms in which a result can be had; only those of v1 statistics have records."""
    return list(FORMATS.values()) if has_records else [FORMATS["json"]]


def job_document(
    job: Job, *, has_records: bool, jobs_ahead: int | None = None, result: bytes | None = None
) -> dict[str, object]:
    """Return a job as JSON-able values.

    Parameters
    ----------
    job
        The job.
    has_records
        Whether its statistic is one of v1, whose results come in several forms.
    jobs_ahead
        How many accepted jobs come before it, for a job that has not ended.
    result
        The encoded result, when it is to be shown inside.
    """
    name, _, version = job.task.version.partition("@")
    path = f"{JOBS_PATH}/{job.number}"
    links = {"self": path, "events": f"{path}/events"}
    if job.state is JobState.DONE:
        links["result"] = f"{path}/result"
        links |= {each.name: f"{path}/result.{each.name}" for each in offered_formats(has_records=has_records)}
    return {
        "id": job.number,
        "state": job.state,
        "statistic": job.task.name,
        "parameters": orjson.Fragment(job.task.arguments),
        "dataset": {"name": name, "version": version},
        "submitted_at": timestamp(job.submitted_at),
        "started_at": timestamp(job.started_at),
        "finished_at": timestamp(job.finished_at),
        "attempt": job.attempt,
        "progress": None if job.state.is_final else {"jobs_ahead": jobs_ahead or 0},
        "reason": job.reason,
        "result": None if result is None else orjson.Fragment(result),
        "links": links,
    }
