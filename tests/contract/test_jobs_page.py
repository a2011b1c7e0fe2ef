"""GET /jobs: the jobs that one may see, filtered, and where each can be opened."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from meantime.access_keys import AccessKeyFile, Role
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.web.app import create_app
from tests.contract.conftest import LIMIT_S, OBESITY, STRENGTH
from tests.contract.shown_pages import Elements
from tests.contract.v1_requests import MEAN, WAIT, submit


def rows_of(page: str) -> dict[int, str]:
    """Return the rows of the list by the number of their job."""
    rows = re.findall(r'<tr id="job-(\d+)"(.*?)</tr>', page, re.DOTALL)
    return {int(number): html.unescape(row) for number, row in rows}


def opened(row: str) -> str:
    found = re.search(r'id="open-\d+" href="(.*?)"', row)
    assert found is not None
    return found[1]


def test_without_jobs_it_says_so(client: FlaskClient) -> None:
    answer = client.get("/jobs")
    assert answer.status_code == 200
    assert "There are no jobs yet" in answer.text


def test_a_job_is_listed_with_what_was_asked_and_is_opened_as_the_same_question(client: FlaskClient) -> None:
    submit(client, **WAIT)
    row = rows_of(client.get("/jobs").text)[1]
    for expected in ("Mean with interval", OBESITY, "location", "done", "/api/v1/jobs/1/result.csv"):
        assert expected in row
    address = opened(row)
    assert parse_qs(urlsplit(address).query)["question"] == [OBESITY]
    page = client.get(address)
    assert page.status_code == 200
    assert len(rows_of(client.get("/jobs").text)) == 1, "the answer is known, so opening it made no job"


def test_jobs_of_the_contract_and_batches_have_their_results_but_no_form(client: FlaskClient) -> None:
    client.post("/api/states_mean", json={"question": OBESITY})
    client.post("/api/v1/batches", json={"requests": [MEAN, MEAN]}, headers=WAIT)
    client.post("/api/v1/jobs", json=MEAN, headers=WAIT)
    rows = rows_of(client.get("/jobs").text)
    assert list(rows) == sorted(rows, reverse=True)
    assert "Batch of 2 requests" in rows[2]
    for number in (1, 2):
        assert "open-" not in rows[number]
        assert "rerun-" not in rows[number]
    for number, row in rows.items():
        assert client.get(f"/api/v1/jobs/{number}/result.json", headers=WAIT).status_code == 200
        assert ".json" in row


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [3, 2, 1]),
        ("?state=&statistic=", [3, 2, 1]),
        ("?statistic=ranking", [2]),
        ("?state=queued", [3, 2, 1]),
        ("?state=done", []),
        ("?limit=2", [3, 2]),
    ],
)
def test_the_list_is_filtered_by_its_address(idle_client: FlaskClient, query: str, numbers: list[int]) -> None:
    submit(idle_client)
    submit(idle_client, {"statistic": "ranking", "parameters": {"question": OBESITY}})
    submit(idle_client, {"statistic": "mean", "parameters": {"question": STRENGTH}})
    answer = idle_client.get(f"/jobs{query}")
    assert answer.status_code == 200
    assert list(rows_of(answer.text)) == numbers


def test_older_jobs_are_a_link_away(idle_client: FlaskClient) -> None:
    for k in range(1, 4):
        submit(idle_client, {"statistic": "ranking", "parameters": {"question": OBESITY, "k": k}})
    following = re.search(r'<a href="([^"]*)" rel="next">', idle_client.get("/jobs?limit=2&statistic=ranking").text)
    assert following is not None
    assert list(rows_of(idle_client.get(html.unescape(following[1])).text)) == [1]


@pytest.mark.parametrize("query", ["state=lost", "statistic=meen", "limit=0", "cursor=x", "colour=red"])
def test_a_filter_that_does_not_exist_is_refused_in_words(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/jobs?{query}")
    assert answer.status_code == 422
    assert f'<p class="missing">{query.partition("=")[0]}: ' in answer.text


def test_a_job_that_goes_on_can_be_cancelled_and_one_that_has_ended_run_again(
    idle_client: FlaskClient, idle_service: MeantimeService
) -> None:
    submit(idle_client)
    submit(idle_client, {"statistic": "ranking", "parameters": {"question": OBESITY}})
    rows = rows_of(idle_client.get("/jobs").text)
    assert "1 before it" in rows[2]
    assert 'data-cancel="/api/v1/jobs/1"' in rows[1]
    assert "data-rerun" not in rows[1]
    idle_client.delete("/api/v1/jobs/1")
    row = rows_of(idle_client.get("/jobs").text)[1]
    assert "cancelled" in row
    assert idle_client.get("/api/v1/jobs/1").json["reason"] in row  # type: ignore[index]  # the body is an object
    rerun = re.search(r'data-rerun="(\{.*?\})" data-to="(.*?)"', row)
    assert rerun is not None
    again = idle_client.post(rerun[2], data=rerun[1], content_type="application/json")
    assert again.status_code == 202
    idle_service.start()
    assert idle_service.wait(3, LIMIT_S).task == idle_service.job(1).task


def test_one_sees_the_jobs_that_one_may_see(service: MeantimeService, settings: Settings) -> None:
    keys = AccessKeyFile(settings.keys_file)
    ann, bob = (keys.add(name, Role.SUBMIT) for name in ("ann", "bob"))
    client = create_app(service, settings).test_client()
    held = {"Authorization": f"Bearer {ann}"}
    assert client.post("/api/v1/jobs", json=MEAN, headers=held | WAIT).status_code == 201
    assert list(rows_of(client.get("/jobs", headers=held).text)) == [1]
    assert list(rows_of(client.get("/jobs", headers={"Authorization": f"Bearer {bob}"}).text)) == []
    assert client.get("/jobs").status_code == 401


def test_every_address_is_below_the_prefix_and_nothing_is_inline(service: MeantimeService, settings: Settings) -> None:
    client = create_app(service, replace(settings, url_prefix="/stats")).test_client()
    client.post("/stats/api/v1/jobs", json=MEAN, headers=WAIT)
    page = Elements(client.get("/stats/jobs").text)
    names = ("href", "src", "action", "data-to", "data-jobs", "data-cancel")
    named = [given[name] for _, given in page.tags for name in names if given.get(name)]
    assert [each for each in named if not str(each).startswith(("/stats/", "#"))] == []
    assert not [name for _, given in page.tags for name in given if name == "style" or name.startswith("on")]
