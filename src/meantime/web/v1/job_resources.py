"""Jobs as resources: submit, show, list, cancel."""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from flask import Response, request

from meantime.fields.kinds import Choice, Time, WholeNumber
from meantime.jobs.job import Job
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import JobFilter
from meantime.service import MeantimeService
from meantime.statistics.batch import BATCH
from meantime.statistics.catalogue import CATALOGUE, Surface
from meantime.web.admission.callers import caller
from meantime.web.admission.request_body import json_object
from meantime.web.admission.request_places import request_places
from meantime.web.observation.request_facts import note_job
from meantime.web.operations import Reply, RequestHeader, operation
from meantime.web.own_address import own_prefix
from meantime.web.responses import RETRY_AFTER_S, json_response
from meantime.web.v1.job_documents import JOBS_PATH, JobDocument, JobPage
from meantime.web.v1.request_fields import (
    IDEMPOTENCY_KEY_LIMIT,
    Cursor,
    NoQuery,
    idempotency_key,
    read_query,
    write_cursor,
)
from meantime.web.v1.submission import read_submission
from meantime.web.v1.visible_jobs import PREFER, VisibleJobs, note_preference

EMBEDDED_LIMIT_BYTES = 65_536
"""A job shows its result inside when it is no larger; who waited for it with ``Prefer`` gets any."""

PAGE_LIMIT = 1000

JOB_NAMES: ChainMap[str, object] = ChainMap({BATCH: None}, CATALOGUE)  # type: ignore[arg-type]  # none is added here
"""What a job can be of."""

KEY = RequestHeader(
    "Idempotency-Key",
    "A name of yours for this request: sent again with the same request it gives the same job.",
    {"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_LIMIT, "pattern": "^[!-~]+$"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery:
    """What a list of jobs can be asked for."""

    state: Annotated[str | None, Choice([state.value for state in JobState]), "Only jobs in this state."] = None
    statistic: Annotated[str | None, Choice(JOB_NAMES), "Only jobs of this statistic, or batches."] = None
    since: Annotated[
        datetime | None,
        Time(),
        "Only jobs submitted at or after this time, as RFC 3339 with a zone: 2026-11-22T12:00:00Z.",
    ] = None
    cursor: Annotated[int | None, Cursor(), "Where to go on: a page's `next` has it."] = None
    limit: Annotated[int, WholeNumber(1, PAGE_LIMIT), f"How many jobs at most: 1 to {PAGE_LIMIT}."] = 100


class JobResources:
    """The views of jobs.

    Parameters
    ----------
    service
        What answers.
    jobs
        Finds, waits for and describes jobs.
    """

    def __init__(self, service: MeantimeService, jobs: VisibleJobs) -> None:
        self._service = service
        self._jobs = jobs

    @operation(
        "POST",
        JOBS_PATH,
        tag="jobs",
        replies={
            201: Reply("The job has ended.", JobDocument, headers=("Location", "Preference-Applied")),
            202: Reply(
                "The job is accepted and has not ended.",
                JobDocument,
                headers=("Location", "Retry-After", "Preference-Applied"),
            ),
        },
        problems=(413, 415, 422, 507),
        headers=(PREFER, KEY),
        asks=Surface.V1,
        per_dataset=True,
    )
    def submit_job(self, dataset: str | None = None) -> Response:
        """Submit a job; with 'Prefer: wait=5' its result comes in the same answer."""
        served = self._service.dataset(dataset)
        statistic, parameters = read_submission(json_object(), tuple(each.name for each in self._service.datasets()))
        accepted = self._service.submit(
            statistic,
            parameters,
            surface=Surface.V1,
            dataset=served.name,
            owner=caller().owner,
            idempotency_key=idempotency_key(request.headers),
            may_join=True,
        )
        note_job(accepted.number)
        return submitted(self._service, self._jobs, accepted)

    @operation(
        "GET",
        JOBS_PATH,
        tag="jobs",
        replies={200: Reply("A page of the list.", JobPage, headers=("Link",))},
        problems=(422,),
        query=JobQuery,
        per_dataset=True,
    )
    def list_jobs(self, dataset: str | None = None) -> Response:
        """List jobs, newest first."""
        query = read_query(request.args, JobQuery)
        job_filter = JobFilter(
            owner=caller().sees_jobs_of,
            state=None if query.state is None else JobState(query.state),
            task_name=query.statistic,
            version_prefix=None if dataset is None else f"{self._service.dataset(dataset).name}@",
            submitted_since=None if query.since is None else query.since.timestamp(),
        )
        jobs = self._service.page(job_filter, before=query.cursor, limit=query.limit + 1)
        following = None
        if len(jobs) > query.limit:
            again = request.args.to_dict() | {"cursor": write_cursor(jobs[query.limit - 1].number)}
            following = f"{own_prefix()}{request.path}?{urlencode(again)}"
        page: JobPage = {
            "jobs": [self._jobs.describe(job, own_prefix()) for job in jobs[: query.limit]],
            "next": following,
        }
        response = json_response(page)
        if following is not None:
            response.headers["Link"] = f'<{following}>; rel="next"'
        return response

    @operation(
        "GET",
        "/api/v1/jobs/{job_id}",
        tag="jobs",
        replies={200: Reply("The job.", JobDocument, headers=("Retry-After", "Preference-Applied"))},
        problems=(404, 410, 422),
        headers=(PREFER,),
    )
    def show_job(self, job_id: str) -> Response:
        """Show a job, with its result when that is small."""
        read_query(request.args, NoQuery)
        job, waited_s = self._jobs.wait_as_preferred(self._jobs.find(job_id))
        response = _show(self._service, self._jobs, job)
        _note_progress(response, job, waited_s)
        return response

    @operation(
        "DELETE",
        "/api/v1/jobs/{job_id}",
        tag="jobs",
        replies={
            200: Reply("The job is cancelled.", JobDocument),
            202: Reply("The job runs, and has been asked to stop.", JobDocument),
        },
        problems=(404, 409, 422),
    )
    def cancel_job(self, job_id: str) -> Response:
        """Cancel a job: at once while it is queued, at its next checkpoint while it runs."""
        read_query(request.args, NoQuery)
        job = self._service.cancel(self._jobs.find(job_id).number)
        response = _show(self._service, self._jobs, job)
        response.status_code = 200 if job.state.is_final else 202
        return response


def submitted(service: MeantimeService, jobs: VisibleJobs, accepted: Job) -> Response:
    """Return a job that was just accepted, once it has been waited for as the client prefers."""
    job, waited_s = jobs.wait_as_preferred(accepted)
    # A client that waited gets the result in this one answer, whatever its size.
    response = _show(service, jobs, job, embedded_limit=None if waited_s is not None else EMBEDDED_LIMIT_BYTES)
    response.status_code = 201 if job.state.is_final else 202
    response.headers["Location"] = f"{own_prefix()}{JOBS_PATH}/{job.number}"
    _note_progress(response, job, waited_s)
    return response


def _show(
    service: MeantimeService, jobs: VisibleJobs, job: Job, *, embedded_limit: int | None = EMBEDDED_LIMIT_BYTES
) -> Response:
    """Return a job with its result unless that is larger than the limit."""
    is_embedded = embedded_limit is None or (job.result_size or 0) <= embedded_limit
    result = None
    if job.state is JobState.DONE and is_embedded:
        request_places().hold_answer(job.result_size or 0)
        result = service.result_of(job)
    return json_response(jobs.describe(job, own_prefix(), result=result))


def _note_progress(response: Response, job: Job, waited_s: int | None) -> None:
    if not job.state.is_final:
        response.headers["Retry-After"] = RETRY_AFTER_S
    note_preference(response, waited_s)
