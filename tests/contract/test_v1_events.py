"""A job's life as server-sent events: woken by the job's end, alive in between, bounded in number and duration."""

from __future__ import annotations

import threading

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from meantime.jobs.job import Job, Task
from meantime.jobs.job_state import JobState
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.web.app import create_app
from meantime.web.v1.job_events import HEARTBEAT, follow
from tests.contract.conftest import LIMIT_S
from tests.contract.v1_requests import problem, submit

EVENTS = "/api/v1/jobs/1/events"
Event = tuple[str, dict[str, object]]


def parsed(content: bytes) -> list[Event]:
    """Return the events of a stream; comments and ``retry`` are left out."""
    found = []
    for block in content.decode("utf-8").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if "event" in fields:
            found.append((fields["event"], orjson.loads(fields["data"])))
    return found


QUEUED = Job(number=1, task=Task("mean", "{}", "survey@1"))
RUNNING = QUEUED.evolve(state=JobState.RUNNING)
DONE = QUEUED.evolve(state=JobState.DONE)


def describe(job: Job) -> dict[str, object]:
    return {"state": job.state}


def test_the_events_of_an_ended_job_are_its_end(client: FlaskClient) -> None:
    submit(client, Prefer="wait=30")
    response = client.get(EVENTS)
    assert response.content_type == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-store"
    ((name, shown),) = parsed(response.data)
    assert (name, shown["id"], shown["state"]) == ("end", 1, "done")


def test_a_stream_wakes_when_its_job_ends(idle_client: FlaskClient, idle_service: MeantimeService) -> None:
    submit(idle_client)
    stream = idle_client.get(EVENTS).iter_encoded()
    received = [next(stream), next(stream)]
    idle_service.start()
    received += list(stream)  # ends by itself, long before the first heartbeat is due
    assert [(name, shown["state"]) for name, shown in parsed(b"".join(received))] == [
        ("job", "queued"),
        ("end", "done"),
    ]


def test_a_quiet_stream_says_that_it_is_alive() -> None:
    found = iter([QUEUED, QUEUED, RUNNING, DONE])
    stream = follow(QUEUED, describe, lambda number, seconds: next(found), heartbeat_s=0.0, longest_s=LIMIT_S)
    assert next(stream).startswith(b"retry: ")
    assert parsed(next(stream)) == [("job", {"state": "queued"})]
    assert [next(stream), next(stream)] == [HEARTBEAT, HEARTBEAT]
    assert parsed(next(stream)) == [("job", {"state": "running"})]
    assert [parsed(part) for part in stream] == [[("end", {"state": "done"})]]


def test_a_stream_ends_after_its_longest_time_without_claiming_an_end() -> None:
    parts = list(follow(QUEUED, describe, lambda number, seconds: QUEUED, heartbeat_s=LIMIT_S, longest_s=0.0))
    assert [name for name, _ in parsed(b"".join(parts))] == ["job"]


def test_a_stream_waits_for_the_job_and_not_for_the_clock(
    idle_client: FlaskClient, idle_service: MeantimeService
) -> None:
    submit(idle_client)
    stream = follow(idle_service.job(1), describe, idle_service.wait, heartbeat_s=1e6, longest_s=1e6)
    received = [next(stream), next(stream)]
    reader = threading.Thread(target=lambda: received.extend(stream))
    reader.start()
    idle_service.start()
    reader.join(LIMIT_S)
    assert parsed(b"".join(received))[-1] == ("end", {"state": "done"})


@pytest.fixture
def two_places(idle_service: MeantimeService, settings: Settings) -> Flask:
    """A server on which a client may have two streams."""
    return create_app(idle_service, Settings(state_dir=settings.state_dir, http_threads=32))


def test_too_many_streams_are_refused_until_one_closes(two_places: Flask) -> None:
    client = two_places.test_client()
    submit(client)
    open_streams = [client.get(EVENTS) for _ in range(2)]
    refused = client.get(EVENTS)
    problem(refused, 503, "no-place")
    assert refused.headers["Retry-After"] == "5"
    open_streams.pop().close()  # the client went away
    open_streams.append(client.get(EVENTS))
    assert open_streams[-1].status_code == 200
    for stream in open_streams:
        stream.close()


def test_asking_for_the_headers_of_a_stream_takes_no_place(two_places: Flask) -> None:
    client = two_places.test_client()
    submit(client)
    for _ in range(5):
        client.head(EVENTS).close()
    stream = client.get(EVENTS)
    assert stream.status_code == 200
    stream.close()


def test_the_events_of_an_unknown_job_are_unknown(client: FlaskClient) -> None:
    problem(client.get(EVENTS), 404, "unknown-job")
