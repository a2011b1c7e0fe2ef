"""A real service over a small survey in a temporary folder, and Flask's test client in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from meantime.jobs.results.results_directory import ResultsDirectory
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.survey.datasets.dataset_registry import DatasetRegistry
from meantime.survey.ingest.dataset import Dataset
from meantime.survey.ingest.provenance import Provenance
from meantime.web.app import create_app
from tests.datasets import dataset_of
from tests.reference import Row

OBESITY = "Percent of adults aged 18 years and older who have obesity"
STRENGTH = "Percent of adults who engage in muscle-strengthening activities on 2 or more days a week"
PLACES = ["Alabama", "Guam", "National", "New Jersey", "Ohio", "Utah", "Virgin Islands", "Wyoming"]
STRATA = [("Total", "Total"), ("Age (years)", "18 - 24"), ("Sex", "Male"), ("", "")]
LIMIT_S = 30.0


def _rows() -> list[Row]:
    rows = []
    for i, (place, (category, stratum), question) in enumerate(
        (place, segment, question) for question in (OBESITY, STRENGTH) for place in PLACES for segment in STRATA
    ):
        is_suppressed = question == STRENGTH and place == "Virgin Islands"
        value = None if is_suppressed else 20.0 + i * 7 % 31 + 0.1
        rows.append(
            Row(
                question, "", place, "", 2023, category, stratum, value, value and value - 1, value and value + 1, 100.0
            )
        )
    return rows


ROWS = _rows()


@pytest.fixture(scope="package")
def dataset() -> Dataset:
    """Eight locations, two questions; the Virgin Islands have no value for one of them."""
    provenance = Provenance("CDC", "A small survey", "hn4x-zwk7", "small.csv", "0" * 64, export_date="2025-09-06")
    return dataset_of(ROWS, provenance=provenance)


OpenService = Callable[..., MeantimeService]


@pytest.fixture
def open_service(tmp_path: Path, dataset: Dataset) -> Iterator[OpenService]:
    """Opens a service on the test's folder; what was opened is closed at the end."""
    opened: list[MeantimeService] = []

    def open_one(
        *, start: bool = True, queue_capacity: int = 1000, store: SqliteJobStore | None = None
    ) -> MeantimeService:
        service = MeantimeService(
            DatasetRegistry([dataset]),
            store or SqliteJobStore(tmp_path / ".meantime"),
            ResultsDirectory(tmp_path / "results", tmp_path / ".meantime" / "stored"),
            thread_count=2,
            queue_capacity=queue_capacity,
        )
        opened.append(service)
        if start:
            service.start()
        return service

    yield open_one
    for service in opened:
        assert service.close(LIMIT_S)


Serve = Callable[[Dataset], FlaskClient]


@pytest.fixture
def serve(tmp_path: Path, settings: Settings, request: pytest.FixtureRequest) -> Serve:
    """Serves a table of one's own."""

    def serve_one(dataset: Dataset) -> FlaskClient:
        service = MeantimeService(
            DatasetRegistry([dataset]),
            SqliteJobStore(tmp_path / "own"),
            ResultsDirectory(tmp_path / "own-results", tmp_path / "own" / "stored"),
            thread_count=2,
        )
        service.start()
        request.addfinalizer(service.close)
        return create_app(service, settings).test_client()

    return serve_one


@pytest.fixture
def service(open_service: OpenService) -> MeantimeService:
    """A service whose runners run."""
    return open_service()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings under which get_results waits until the job has finished."""
    return Settings(state_dir=tmp_path, result_wait_s=LIMIT_S, threads=2)


@pytest.fixture
def app(service: MeantimeService, settings: Settings) -> Flask:
    """The application in front of the service."""
    return create_app(service, settings)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client on the server's own machine."""
    return app.test_client()


@pytest.fixture
def idle_service(open_service: OpenService) -> MeantimeService:
    """A service that accepts jobs and runs none, until it is started."""
    return open_service(start=False)


@pytest.fixture
def idle_client(idle_service: MeantimeService, settings: Settings) -> FlaskClient:
    """A client of the service that runs nothing."""
    return create_app(idle_service, settings).test_client()
