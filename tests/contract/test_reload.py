"""``POST /api/v1/datasets/{name}/reload``: the new file is served, the old one stays where it has to."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from meantime.bootstrap import make_ingestor
from meantime.jobs.results.results_directory import ResultsDirectory
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.service import MeantimeService
from meantime.settings import NamedPath, Settings
from meantime.survey.datasets.dataset_registry import DatasetRegistry
from meantime.web.app import create_app
from tests.contract.conftest import OpenService
from tests.contract.shown_pages import shown
from tests.unit.survey.tables import ROW, csv_text, written

pytestmark = pytest.mark.slow

RELOAD = "/api/v1/datasets/brfss/reload"
QUESTION = {"question": "Percent of adults who have obesity"}


class Room:
    """A server of two tables, and the first one's file."""

    def __init__(self, folder: Path, *, is_started: bool = True) -> None:
        self.source = written(folder, csv_text([ROW]), "brfss.csv")
        other = written(folder, csv_text([ROW]), "wic.csv")
        data = (NamedPath("brfss", self.source), NamedPath("wic", other))
        settings = Settings(data=data, state_dir=folder, threads=1, result_wait_s=30.0)
        self.service = MeantimeService(
            DatasetRegistry([make_ingestor(settings, each.name).ingest() for each in data]),
            SqliteJobStore(folder / "store"),
            ResultsDirectory(folder / "results", folder / "stored"),
            thread_count=1,
            make_ingestor=partial(make_ingestor, settings),
        )
        self.client = create_app(self.service, settings).test_client()
        if is_started:
            self.service.start()

    def write(self, *rows: str) -> None:
        self.source.write_text(csv_text(rows))

    def global_mean(self) -> object:
        submitted = self.client.post("/api/global_mean", json=QUESTION).json
        assert submitted is not None
        answer = self.client.get(f"/api/get_results/{submitted['job_id']}").json
        assert answer is not None
        return answer["data"]["global_mean"]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.service.close()


def test_after_a_reload_new_jobs_are_about_the_new_file_and_old_results_stay(room: Room) -> None:
    assert room.global_mean() == 39.2
    room.write(ROW.replace("39.2", "38.2"), ROW.replace("Alabama", "Utah"))
    answer = room.client.post(RELOAD)
    assert answer.status_code == 200
    assert answer.json is not None
    document = room.client.get("/openapi.json").json
    assert document is not None
    Draft202012Validator(document | {"$ref": "#/components/schemas/DriftReport"}).validate(answer.json)
    assert answer.json["locations"] == {"added": ["Utah"], "removed": []}
    assert answer.json["cells"]["examples"][0]["before"] == 39.2
    assert room.global_mean() == pytest.approx(38.7)
    assert room.client.get("/api/get_results/1").json == {"status": "done", "data": {"global_mean": 39.2}}


def test_a_job_that_was_accepted_before_finishes_on_its_own_version(tmp_path: Path) -> None:
    room = Room(tmp_path, is_started=False)
    room.client.post("/api/global_mean", json=QUESTION)
    room.write(ROW.replace("39.2", "38.2"))
    assert room.client.post(RELOAD).status_code == 200
    room.service.start()
    assert room.client.get("/api/get_results/1").json == {"status": "done", "data": {"global_mean": 39.2}}
    assert room.global_mean() == 38.2
    room.service.close()


def test_a_broken_new_file_leaves_the_old_one_serving(room: Room) -> None:
    room.write(ROW.replace("39.2", "many"))
    answer = room.client.post(RELOAD)
    assert (answer.status_code, answer.content_type) == (409, "application/problem+json")
    assert answer.json is not None
    assert "line 2, column 'Data_Value'" in answer.json["detail"]
    assert room.global_mean() == 39.2


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/v1/datasets/nix/reload", None, 404),
        (RELOAD, {"force": True}, 422),
        (f"{RELOAD}?force=1", None, 422),
    ],
)
def test_what_a_reload_does_not_know_is_refused(
    room: Room, path: str, body: dict[str, object] | None, status: int
) -> None:
    assert room.client.post(path, json=body).status_code == status


def test_a_page_of_another_site_may_not_reload(room: Room) -> None:
    assert room.client.post(RELOAD, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_looking_at_the_address_of_a_reload_does_nothing(room: Room) -> None:
    assert room.client.get(RELOAD).status_code == 405
    assert room.client.head(RELOAD).status_code == 405


def test_a_server_that_knows_no_source_says_so(open_service: OpenService, settings: Settings) -> None:
    client: FlaskClient = create_app(open_service(), settings).test_client()
    answer = client.post("/api/v1/datasets/small/reload")
    assert answer.status_code == 409
    assert "no source" in answer.text


def test_the_page_of_the_dataset_shows_what_the_latest_reload_changed(room: Room) -> None:
    room.write(ROW.replace("39.2", "38.2"), ROW.replace("Alabama", "Utah"))
    assert room.client.post(RELOAD).status_code == 200
    page = shown(room.client, "/dataset")
    assert "added: 1, removed: 0, changed: 1, as they were: 0." in page.text
    assert "new: Utah" in page.text
    assert ["39.2", "38.2"] in [row[-2:] for row in page.rows]
    assert "hasn't been read again" in shown(room.client, "/dataset?dataset=wic").text
    assert room.client.post(RELOAD).status_code == 200
    assert "Nothing: the source still holds version" in shown(room.client, "/dataset").text
