"""The event log: ids that go from a request to its job's runner, and lines that nobody can forge."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from meantime.jobs.job import Job, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.log_context import worked_for
from meantime.jobs.results.results_directory import ResultsDirectory
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.survey.datasets.dataset_registry import DatasetRegistry, key_of
from meantime.web.app import create_app
from meantime.web.observation.event_log import EventLog
from meantime.web.observation.log_writer import PENDING_LIMIT
from tests.datasets import dataset_of
from tests.reference import Row

Event = dict[str, object]
QUESTION = "Percent of adults who engage in no leisure-time physical activity"


class Recorder:
    """An event log on a file, and what it holds after it is closed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = EventLog(path)
        self.log.start()

    def events(self) -> list[Event]:
        self.log.close()
        return [json.loads(line) for line in self.path.read_text("utf-8").splitlines()]


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    made = Recorder(tmp_path / "events.jsonl")
    logger = logging.getLogger("meantime")
    level = logger.level
    logger.addHandler(made.log.handler)
    logger.setLevel(logging.INFO)
    yield made
    logger.removeHandler(made.log.handler)
    logger.setLevel(level)
    made.log.close()


@pytest.fixture
def service(recorder: Recorder, tmp_path: Path) -> Iterator[MeantimeService]:
    """A real service whose one runner notes jobs in the event log."""
    row = Row(QUESTION, "", "Ohio", "", 2023, "Total", "Total", 20.0, 19.0, 21.0, 100.0)
    service = MeantimeService(
        DatasetRegistry([dataset_of([row])]),
        SqliteJobStore(tmp_path / ".meantime"),
        ResultsDirectory(tmp_path / "results", tmp_path / ".meantime" / "stored"),
        thread_count=1,
        on_job_end=recorder.log.note_job_end,
    )
    service.start()
    yield service
    service.close()


@pytest.fixture
def client(service: MeantimeService, recorder: Recorder, tmp_path: Path) -> FlaskClient:
    settings = Settings(state_dir=tmp_path, result_wait_s=30.0)
    return create_app(service, settings, event_log=recorder.log).test_client()


def of(events: list[Event], kind: str) -> list[Event]:
    return [event for event in events if event["event"] == kind]


def test_a_job_and_its_requests_share_ids_from_the_door_to_the_runner(client: FlaskClient, recorder: Recorder) -> None:
    submitted = client.post("/api/global_mean", json={"question": QUESTION}, headers={"X-Request-ID": "proxy-17"})
    assert submitted.headers["X-Request-ID"] == "proxy-17"
    asked = client.get("/api/get_results/job_id_1")
    assert asked.json == {"status": "done", "data": {"global_mean": 20.0}}
    events = recorder.events()
    post, get = of(events, "request")
    assert (post["request_id"], post["job_id"], post["status"], post["method"]) == ("proxy-17", "job_id_1", 200, "POST")
    assert get["request_id"] == asked.headers["X-Request-ID"] != "proxy-17"
    assert get["job_id"] == "job_id_1"


def test_a_job_that_ends_is_one_event_with_the_id_of_the_request_that_made_it(
    client: FlaskClient, service: MeantimeService, recorder: Recorder
) -> None:
    client.post("/api/global_mean", json={"question": QUESTION}, headers={"X-Request-ID": "a.b_c-1"})
    client.get("/api/get_results/1")
    assert service.close(30.0)
    (job,) = of(recorder.events(), "job")
    assert (job["request_id"], job["job_id"], job["state"]) == ("a.b_c-1", "job_id_1", "done")
    assert (job["statistic"], job["attempt"], job["version"]) == ("global_mean", 1, key_of(service.dataset()))


def test_what_is_logged_while_a_job_runs_carries_both_ids(recorder: Recorder) -> None:
    token = worked_for.set(("r-1", 42))
    logging.getLogger("meantime.statistics").warning("odd: %s", "value\nforged")
    worked_for.reset(token)
    logging.getLogger("meantime.cli").info("between jobs")
    inside, outside = recorder.events()
    assert (inside["request_id"], inside["job_id"], inside["level"]) == ("r-1", "job_id_42", "WARNING")
    assert inside["message"] == "odd: value\nforged"
    assert "request_id" not in outside


@pytest.mark.parametrize("given", ["", "a b", "a\tb", "x" * 65, "é", '"', "a,b", "{}"])
def test_an_id_that_could_harm_a_log_is_replaced(client: FlaskClient, given: str) -> None:
    answers = [client.get("/healthz", headers={"X-Request-ID": given}) for _ in range(2)]
    ids = [answer.headers["X-Request-ID"] for answer in answers]
    assert given not in ids
    assert len(set(ids)) == 2


def test_a_failed_job_says_why(recorder: Recorder) -> None:
    job = Job(number=7, task=Task("best5", "{}", "v"), state=JobState.FAILED, reason="timeout: 60 s\nforged")
    recorder.log.note_job_end(job)
    (event,) = recorder.events()
    assert (event["level"], event["reason"], event["state"]) == ("WARNING", "timeout: 60 s\nforged", "failed")


def test_hostile_texts_stay_on_their_line(recorder: Recorder) -> None:
    texts = [
        "\u202e\u2066",
        "\x7f\x9b",
        "\U000e0041",
        "a\nb",
        "\x00\x1b[31m",
        "\u2028",
        '"}\n{"event":"forged"}',
        "\ud800 alone",
        "é😀",
    ]
    for text in texts:
        recorder.log.put_event("INFO", "message", message=text)
    events = recorder.events()
    assert [event["event"] for event in events] == ["message"] * len(texts)
    shown = [text.encode("utf-8", "backslashreplace").decode("utf-8") for text in texts]
    assert [event["message"] for event in events] == shown
    assert all(line.isprintable() for line in recorder.path.read_text("utf-8").split("\n"))


def test_lines_that_were_lost_are_told(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    for _ in range(PENDING_LIMIT + 3):
        log.put_line("{}\n")
    log.start()
    log.close()
    last = json.loads((tmp_path / "events.jsonl").read_text("utf-8").splitlines()[-1])
    assert last["message"] == "3 lines of this log could not be written"
    assert log.lost_line_count() == 3
