"""The page of a dataset: every count on it is a count of the table's rows."""

from __future__ import annotations

from pathlib import Path

from flask.testing import FlaskClient

from meantime.jobs.results.results_directory import ResultsDirectory
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.survey.datasets.dataset_registry import DatasetRegistry
from meantime.survey.ingest.dataset import Dataset
from meantime.web.app import create_app
from tests.contract.conftest import OBESITY, PLACES, STRENGTH, Serve
from tests.contract.shown_pages import BROWSER, shown
from tests.datasets import dataset_of, rows_of_everybody


def test_the_page_says_what_is_in_the_table_and_where_it_came_from(client: FlaskClient) -> None:
    text = shown(client, "/dataset").text
    for expected in ("A small survey", "hn4x-zwk7", "2025-09-06", "0" * 64, OBESITY, STRENGTH, "18 - 24"):
        assert expected in text
    assert ", ".join(sorted(set(PLACES) - {"National", "Guam", "Virgin Islands"})) in text


def test_coverage_and_what_is_suppressed_are_counts_of_the_rows(serve: Serve) -> None:
    rows = rows_of_everybody(["Ohio", "Utah"], [2022, 2023], OBESITY)
    males = [row._replace(category="Sex", stratum="Male") for row in rows]
    rows += [males[0]._replace(value=None, low=None, high=None), *males[1:]]
    page = shown(serve(dataset_of(rows)), "/dataset")
    coverage, reasons = [row for row in page.rows if row[0] == OBESITY][1:]
    assert coverage[1:] == ["75", "100"]
    assert reasons[1:] == ["7", "1", "0", "0", "0"]
    assert page.row_of("Male")[2:4] == ["3", "1"]
    assert page.row_of("Total")[2:4] == ["4", "0"]


def test_a_year_in_which_a_question_was_not_asked_says_so(serve: Serve) -> None:
    rows = rows_of_everybody(["Ohio"], [2022, 2023], OBESITY) + rows_of_everybody(["Ohio"], [2023], STRENGTH)
    page = shown(serve(dataset_of(rows)), "/dataset")
    assert ["not asked", "100"] in [row[1:] for row in page.rows if row and row[0] == STRENGTH]


def test_the_whole_table_is_there_live_and_of_this_version(client: FlaskClient, dataset: Dataset) -> None:
    links = [link for link in shown(client, "/dataset").all("a", "href") if "/table." in link]
    table = "/api/v1/datasets/small/table"
    assert set(links) == {
        f"{table}.{form}{version}" for form in ("csv", "parquet") for version in ("", f"?version={dataset.version}")
    }
    assert client.get(f"{table}.csv?version={dataset.version}", buffered=True).status_code == 200


def test_an_empty_table_has_its_page(serve: Serve) -> None:
    assert "There is nothing to count" in shown(serve(dataset_of([])), "/dataset").text


def test_one_of_several_datasets_is_chosen_by_its_name(tmp_path: Path, settings: Settings) -> None:
    tables = [
        dataset_of(rows_of_everybody([place], [2023], OBESITY), name)
        for place, name in (("Ohio", "first"), ("Utah", "second one"))
    ]
    service = MeantimeService(
        DatasetRegistry(tables),
        SqliteJobStore(tmp_path / "store"),
        ResultsDirectory(tmp_path / "results", tmp_path / "stored"),
        thread_count=1,
    )
    service.start()
    client = create_app(service, settings).test_client()
    try:
        default, second = shown(client, "/dataset"), shown(client, "/dataset?dataset=second%20one")
        assert default.all("option", "value") == second.all("option", "value") == ["first", "second one"]
        assert "Ohio" in default.text
        assert "Ohio" not in second.text
        assert "Utah" in second.text
        assert "/api/v1/datasets/second%20one/table.csv" in second.all("a", "href")
        missing = client.get("/dataset?dataset=third", headers={"Accept": BROWSER})
        assert missing.status_code == 404
    finally:
        service.close()


def test_a_table_that_nobody_reloaded_says_so(client: FlaskClient) -> None:
    assert "hasn't been read again since the server started" in shown(client, "/dataset").text
