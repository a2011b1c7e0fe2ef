"""GET /, /endpoints and /problems: what is served and how it is asked, for people and for programs."""

from __future__ import annotations

import json
import shlex

import pytest
from flask.testing import FlaskClient
from werkzeug.exceptions import (
    BadRequest,
    Forbidden,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    RequestEntityTooLarge,
    RequestURITooLarge,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
    default_exceptions,
)

from meantime import __version__
from meantime.statistics.catalogue import CATALOGUE
from meantime.web.problems import PROBLEMS, problem_of, problem_response
from tests.contract.conftest import OBESITY, PLACES, STRENGTH
from tests.contract.shown_pages import BROWSER, Elements, shown
from tests.contract.v1_requests import submit


@pytest.mark.parametrize("path", ["/", "/endpoints", "/problems"])
def test_a_page_is_for_who_likes_html_better_than_json(client: FlaskClient, path: str) -> None:
    for accept, is_page in {
        BROWSER: True,
        "text/html; charset=utf-8": True,
        "text/html;charset=UTF-8;q=0.3, application/json;q=0.2": True,
        "text/html;level=1, */*;q=0.1": False,
        "*/*;q=0.1": False,
        "image/png": False,
    }.items():
        answer = client.get(path, headers={"Accept": accept})
        assert (answer.mimetype == "text/html") == is_page, accept
        assert answer.headers["Vary"] == "Accept"


@pytest.mark.parametrize("path", ["/", "/endpoints"])
def test_a_program_gets_what_is_served_as_json(client: FlaskClient, path: str) -> None:
    for accept in (None, "*/*", "application/json", "text/html;q=0.5,application/json"):
        answer = client.get(path, headers={"Accept": accept} if accept else {})
        assert answer.content_type == "application/json"
        assert answer.headers["Vary"] == "Accept"
    body = answer.json
    assert body is not None
    assert body["version"] == __version__
    served = body["dataset"]
    assert served["provenance"]["source_sha256"] == "0" * 64
    assert served["provenance"]["export_date"] == "2025-09-06"
    assert (served["rows"], served["rows_with_value"], served["years"]) == (64, 60, [2023])
    assert [question["text"] for question in served["questions"]] == [OBESITY, STRENGTH]
    assert served["questions"][0]["direction"] == "lower_is_better"
    assert served["locations"] == sorted(PLACES)


def test_every_example_that_is_shown_works(client: FlaskClient) -> None:
    endpoints = client.get("/").json["endpoints"]  # type: ignore[index]  # the body is an object
    submit(client, Prefer="wait=30")
    for endpoint in endpoints:
        method, path = endpoint["method"], endpoint["path"]
        if method == "DELETE" or path in ("/api/graceful_shutdown", "/api/v1/datasets/small/reload"):
            continue
        answer = client.open(path, method=method, json=endpoint.get("example"), buffered=True)
        is_submission_to_v1 = method == "POST" and path.startswith("/api/v1/")
        assert answer.status_code in ((201, 202) if is_submission_to_v1 else (200,)), endpoint


def test_what_is_listed_is_what_the_document_describes(client: FlaskClient) -> None:
    endpoints = client.get("/").json["endpoints"]  # type: ignore[index]  # the body is an object
    paths = client.get("/openapi.json").json["paths"]  # type: ignore[index]  # the body is an object
    described = {
        (method.upper(), operation["summary"])
        for path, operations in paths.items()
        for method, operation in operations.items()
        if "{dataset}" not in path or "reload" in path
    }
    listed = {(endpoint["method"], endpoint["summary"]) for endpoint in endpoints}
    assert listed <= described
    # One year, no ages and no two strata of a category: the small table can't be asked for these.
    impossible = ("age_standardised_mean", "compare", "change", "trend", "disparity", "disparity_scan", "correlation")
    of_addresses = ("GET", "Say how the address of an answer is shown on another site's page (oEmbed).")
    assert described - listed == {of_addresses, *(("GET", CATALOGUE[name].summary) for name in impossible)}
    assert ("GET", "/api/v1/questions") in {(endpoint["method"], endpoint["path"]) for endpoint in endpoints}


def test_the_page_of_the_api_lists_every_endpoint_and_where_to_try_it(client: FlaskClient) -> None:
    page = shown(client, "/endpoints")
    for endpoint in client.get("/").json["endpoints"]:  # type: ignore[index]  # the body is an object
        assert f"{endpoint['method']} {endpoint['path']}" in [row[0] for row in page.rows]
    assert {"/docs", "/openapi.json", "/problems", "/api", "/api/v1"} <= set(page.all("a", "href"))


def test_every_command_on_the_page_of_the_api_is_for_any_curl_and_works(client: FlaskClient) -> None:
    page = shown(client, "/endpoints")
    commands = [shlex.split(line) for line in page.text.splitlines() if line.strip().startswith("curl ")]
    posts = [words for words in commands if "-d" in words]
    assert len(posts) >= 10
    for _, url, *rest in commands:
        options = dict(zip(rest[::2], rest[1::2], strict=True))
        assert set(options) <= {"-H", "-d"}, "--json takes curl 7.82, which many systems don't have"
        if "-d" in options:
            name, _, value = options["-H"].partition(": ")
            answer = client.post(url.removeprefix("http://localhost"), data=options["-d"], headers={name: value})
            assert answer.status_code == (202 if "/api/v1/" in url else 200), url


@pytest.mark.parametrize("path", ["/", "/endpoints", "/dataset", "/health", "/problems"])
def test_everything_that_a_page_refers_to_is_there(client: FlaskClient, path: str) -> None:
    page = Elements(client.get(path, headers={"Accept": BROWSER}).text)
    references = {attributes.get(name) for _, attributes in page.tags for name in ("href", "src")} - {None}
    assert "/static/meantime.css" in references
    for reference in references:
        assert client.get(str(reference), buffered=True).status_code == 200, reference


RAISED = [
    *(Exception.__new__(kind) for kind in PROBLEMS),
    *(BadRequest(), Unauthorized(), Forbidden(), NotFound(), MethodNotAllowed(), NotAcceptable()),
    *(RequestEntityTooLarge(), RequestURITooLarge(), UnsupportedMediaType(), TooManyRequests()),
]
"""Every error that an answer can be made of."""


def test_every_kind_of_problem_has_its_place_and_is_explained(client: FlaskClient) -> None:
    page = client.get("/problems", headers={"Accept": BROWSER}).text
    for error in RAISED:
        slug = problem_of(error).slug
        row = page.partition(f'<tr id="{slug}">')[2].partition("</tr>")[0]
        explanation = row.rpartition("<p>")[2].partition("</p>")[0]
        assert len(explanation.split()) >= 8, slug


def test_no_status_is_answered_with_a_kind_that_is_not_explained(client: FlaskClient) -> None:
    page = Elements(client.get("/problems", headers={"Accept": BROWSER}).text)
    ids = {attributes.get("id") for _, attributes in page.tags}
    for error in default_exceptions.values():
        kind = json.loads(problem_response(error(), path="/").data)["type"]
        assert kind == "about:blank" or kind.removeprefix("/problems#") in ids


def test_the_kinds_of_problems_are_there_for_programs_too(client: FlaskClient) -> None:
    body = client.get("/problems").json
    assert body is not None
    by_type = {each["type"]: each for each in body["problems"]}
    assert by_type["/problems#queue-full"]["status"] == 503
    assert by_type["/problems#method-not-allowed"]["meaning"]
    assert len(by_type) == len(body["problems"])
