"""An answer never contradicts itself: the job ends just before each line of the answer, one line after another.

What is asked about a job is asked again and again; each time the job ends a line later, in the thread that answers.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

import orjson
import pytest
from flask.testing import FlaskClient

import meantime
from meantime.jobs.job import Job
from meantime.jobs.job_state import JobState
from meantime.jobs.results.results_directory import ResultsDirectory
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.survey.datasets.dataset_registry import DatasetRegistry
from meantime.survey.ingest.dataset import Dataset
from meantime.web.app import create_app
from tests.contract.conftest import LIMIT_S
from tests.contract.v1_requests import WAIT, decoded, number_of, submit

if TYPE_CHECKING:
    from _typeshed import TraceFunction

FINAL = {"done", "failed", "cancelled"}
ANSWERING = tuple(str(Path(meantime.__file__).parent / name) for name in ("web/v1", "web/contract", "service.py"))

Answer = TypeVar("Answer")
Ask = Callable[[FlaskClient, int], Answer]
Act = Callable[[], object]


def interrupted(ask: Act, line_count: int, act: Act) -> bool:
    """Ask, and act when as many lines have answered; return whether there were so many."""
    passed = count(1)
    has_acted = False

    def trace(frame: FrameType, event: str, _: object) -> TraceFunction | None:
        nonlocal has_acted
        if not frame.f_code.co_filename.startswith(ANSWERING):
            return None
        if event == "line" and not has_acted and next(passed) == line_count:
            has_acted = True
            act()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        ask()
    finally:
        sys.settrace(before)
    return has_acted


class Desk:
    """A server whose one runner waits after each job, until it is told to take the next one."""

    def __init__(self, folder: Path, dataset: Dataset) -> None:
        self._next_may_run = threading.Semaphore(0)
        self.service = MeantimeService(
            DatasetRegistry([dataset]),
            SqliteJobStore(folder / ".meantime"),
            ResultsDirectory(folder / "results", folder / ".meantime" / "stored"),
            thread_count=1,
            on_job_end=self._wait_after_it,
        )
        self.client = create_app(self.service, Settings(state_dir=folder, result_wait_s=0.0)).test_client()
        self.service.start()
        submit(self.client, Prefer="wait=30")

    def _wait_after_it(self, job: Job) -> None:
        if job.state is JobState.DONE:  # told by the runner; that a job is cancelled is told by whoever cancels it
            self._next_may_run.acquire(timeout=LIMIT_S)

    def run(self, number: int) -> None:
        """Let the runner have one more job, and return when that has ended."""
        self._next_may_run.release()
        self._elsewhere(lambda: self.client.get(f"/api/v1/jobs/{number}", headers=WAIT))

    def cancel(self, number: int) -> None:
        """Cancel a job."""
        self._elsewhere(lambda: self.client.delete(f"/api/v1/jobs/{number}"))

    def _elsewhere(self, act: Act) -> None:
        """Act in another thread, as another client would."""
        thread = threading.Thread(target=act)
        thread.start()
        thread.join(LIMIT_S)
        assert not thread.is_alive()

    def answers(self, ask: Ask[Answer], ending: str) -> Iterator[Answer]:
        """Ask about a job that ends before the first, second, third ... line of the answer, until no line is left."""
        end = self.run if ending == "run" else self.cancel
        for line_count in count(1):
            number = number_of(submit(self.client))
            found: list[Answer] = []
            has_ended = interrupted(partial(self._ask, ask, number, found), line_count, partial(end, number))
            yield found[0]
            if not has_ended:
                return

    def _ask(self, ask: Ask[Answer], number: int, found: list[Answer]) -> None:
        found.append(ask(self.client, number))

    def close(self) -> None:
        """Let the runner go on, and close the service."""
        self._next_may_run.release(1000)
        assert self.service.close(LIMIT_S)


@pytest.fixture
def desk(tmp_path: Path, dataset: Dataset) -> Iterator[Desk]:
    made = Desk(tmp_path, dataset)
    yield made
    made.close()


either_way = pytest.mark.parametrize("ending", ["run", "cancel"])


def check_job(job: dict[str, object]) -> bool:
    """Check that a job's members agree; return whether it has ended."""
    is_final = job["state"] in FINAL
    assert (job["finished_at"] is not None) == is_final, job
    assert (job["progress"] is None) == is_final, job
    assert (job["reason"] is not None) == (job["state"] in {"failed", "cancelled"}), job
    links = job["links"]
    assert isinstance(links, dict)
    assert ("result" in links) == (job["state"] == "done"), job
    return is_final


@either_way
def test_a_job_that_ends_while_it_is_shown_is_shown_before_or_after(desk: Desk, ending: str) -> None:
    for answer in desk.answers(lambda client, number: client.get(f"/api/v1/jobs/{number}"), ending):
        job = decoded(answer)
        is_final = check_job(job)
        assert (job["result"] is not None) == (job["state"] == "done"), job
        assert ("Retry-After" in answer.headers) == (not is_final), job


@either_way
def test_a_job_that_ends_while_it_is_accepted_has_the_status_of_its_state(desk: Desk, ending: str) -> None:
    for answer in desk.answers(lambda client, _: submit(client), ending):
        job = decoded(answer)
        is_final = check_job(job)
        assert answer.status_code == (201 if is_final else 202), job
        assert (job["result"] is not None) == (job["state"] == "done"), job
        assert ("Retry-After" in answer.headers) == (not is_final), job


def test_a_job_that_ends_while_it_is_cancelled_has_the_status_of_its_state(desk: Desk) -> None:
    for answer in desk.answers(lambda client, number: client.delete(f"/api/v1/jobs/{number}"), "run"):
        if answer.status_code == 409:
            assert "done" in decoded(answer)["detail"]  # type: ignore[operator]  # a text
        else:
            assert answer.status_code == (200 if check_job(decoded(answer)) else 202)


@either_way
def test_a_job_that_ends_while_jobs_are_listed_is_listed_before_or_after(desk: Desk, ending: str) -> None:
    for answer in desk.answers(lambda client, _: client.get("/api/v1/jobs?limit=3"), ending):
        jobs = decoded(answer)["jobs"]
        assert isinstance(jobs, list)
        assert [check_job(job) for job in jobs]


@either_way
def test_a_job_that_ends_while_its_result_is_asked_for_has_one_or_not_yet(desk: Desk, ending: str) -> None:
    for answer in desk.answers(lambda client, number: client.get(f"/api/v1/jobs/{number}/result"), ending):
        if answer.status_code == 200:
            assert "records" in decoded(answer)
            continue
        problem = decoded(answer)
        assert answer.status_code == 409
        assert problem["state"] != "done", problem
        assert f"is {problem['state']}" in str(problem["detail"])
        assert "no reason is recorded" not in str(problem["detail"])
        assert ("Retry-After" in answer.headers) == (problem["state"] not in FINAL)


@either_way
def test_a_job_that_ends_while_the_contract_is_asked_is_running_or_has_ended(desk: Desk, ending: str) -> None:
    ended = "done" if ending == "run" else "error"
    for answer in desk.answers(lambda client, number: client.get(f"/api/get_results/{number}"), ending):
        body = decoded(answer)
        assert body["status"] in {"running", ended}, body
        assert body.get("reason") not in FINAL, body


@either_way
def test_a_job_that_ends_while_it_is_followed_is_said_to_go_on_or_to_have_ended(desk: Desk, ending: str) -> None:
    def first_event(client: FlaskClient, number: int) -> str:
        response = client.get(f"/api/v1/jobs/{number}/events")
        _, event = [next(response.response) for _ in range(2)]  # type: ignore[call-overload]  # a stream
        response.close()
        return str(event, "utf-8")

    for event in desk.answers(first_event, ending):
        name, data = [line.partition(": ")[2] for line in event.strip().split("\n")]
        assert check_job(orjson.loads(data)) == (name == "end"), event
