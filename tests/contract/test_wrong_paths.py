"""What somebody is told who asks for the wrong path, or for a path by the wrong method: what to ask instead."""

from __future__ import annotations

import shlex

import pytest
from flask.testing import FlaskClient


def detail(client: FlaskClient, method: str, path: str, status: int) -> str:
    answer = client.open("/", method=method, environ_overrides={"PATH_INFO": path})
    assert answer.status_code == status
    assert answer.json is not None
    return str(answer.json["detail"])


@pytest.mark.parametrize("path", ["/api/states_mean", "/api/state_mean"])
def test_get_on_a_post_route_says_post_with_an_example_that_works(client: FlaskClient, path: str) -> None:
    told = detail(client, "GET", path, 405)
    assert told.startswith(f"GET is not for {path}; it takes POST, such as: curl http://localhost{path} -H ")
    words = shlex.split(told.partition("such as: ")[2])
    assert words[-2] == "-d"
    posted = client.post(path, data=words[-1], content_type=words[words.index("-H") + 1].partition(": ")[2])
    assert posted.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "told"),
    [
        ("POST", "/api/jobs", "POST is not for /api/jobs; it takes GET, such as: curl http://localhost/api/jobs"),
        (
            "PUT",
            "/api/v1/jobs/7",
            "PUT is not for /api/v1/jobs/7; it takes GET or DELETE, such as: curl http://localhost",
        ),
        ("POST", "/", "POST is not for /; it takes GET, such as: curl http://localhost/"),
        ("HEAD", "/api/graceful_shutdown", ""),
    ],
)
def test_another_method_is_told_those_that_the_path_takes(
    client: FlaskClient, method: str, path: str, told: str
) -> None:
    if method == "HEAD":
        assert client.head(path).headers["Allow"] == "GET, POST"
    else:
        assert detail(client, method, path, 405).startswith(told)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/api/states_mean/", "without the slash at its end: /api/states_mean"),
        ("/api/jobs//", "without the slash at its end: /api/jobs"),
        ("/api/v1/jobs/", "without the slash at its end: /api/v1/jobs"),
        ("/api/get_results/7/", "without the slash at its end: /api/get_results/7"),
        ("/docs/", "without the slash at its end: /docs"),
        ("/api/state_means", "/api/states_mean"),
        ("/api/v1/statistic", "/api/v1/statistics"),
        ("/API/JOBS", "/api/jobs"),
        ("/v1/jobs", "/api/v1/jobs"),
        ("/metric", "/metrics"),
    ],
)
def test_a_path_that_is_nearly_right_is_told_the_right_one(client: FlaskClient, path: str, meant: str) -> None:
    told = detail(client, "GET", path, 404)
    assert told.startswith("nothing is here; ")
    assert meant in told


@pytest.mark.parametrize("path", ["//metrics", "//api/jobs", "///api/v1/jobs", "//api/graceful_shutdown", "//"])
def test_a_path_that_begins_with_two_slashes_is_no_other_spelling(client: FlaskClient, path: str) -> None:
    assert detail(client, "GET", path, 404) == "nothing is here; GET / says what there is"


@pytest.mark.parametrize("path", ["/nothing/of/this/kind", "/" + "x" * 3000, "/api/" + "/" * 3000, "/\x00"])
def test_any_other_path_is_told_where_the_directory_is(client: FlaskClient, path: str) -> None:
    assert detail(client, "GET", path, 404) == "nothing is here; GET / says what there is"


@pytest.mark.parametrize(("path", "listed"), [("/api/v1", "/api/v1/jobs"), ("/api", "/api/states_mean")])
def test_the_top_of_a_surface_lists_what_is_below(client: FlaskClient, path: str, listed: str) -> None:
    body = client.get(path).json
    assert body is not None
    paths = [endpoint["path"] for endpoint in body["endpoints"]]
    assert listed in paths
    assert all(each.startswith(f"{path}/") for each in paths)
    assert ("/api/v1/jobs" in paths) == (path == "/api/v1")
    assert body["openapi"] == "/openapi.json"


def test_the_first_page_names_both_surfaces(client: FlaskClient) -> None:
    body = client.get("/").json
    assert body is not None
    assert list(body)[:4] == ["name", "version", "surfaces", "dataset"]
    assert list(body["surfaces"]) == ["/api/v1", "/api"]
    page = client.get("/endpoints", headers={"Accept": "text/html"}).text
    assert 'href="/api/v1"' in page


def test_the_example_of_the_endpoints_names_no_job_of_somebody_else(client: FlaskClient) -> None:
    page = client.get("/endpoints", headers={"Accept": "text/html"}).text
    commands = [block.partition("</code></pre>")[0] for block in page.split("<pre><code>")[1:]]
    assert not any("job_id_1" in command for command in commands)
    assert any("/api/get_results/JOB_ID" in command for command in commands)
