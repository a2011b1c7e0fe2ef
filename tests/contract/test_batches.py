"""Batches: many requests as one durable job, each answered as if it were asked alone."""

from __future__ import annotations

import orjson
import pytest
from flask.testing import FlaskClient

from meantime.jobs.job_store import JobFilter
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.web.app import create_app
from tests.contract.conftest import OBESITY, STRENGTH, OpenService
from tests.contract.v1_requests import MEAN, WAIT, decoded, problem

BATCHES = "/api/v1/batches"
REQUESTS: list[dict[str, object]] = [
    {"statistic": "mean", "parameters": {"question": OBESITY, "by": ["location"]}},
    {"statistic": "ranking", "parameters": {"question": OBESITY, "k": 2}},
    {"statistic": "Mean", "parameters": {"question": STRENGTH.upper()}},
]
NO_ANSWER: dict[str, object] = {
    "statistic": "ranking",
    "parameters": {"question": STRENGTH, "locations": ["Virgin Islands"], "include": ["territories"]},
}


def answers_of(client: FlaskClient, requests: list[dict[str, object]]) -> list[dict[str, object]]:
    job = decoded(client.post(BATCHES, json={"requests": requests}, headers=WAIT))
    assert (job["state"], job["statistic"]) == ("done", "batch")
    result = job["result"]
    assert isinstance(result, dict)
    answers = result["answers"]
    assert isinstance(answers, list)
    return answers


def test_each_request_is_answered_as_if_it_were_asked_alone(client: FlaskClient) -> None:
    answers = answers_of(client, REQUESTS)
    assert [answer["statistic"] for answer in answers] == ["mean", "ranking", "mean"]
    for request, answer in zip(REQUESTS, answers, strict=True):
        alone = decoded(client.post("/api/v1/jobs", json=request, headers=WAIT))
        assert answer["state"] == "done"
        assert orjson.dumps(answer["result"]) == orjson.dumps(alone["result"])


def test_one_without_an_answer_says_why_and_the_others_are_answered(client: FlaskClient) -> None:
    answers = answers_of(client, [NO_ANSWER, dict(MEAN)])
    alone = decoded(client.post("/api/v1/jobs", json=NO_ANSWER, headers=WAIT))
    assert answers[0] == {"statistic": "ranking", "state": "failed", "reason": alone["reason"]}
    assert answers[1]["state"] == "done"


def test_what_a_batch_found_is_known_to_the_addresses_of_its_answers(
    client: FlaskClient, service: MeantimeService
) -> None:
    answers_of(client, [dict(MEAN)])
    assert client.get(f"/api/v1/answers/mean?question={OBESITY}&by=location").status_code == 200
    assert len(service.page(JobFilter(), before=None, limit=10)) == 1


def test_a_batch_is_one_job_that_outlives_the_server(
    open_service: OpenService, settings: Settings, client: FlaskClient
) -> None:
    first = client.post(BATCHES, json={"requests": REQUESTS}, headers=WAIT)
    assert first.status_code == 201
    assert first.headers["Location"] == "/api/v1/jobs/1"
    content = client.get("/api/v1/jobs/1/result").data
    assert orjson.loads((settings.results_dir / "job_id_1.json").read_bytes()) == orjson.loads(content)
    again = decoded(client.get("/api/v1/jobs?statistic=batch"))["jobs"]
    assert isinstance(again, list)
    assert [job["id"] for job in again] == [1]


def test_an_accepted_batch_that_did_not_run_runs_at_the_next_start(
    idle_client: FlaskClient, idle_service: MeantimeService
) -> None:
    accepted = idle_client.post(BATCHES, json={"requests": REQUESTS})
    assert accepted.status_code == 202
    assert idle_client.post(BATCHES, json={"requests": REQUESTS}).headers["Location"] == accepted.headers["Location"]
    idle_service.start()
    assert decoded(idle_client.get("/api/v1/jobs/1", headers=WAIT))["state"] == "done"


def test_a_key_of_idempotency_names_a_batch_as_it_does_a_job(client: FlaskClient) -> None:
    headers = {"Idempotency-Key": "once", **WAIT}
    first, again = (client.post(BATCHES, json={"requests": REQUESTS}, headers=headers) for _ in range(2))
    assert decoded(first)["id"] == decoded(again)["id"]
    other = client.post(BATCHES, json={"requests": REQUESTS[:1]}, headers=headers)
    problem(other, 422, "idempotency-conflict")


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({}, "requests", "give a list of 1 to 200"),
        ({"requests": []}, "requests", "0 requests; give a list of 1 to 200"),
        ({"requests": [MEAN] * 201}, "requests", "201 requests"),
        ({"requests": MEAN}, "requests", "give a list"),
        ({"requests": "all"}, "requests", "'all'; give a list"),
        ({"request": [MEAN]}, "request", "did you mean 'requests'?"),
        ({"requests": [MEAN, 5]}, "requests[1]", "5 is not"),
        ({"requests": [MEAN, {"statistic": "meen"}]}, "requests[1].statistic", "did you mean 'mean'?"),
        (
            {"requests": [{"statistic": "mean", "parameters": {"question": OBESITY, "years": [1999]}}]},
            "requests[0].years",
            "no year 1999",
        ),
        ({"requests": [{"statistic": "best5", "parameters": {}}]}, "requests[0].statistic", "'best5'"),
    ],
)
def test_what_is_wrong_is_named_with_its_request(
    client: FlaskClient, body: dict[str, object], field: str, said: str
) -> None:
    found = problem(client.post(BATCHES, json=body), 422, "invalid-parameter")
    assert found["field"] == field
    assert said in str(found["detail"])


def test_two_hundred_requests_are_answered_in_their_order(open_service: OpenService, settings: Settings) -> None:
    client = create_app(open_service(), settings).test_client()
    levels = [0.5 + place / 500 for place in range(200)]
    requests: list[dict[str, object]] = [
        {"statistic": "mean", "parameters": {"question": OBESITY, "level": level}} for level in levels
    ]
    answers = answers_of(client, requests)
    found = [answer["result"]["provenance"]["request"]["parameters"]["level"] for answer in answers]  # type: ignore[index]
    assert found == levels
