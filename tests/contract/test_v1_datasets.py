"""What can be asked about, as resources: of the default dataset, and of each by its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from meantime.jobs.results.results_directory import ResultsDirectory
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.statistics.catalogue import CATALOGUE, Surface
from meantime.survey.datasets.dataset_registry import DatasetRegistry
from meantime.survey.ingest.dataset import Dataset
from meantime.web.app import create_app
from tests.contract.conftest import LIMIT_S, OBESITY, PLACES, STRENGTH
from tests.contract.v1_requests import decoded, problem, submit
from tests.datasets import dataset_of
from tests.reference import Row

RESOURCES = ["statistics", "questions", "locations", "categories"]


def listed(client: FlaskClient, name: str, path: str = "/api/v1") -> list[dict[str, object]]:
    found = decoded(client.get(f"{path}/{name}"))[name]
    assert isinstance(found, list)
    return found


@pytest.fixture
def naps(dataset: Dataset) -> Dataset:
    """Another dataset, of one question in one place."""
    row = Row("Percent who nap", "N001", "Ohio", "OH", 2020, "Total", "Total", 50.0, 49.0, 51.0, 80.0)
    return dataset_of([row], "naps", cube_version="naps-1", provenance=dataset.provenance)


@pytest.fixture
def two_datasets(tmp_path: Path, dataset: Dataset, naps: Dataset) -> Iterator[FlaskClient]:
    """A client of a server with both."""
    service = MeantimeService(
        DatasetRegistry([dataset, naps]),
        SqliteJobStore(tmp_path / "store"),
        ResultsDirectory(tmp_path / "results", tmp_path / "stored"),
        thread_count=1,
    )
    service.start()
    yield create_app(service, Settings(state_dir=tmp_path)).test_client()
    assert service.close(LIMIT_S)


def test_the_dataset_says_where_it_comes_from_and_where_to_go_on(client: FlaskClient, dataset: Dataset) -> None:
    found = decoded(client.get("/api/v1/dataset"))
    assert (found["name"], found["version"]) == ("small", dataset.version)
    provenance = found["provenance"]
    assert isinstance(provenance, dict)
    assert provenance["dataset_id"] == "hn4x-zwk7"
    links = found["links"]
    assert isinstance(links, dict)
    assert all(client.get(link).status_code == 200 for link in links.values())


def test_the_questions_have_their_direction_and_years(client: FlaskClient) -> None:
    breaks = [{"year": 2011, "reason": "the survey changed", "source": "https://example.org/changes"}]
    shared = {"undirected_because": None, "unit": "percent", "years": [2023], "breaks": breaks}
    assert listed(client, "questions") == [
        {"id": "", "text": OBESITY, "direction": "lower_is_better", **shared},
        {"id": "", "text": STRENGTH, "direction": "higher_is_better", **shared},
    ]


def test_the_locations_have_their_kind(client: FlaskClient) -> None:
    locations = listed(client, "locations")
    assert [location["name"] for location in locations] == PLACES
    kinds = {location["name"]: location["kind"] for location in locations}
    assert (kinds["Guam"], kinds["National"], kinds["Ohio"]) == ("territory", "nation", "state")


def test_the_categories_have_their_strata_and_no_empty_one(client: FlaskClient) -> None:
    assert listed(client, "categories") == [
        {"category": "Age (years)", "strata": [{"stratum": "18 - 24", "order": 0, "is_overall": False}]},
        {"category": "Sex", "strata": [{"stratum": "Male", "order": None, "is_overall": False}]},
        {"category": "Total", "strata": [{"stratum": "Total", "order": None, "is_overall": True}]},
    ]


def test_every_statistic_is_listed_with_a_schema_and_an_example(client: FlaskClient) -> None:
    found = {str(each["name"]): each for each in listed(client, "statistics")}
    assert list(found) == [each.name for each in CATALOGUE.values() if each.surface is Surface.V1]
    schema, example = found["mean"]["parameters"], found["mean"]["example"]
    assert isinstance(schema, dict)
    assert schema["required"] == ["question"]
    assert isinstance(example, dict)
    assert set(example["parameters"]) <= set(schema["properties"])


@pytest.mark.parametrize("name", RESOURCES)
def test_a_resource_is_the_same_below_the_name_of_its_dataset(client: FlaskClient, name: str) -> None:
    assert decoded(client.get(f"/api/v1/{name}")) == decoded(client.get(f"/api/v1/datasets/small/{name}"))


@pytest.mark.parametrize("path", ["", *[f"/{name}" for name in [*RESOURCES, "jobs"]]])
def test_an_unknown_dataset_is_not_found_and_the_known_are_named(client: FlaskClient, path: str) -> None:
    assert problem(client.get(f"/api/v1/datasets/smal{path}"), 404, "unknown-dataset")["accepted"] == ["small"]


def test_each_dataset_answers_for_itself(two_datasets: FlaskClient) -> None:
    datasets = decoded(two_datasets.get("/api/v1/datasets"))["datasets"]
    assert isinstance(datasets, list)
    assert [each["name"] for each in datasets] == ["small", "naps"]
    (question,) = listed(two_datasets, "questions", "/api/v1/datasets/naps")
    assert (question["id"], question["years"]) == ("N001", [2020])


def test_a_job_is_about_the_dataset_that_its_path_names(two_datasets: FlaskClient, naps: Dataset) -> None:
    nap = {"statistic": "mean", "parameters": {"question": "N001"}}
    response = two_datasets.post("/api/v1/datasets/naps/jobs", json=nap, headers={"Prefer": "wait=30"})
    shown = decoded(response)
    assert shown["dataset"] == {"name": "naps", "version": naps.version}
    assert response.headers["Location"] == "/api/v1/jobs/1"
    result = shown["result"]
    assert isinstance(result, dict)
    assert result["records"][0]["value"] == 50.0
    assert "/api/v1/datasets/naps/jobs" in str(decoded(two_datasets.get("/api/v1/jobs/1/reproduce"))["curl"])
    problem(submit(two_datasets, nap), 422, "invalid-parameter")  # the default dataset doesn't ask that
    submit(two_datasets)
    assert [job["id"] for job in jobs_of(two_datasets, "naps")] == [1]
    assert [job["id"] for job in jobs_of(two_datasets, "small")] == [2]


def jobs_of(client: FlaskClient, dataset: str) -> list[dict[str, object]]:
    return listed(client, "jobs", f"/api/v1/datasets/{dataset}")


@pytest.mark.parametrize("path", ["/api/v1/dataset", "/api/v1/datasets/small/questions", "/openapi.json"])
def test_what_a_client_has_already_is_not_sent_again(client: FlaskClient, path: str) -> None:
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("path", ["/api/v1/dataset", "/api/v1/datasets", "/api/v1/questions", "/api/v1/jobs/1"])
def test_an_unknown_query_parameter_is_refused(client: FlaskClient, path: str) -> None:
    problem(client.get(f"{path}?format=csv"), 422, "invalid-parameter")
