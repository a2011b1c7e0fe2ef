"""The contract's endpoints: nine POST routes made from the catalogue, results, lists, shutdown, and the probes.

Fixed for ever; the newer surface is in ``v1.py``. What a statistic means is decided below, in ``statistics``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from functools import partial

import orjson
from flask import Flask, Response, request

from meantime.errors import UnknownJobError
from meantime.jobs.job_state import JobState
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.statistics.catalogue import CATALOGUE, Surface
from meantime.web.callers import ANYBODY, caller
from meantime.web.request_body import json_object
from meantime.web.security import check_may_shut_down
from meantime.web.street_door import JOB_KEY
from meantime.web.wire_response import JSON_TYPE, WireResponse

RETRY_AFTER_S = "1"
JOBS_PER_CHUNK = 1000
_JOB_ID = re.compile(r"(?:job_id_)?([1-9][0-9]{0,17})", re.ASCII)
_WIRE_STATES = {
    JobState.QUEUED: "running",
    JobState.RUNNING: "running",
    JobState.DONE: "done",
    JobState.FAILED: "error",
    JobState.CANCELLED: "error",
}
_RUNNING = b'{"status":"running"}'
_DONE = b'{"status":"done"}'


def job_number(job_id: str) -> int:
    """Return the number in an id, ``job_id_7`` or ``7``.

    Raises
    ------
    UnknownJobError
        It isn't an id.

    Examples
    --------
    >>> job_number("job_id_7"), job_number("7")
    (7, 7)
    """
    found = _JOB_ID.fullmatch(job_id)
    if found is None:
        raise UnknownJobError("that is no job id; they look like job_id_1")
    return int(found[1])


class ContractRoutes:
    """The routes of one application.

    Parameters
    ----------
    service
        What answers.
    settings
        ``result_wait_s`` is used.
    request_drain
        Starts the drain and the end of the process; never blocks; harmless when called again.
    """

    def __init__(self, service: MeantimeService, settings: Settings, request_drain: Callable[[], None]) -> None:
        self._service = service
        self._result_wait_s = settings.result_wait_s
        self._request_drain = request_drain

    def add_to(self, app: Flask) -> None:
        """Register every route."""
        for statistic in CATALOGUE.values():
            if statistic.surface is Surface.CONTRACT:
                view = partial(self.submit, statistic.name)
                app.add_url_rule(f"/api/{statistic.name}", statistic.name, view, methods=["POST"])
        app.add_url_rule("/api/get_results/<job_id>", view_func=self.get_response)
        app.add_url_rule("/api/jobs", view_func=self.list_jobs)
        app.add_url_rule("/api/num_jobs", view_func=self.count_jobs)
        app.add_url_rule("/api/graceful_shutdown", view_func=self.shut_down, methods=["GET", "POST"])
        app.add_url_rule("/healthz", view_func=self.report_health)
        app.add_url_rule("/readyz", view_func=self.report_readiness)

    def submit(self, statistic: str) -> Response:
        """Accept a job and return its id."""
        number = self._service.submit(statistic, json_object(), surface=Surface.CONTRACT, owner=caller().owner)
        job_id = f"job_id_{number}"
        request.environ[JOB_KEY] = job_id
        headers = [("Location", f"/api/get_results/{job_id}"), ("Retry-After", RETRY_AFTER_S)]
        return WireResponse(b'{"job_id":"job_id_%d"}' % number, 202, headers)

    def get_response(self, job_id: str) -> Response:
        """Return how a job stands, with its result when it is done."""
        number = job_number(job_id)
        request.environ[JOB_KEY] = f"job_id_{number}"
        outcome = self._service.outcome(number, wait_s=self._result_wait_s, owner=caller().sees_jobs_of)
        if outcome.result is not None:
            return _json(b'{"status":"done","data":' + outcome.result + b"}")
        if outcome.state.is_final:
            return _json(orjson.dumps({"status": "error", "reason": outcome.reason or outcome.state}))
        return _json(_RUNNING)

    def list_jobs(self) -> Response:
        """Return every job that the caller may see, with its state, as one JSON text, sent while the store is read."""
        jobs = self._service.jobs(owner=caller().sees_jobs_of)
        return Response(stream_jobs(jobs), content_type=JSON_TYPE)

    def count_jobs(self) -> Response:
        """Return the number of accepted jobs that have not finished."""
        count = self._service.unfinished_count(owner=caller().sees_jobs_of)
        return _json(f'{{"status":"done","num_jobs":{count},"data":{count}}}')

    def shut_down(self) -> Response:
        """Begin the drain, and say whether accepted jobs remain."""
        check_may_shut_down(request.environ, is_admin=caller() is not ANYBODY)
        self._request_drain()
        return _json(_RUNNING if self._service.unfinished_count() else _DONE)

    def report_health(self) -> Response:
        """Say that the process answers; looks at nothing."""
        return _json(b'{"status":"ok"}')

    def report_readiness(self) -> Response:
        """Say whether a new job would be accepted."""
        if self._service.is_ready:
            return _json(b'{"status":"ready"}')
        state = "draining" if self._service.is_draining else "unavailable"
        response = _json(f'{{"status":"{state}"}}')
        response.status_code = 503
        response.headers["Retry-After"] = RETRY_AFTER_S
        return response


def stream_jobs(jobs: Iterator[tuple[int, JobState]]) -> Iterator[bytes]:
    """Yield the contract's list of jobs in chunks of JSON.

    >>> b"".join(stream_jobs(iter([(1, JobState.DONE), (2, JobState.QUEUED)])))
    b'{"status":"done","data":[{"job_id_1":"done"},{"job_id_2":"running"}]}'
    """
    lead = b'{"status":"done","data":['
    while chunk := list(itertools.islice(jobs, JOBS_PER_CHUNK)):
        entries = ",".join([f'{{"job_id_{number}":"{_WIRE_STATES[state]}"}}' for number, state in chunk])
        yield lead + entries.encode("ascii")
        lead = b","
    yield b"]}" if lead == b"," else lead + b"]}"


def _json(content: bytes | str) -> Response:
    return WireResponse(content if isinstance(content, bytes) else content.encode("ascii"))
