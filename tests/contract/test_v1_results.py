"""Results as resources: in the form that is asked for, cached for good, citable; and jobs that have none."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NoReturn

import orjson
import pytest
from flask.testing import FlaskClient

from meantime.errors import StatisticError
from meantime.statistics.catalogue import CATALOGUE, Statistic, register
from meantime.statistics.statistic import StatisticData
from meantime.survey.ingest.dataset import Dataset
from tests.contract.conftest import OBESITY
from tests.contract.v1_requests import MEAN, WAIT, decoded, problem, submit

RESULT = "/api/v1/jobs/1/result"
MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "jsonstat": "application/vnd.json-stat+json",
}


@pytest.fixture
def done(client: FlaskClient) -> FlaskClient:
    """A client of a server whose job 1 is done."""
    assert submit(client, Prefer="wait=30").status_code == 201
    return client


@pytest.mark.parametrize("extension", ["json", "csv", "jsonstat", "parquet"])
def test_the_extension_and_the_accept_header_give_the_same(done: FlaskClient, extension: str) -> None:
    by_extension = done.get(f"{RESULT}.{extension}")
    by_header = done.get(RESULT, headers={"Accept": MEDIA_TYPES[extension]})
    assert by_extension.status_code == by_header.status_code == 200
    assert by_extension.data == by_header.data
    assert by_extension.mimetype == by_header.mimetype == MEDIA_TYPES[extension]
    assert by_header.headers["Vary"] == "Accept"
    assert "Vary" not in by_extension.headers


def test_json_without_an_accept_header_and_it_is_what_the_job_shows(done: FlaskClient) -> None:
    response = done.get(RESULT)
    assert response.content_type == "application/json"
    assert orjson.loads(response.data) == decoded(done.get("/api/v1/jobs/1"))["result"]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/json; charset=utf-8", "application/json"),
        ('Application/JSON;charset="UTF-8"', "application/json"),
        ("application/json;charset=utf8;q=0.4, text/csv;q=0.9", "text/csv"),
        ("text/csv; charset=utf-8", "text/csv"),
        ("text/csv; charset=utf-8; header=present", "text/csv"),
        ("text/csv; header=present", "text/csv"),
        ("text/csv;header=absent, application/json;q=0.1", "application/json"),
        ("text/*; charset=utf-8", "text/csv"),
        ("text/csv;charset=utf-16, */*;q=0.1", "application/json"),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "application/json"),
        ("*", "application/json"),
        ("text/csv, */*", "text/csv"),
        ("text/csv;q=0, text/*, application/json;q=0.5", "application/json"),
        ("application/vnd.json-stat+json; charset=utf-8", "application/vnd.json-stat+json"),
    ],
)
def test_parameters_of_a_media_range_that_the_answer_satisfies_match(
    done: FlaskClient, accept: str, media_type: str
) -> None:
    answer = done.get(RESULT, headers={"Accept": accept})
    assert (answer.status_code, answer.mimetype) == (200, media_type)


def test_what_the_answer_declares_can_be_sent_back_as_what_is_accepted(done: FlaskClient) -> None:
    for extension in MEDIA_TYPES:
        declared = done.get(f"{RESULT}.{extension}").headers["Content-Type"]
        assert done.get(RESULT, headers={"Accept": declared}).headers["Content-Type"] == declared


@pytest.mark.parametrize(
    "accept", ["application/json; charset=utf-16", "text/csv; header=absent", "*/*;q=0", "application/json;q=2", "json"]
)
def test_where_nothing_fits_the_refusal_names_what_there_is(done: FlaskClient, accept: str) -> None:
    refused = problem(done.get(RESULT, headers={"Accept": accept}), 406, "not-acceptable")
    assert all(media_type in str(refused["detail"]) for media_type in MEDIA_TYPES.values())


def test_a_form_that_there_isnt_is_refused(done: FlaskClient) -> None:
    assert "text/csv" in str(
        problem(done.get(RESULT, headers={"Accept": "text/html"}), 406, "not-acceptable")["detail"]
    )
    problem(done.get(f"{RESULT}.xlsx"), 404, "not-found")


def test_a_files_name_says_what_it_is(done: FlaskClient) -> None:
    name = "mean_percent-of-adults-aged-18-years-and-older-who-have-obesity_2023_job_id_1"
    for extension in ("csv", "parquet"):
        disposition = done.get(f"{RESULT}.{extension}").headers["Content-Disposition"]
        assert disposition == f'attachment; filename="{name}.{extension}"'
    assert "Content-Disposition" not in done.get(f"{RESULT}.json").headers


@pytest.mark.parametrize("extension", ["json", "csv"])
def test_what_a_client_has_already_is_not_sent_again(done: FlaskClient, extension: str) -> None:
    first = done.get(f"{RESULT}.{extension}")
    assert first.headers["Cache-Control"] == "private, max-age=86400, immutable"
    again = done.get(f"{RESULT}.{extension}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert done.get(f"{RESULT}.{extension}", headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_csv_file_can_be_cited_without_its_answer(done: FlaskClient) -> None:
    answer = orjson.loads(done.get(RESULT).data)
    for row in csv.DictReader(io.StringIO(done.get(f"{RESULT}.csv").text, newline="")):
        assert (row["question"], row["year"], row["unit"]) == (OBESITY, "2023", "percent")
        assert (row["method"], row["citation"]) == ("mean/2", answer["provenance"]["citation"])


FORMS_OF_A_MATCH = ['W/"{}"', '"other", W/"{}"', '"{}"', 'W/"other","{}"', "*"]
NO_MATCHES = ['W/"other"', 'W/"{}x"', '"W/{}"', '""', ""]


@pytest.mark.parametrize("path", [f"{RESULT}.json", RESULT, f"{RESULT}.csv", "/api/v1/dataset", "/openapi.json"])
def test_tags_are_compared_weakly_as_rfc_9110_has_it(done: FlaskClient, path: str) -> None:
    """RFC 9110, 13.1.2: a proxy that packs an answer makes its tag weak, and sends it back so."""
    first = done.get(path)
    tag = first.headers["ETag"].strip('"')
    for form in FORMS_OF_A_MATCH:
        again = done.get(path, headers={"If-None-Match": form.format(tag)})
        assert (form, again.status_code, again.data) == (form, 304, b"")
        for name in ("ETag", "Cache-Control", "Vary"):
            assert again.headers.get(name) == first.headers.get(name)
    for form in NO_MATCHES:
        assert (form, done.get(path, headers={"If-None-Match": form.format(tag)}).status_code) == (form, 200)


def test_each_form_has_a_tag_of_its_own(done: FlaskClient) -> None:
    assert len({done.get(f"{RESULT}.{extension}").headers["ETag"] for extension in MEDIA_TYPES}) == len(MEDIA_TYPES)


def test_the_same_request_gives_the_same_bytes(done: FlaskClient) -> None:
    assert submit(done, Prefer="wait=30").headers["Location"] == "/api/v1/jobs/2"
    assert done.get("/api/v1/jobs/2/result").headers["ETag"] == done.get(RESULT).headers["ETag"]


def test_a_result_can_be_waited_for(client: FlaskClient) -> None:
    submit(client)
    response = client.get(RESULT, headers=WAIT)
    assert response.status_code == 200
    assert response.headers["Preference-Applied"] == "wait=30"


def test_a_result_that_is_not_there_yet_is_never_a_success(idle_client: FlaskClient) -> None:
    submit(idle_client)
    for path in (RESULT, f"{RESULT}.csv"):
        response = idle_client.get(path)
        assert problem(response, 409, "no-result")["state"] == "queued"
        assert response.headers["Retry-After"] == "1"
        assert response.headers["Cache-Control"] == "no-store"
    problem(idle_client.get("/api/v1/jobs/2/result"), 404, "unknown-job")


def test_a_contract_result_comes_as_json_alone(client: FlaskClient) -> None:
    client.post("/api/states_mean", json={"question": OBESITY})
    bare = client.get(RESULT, headers=WAIT)
    assert orjson.loads(bare.data) == orjson.loads(client.get("/api/get_results/1").data)["data"]
    problem(client.get(f"{RESULT}.csv"), 404, "not-found")
    problem(client.get(RESULT, headers={"Accept": "text/csv"}), 406, "not-acceptable")


# ---- a job that fails -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class NoAnswer(Statistic):
    """A statistic that never has an answer."""

    name = "no_answer"
    title = "No answer"
    summary = "Never has an answer."
    unit = "percent"
    method = "no_answer/1: none"
    example: ClassVar = {}
    documentation = "methods/mean.md"

    def compute(self, data: StatisticData) -> NoReturn:
        raise StatisticError(f"nobody of {len(data.cube.locations)} locations knows")


@pytest.fixture
def no_answer() -> Iterator[None]:
    register(NoAnswer)
    yield
    del CATALOGUE[NoAnswer.name]


def test_a_failed_job_says_why_and_has_no_result(no_answer: None, client: FlaskClient) -> None:
    response = submit(client, {"statistic": "no_answer"}, Prefer="wait=30")
    assert response.status_code == 201
    body = decoded(response)
    assert (body["state"], body["reason"], body["result"]) == ("failed", "nobody of 8 locations knows", None)
    refused = client.get(RESULT)
    found = problem(refused, 409, "no-result")
    assert found["state"] == "failed"
    assert "nobody of 8 locations knows" in str(found["detail"])
    assert "Retry-After" not in refused.headers


# ---- provenance -----------------------------------------------------------------------------------------------------


def provenance(client: FlaskClient) -> dict[str, object]:
    found = orjson.loads(client.get(RESULT).data)["provenance"]
    assert isinstance(found, dict)
    return found


def test_a_result_says_where_it_comes_from(done: FlaskClient, dataset: Dataset) -> None:
    found = provenance(done)
    assert found["dataset"] == {
        "name": "small",
        "version": dataset.version,
        "publisher": "CDC",
        "title": "A small survey",
        "dataset_id": "hn4x-zwk7",
        "source_name": "small.csv",
        "source_sha256": "0" * 64,
        "export_date": "2025-09-06",
    }
    assert found["method"] == "mean/2"
    assert found["citation"] == (
        "CDC. A small survey (hn4x-zwk7), export of 2025-09-06. SHA-256 000000000000..."
        " Statistic mean (mean/2), computed with Meantime."
    )


def test_the_request_in_a_result_gives_the_same_result(done: FlaskClient) -> None:
    again = submit(done, provenance(done)["request"], Prefer="wait=30")
    assert decoded(again)["result"] == orjson.loads(done.get(RESULT).data)


def test_a_contract_result_is_as_bare_as_ever(client: FlaskClient) -> None:
    client.post("/api/global_mean", json={"question": OBESITY})
    assert set(orjson.loads(client.get(RESULT, headers=WAIT).data)) == {"global_mean"}


def test_every_statistic_has_a_source(client: FlaskClient) -> None:
    response = submit(client, MEAN | {"statistic": "coverage", "parameters": {}}, Prefer="wait=30")
    result = decoded(response)["result"]
    assert isinstance(result, dict)
    assert result["provenance"]["method"] == "coverage/2"
