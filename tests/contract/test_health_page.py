"""The page of the server's health: plain words first, and they are true."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from flask.testing import FlaskClient

from meantime import __version__
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.supervisor import KeptThread
from meantime.survey.ingest.dataset import Dataset
from meantime.web.app import create_app
from tests.contract.conftest import LIMIT_S, OBESITY, OpenService
from tests.contract.shown_pages import Elements, shown
from tests.contract.v1_requests import submit


def headline(page: Elements) -> str:
    """Return the page's first words."""
    return page.text.partition("Skip to the content")[2].partition("Health")[2].strip().partition("\n")[0]


def test_a_server_that_works_says_so_and_where_machines_look(client: FlaskClient, dataset: Dataset) -> None:
    page = shown(client, "/health")
    assert headline(page) == "Everything works."
    assert {"/healthz", "/readyz", "/metrics"} <= set(page.all("a", "href"))
    assert __version__ in page.text
    assert page.row_of("small")[1:3] == [dataset.version[:12], "64"]


def test_jobs_are_counted(client: FlaskClient) -> None:
    submit(client, Prefer="wait=30")
    text = " ".join(shown(client, "/health").text.split())
    assert "done since the start 1" in text
    assert "waiting 0 of" in text
    assert "busy 0 of 2" in text


def test_jobs_that_wait_are_counted_and_a_queue_that_is_nearly_full_is_named(
    idle_service: MeantimeService, settings: Settings
) -> None:
    client = create_app(idle_service, replace(settings, queue_capacity=5)).test_client()
    for number in range(4):
        asked = {"question": OBESITY, "level": 0.9 + number / 100}
        client.post("/api/v1/jobs", json={"statistic": "mean", "parameters": asked})
    page = shown(client, "/health")
    assert headline(page) == "It works, and something deserves a look."
    assert "4 jobs wait, and 5 may" in page.text


def test_a_drain_is_no_fault(service: MeantimeService, client: FlaskClient) -> None:
    service.begin_drain()
    assert headline(shown(client, "/health")).startswith("The server is shutting down")


def test_a_thread_that_is_missing_is_named(service: MeantimeService, client: FlaskClient) -> None:
    ended = threading.Event()
    thread = KeptThread(ended.set, name="sweeper")
    service.supervisor.add(thread)
    thread.start()
    assert ended.wait(LIMIT_S)
    while not thread.is_missing:
        pass
    page = shown(client, "/health")
    assert headline(page).startswith("Something is wrong")
    assert "Not running: sweeper." in page.text
    assert page.row_of("sweeper")[1] == "missing"


def test_a_store_that_is_closed_is_named(open_service: OpenService, settings: Settings, tmp_path: Path) -> None:
    store = SqliteJobStore(tmp_path / "store")
    client = create_app(open_service(store=store), settings).test_client()
    store.close()
    page = shown(client, "/health")
    assert headline(page).startswith("Something is wrong")
    assert "job store can't be written to" in page.text
