"""A job's life as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

A stream wakes when its job ends. In between it says every ``HEARTBEAT_S`` that it is alive, or how the job stands if
that has changed. Each stream holds a thread, so their number is bounded, and so is how long one lasts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import orjson
from flask import Response, request

from meantime.errors import QueueFullError
from meantime.jobs.job import Job
from meantime.web.v1.job_resources import JobResources
from meantime.web.v1.request_fields import NoQuery, read_query

HEARTBEAT_S = 10.0
LONGEST_STREAM_S = 600.0
RECONNECT_MS = 2000

HEARTBEAT = b": heartbeat\n\n"


class JobEvents:
    """The view of a job's events.

    Parameters
    ----------
    jobs
        Finds and describes jobs.
    places
        How many streams may be open at once.
    heartbeat_s, longest_s
        Seconds between two signs of life, and until a stream ends by itself; a browser then connects again.
    """

    def __init__(
        self,
        jobs: JobResources,
        places: threading.Semaphore,
        *,
        heartbeat_s: float = HEARTBEAT_S,
        longest_s: float = LONGEST_STREAM_S,
    ) -> None:
        self._jobs = jobs
        self._places = places
        self._heartbeat_s = heartbeat_s
        self._longest_s = longest_s

    def stream(self, job_id: str) -> Response:
        """Follow a job to its end: events ``job`` while it goes on, then one event ``end``."""
        read_query(request.args, NoQuery)
        job = self._jobs.find(job_id)
        if not self._places.acquire(blocking=False):
            raise QueueFullError("too many requests wait for jobs already; ask for the job itself", retry_after_s=5)
        response = Response(
            follow(job, self._jobs.describe, heartbeat_s=self._heartbeat_s, longest_s=self._longest_s),
            content_type="text/event-stream",
        )
        response.headers["X-Accel-Buffering"] = "no"  # a proxy such as nginx passes each event on at once
        response.call_on_close(self._places.release)  # also when the client goes away
        return response


def follow(
    job: Job, describe: Callable[[Job], dict[str, object]], *, heartbeat_s: float, longest_s: float
) -> Iterator[bytes]:
    """Yield the events of one stream.

    Parameters
    ----------
    job
        The job to follow.
    describe
        Returns the job as JSON-able values.
    heartbeat_s, longest_s
        See JobEvents.
    """
    deadline = time.monotonic() + longest_s
    yield f"retry: {RECONNECT_MS}\n\n".encode("ascii")
    last = b""
    while True:
        is_final = job.state.is_final
        content = orjson.dumps(describe(job))
        if is_final:
            yield _event("end", content)
            return
        yield HEARTBEAT if content == last else _event("job", content)
        last = content
        left_s = deadline - time.monotonic()
        if left_s <= 0.0:
            return
        job.finished.wait(min(heartbeat_s, left_s))


def _event(name: str, content: bytes) -> bytes:
    return b"event: " + name.encode("ascii") + b"\ndata: " + content + b"\n\n"
