"""A job as the v1 surface shows it, and its result."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, NotRequired, TypedDict

import orjson

from meantime.formats.result_formats import FORMATS, Format
from meantime.jobs.job import Job
from meantime.jobs.job_state import JobState
from meantime.statistics.catalogue import CATALOGUE, Surface
from meantime.web.json_schema import Count, Keywords, Timestamp

JOBS_PATH = "/api/v1/jobs"

# Jobs ----------------------------------------------------------------------------------------------------------------


class DatasetVersion(TypedDict):
    """What a job is about."""

    name: str
    version: str


class Progress(TypedDict):
    """How many accepted jobs come before this one."""

    jobs_ahead: Count


class JobDocument(TypedDict):
    """A job: what was asked, how it stands, where to go on."""

    id: Annotated[int, Keywords(minimum=1)]
    state: JobState
    statistic: str
    parameters: Annotated[orjson.Fragment, "With every default filled in; null where nothing was asked for."]
    dataset: DatasetVersion
    submitted_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None
    attempt: Annotated[Count, "How often it was started: more than once only after a crash."]
    progress: Annotated[Progress | None, "Null once it has ended."]
    reason: Annotated[str | None, "Why it failed or was cancelled."]
    result: Annotated[orjson.Fragment | None, "The result, when the job is done and it is small."]
    links: dict[str, str]


class JobPage(TypedDict):
    """Jobs, newest first, and the address of those that follow."""

    jobs: list[JobDocument]
    next: str | None


def has_records(job: Job) -> bool:
    """Return whether a job's statistic is one of v1, whose results come in several forms."""
    statistic = CATALOGUE.get(job.task.name)
    return statistic is not None and statistic.surface is Surface.V1


def offered_formats(job: Job) -> list[Format]:
    """Return the forms in which a job's result can be had."""
    return list(FORMATS.values()) if has_records(job) else [FORMATS["json"]]


def job_document(job: Job, prefix: str, *, jobs_ahead: int | None = None, result: bytes | None = None) -> JobDocument:
    """Return a job as it is sent.

    Parameters
    ----------
    job
        The job.
    prefix
        The path below which the server is mounted.
    jobs_ahead
        How many accepted jobs come before it, for a job that has not ended.
    result
        The encoded result, when it is to be shown inside.
    """
    name, _, version = job.task.version.partition("@")
    path = f"{prefix}{JOBS_PATH}/{job.number}"
    links = {"self": path, "events": f"{path}/events"}
    if has_records(job):
        links["reproduce"] = f"{path}/reproduce"
    if job.state is JobState.DONE:
        links["result"] = f"{path}/result"
        links |= {each.name: f"{path}/result.{each.name}" for each in offered_formats(job)}
    return {
        "id": job.number,
        "state": job.state,
        "statistic": job.task.name,
        "parameters": orjson.Fragment(job.task.arguments),
        "dataset": {"name": name, "version": version},
        "submitted_at": timestamp(job.submitted_at),
        "started_at": None if job.started_at is None else timestamp(job.started_at),
        "finished_at": None if job.finished_at is None else timestamp(job.finished_at),
        "attempt": job.attempt,
        "progress": None if job.state.is_final else {"jobs_ahead": jobs_ahead or 0},
        "reason": job.reason,
        "result": None if result is None else orjson.Fragment(result),
        "links": links,
    }


def timestamp(seconds: float) -> str:
    """Return a time as RFC 3339 in UTC, to the millisecond.

    >>> timestamp(1732310400.5)
    '2024-11-22T21:20:00.500Z'
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# Results: their bytes are made in ``statistics``, and these types say what is in them ---------------------------------

Record = Annotated[
    dict[str, str | float | bool | None],
    "One answer: its dimensions, its value with error and limits, and what the statistic adds.",
    Keywords(
        properties={
            "question": {"type": "string"},
            "location": {"type": "string"},
            "year": {"type": "integer"},
            "category": {"type": "string"},
            "stratum": {"type": "string"},
            "value": {"type": ["number", "null"]},
            "standard_error": {"type": ["number", "null"]},
            "low": {"type": ["number", "null"]},
            "high": {"type": ["number", "null"]},
            "sample_size": {"type": ["number", "null"]},
            "cells_used": {"type": "integer", "minimum": 0},
            "cells_suppressed": {"type": "integer", "minimum": 0},
            "reliability": {"enum": ["ok", "caution", "unweighted", "suppressed", None]},
        }
    ),
]


class StatisticRequest(TypedDict):
    """What was asked."""

    statistic: str
    parameters: dict[str, object]


class ResultProvenance(TypedDict):
    """Where a result comes from."""

    dataset: dict[str, object]
    request: StatisticRequest
    method: str
    citation: str


class ResultNote(TypedDict):
    """Something that reading the table found."""

    kind: Annotated[str, "A short name, such as `duplicate_rows`."]
    text: str
    count: Annotated[int | None, "How many rows or cells it is about."]
    lines: Annotated[list[int], "The first lines of the file that it is about; 1 is the header."]


class StatisticResult(TypedDict):
    """The result of a v1 statistic."""

    records: list[Record]
    unit: str
    method: str
    cautions: Annotated[list[str], "What a reader must know before trusting a number."]
    explanation: NotRequired[Annotated[dict[str, object], "What `explain` asked for."]]
    notes: NotRequired[Annotated[list[ResultNote], "What reading the table found about what is selected."]]
    provenance: ResultProvenance


Result = Annotated[
    StatisticResult | dict[str, object],
    "Of a v1 statistic: records with method and source. Of a contract statistic: means by name.",
]
