"""What is noted of each request, for logs and metrics: its id, its route, its job, how long it took."""

from __future__ import annotations

import itertools
import re
import secrets
from typing import TYPE_CHECKING

from flask import request

from meantime.jobs.durations import Durations

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

JOB_KEY = "meantime.job"
"""Where a route leaves the id of the job that a request is about."""

ROUTE_KEY = "meantime.route"
"""Where the pattern of the route that answers a request is left, such as ``/api/get_results/<job_id>``."""

REQUEST_ID_HEADER = "X-Request-ID"

_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def note_job(number: int) -> str:
    """Note which job the current request is about, and return the job's id."""
    request.environ[JOB_KEY] = job_id = f"job_id_{number}"
    return job_id


class RequestIds:
    """Gives each request an id: the one that a proxy or client has given it, else one that is used once."""

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(4)
        self._counter = itertools.count(1)  # next() is atomic

    def of(self, environ: WSGIEnvironment) -> str:
        """Return the id of a request."""
        given: str = environ.get("HTTP_X_REQUEST_ID", "")
        if given and _GIVEN_ID.fullmatch(given):
            return given
        return f"{self._prefix}-{next(self._counter)}"


NO_ROUTE = ("", "")


class RequestTimes:
    """How long requests took, by method, route and status: the one thing that is counted for each request."""

    def __init__(self) -> None:
        self.durations = Durations()

    def note_answer(self, environ: WSGIEnvironment, status: str, duration_s: float) -> None:
        """Count one request.

        The label is the route's pattern and not the path, and the method only where a route accepts it, so that
        clients can't make up labels.
        """
        route = environ.get(ROUTE_KEY)
        label = (*NO_ROUTE, status) if route is None else (environ["REQUEST_METHOD"], route, status)
        self.durations.add(label, duration_s)
