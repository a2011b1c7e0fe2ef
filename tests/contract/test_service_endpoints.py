"""The lists, the probes, the answers while jobs run, fail or can't be accepted, and the headers on everything."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.exceptions import Forbidden, MethodNotAllowed, NotFound, TooManyRequests, Unauthorized

from meantime.errors import (
    AccessKeyError,
    DataError,
    InvalidParameterError,
    MalformedRequestError,
    MeantimeError,
    QueueFullError,
    ResultLostError,
    ShuttingDownError,
    StorageFullError,
    StoreCorruptError,
    StoreUnavailableError,
    UnknownJobError,
)
from meantime.jobs.job import Job, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.supervisor import KeptThread
from meantime.web.app import create_app
from meantime.web.contract.contract_jobs import JOBS_PER_CHUNK, stream_jobs
from tests.contract.conftest import LIMIT_S, OBESITY, OpenService

BODY = {"question": OBESITY}


@pytest.fixture
def idle_client(open_service: OpenService, settings: Settings) -> FlaskClient:
    """A client of a service whose runners haven't been started: jobs stay queued."""
    return create_app(open_service(start=False, queue_capacity=2), replace(settings, result_wait_s=0.0)).test_client()


def test_a_job_that_waits_is_running_to_the_client(idle_client: FlaskClient) -> None:
    idle_client.post("/api/states_mean", json=BODY)
    answer = idle_client.get("/api/get_results/job_id_1")
    assert (answer.status_code, answer.json) == (200, {"status": "running"})
    assert idle_client.get("/api/jobs").json == {"status": "done", "data": [{"job_id_1": "running"}]}
    assert idle_client.get("/api/num_jobs").json == {"status": "done", "num_jobs": 1, "data": 1}


def test_a_full_queue_is_503_with_a_time_to_retry(idle_client: FlaskClient) -> None:
    statuses = [idle_client.post("/api/states_mean", json=BODY).status_code for _ in range(3)]
    assert statuses == [200, 200, 503]
    answer = idle_client.post("/api/states_mean", json=BODY)
    assert answer.headers["Retry-After"] == "1"
    assert answer.json is not None
    assert answer.json["type"] == "/problems#queue-full"
    assert idle_client.get("/api/num_jobs").json == {"status": "done", "num_jobs": 2, "data": 2}


def test_the_list_names_every_job_in_order(client: FlaskClient, service: MeantimeService) -> None:
    for _ in range(3):
        client.post("/api/global_mean", json=BODY)
    for number in (1, 2, 3):
        service.wait(number, LIMIT_S)
    assert client.get("/api/jobs").json == {
        "status": "done",
        "data": [{"job_id_1": "done"}, {"job_id_2": "done"}, {"job_id_3": "done"}],
    }
    assert client.get("/api/num_jobs").json == {"status": "done", "num_jobs": 0, "data": 0}


@pytest.mark.parametrize("count", [0, 1, JOBS_PER_CHUNK - 1, JOBS_PER_CHUNK, JOBS_PER_CHUNK + 1, 3 * JOBS_PER_CHUNK])
def test_the_list_is_sent_in_chunks_that_join_to_one_json_text(count: int) -> None:
    chunks = list(stream_jobs((number, JobState.DONE) for number in range(1, count + 1)))
    assert json.loads(b"".join(chunks))["data"] == [{f"job_id_{number}": "done"} for number in range(1, count + 1)]
    assert len(chunks) == -(-count // JOBS_PER_CHUNK) + 1


def test_every_state_of_a_job_has_its_word_on_the_wire() -> None:
    jobs: Iterator[tuple[int, JobState]] = iter(list(enumerate(JobState, 1)))
    words = [next(iter(entry.values())) for entry in json.loads(b"".join(stream_jobs(jobs)))["data"]]
    assert dict(zip(JobState, words, strict=True)) == {
        JobState.QUEUED: "running",
        JobState.RUNNING: "running",
        JobState.DONE: "done",
        JobState.FAILED: "error",
        JobState.CANCELLED: "error",
    }


class FaultyService(MeantimeService):
    """A service with one broken part, which no real input can break on demand."""

    fault: Callable[[], Job]

    def __init__(self) -> None:
        """Open nothing."""

    def wait(self, number: int, timeout_s: float, *, owner: str | None = None) -> Job:
        return self.fault()


def faulty_client(settings: Settings, fault: Callable[[], Job]) -> FlaskClient:
    service = FaultyService()
    service.fault = fault
    return create_app(service, settings).test_client()


def raising(error: Exception) -> Callable[[], Job]:
    def fault() -> Job:
        raise error

    return fault


@pytest.mark.parametrize(
    ("state", "recorded", "reason"),
    [
        (JobState.FAILED, "timeout: too long", "timeout: too long"),
        (JobState.FAILED, 'a "quoted"\nreason', 'a "quoted"\nreason'),
        (JobState.CANCELLED, "the job was cancelled", "the job was cancelled"),
        (JobState.CANCELLED, None, "cancelled"),
    ],
)
def test_a_job_without_a_result_says_why(
    settings: Settings, state: JobState, recorded: str | None, reason: str
) -> None:
    job = Job(number=1, task=Task("mean", "{}", "small@1"), state=state, reason=recorded)
    answer = faulty_client(settings, lambda: job).get("/api/get_results/1")
    assert (answer.status_code, answer.json) == (200, {"status": "error", "reason": reason})


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (ResultLostError("gone"), 410, "result-lost"),
        (StoreUnavailableError("can't write /secret/place"), 503, "store-unavailable"),
        (StoreCorruptError("/secret/place is damaged"), 503, "store-unavailable"),
        (StorageFullError("no space in /secret/place"), 507, "storage-full"),
        (DataError("/secret/place has no header"), 503, "data-unavailable"),
        (MeantimeError("unlisted, of /secret/place"), 500, "internal-error"),
        (RuntimeError("a bug in /secret/place"), 500, "internal-error"),
    ],
)
def test_an_error_inside_is_a_problem_that_keeps_inside_matters_inside(
    settings: Settings, error: Exception, status: int, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = faulty_client(settings, raising(error)).get("/api/get_results/1")
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["type"] == f"/problems#{kind}"
    assert "secret" not in answer.text
    assert str(error) in caplog.text


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (UnknownJobError("7"), "INFO"),
        (InvalidParameterError("no question", field="question"), "INFO"),
        (MalformedRequestError("no JSON"), "INFO"),
        (NotFound(), "INFO"),
        (MethodNotAllowed(), "INFO"),
        (Unauthorized(), "WARNING"),
        (Forbidden(), "WARNING"),
        (TooManyRequests(), "WARNING"),
        (QueueFullError("full"), "WARNING"),
        (ShuttingDownError("bye"), "WARNING"),
        (ResultLostError("gone"), "ERROR"),
        (StorageFullError("no space"), "ERROR"),
        (StoreUnavailableError("read only"), "ERROR"),
        (AccessKeyError("damaged"), "ERROR"),
        (RuntimeError("a bug"), "ERROR"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_what_a_client_does_wrong_is_no_error_in_the_log(
    settings: Settings, error: Exception, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    faulty_client(settings, raising(error)).get("/api/get_results/1")
    assert [record.levelname for record in caplog.records if record.name == "meantime.web.problems"] == [level]


def test_a_bug_is_logged_with_its_traceback(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    faulty_client(settings, raising(ZeroDivisionError("oops"))).get("/api/get_results/1")
    assert caplog.records[0].exc_info is not None
    assert caplog.records[0].levelname == "ERROR"


def test_health_and_readiness_are_reported(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ready"}


def test_draining_fails_readiness_and_refuses_jobs_but_answers_everything_else(
    client: FlaskClient, service: MeantimeService
) -> None:
    client.post("/api/global_mean", json=BODY)
    service.wait(1, LIMIT_S)
    service.begin_drain()
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (503, {"status": "draining"})
    refused = client.post("/api/global_mean", json=BODY)
    assert refused.status_code == 503
    assert refused.json is not None
    assert (refused.json["status"], refused.json["reason"]) == ("error", "shutting down")
    assert refused.headers["Retry-After"] == "5"
    assert client.get("/healthz").status_code == 200
    assert client.get("/api/get_results/1").json["status"] == "done"  # type: ignore[index]  # the body is an object
    assert client.get("/api/jobs").json == {"status": "done", "data": [{"job_id_1": "done"}]}


def test_a_thread_that_has_ended_fails_readiness_until_another_takes_its_place(
    client: FlaskClient, service: MeantimeService
) -> None:
    ended, woken = threading.Event(), threading.Event()

    def work() -> None:
        if ended.is_set():
            woken.wait()
        ended.set()

    thread = KeptThread(work, name="sweeper")
    service.supervisor.add(thread)
    thread.start()
    assert ended.wait(LIMIT_S)
    while not thread.is_missing:
        pass
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (503, {"status": "unavailable", "threads": ["sweeper"]})
    assert 'meantime_thread_running{thread="sweeper"} 0.0' in client.get("/metrics").text
    service.supervisor.keep_all()
    assert client.get("/readyz").json == {"status": "ready"}
    assert 'meantime_thread_running{thread="sweeper"} 1.0' in client.get("/metrics").text
    assert 'meantime_thread_ends_total{thread="sweeper"} 1.0' in client.get("/metrics").text
    thread.end(woken.set)


def test_a_closed_store_fails_readiness(open_service: OpenService, settings: Settings, tmp_path: Path) -> None:
    store = SqliteJobStore(tmp_path / "store")
    client = create_app(open_service(store=store), settings).test_client()
    store.close()
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (503, {"status": "unavailable"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/problems"),
        ("GET", "/healthz"),
        ("GET", "/api/jobs"),
        ("GET", "/api/get_results/1"),
        ("POST", "/api/states_mean"),
        ("GET", "/api/states_mean"),
        ("GET", "/static/meantime.css"),
        ("GET", "/static/../app.py"),
        ("GET", "/nowhere"),
        ("OPTIONS", "/api/jobs"),
    ],
)
def test_every_answer_has_the_defensive_headers(client: FlaskClient, method: str, path: str) -> None:
    answer = client.open(path, method=method, buffered=True)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Server"] == "Meantime"
    assert "Set-Cookie" not in answer.headers
    assert not [name for name in dict(answer.headers) if name.startswith("Access-Control")]
    is_file = path == "/static/meantime.css"
    assert answer.headers.getlist("Cache-Control") == ["public, max-age=3600" if is_file else "no-store"]
