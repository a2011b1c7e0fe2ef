"""ARCHITECTURE.md lists the files that a request, its result, a v1 parameter and a table's row pass, and how many."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from meantime.bootstrap import build_service
from meantime.jobs.sqlite.statements import insert_batch
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.survey import bundled_table
from meantime.survey.ingest.data_ingestor import DataIngestor
from meantime.survey.ingest.dataset import Dataset
from meantime.survey.ingest.errands import PinnedTable, write_cube
from meantime.survey.reading.layout_files import layout_files, layouts_checksum
from meantime.survey.reading.layouts import layouts
from meantime.survey.reading.sources import DEFAULT_SIZE_LIMIT_BYTES, source_sha256
from meantime.web.app import create_app
from tests.conftest import PROJECT
from tests.walks import Walk, traced

LIMIT_S = 30.0
QUESTION = {"question": "Percent of adults aged 18 years and older who have obesity"}
MEAN = {"statistic": "mean", "parameters": {"question": "Q036", "years": [2023], "by": ["location"]}}
_LISTED = re.compile(r"^### (?P<name>[^\n:]+): (?P<count>\d+) files\n(?P<text>.*?)(?=^#|\Z)", re.MULTILINE | re.DOTALL)


def listed(name: str) -> list[str]:
    """Return the files that the page lists for a walk, sorted; it has to have counted them."""
    page = (PROJECT / "ARCHITECTURE.md").read_text("utf-8")
    found = {walk["name"]: walk for walk in _LISTED.finditer(page)}[name]
    files = sorted(set(re.findall(r"`([a-z_0-9/]+\.py)`", found["text"])))
    assert len(files) == int(found["count"]), f"the page lists {len(files)} files"
    return files


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return DataIngestor(bundled_table(), cache_directory=tmp_path_factory.mktemp("cubes")).ingest()


class Server:
    """An application in front of a service with one runner, which is traced from its start."""

    def __init__(self, settings: Settings, dataset: Dataset) -> None:
        with traced() as self.of_runner:
            self.service: MeantimeService = build_service(settings, [dataset])
        self.client: FlaskClient = create_app(self.service, settings).test_client()
        # What is made once, by the first request of its kind, is no part of a request's way.
        self.client.post("/api/best5", json=QUESTION)
        self.client.post("/api/v1/jobs", json=MEAN | {"statistic": "ranking", "parameters": {"question": "Q036"}})
        self.wait(2)
        self.client.get("/api/get_results/1")
        for row_count in range(1, 10):
            insert_batch(row_count)
        self.of_runner.modules.clear()

    def wait(self, number: int) -> None:
        assert self.service.wait(number, LIMIT_S).state.is_final


@pytest.fixture
def server(tmp_path: Path, bundled: Dataset) -> Iterator[Server]:
    opened = Server(Settings(state_dir=tmp_path, threads=1), bundled)
    yield opened
    assert opened.service.close(LIMIT_S)


def together(*walks: Walk) -> list[str]:
    return sorted({module for walk in walks for module in walk.modules})


def test_a_request_passes_the_files_that_are_listed(server: Server) -> None:
    with traced() as of_request:
        assert server.client.post("/api/states_mean", json=QUESTION).status_code == 200
    server.wait(3)
    server.service.wait_drained(LIMIT_S)
    assert together(of_request, server.of_runner) == listed("A request")


def test_a_result_passes_the_files_that_are_listed(server: Server) -> None:
    with traced() as of_result:
        assert server.client.get("/api/get_results/1").json["status"] == "done"  # type: ignore[index]  # it is JSON
    assert together(of_result) == listed("Its result")


def test_a_v1_parameter_passes_the_files_that_are_listed(server: Server) -> None:
    with traced() as of_request:
        assert server.client.post("/api/v1/jobs", json=MEAN, headers={"Prefer": "wait=30"}).status_code == 201
    server.service.wait_drained(LIMIT_S)
    assert together(of_request, server.of_runner) == listed("A v1 parameter")


def test_a_row_of_a_table_passes_the_files_that_are_listed(tmp_path: Path) -> None:
    table = bundled_table()
    pinned = PinnedTable(
        source=str(table),
        sha256=source_sha256(table),
        mapping_text="",
        mapping_name="",
        size_limit_bytes=DEFAULT_SIZE_LIMIT_BYTES,
    )
    for held in (layout_files, layouts, layouts_checksum):  # another test may have read these
        held.cache_clear()
    with traced() as of_child:  # here, where it can be seen
        write_cube(lambda *_: None, pinned, output=str(tmp_path / "cube"), scratch_directory=str(tmp_path))
    with traced() as of_parent:
        DataIngestor(table, cache_directory=tmp_path).ingest()
    assert together(of_parent, of_child) == listed("A row of a table")
