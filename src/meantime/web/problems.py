"""From an exception to an answer: the ONE table that knows which error is which HTTP status.

Problem bodies follow RFC 9457. Outside ``/api/v1`` they also carry the contract's ``"status": "error"`` and
``reason``, and there ``status`` is that word; on ``/api/v1`` it is the number, as the RFC has it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Literal, NotRequired, TypedDict

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, NotFound, default_exceptions

from meantime.errors import (
    AccessKeyError,
    DataError,
    IdempotencyConflictError,
    IllegalTransitionError,
    InvalidParameterError,
    MalformedRequestError,
    MeantimeError,
    NoPlaceError,
    NoResultError,
    PictureError,
    PictureUnavailableError,
    QueueFullError,
    ReloadError,
    RequestTooLargeError,
    ResultLostError,
    ShuttingDownError,
    StatisticError,
    StorageFullError,
    StoreError,
    UnknownDatasetError,
    UnknownJobError,
    UnknownVersionError,
    VersionGoneError,
)
from meantime.fields.refusals import encodable
from meantime.jobs.job_state import JobState
from meantime.web.json_schema import Keywords
from meantime.web.own_address import below_prefix, own_prefix

PROBLEM_TYPE = "application/problem+json"
V1_PREFIX = "/api/v1/"
DRAIN_RETRY_AFTER_S = 5
_NOT_LET_IN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of error answer.

    ``status`` is the HTTP status, ``slug`` the kind's name in the ``type`` of a problem body. ``reason`` replaces the
    exception's message: it is what the contract prescribes, or it keeps an inside matter (a path, a bug) inside.
    ``level`` is the log's, where the status alone doesn't say how much it means to whoever runs the server.
    """

    status: int
    slug: str
    title: str
    reason: str | None = None
    retry_after_s: int | None = None
    level: int | None = None

    @property
    def log_level(self) -> int:
        """ERROR for what the server failed to do, WARNING for who mustn't come in, INFO for other mistakes."""
        if self.level is not None:
            return self.level
        if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return logging.ERROR
        return logging.WARNING if self.status in _NOT_LET_IN else logging.INFO


class FurtherMembers(TypedDict):
    """What a problem body may say beyond the RFC's members."""

    field: NotRequired[Annotated[str, "The field that is wrong."]]
    accepted: NotRequired[Annotated[Sequence[str], "Its accepted values, when they are few."]]
    nearest: NotRequired[Annotated[Sequence[str], "The accepted values most like the one that was sent."]]
    job_id: NotRequired[Annotated[str, "The job that the idempotency key belongs to."]]
    state: NotRequired[Annotated[JobState, "How the job stands that has no result."]]


class ProblemDocument(FurtherMembers):
    """Why a request was refused (RFC 9457)."""

    type: str
    title: str
    status: Annotated[int, Keywords(minimum=400, maximum=599)]
    detail: str


class ContractProblemDocument(FurtherMembers):
    """Why a request was refused, in the contract's form."""

    status: Literal["error"]
    reason: str
    type: str
    title: str
    detail: str


PROBLEMS: dict[type[Exception], Problem] = {
    MalformedRequestError: Problem(400, "malformed-request", "The request can't be read"),
    UnknownDatasetError: Problem(404, "unknown-dataset", "There is no such dataset"),
    UnknownVersionError: Problem(404, "unknown-version", "The dataset has no such version"),
    VersionGoneError: Problem(410, "version-gone", "The dataset's version is no longer kept"),
    AccessKeyError: Problem(
        503,
        "keys-unavailable",
        "Access keys can't be checked",
        reason="see the server's log",
    ),
    InvalidParameterError: Problem(422, "invalid-parameter", "A field of the request is not acceptable"),
    RequestTooLargeError: Problem(413, "request-too-large", "The request is too large"),
    NoPlaceError: Problem(
        503, "no-place", "The server has no place for this at the moment", retry_after_s=1, level=logging.WARNING
    ),
    PictureUnavailableError: Problem(
        503, "no-pictures", "No picture can be drawn at the moment", retry_after_s=5, level=logging.WARNING
    ),
    PictureError: Problem(500, "picture-failed", "The chart can't be drawn"),
    UnknownJobError: Problem(404, "unknown-job", "There is no such job", reason="Invalid job_id"),
    IllegalTransitionError: Problem(409, "illegal-transition", "The job is not in a state that allows this"),
    NoResultError: Problem(409, "no-result", "The job has no result"),
    IdempotencyConflictError: Problem(422, "idempotency-conflict", "The idempotency key belongs to another request"),
    ResultLostError: Problem(410, "result-lost", "The result is gone", level=logging.ERROR),
    QueueFullError: Problem(503, "queue-full", "The queue is full", retry_after_s=1, level=logging.WARNING),
    ShuttingDownError: Problem(
        503,
        "shutting-down",
        "The server is shutting down",
        reason="shutting down",
        retry_after_s=DRAIN_RETRY_AFTER_S,
        level=logging.WARNING,
    ),
    StatisticError: Problem(409, "no-answer", "The question has no answer"),
    StorageFullError: Problem(
        507, "storage-full", "The server has no space left", reason="storage full", retry_after_s=10
    ),
    StoreError: Problem(
        503, "store-unavailable", "Jobs can't be stored", reason="the job store can't be used; see the server's log"
    ),
    ReloadError: Problem(409, "reload-failed", "The source can't be read; the old version is still served"),
    DataError: Problem(503, "data-unavailable", "The data can't be read", reason="see the server's log"),
    MeantimeError: Problem(500, "internal-error", "The server made a mistake", reason="see the server's log"),
    Exception: Problem(500, "internal-error", "The server made a mistake", reason="see the server's log"),
}
"""The most special class of an exception that is listed here decides."""


NOT_FOUND = Problem(404, "not-found", "There is nothing here", reason="nothing is here; GET / says what there is")

HTTP_PROBLEMS = {
    status: Problem(
        status, default_exceptions[status]().name.lower().replace(" ", "-"), default_exceptions[status]().name
    )
    for status in (400, 401, 403, 405, 406, 413, 414, 415, 416, 429)
}
"""Those that Flask and ``admission`` raise by their status; another status is of no kind of its own (about:blank)."""


def problem_of(error: Exception) -> Problem:
    """Return the kind of problem that an exception is."""
    if isinstance(error, NotFound):
        return NOT_FOUND
    if isinstance(error, HTTPException):
        status = error.code or 500
        kind = HTTP_PROBLEMS.get(status, Problem(status, "", error.name))
        return replace(kind, reason=error.description)
    return next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)


def problem_type(problem: Problem, prefix: str) -> str:
    """Return the ``type`` of a kind of problem: the address of its explanation."""
    return f"{prefix}/problems#{problem.slug}"


def problem_response(error: Exception, *, path: str, prefix: str = "", advice: str | None = None) -> Response:
    """Return the answer to a request that raised an exception.

    Parameters
    ----------
    error
        What was raised.
    path
        The path of the request; it decides which of the two forms the body has.
    prefix
        The path below which the server is mounted.
    advice
        What is known of this very request, in the place of what the kind of problem says.
    """
    problem = problem_of(error)
    detail = encodable(advice or below_prefix(problem.reason or "", prefix) or str(error))
    kind = problem_type(problem, prefix) if problem.slug else "about:blank"  # RFC 9457, section 4.2.1
    title, further = problem.title, _further_members(error)
    body: ProblemDocument | ContractProblemDocument
    if path.startswith(V1_PREFIX):
        body = {"type": kind, "title": title, "status": problem.status, "detail": detail, **further}
    else:
        body = {"status": "error", "reason": detail, "type": kind, "title": title, "detail": detail, **further}
    # Part of what was sent may be quoted; should anybody take the answer for a page, it holds no tag.
    content = orjson.dumps(body).replace(b"<", b"\\u003c")
    response = Response(content, problem.status, content_type=PROBLEM_TYPE)
    retry_after_s = getattr(error, "retry_after_s", problem.retry_after_s)
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    if isinstance(error, HTTPException):
        response.headers.extend(pair for pair in error.get_headers() if pair[0] != "Content-Type")
    return response


def _further_members(error: Exception) -> FurtherMembers:
    further: FurtherMembers = {}
    if isinstance(error, InvalidParameterError):
        if error.field:
            further["field"] = error.field
        if error.accepted:
            further["accepted"] = error.accepted
        if error.nearest:
            further["nearest"] = error.nearest
    if isinstance(error, IdempotencyConflictError):
        further["job_id"] = f"job_id_{error.job_number}"
    if isinstance(error, NoResultError):
        further["state"] = JobState(error.state)
    return further


def handle_errors(
    app: Flask,
    advise: Callable[[Exception], str | None] = lambda _: None,
    show_page: Callable[[Exception], Response | None] = lambda _: None,
) -> None:
    """Answer every exception of an application with a page if there is one, else a problem body, and log it.

    See problem_response for advice.
    """

    @app.errorhandler(Exception)
    def answer(error: Exception) -> Response:
        response = show_page(error) or problem_response(
            error, path=request.path, prefix=own_prefix(), advice=advise(error)
        )
        problem = problem_of(error)
        _log.log(
            problem.log_level,
            "%d for %s %r: %s",
            response.status_code,
            request.method,
            request.path[:200],
            error.description if isinstance(error, HTTPException) else error,
            exc_info=error if problem.slug == "internal-error" else None,
        )
        return response
