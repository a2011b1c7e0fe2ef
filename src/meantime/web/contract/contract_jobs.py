"""The contract's endpoints: a POST for each of its statistics, results, lists, shutdown; clients rely on every byte."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Annotated, Literal, TypedDict

import orjson
from flask import Response, request

from meantime.errors import InvalidParameterError
from meantime.jobs.job import job_number
from meantime.jobs.job_state import JobState
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.statistics.catalogue import CATALOGUE, Surface
from meantime.web.admission.callers import caller
from meantime.web.admission.request_body import json_object
from meantime.web.admission.request_places import request_places
from meantime.web.admission.security import check_may_shut_down
from meantime.web.json_schema import Count, Keywords
from meantime.web.observation.request_facts import note_job
from meantime.web.operations import Operation, Reply, operation
from meantime.web.own_address import own_prefix
from meantime.web.places import AllPlaces
from meantime.web.responses import JSON_TYPE, RETRY_AFTER_S, WireResponse

JOBS_PER_CHUNK = 1000
_WIRE_STATES = {
    JobState.QUEUED: "running",
    JobState.RUNNING: "running",
    JobState.DONE: "done",
    JobState.FAILED: "error",
    JobState.CANCELLED: "error",
}
_RUNNING = b'{"status":"running"}'
_DONE = b'{"status":"done"}'


class JobId(TypedDict):
    """The id of a job that is accepted."""

    job_id: Annotated[str, Keywords(pattern="^job_id_[1-9][0-9]*$")]


class Running(TypedDict):
    """The job has not ended."""

    status: Literal["running"]


class Done(TypedDict):
    """The job's result."""

    status: Literal["done"]
    data: dict[str, object]


class Failed(TypedDict):
    """Why the job has no result."""

    status: Literal["error"]
    reason: str


class JobStates(TypedDict):
    """Each job's id with how it stands."""

    status: Literal["done"]
    data: list[dict[str, str]]


class JobCount(TypedDict):
    """The number of jobs that have not ended, under the two names that clients read."""

    status: Literal["done"]
    num_jobs: Count
    data: Count


class Drain(TypedDict):
    """Whether accepted jobs remain."""

    status: Literal["running", "done"]


_ACCEPTED = {200: Reply("Accepted.", JobId, headers=("Location", "Retry-After"))}


class ContractJobs:
    """The views of the contract.

    Parameters
    ----------
    service
        What answers.
    settings
        ``result_wait_s`` is used.
    request_drain
        Starts the drain and the end of the process; never blocks; harmless when called again.
    places
        What clients can hold.
    """

    def __init__(
        self, service: MeantimeService, settings: Settings, request_drain: Callable[[], None], places: AllPlaces
    ) -> None:
        self._service = service
        self._result_wait_s = settings.result_wait_s
        self._request_drain = request_drain
        self._places = places

    def submissions(self) -> Iterator[Operation]:
        """Yield an operation for each of the contract's statistics."""
        for statistic in CATALOGUE.values():
            if statistic.surface is Surface.CONTRACT:
                yield Operation(
                    name=statistic.name,
                    method="POST",
                    path=f"/api/{statistic.name}",
                    tag="contract",
                    summary=statistic.summary,
                    view=partial(self._submit, statistic.name),
                    replies=_ACCEPTED,
                    problems=(413, 415, 422, 507),
                    asks=statistic.name,
                )

    def _submit(self, statistic: str) -> Response:
        """Accept a job and return its id."""
        body = json_object()
        if isinstance(body.get("parameters"), Mapping):
            raise InvalidParameterError(
                f'parameters: {statistic} takes its fields without it, as {{"question": "..."}}', field="parameters"
            )
        job = self._service.submit(statistic, body, surface=Surface.CONTRACT, owner=caller().owner)
        location = f"{own_prefix()}/api/get_results/{note_job(job.number)}"
        headers = [("Location", location), ("Retry-After", RETRY_AFTER_S)]
        return WireResponse(b'{"job_id":"job_id_%d"}' % job.number, headers=headers)

    @operation(
        "GET",
        "/api/get_results/{job_id}",
        name="get_results",
        tag="contract",
        replies={200: Reply("Here it is.", Running | Done | Failed)},
        problems=(404, 410),
    )
    def get_response(self, job_id: str) -> Response:
        """How a job stands; its result when it is done."""
        number = job_number(job_id)
        note_job(number)
        job = self._service.wait(number, self._result_wait_s, owner=caller().sees_jobs_of)
        if job.state is JobState.DONE:
            request_places().hold_answer(job.result_size or 0)
            return WireResponse(b'{"status":"done","data":' + self._service.result_of(job) + b"}")
        if job.state.is_final:
            failed: Failed = {"status": "error", "reason": job.reason or job.state}
            return WireResponse(orjson.dumps(failed))
        return WireResponse(_RUNNING)

    @operation("GET", "/api/jobs", tag="contract", replies={200: Reply("Here it is.", JobStates)})
    def get_jobs(self) -> Response:
        """Every job with its state."""
        chunks = stream_jobs(self._service.jobs(owner=caller().sees_jobs_of))
        first = next(chunks)
        following = next(chunks, None)
        if following is None:
            return WireResponse(first)
        if request.method != "HEAD":
            request_places().hold(self._places.lists)  # a client can take as long as it likes to read it
        return Response(itertools.chain((first, following), chunks), content_type=JSON_TYPE)

    @operation("GET", "/api/num_jobs", tag="contract", replies={200: Reply("Here it is.", JobCount)})
    def get_num_jobs(self) -> Response:
        """How many accepted jobs have not finished."""
        count = self._service.unfinished_count(owner=caller().sees_jobs_of)
        return WireResponse(b'{"status":"done","num_jobs":%d,"data":%d}' % (count, count))

    @operation("GET", "/api/graceful_shutdown", tag="contract", replies={200: Reply("Here it is.", Drain)})
    @operation(
        "POST",
        "/api/graceful_shutdown",
        name="post_graceful_shutdown",
        tag="contract",
        replies={200: Reply("Here it is.", Drain)},
        problems=(413, 415),
    )
    def graceful_shutdown(self) -> Response:
        """Finish the accepted jobs, then end the server."""
        check_may_shut_down(request.environ, is_admin=bool(caller().name))
        self._request_drain()
        return WireResponse(_RUNNING if self._service.unfinished_count() else _DONE)


def stream_jobs(jobs: Iterator[tuple[int, JobState]]) -> Iterator[bytes]:
    """Yield the contract's list of jobs in chunks of JSON, while the store is read.

    >>> b"".join(stream_jobs(iter([(1, JobState.DONE), (2, JobState.QUEUED)])))
    b'{"status":"done","data":[{"job_id_1":"done"},{"job_id_2":"running"}]}'
    """
    lead = b'{"status":"done","data":['
    while chunk := list(itertools.islice(jobs, JOBS_PER_CHUNK)):
        entries = ",".join([f'{{"job_id_{number}":"{_WIRE_STATES[state]}"}}' for number, state in chunk])
        yield lead + entries.encode("ascii")
        lead = b","
    yield b"]}" if lead == b"," else lead + b"]}"
