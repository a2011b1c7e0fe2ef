"""A job's result, in the form that a client wants: by ``Accept``, or by the extension. The forms are in ``formats``."""

from __future__ import annotations

import orjson
from flask import Response, request

from meantime.errors import NoResultError
from meantime.formats.result_formats import FORMATS
from meantime.jobs.job import Job
from meantime.jobs.job_state import JobState
from meantime.service import MeantimeService
from meantime.web.operations import Reply, operation
from meantime.web.responses import JSON_TYPE, RETRY_AFTER_S
from meantime.web.v1.job_documents import Result, offered_formats
from meantime.web.v1.request_fields import NoQuery, read_query
from meantime.web.v1.result_forms import ResultForms, StoredResult, chosen_format, file_name
from meantime.web.v1.visible_jobs import PREFER, VisibleJobs, note_preference

RESULT_CACHING = "private, max-age=86400, immutable"

_OTHER_TYPES = tuple(each.media_type for each in FORMATS.values() if each.media_type != JSON_TYPE)
_HEADERS = ("ETag", "Cache-Control", "Preference-Applied")
_UNCHANGED = Reply("What you have is what there is.")


class JobResults:
    """The view of results; parameters as of JobResources."""

    def __init__(self, service: MeantimeService, jobs: VisibleJobs, forms: ResultForms) -> None:
        self._service = service
        self._jobs = jobs
        self._forms = forms

    @operation(
        "GET",
        "/api/v1/jobs/{job_id}/result",
        tag="results",
        summary="Get a job's result in the form that Accept asks for; JSON without it.",
        replies={200: Reply("The result.", Result, _OTHER_TYPES, (*_HEADERS, "Vary")), 304: _UNCHANGED},
        problems=(404, 406, 409, 410, 416, 422),
        headers=(PREFER,),
    )
    @operation(
        "GET",
        "/api/v1/jobs/{job_id}/result.{extension}",
        name="show_result_as",
        tag="results",
        summary="Get a job's result in the form of the extension.",
        replies={200: Reply("The result.", Result, _OTHER_TYPES, _HEADERS), 304: _UNCHANGED},
        problems=(404, 409, 410, 416, 422),
        headers=(PREFER,),
        extensions=tuple(FORMATS),
    )
    def show_result(self, job_id: str, extension: str | None = None) -> Response:
        """Return a job's result in the form of the extension, or else in the one that the client likes best."""
        read_query(request.args, NoQuery)
        found = self._jobs.find(job_id)
        offered = offered_formats(found)
        wanted = chosen_format(extension, offered)
        job, waited_s = self._jobs.wait_as_preferred(found)
        if job.state is not JobState.DONE:
            raise _no_result(job)
        asked: dict[str, object] = orjson.loads(job.task.arguments)
        result = StoredResult(
            job.result_sha256 or "",
            job.result_size or 0,
            lambda: self._service.result_of(job),
            file_name(job.task.name, asked, f"job_id_{job.number}"),
        )
        response = self._forms.respond(wanted, result)
        response.headers["Cache-Control"] = RESULT_CACHING
        if extension is None:
            response.headers["Vary"] = "Accept"
        note_preference(response, waited_s)
        return response


def _no_result(job: Job) -> NoResultError:
    if job.state.is_final:
        reason = job.reason or "no reason is recorded"
        return NoResultError(f"job {job.number} is {job.state}: {reason}", state=job.state)
    return NoResultError(
        f"job {job.number} is {job.state}; ask again in a second, or with 'Prefer: wait=5'",
        state=job.state,
        retry_after_s=int(RETRY_AFTER_S),
    )
