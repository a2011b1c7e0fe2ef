"""The nine POST endpoints and get_results: numbers, order, ids, and what is written where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from meantime.statistics.catalogue import CATALOGUE, Surface
from tests import reference
from tests.contract.conftest import OBESITY, ROWS, STRENGTH

NINE = [
    "states_mean", "state_mean", "best5", "worst5", "global_mean", "diff_from_mean", "state_diff_from_mean",
    "mean_by_category", "state_mean_by_category",
]  # fmt: skip


def body_of(endpoint: str, question: str, state: str) -> dict[str, str]:
    needs_state = endpoint.startswith("state_")
    return {"question": question} | ({"state": state} if needs_state else {})


def result_of(client: FlaskClient, endpoint: str, body: dict[str, str]) -> object:
    accepted = client.post(f"/api/{endpoint}", json=body)
    assert accepted.status_code == 200
    answer = client.get(f"/api/get_results/{accepted.json['job_id']}")  # type: ignore[index]  # the body is an object
    assert (answer.status_code, answer.json["status"]) == (200, "done")  # type: ignore[index]  # the body is an object
    return json.loads(answer.data)["data"]


def test_the_catalogue_offers_the_contracts_nine() -> None:
    assert sorted(NINE) == sorted(name for name, row in CATALOGUE.items() if row.surface is Surface.CONTRACT)


@pytest.mark.parametrize("question", [OBESITY, STRENGTH])
@pytest.mark.parametrize("endpoint", NINE)
def test_each_endpoint_gives_the_reference_result_in_the_reference_order(
    client: FlaskClient, endpoint: str, question: str
) -> None:
    body = body_of(endpoint, question, "Ohio")
    expected = reference.CONTRACT[endpoint](ROWS, **body)
    assert json.dumps(_rounded(result_of(client, endpoint, body))) == json.dumps(_rounded(expected))


def _rounded(value: object) -> object:
    """Round every number; each has to be a float, and the order of keys is kept."""
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    assert isinstance(value, float)
    return round(value, 6)


@pytest.mark.parametrize(
    ("endpoint", "nothing"), [("state_mean", None), ("state_diff_from_mean", None), ("state_mean_by_category", {})]
)
def test_a_known_location_without_a_value_gives_null_or_a_mapping_without_keys(
    client: FlaskClient, endpoint: str, nothing: object
) -> None:
    body = {"question": STRENGTH, "state": "Virgin Islands"}
    assert result_of(client, endpoint, body) == {"Virgin Islands": nothing}


def test_an_accepted_job_is_answered_with_its_id_and_where_to_look(client: FlaskClient) -> None:
    answer = client.post("/api/states_mean", json={"question": OBESITY})
    assert answer.status_code == 200
    assert answer.json == {"job_id": "job_id_1"}
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Location"] == "/api/get_results/job_id_1"
    assert answer.headers["Retry-After"] == "1"


def test_ids_count_up_and_refused_requests_use_none(client: FlaskClient) -> None:
    ids = []
    for _ in range(3):
        client.post("/api/states_mean", json={"question": "no such question"})
        ids.append(client.post("/api/global_mean", json={"question": OBESITY}).json)
    assert ids == [{"job_id": f"job_id_{number}"} for number in (1, 2, 3)]


def test_both_spellings_of_an_id_give_the_same_bytes(client: FlaskClient) -> None:
    client.post("/api/states_mean", json={"question": OBESITY})
    first, second = client.get("/api/get_results/job_id_1"), client.get("/api/get_results/1")
    assert first.status_code == second.status_code == 200
    assert first.data == second.data


def test_the_result_file_holds_the_bare_result(client: FlaskClient, tmp_path: Path) -> None:
    result = result_of(client, "states_mean", {"question": OBESITY})
    assert json.loads((tmp_path / "results" / "job_id_1.json").read_text()) == result


def test_a_content_type_with_a_charset_is_accepted(client: FlaskClient) -> None:
    for content_type in ("application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON"):
        answer = client.post("/api/global_mean", data=json.dumps({"question": OBESITY}), content_type=content_type)
        assert answer.status_code == 200, content_type


ODD_IDS = [
    "0", "00", "01", "-1", "+1", "1_0", "1.0", "1e3", "0x1", " 1", "1 ", "1%0a", "%0a1", "1%00", "%00", "%D9%A1",
    "job_id_%D9%A1", "%EF%BC%91", "%C2%B9", "job_id_", "job_id_0", "job_id_01", "job_id_-1", "job_id_+1", "job_id_1_0",
    "job_id_1%0a", "JOB_ID_1", "Job_id_1", "job_id_job_id_1", "job_id_1.json", "abc", "null", "..", "%2e%2e", "*",
    "9" * 19, "job_id_" + "9" * 4000, "%3Cscript%3E", "..%2f..%2fetc%2fpasswd", "%5cevil.example", "%ff%fe", "1,2",
    "999999999999999999", "2",
]  # fmt: skip


@pytest.mark.parametrize("job_id", ODD_IDS)
def test_anything_but_the_id_of_a_job_is_unknown(client: FlaskClient, job_id: str) -> None:
    client.post("/api/global_mean", json={"question": OBESITY})
    answer = client.get(f"/api/get_results/{job_id}")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["status"] == "error"
    assert "script" not in answer.text
    if "%2f" not in job_id:
        assert answer.json["reason"] == "Invalid job_id"
