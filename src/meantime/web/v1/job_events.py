"""A job's life as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

A stream wakes when its job ends. In between it says every ``HEARTBEAT_S`` that it is alive, or how the job stands if
that has changed. Each stream holds a thread, so their number is bounded, and so is how long one lasts; it also ends
once its access key is revoked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

import orjson
from flask import Response, request

from meantime.jobs.job import Job
from meantime.web.admission.callers import is_still_known
from meantime.web.admission.request_places import request_places
from meantime.web.operations import Reply, operation
from meantime.web.own_address import own_prefix
from meantime.web.v1.request_fields import NoQuery, read_query
from meantime.web.v1.visible_jobs import VisibleJobs

HEARTBEAT_S = 10.0
LONGEST_STREAM_S = 600.0
RECONNECT_MS = 2000

HEARTBEAT = b": heartbeat\n\n"
EVENT_STREAM_TYPE = "text/event-stream"


class JobEvents:
    """The view of a job's events."""

    def __init__(self, jobs: VisibleJobs) -> None:
        self._jobs = jobs

    @operation(
        "GET",
        "/api/v1/jobs/{job_id}/events",
        tag="jobs",
        replies={200: Reply("The events.", media_types=(EVENT_STREAM_TYPE,))},
        problems=(404, 422),
    )
    def follow_job(self, job_id: str) -> Response:
        """Follow a job as server-sent events: 'job' while it goes on, then one 'end'."""
        read_query(request.args, NoQuery)
        job = self._jobs.find(job_id)
        if request.method != "HEAD":
            request_places().hold(self._jobs.places.streams)
        response = Response(
            follow(
                job,
                partial(self._jobs.describe, prefix=own_prefix()),
                self._jobs.wait,
                heartbeat_s=HEARTBEAT_S,
                longest_s=LONGEST_STREAM_S,
                may_go_on=partial(is_still_known, request.environ),
            ),
            content_type=EVENT_STREAM_TYPE,
        )
        response.headers["X-Accel-Buffering"] = "no"  # a proxy such as nginx passes each event on at once
        return response


def follow(
    job: Job,
    describe: Callable[[Job], object],
    wait: Callable[[int, float], Job],
    *,
    heartbeat_s: float,
    longest_s: float,
    may_go_on: Callable[[], bool] = lambda: True,
) -> Iterator[bytes]:
    """Yield the events of one stream.

    Parameters
    ----------
    job
        The job to follow, as it stands now.
    describe
        Returns a job as JSON-able values.
    wait
        Waits for the end of the job with a number for some seconds, and returns how it then stands.
    heartbeat_s, longest_s
        Seconds between two signs of life, and until the stream ends by itself; a browser then connects again.
    may_go_on
        Whether the client may still be told anything; asked after each wait.
    """
    deadline = time.monotonic() + longest_s
    yield f"retry: {RECONNECT_MS}\n\n".encode("ascii")
    last = b""
    while True:
        content = orjson.dumps(describe(job))
        if job.state.is_final:
            yield _event("end", content)
            return
        yield HEARTBEAT if content == last else _event("job", content)
        last = content
        left_s = deadline - time.monotonic()
        if left_s <= 0.0:
            return
        job = wait(job.number, min(heartbeat_s, left_s))
        if not may_go_on():
            return


def _event(name: str, content: bytes) -> bytes:
    return b"event: " + name.encode("ascii") + b"\ndata: " + content + b"\n\n"
