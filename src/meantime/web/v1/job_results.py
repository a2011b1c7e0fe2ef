"""A job's result, in the form that a client wants: by ``Accept``, or by the extension. The forms are in ``formats``."""

from __future__ import annotations

import re
from collections.abc import Sequence

import orjson
from flask import Response, request
from werkzeug.exceptions import NotAcceptable, NotFound

from meantime.errors import NoResultError
from meantime.formats.csv_file import years_text
from meantime.formats.result_formats import FORMATS, Format
from meantime.jobs.job import Job
from meantime.jobs.job_state import JobState
from meantime.service import MeantimeService
from meantime.web.admission.request_places import request_places
from meantime.web.negotiation import preferred_type
from meantime.web.operations import Reply, operation
from meantime.web.places import AllPlaces
from meantime.web.responses import JSON_TYPE, RETRY_AFTER_S
from meantime.web.v1.encoded_forms import EncodedForms
from meantime.web.v1.job_documents import Result, offered_formats
from meantime.web.v1.request_fields import NoQuery, read_query
from meantime.web.v1.visible_jobs import PREFER, VisibleJobs, note_preference

NAME_PART_CHARACTERS = 80

RESULT_CACHING = "private, max-age=86400, immutable"

_OTHER_TYPES = tuple(each.media_type for each in FORMATS.values() if each.media_type != JSON_TYPE)
_HEADERS = ("ETag", "Cache-Control", "Preference-Applied")
_UNCHANGED = Reply("What you have is what there is.")


class JobResults:
    """The view of results; parameters as of JobResources."""

    def __init__(self, service: MeantimeService, jobs: VisibleJobs, places: AllPlaces) -> None:
        self._service = service
        self._jobs = jobs
        self._encoded = EncodedForms(places)

    @operation(
        "GET",
        "/api/v1/jobs/{job_id}/result",
        tag="results",
        summary="Get a job's result in the form that Accept asks for; JSON without it.",
        replies={200: Reply("The result.", Result, _OTHER_TYPES, (*_HEADERS, "Vary")), 304: _UNCHANGED},
        problems=(404, 406, 409, 410, 422),
        headers=(PREFER,),
    )
    @operation(
        "GET",
        "/api/v1/jobs/{job_id}/result.{extension}",
        name="show_result_as",
        tag="results",
        summary="Get a job's result in the form of the extension.",
        replies={200: Reply("The result.", Result, _OTHER_TYPES, _HEADERS), 304: _UNCHANGED},
        problems=(404, 409, 410, 422),
        headers=(PREFER,),
    )
    def show_result(self, job_id: str, extension: str | None = None) -> Response:
        """Return a job's result in the form of the extension, or else in the one that the client likes best."""
        read_query(request.args, NoQuery)
        found = self._jobs.find(job_id)
        offered = offered_formats(found)
        wanted = (
            choose_format(request.headers.get("Accept"), offered) if extension is None else _by_name(extension, offered)
        )
        job, waited_s = self._jobs.wait_as_preferred(found)
        if job.state is not JobState.DONE:
            raise _no_result(job)
        response = self._result_as(wanted, job)
        if extension is None:
            response.headers["Vary"] = "Accept"
        note_preference(response, waited_s)
        return response

    def _result_as(self, wanted: Format, job: Job) -> Response:
        """Return the result of a job that is done, or that the client has it already."""
        response = Response(content_type=_content_type(wanted))
        etag = f"{job.result_sha256}" if wanted.encode is None else f"{job.result_sha256}-{wanted.name}"
        response.set_etag(etag)
        if request.if_none_match.contains_weak(etag):  # RFC 9110, section 13.1.2
            response.status_code = 304
        else:
            content = self._content(wanted, job, etag)
            if content is None:
                response.automatically_set_content_length = False
            else:
                response.set_data(content)
            if wanted.is_file:
                response.headers["Content-Disposition"] = f'attachment; filename="{file_name(job)}.{wanted.name}"'
        response.headers["Cache-Control"] = RESULT_CACHING
        return response

    def _content(self, wanted: Format, job: Job, name: str) -> bytes | None:
        """Return the body; None for a HEAD that would have to make it, whose client doesn't want it."""
        size = job.result_size or 0
        if request.method == "HEAD" and wanted.encode is not None:
            return self._encoded.find(name)
        if wanted.encode is None:
            request_places().hold_answer(size)
            return self._service.result_of(job)
        return self._encoded.of(name, wanted, size, lambda: self._service.result_of(job))


def choose_format(accept: str | None, offered: Sequence[Format]) -> Format:
    """Return the form that a client likes best by its Accept header; the first without one.

    Raises
    ------
    NotAcceptable
        The client accepts none of them.
    """
    found = preferred_type(accept, [_content_type(each) for each in offered])
    for each in offered:
        if _content_type(each) == found:
            return each
    names = ", ".join(f"{each.media_type} (.{each.name})" for each in offered)
    raise NotAcceptable(f"this result comes as {names}")


def file_name(job: Job) -> str:
    """Return what a file of a job's result is called, in plain ASCII: statistic, question, years, job."""
    asked: dict[str, object] = orjson.loads(job.task.arguments)
    years = asked.get("years")
    parts = (job.task.name, asked.get("question"), years_text(years) if isinstance(years, list) else None)
    words = [re.sub(r"[^a-z0-9_]+", "-", str(part).lower())[:NAME_PART_CHARACTERS].strip("-") for part in parts if part]
    return "_".join([*filter(None, words), f"job_id_{job.number}"])


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
        reason = job.reason or "no reason is recorded"
        return NoResultError(f"job {job.number} is {job.state}: {reason}", state=job.state)
    return NoResultError(
        f"job {job.number} is {job.state}; ask again in a second, or with 'Prefer: wait=5'",
        state=job.state,
        retry_after_s=int(RETRY_AFTER_S),
    )
