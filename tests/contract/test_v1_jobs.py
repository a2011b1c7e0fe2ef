"""Jobs as resources: submitted, waited for, shown, listed, cancelled; joined, and sent again under a key."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient

from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.survey.ingest.dataset import Dataset
from meantime.web.app import create_app
from tests.contract.conftest import LIMIT_S, OBESITY, STRENGTH, OpenService
from tests.contract.v1_requests import MEAN, WAIT, decoded, number_of, problem, submit

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


# ---- submitting -----------------------------------------------------------------------------------------------------


def test_a_job_is_accepted_at_once(idle_client: FlaskClient, dataset: Dataset) -> None:
    response = submit(idle_client)
    assert response.status_code == 202
    assert response.headers["Location"] == "/api/v1/jobs/1"
    assert response.headers["Retry-After"] == "1"
    assert "Preference-Applied" not in response.headers
    body = decoded(response)
    assert (body["id"], body["state"], body["statistic"], body["result"]) == (1, "queued", "mean", None)
    assert body["dataset"] == {"name": "small", "version": dataset.version}
    assert body["progress"] == {"jobs_ahead": 0}
    assert isinstance(body["submitted_at"], str)
    assert TIME.fullmatch(body["submitted_at"])
    assert (body["started_at"], body["finished_at"], body["attempt"]) == (None, None, 0)


def test_who_waits_gets_the_result_in_the_same_answer(client: FlaskClient) -> None:
    response = submit(client, Prefer="wait=30")
    assert response.status_code == 201
    assert response.headers["Preference-Applied"] == "wait=30"
    assert "Retry-After" not in response.headers
    body = decoded(response)
    assert body["state"] == "done"
    result = body["result"]
    assert isinstance(result, dict)
    assert {record["location"] for record in result["records"]} == {"Alabama", "New Jersey", "Ohio", "Utah", "Wyoming"}
    assert result["unit"] == "percent"
    assert TIME.fullmatch(str(body["finished_at"]))
    assert body["progress"] is None


def test_who_waits_in_vain_learns_that_the_job_goes_on(idle_client: FlaskClient) -> None:
    response = submit(idle_client, Prefer="wait=0")
    assert response.status_code == 202
    assert response.headers["Preference-Applied"] == "wait=0"
    assert decoded(response)["result"] is None


def test_the_parameters_of_a_job_are_shown_with_every_default(client: FlaskClient) -> None:
    parameters = decoded(submit(client, Prefer="wait=30"))["parameters"]
    assert isinstance(parameters, dict)
    assert parameters | {"question": OBESITY, "years": [2023], "include": ["states"], "level": 0.95} == parameters


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "statistic"),
        ({"statistic": 5}, "statistic"),
        ({"statistic": "average", "parameters": {}}, "statistic"),
        ({"statistic": "states_mean", "parameters": {"question": OBESITY}}, "statistic"),
        ({"statistic": "mean", "parameters": []}, "parameters"),
        ({"statistic": "mean", "parameters": None}, "parameters"),
        ({"statistic": "mean"}, "question"),
        ({"statistic": "mean", "parameters": {"question": OBESITY, "year": 2023}}, "year"),
        ({"statistic": "mean", "parameters": {"question": OBESITY, "years": [1999]}}, "years"),
        (MEAN | {"dataset": "small"}, "dataset"),
    ],
)
def test_a_field_that_is_not_acceptable_is_named(client: FlaskClient, body: object, field: str) -> None:
    assert problem(submit(client, body), 422, "invalid-parameter")["field"] == field
    assert decoded(client.get("/api/v1/jobs"))["jobs"] == []


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        (
            {"statistic": "difference", "question": "Q036"},
            "question",
            'question: belongs under parameters: {"statistic": "difference", "parameters": {"question": "Q036"}}',
        ),
        (
            {"statistic": "Difference", "against": "OH", "parameters": {"question": "Q036"}},
            "against",
            'against: belongs under parameters: {"statistic": "difference", "parameters": {"against": "OH"}}',
        ),
        (
            {"question": "Q036"},
            "question",
            'question: belongs under parameters: {"statistic": "mean", "parameters": {"question": "Q036"}}',
        ),
        ({"parameters": {"statistic": "mean"}}, "statistic", 'stands beside parameters: {"statistic": "mean", '),
        ({"statistic": "mean", "parameters": {"parameters": {}}}, "parameters", "parameters are inside parameters"),
        (MEAN | {"dataset": "small"}, "dataset", "POST to /api/v1/datasets/small/jobs"),
        (MEAN | {"dataset": "a\nb"}, "dataset", "POST to /api/v1/datasets/NAME/jobs"),
        (MEAN | {"Paramters": {}}, "Paramters", "did you mean 'parameters'?"),
    ],
)
def test_a_field_in_the_wrong_place_is_told_its_place(client: FlaskClient, body: object, field: str, said: str) -> None:
    found = problem(submit(client, body), 422, "invalid-parameter")
    assert found["field"] == field
    assert said in str(found["detail"])


def test_the_contract_says_where_its_fields_stand(client: FlaskClient) -> None:
    answer = client.post("/api/best5", json={"parameters": {"question": OBESITY}})
    assert answer.status_code == 422
    assert "parameters: best5 takes its fields without it" in decoded(answer)["detail"]  # type: ignore[operator]


def test_an_unknown_name_gets_the_nearest_and_the_accepted_ones(client: FlaskClient) -> None:
    body = problem(submit(client, {"statistic": "meen", "parameters": {}}), 422, "invalid-parameter")
    assert body["nearest"] == ["mean"]
    accepted = body["accepted"]
    assert isinstance(accepted, list)
    assert {"mean", "trend", "coverage"} <= set(accepted)
    assert "states_mean" not in accepted


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"statistic": "mean", "statistic": "trend"}', "application/json", 400),
        (b'{"statistic": NaN}', "application/json", 400),
        (b"{}", "text/plain", 415),
        (b" " * 70_000, "application/json", 413),
    ],
)
def test_a_body_that_cant_be_read_is_refused(
    client: FlaskClient, content: bytes, content_type: str, status: int
) -> None:
    response = client.post("/api/v1/jobs", data=content, content_type=content_type)
    assert response.status_code == status
    assert decoded(response)["status"] == status


def test_a_full_queue_says_when_to_try_again(open_service: OpenService, settings: Settings) -> None:
    client = create_app(open_service(start=False, queue_capacity=1), settings).test_client()
    assert submit(client).status_code == 202
    response = submit(client, MEAN | {"parameters": {"question": STRENGTH}})
    problem(response, 503, "queue-full")
    assert int(response.headers["Retry-After"]) >= 1


# ---- one request, one job -------------------------------------------------------------------------------------------


def test_an_equal_request_joins_the_job_that_has_not_ended(
    idle_client: FlaskClient, idle_service: MeantimeService
) -> None:
    spelled_differently = {
        "parameters": {"by": ["location"], "question": OBESITY, "years": [2023]},
        "statistic": "mean",
    }
    assert [number_of(submit(idle_client, body)) for body in (MEAN, spelled_differently, MEAN)] == [1, 1, 1]
    idle_service.start()
    assert decoded(idle_client.get("/api/v1/jobs/1", headers=WAIT))["state"] == "done"
    assert number_of(submit(idle_client)) == 2


def test_a_contract_job_is_never_joined(idle_client: FlaskClient) -> None:
    answers = [idle_client.post("/api/states_mean", json={"question": OBESITY}) for _ in range(2)]
    assert [decoded(answer)["job_id"] for answer in answers] == ["job_id_1", "job_id_2"]


def test_the_same_request_under_the_same_key_is_the_same_job(client: FlaskClient) -> None:
    first = submit(client, Prefer="wait=30", Idempotency_Key="monday")
    again = submit(client, Prefer="wait=30", Idempotency_Key="monday")
    assert number_of(first) == number_of(again) == 1
    assert again.status_code == 201
    assert number_of(submit(client, Prefer="wait=30", Idempotency_Key="tuesday")) == 2


def test_another_request_under_the_same_key_is_refused(client: FlaskClient) -> None:
    submit(client, Idempotency_Key="monday")
    other = submit(
        client, MEAN | {"statistic": "ranking", "parameters": {"question": OBESITY}}, Idempotency_Key="monday"
    )
    assert problem(other, 422, "idempotency-conflict")["job_id"] == "job_id_1"


def test_a_key_outlives_the_process(open_service: OpenService, settings: Settings) -> None:
    service = open_service()
    submit(create_app(service, settings).test_client(), Prefer="wait=30", Idempotency_Key="monday")
    service.close(LIMIT_S)
    client = create_app(open_service(), settings).test_client()
    assert number_of(submit(client, Idempotency_Key="monday")) == 1


def test_a_key_of_other_characters_is_refused(client: FlaskClient) -> None:
    assert problem(submit(client, Idempotency_Key="a b"), 422, "invalid-parameter")["field"] == "Idempotency-Key"


# ---- showing and cancelling -----------------------------------------------------------------------------------------


def test_a_job_is_shown_with_its_small_result_and_its_links(client: FlaskClient) -> None:
    submitted = submit(client, Prefer="wait=30")
    response = client.get(submitted.headers["Location"])
    assert response.status_code == 200
    assert decoded(response) == decoded(submitted)
    links = decoded(response)["links"]
    assert isinstance(links, Mapping)
    assert set(links) == {"self", "events", "reproduce", "result", "json", "csv", "parquet", "jsonstat"}
    assert all(client.get(str(link)).status_code == 200 for link in links.values())


def test_both_spellings_of_an_id_are_accepted_and_no_other(client: FlaskClient) -> None:
    submit(client, Prefer="wait=30")
    assert decoded(client.get("/api/v1/jobs/job_id_1")) == decoded(client.get("/api/v1/jobs/1"))
    for unknown in ("2", "0", "01", "+1", "1_0", "abc", "٣", "job_id_", "9" * 19):
        problem(client.get(f"/api/v1/jobs/{unknown}"), 404, "unknown-job")


def test_a_job_can_be_waited_for(client: FlaskClient) -> None:
    number = number_of(submit(client))
    response = client.get(f"/api/v1/jobs/{number}", headers=WAIT)
    assert decoded(response)["state"] == "done"
    assert response.headers["Preference-Applied"] == "wait=30"


def test_a_job_says_how_many_are_ahead_of_it(idle_client: FlaskClient) -> None:
    for question in (OBESITY, STRENGTH):
        submit(idle_client, MEAN | {"parameters": {"question": question}})
    assert decoded(idle_client.get("/api/v1/jobs/2"))["progress"] == {"jobs_ahead": 1}
    assert idle_client.get("/api/v1/jobs/2").headers["Retry-After"] == "1"


def test_a_contract_job_is_shown_too(client: FlaskClient) -> None:
    client.post("/api/global_mean", json={"question": OBESITY})
    body = decoded(client.get("/api/v1/jobs/1", headers=WAIT))
    assert (body["statistic"], body["state"]) == ("global_mean", "done")
    result = body["result"]
    assert isinstance(result, dict)
    assert set(result) == {"global_mean"}


def test_a_queued_job_is_cancelled_at_once(idle_client: FlaskClient) -> None:
    submit(idle_client)
    response = idle_client.delete("/api/v1/jobs/1")
    assert response.status_code == 200
    body = decoded(response)
    assert (body["state"], body["reason"]) == ("cancelled", "cancelled before it ran")
    problem(idle_client.delete("/api/v1/jobs/1"), 409, "illegal-transition")
    problem(idle_client.get("/api/v1/jobs/1/result"), 409, "no-result")


def test_a_job_that_is_done_cant_be_cancelled(client: FlaskClient) -> None:
    submit(client, Prefer="wait=30")
    problem(client.delete("/api/v1/jobs/1"), 409, "illegal-transition")
    problem(client.delete("/api/v1/jobs/2"), 404, "unknown-job")


# ---- listing --------------------------------------------------------------------------------------------------------


@pytest.fixture
def seven(client: FlaskClient) -> FlaskClient:
    """A client of a server with seven jobs that are done: contract jobs have even numbers."""
    for i in range(7):
        if i % 2:
            client.post("/api/states_mean", json={"question": OBESITY})
        else:
            submit(client, Prefer="wait=30")
        client.get(f"/api/v1/jobs/{i + 1}", headers=WAIT)
    return client


def ids(page: Mapping[str, object]) -> list[int]:
    jobs = page["jobs"]
    assert isinstance(jobs, list)
    return [job["id"] for job in jobs]


def test_a_list_goes_from_page_to_page_to_its_end(seven: FlaskClient) -> None:
    found: list[list[int]] = []
    following: object = "/api/v1/jobs?limit=3"
    while isinstance(following, str):
        response = seven.get(following)
        page = decoded(response)
        found.append(ids(page))
        following = page["next"]
        assert response.headers.get("Link") == (f'<{following}>; rel="next"' if following else None)
    assert found == [[7, 6, 5], [4, 3, 2], [1]]


def test_a_page_keeps_its_filters_and_its_place_when_jobs_are_added(seven: FlaskClient) -> None:
    first = decoded(seven.get("/api/v1/jobs?statistic=mean&limit=2"))
    assert ids(first) == [7, 5]
    submit(seven, Prefer="wait=30")
    assert ids(decoded(seven.get(str(first["next"])))) == [3, 1]


def test_a_list_is_filtered_by_state_and_time(seven: FlaskClient) -> None:
    assert ids(decoded(seven.get("/api/v1/jobs?state=done"))) == [7, 6, 5, 4, 3, 2, 1]
    assert ids(decoded(seven.get("/api/v1/jobs?state=failed"))) == []
    assert ids(decoded(seven.get("/api/v1/jobs?since=2001-01-01T00:00:00Z"))) == [7, 6, 5, 4, 3, 2, 1]
    assert ids(decoded(seven.get("/api/v1/jobs?since=9999-01-01T00:00:00%2B00:00"))) == []
    newest = decoded(seven.get("/api/v1/jobs/7"))["submitted_at"]
    assert 7 in ids(decoded(seven.get(f"/api/v1/jobs?since={newest}")))


def test_a_list_of_one_dataset_shows_its_jobs(seven: FlaskClient) -> None:
    assert ids(decoded(seven.get("/api/v1/datasets/small/jobs?limit=2"))) == [7, 6]
    following = decoded(seven.get("/api/v1/datasets/small/jobs?limit=2"))["next"]
    assert str(following).startswith("/api/v1/datasets/small/jobs?")
    problem(seven.get("/api/v1/datasets/large/jobs"), 404, "unknown-dataset")


def test_a_list_shows_no_results(seven: FlaskClient) -> None:
    jobs = decoded(seven.get("/api/v1/jobs"))["jobs"]
    assert isinstance(jobs, list)
    assert all(job["result"] is None and "result" in job["links"] for job in jobs)


@pytest.mark.parametrize("query", ["state=ended", "limit=0", "limit=1001", "cursor=x", "since=now", "page=2", "limit="])
def test_a_query_that_is_not_acceptable_is_refused(client: FlaskClient, query: str) -> None:
    problem(client.get(f"/api/v1/jobs?{query}"), 422, "invalid-parameter")


def test_methods_that_a_resource_lacks_are_refused_with_those_it_has(app: Flask) -> None:
    response = app.test_client().put("/api/v1/jobs/1")
    problem(response, 405, "method-not-allowed")
    assert {"GET", "DELETE"} <= set(response.headers["Allow"].split(", "))
