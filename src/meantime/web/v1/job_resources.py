"""Jobs as resources: submit, show, list, cancel, and the result in the form that a client wants."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

import orjson
from flask import Response, request
from werkzeug.exceptions import NotFound

from meantime.errors import FieldError, InvalidParameterError, NoResultError
from meantime.fields.fields import check_names
from meantime.fields.kinds import Choice, Time, WholeNumber
from meantime.formats.result_formats import FORMATS, Format
from meantime.jobs.job import Job
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import JobFilter
from meantime.service import MeantimeService
from meantime.statistics.catalogue import CATALOGUE, Surface
from meantime.web.callers import caller
from meantime.web.content_negotiation import choose_format
from meantime.web.request_body import json_object
from meantime.web.routes import RETRY_AFTER_S, job_number
from meantime.web.street_door import JOB_KEY
from meantime.web.v1.job_document import JOBS_PATH, job_document, offered_formats
from meantime.web.v1.request_fields import (
    Cursor,
    NoQuery,
    idempotency_key,
    preferred_wait_s,
    read_query,
    write_cursor,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

EMBEDDED_LIMIT_BYTES = 65_536
"""A job shows its result inside when it is no larger; who waited for it with ``Prefer`` gets any."""

PAGE_LIMIT = 1000
RESULT_CACHING = "private, max-age=86400, immutable"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery:
    """What a list of jobs can be asked for."""

    state: Annotated[str | None, Choice([state.value for state in JobState]), "Only jobs in this state."] = None
    statistic: Annotated[str | None, Choice(CATALOGUE), "Only jobs of this statistic."] = None
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
    waiting_places
        How many requests may wait for a job at once; each holds one of the server's threads.
    """

    def __init__(self, service: MeantimeService, waiting_places: threading.Semaphore) -> None:
        self._service = service
        self._waiting_places = waiting_places

    # Submitting --------------------------------------------------------------------------------------------------

    def submit(self, dataset: str | None = None) -> Response:
        """Accept a job, and answer with its result when the client waits and it is ready in time."""
        served = self._service.dataset(dataset)
        statistic, parameters = _read_submission(json_object())
        key = idempotency_key(request.headers)
        number = self._service.submit(
            statistic,
            parameters,
            surface=Surface.V1,
            dataset=served.name,
            owner=caller().owner,
            idempotency_key=key,
            may_join=True,
        )
        request.environ[JOB_KEY] = f"job_id_{number}"
        job = self._service.job(number)
        waited_s = self._wait_as_preferred(job)
        # A client that waited gets the result in this one answer, whatever its size.
        response = self._show(job, embedded_limit=None if waited_s is not None else EMBEDDED_LIMIT_BYTES)
        response.status_code = 201 if job.state.is_final else 202
        response.headers["Location"] = f"{JOBS_PATH}/{number}"
        if not job.state.is_final:
            response.headers["Retry-After"] = RETRY_AFTER_S
        _note_preference(response, waited_s)
        return response

    def _wait_as_preferred(self, job: Job) -> int | None:
        """Wait for a job's end as long as the client prefers; None when it doesn't, or no place is free."""
        wait_s = preferred_wait_s(request.headers)
        if wait_s is None or job.state.is_final:
            return wait_s
        with self._waiting_place() as is_free:
            if not is_free:
                return None
            job.finished.wait(wait_s)
        return wait_s

    @contextmanager
    def _waiting_place(self) -> Iterator[bool]:
        is_free = self._waiting_places.acquire(blocking=False)
        try:
            yield is_free
        finally:
            if is_free:
                self._waiting_places.release()

    # Showing -----------------------------------------------------------------------------------------------------

    def find(self, job_id: str) -> Job:
        """Return a job that the caller may see."""
        job = self._service.job(job_number(job_id), owner=caller().sees_jobs_of)
        request.environ[JOB_KEY] = f"job_id_{job.number}"
        return job

    def show(self, job_id: str) -> Response:
        """Show how a job stands, with its result when that is small."""
        read_query(request.args, NoQuery)
        job = self.find(job_id)
        waited_s = self._wait_as_preferred(job)
        response = self._show(job)
        if not job.state.is_final:
            response.headers["Retry-After"] = RETRY_AFTER_S
        _note_preference(response, waited_s)
        return response

    def _show(self, job: Job, *, embedded_limit: int | None = EMBEDDED_LIMIT_BYTES) -> Response:
        result = None
        if job.state is JobState.DONE and (embedded_limit is None or (job.result_size or 0) <= embedded_limit):
            result = self._service.outcome(job.number).result
        return json_response(self.describe(job, result=result))

    def describe(self, job: Job, *, result: bytes | None = None) -> dict[str, object]:
        """Return a job as JSON-able values."""
        ahead = None if job.state.is_final else self._service.jobs_ahead(job.number)
        return job_document(job, has_records=_has_records(job), jobs_ahead=ahead, result=result)

    def list(self, dataset: str | None = None) -> Response:
        """List jobs, newest first, a page at a time."""
        query = read_query(request.args, JobQuery)
        job_filter = JobFilter(
            owner=caller().sees_jobs_of,
            state=None if query.state is None else JobState(query.state),
            task_name=query.statistic,
            version_prefix=None if dataset is None else f"{self._service.dataset(dataset).name}@",
            submitted_since=None if query.since is None else query.since.timestamp(),
        )
        jobs = self._service.page(job_filter, before=query.cursor, limit=query.limit + 1)
        page = jobs[: query.limit]
        following = None
        if len(jobs) > query.limit:
            again = request.args.to_dict() | {"cursor": write_cursor(page[-1].number)}
            following = f"{request.path}?{urlencode(again)}"
        response = json_response({"jobs": [self.describe(job) for job in page], "next": following})
        if following is not None:
            response.headers["Link"] = f'<{following}>; rel="next"'
        return response

    def cancel(self, job_id: str) -> Response:
        """Cancel a job: at once while it waits, at its next checkpoint while it runs."""
        read_query(request.args, NoQuery)
        job = self._service.cancel(self.find(job_id).number)
        response = self._show(job)
        response.status_code = 200 if job.state.is_final else 202
        return response

    # Results -----------------------------------------------------------------------------------------------------

    def show_result(self, job_id: str, extension: str | None = None) -> Response:
        """Return a job's result in the form of the extension, or else in the one that the client likes best."""
        read_query(request.args, NoQuery)
        job = self.find(job_id)
        offered = offered_formats(has_records=_has_records(job))
        wanted = choose_format(request.accept_mimetypes, offered) if extension is None else _by_name(extension, offered)
        waited_s = self._wait_as_preferred(job)
        outcome = self._service.outcome(job.number)
        if outcome.result is None or job.result_sha256 is None:
            raise _no_result(job)
        response = Response(content_type=_content_type(wanted))
        etag = job.result_sha256 if wanted.encode is None else f"{job.result_sha256}-{wanted.name}"
        response.set_etag(etag)
        if request.if_none_match.contains(etag):
            response.status_code = 304
        else:
            content = outcome.result
            response.set_data(content if wanted.encode is None else wanted.encode(orjson.loads(content)))
            if wanted.is_file:
                response.headers["Content-Disposition"] = f'attachment; filename="job_id_{job.number}.{wanted.name}"'
        response.headers["Cache-Control"] = RESULT_CACHING
        if extension is None:
            response.headers["Vary"] = "Accept"
        _note_preference(response, waited_s)
        return response


def json_response(content: object) -> Response:
    """Return JSON-able values as an answer."""
    return Response(orjson.dumps(content), content_type="application/json")


def _read_submission(body: Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
    """Return the statistic and the parameters that a body asks for."""
    try:
        check_names(body, ("statistic", "parameters"), what="field of a job")
    except FieldError as error:
        raise InvalidParameterError.of(error) from None
    statistic, parameters = body.get("statistic"), body.get("parameters", {})
    if not isinstance(statistic, str):
        names = [row.name for row in CATALOGUE.values() if row.surface is Surface.V1]
        raise InvalidParameterError(f"statistic: name one of {', '.join(names)}", field="statistic", accepted=names)
    if not isinstance(parameters, Mapping):
        raise InvalidParameterError('parameters: give an object, such as {"question": "Q036"}', field="parameters")
    return statistic, parameters


def _note_preference(response: Response, waited_s: int | None) -> None:
    if waited_s is not None:
        response.headers["Preference-Applied"] = f"wait={waited_s}"


def _has_records(job: Job) -> bool:
    statistic = CATALOGUE.get(job.task.name)
    return statistic is not None and statistic.surface is Surface.V1


def _by_name(extension: str, offered: list[Format]) -> Format:
    """Return the form with an extension; NotFound when this result doesn't come in it."""
    wanted = FORMATS.get(extension)
    if wanted is None or wanted not in offered:
        raise NotFound
    return wanted


def _content_type(wanted: Format) -> str:
    return f"{wanted.media_type}; charset=utf-8; header=present" if wanted.name == "csv" else wanted.media_type


def _no_result(job: Job) -> NoResultError:
    if job.state.is_final:
        return NoResultError(
            f"job {job.number} is {job.state}: {job.reason or 'no reason is recorded'}", state=job.state
        )
    return NoResultError(
        f"job {job.number} is {job.state}; ask again in a second, or with 'Prefer: wait=5'",
        state=job.state,
        retry_after_s=int(RETRY_AFTER_S),
    )
