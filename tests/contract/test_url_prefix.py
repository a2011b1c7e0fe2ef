"""A server that a proxy mounts below a path: every address that it gives stays there, whatever the proxy passes on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from meantime.errors import SettingsError
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.web.app import create_app
from tests.contract.conftest import OBESITY
from tests.contract.v1_requests import MEAN, decoded
from tests.links import Page, crawl, is_left_alone, page_of

PREFIX = "/stats"


@pytest.fixture
def client(service: MeantimeService, settings: Settings) -> FlaskClient:
    """A client of a server that is mounted below /stats; job 1 is of v1 and done, job 2 of the contract."""
    client = create_app(service, replace(settings, url_prefix=PREFIX)).test_client()
    assert client.post("/stats/api/v1/jobs", json=MEAN, headers={"Prefer": "wait=30"}).status_code == 201
    assert client.post("/stats/api/states_mean", json={"question": OBESITY}).status_code == 200
    return client


@pytest.mark.parametrize("start", [f"{PREFIX}/", PREFIX])
def test_no_link_leaves_the_prefix_and_none_is_broken(client: FlaskClient, start: str) -> None:
    def get(path: str, accept: str) -> Page:
        answer = client.get(path, headers={"Accept": accept}, buffered=True)
        return page_of(answer.status_code, answer.headers.items(), answer.get_data())

    seen = crawl(get, start, host="localhost", left_alone=is_left_alone)
    assert [path for path in seen.named if path != PREFIX and not path.startswith(f"{PREFIX}/")] == []
    assert [path for path, status in seen.statuses.items() if status != 200] == []
    for expected in ("/docs", "/docs/swagger-ui.css", "/problems", "/static/meantime.css", "/openapi.json"):
        assert PREFIX + expected in seen.statuses
    for expected in ("/api/v1/jobs/1/result.csv", "/api/v1/jobs/1/events", "/api/v1/datasets/small", "/api/jobs"):
        assert PREFIX + expected in seen.statuses
    assert f"{PREFIX}/api/best5" in seen.named


@pytest.mark.parametrize("passed_on", [PREFIX, ""], ids=["the path as it came", "the path without the prefix"])
def test_both_kinds_of_proxy_get_the_same_addresses(client: FlaskClient, passed_on: str) -> None:
    contract = client.post(f"{passed_on}/api/best5", json={"question": OBESITY})
    assert contract.headers["Location"] == "/stats/api/get_results/job_id_3"
    v1 = client.post(f"{passed_on}/api/v1/jobs", json=MEAN)
    assert v1.headers["Location"] == "/stats/api/v1/jobs/4"
    assert decoded(v1)["links"]["self"] == "/stats/api/v1/jobs/4"  # type: ignore[index]  # an object
    page = client.get(f"{passed_on}/api/v1/jobs?limit=1")
    following = decoded(page)["next"]
    assert str(following).startswith("/stats/api/v1/jobs?limit=1&cursor=")
    assert page.headers["Link"] == f'<{following}>; rel="next"'
    assert decoded(client.get(f"{passed_on}/api/v1/datasets"))["datasets"][0]["links"] == {  # type: ignore[index]
        "self": "/stats/api/v1/datasets/small"
    }
    commands = decoded(client.get(f"{passed_on}/api/v1/jobs/1/reproduce"))
    assert all("http://localhost/stats/api/v1/datasets/small/jobs" in str(each) for each in commands.values())
    assert decoded(client.get(f"{passed_on}/openapi.json"))["servers"] == [{"url": "/stats"}]
    events = client.get(f"{passed_on}/api/v1/jobs/1/events", buffered=True).text
    assert '"self":"/stats/api/v1/jobs/1"' in events


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/api/get_results/99", 404, "Invalid job_id"),
        ("GET", "/api/v1/jobs/99", 404, "Invalid job_id"),
        ("GET", "/nothing/of/this/kind", 404, "GET /stats/ says what there is"),
        ("GET", "/api/jobs/", 404, "/stats/api/jobs"),
        ("GET", "/api/job", 404, "did you mean /stats/api/jobs"),
        ("GET", "/docs/other.css", 404, "GET /stats/ says what there is"),
        (
            "GET",
            "/api/best5",
            405,
            "GET is not for /stats/api/best5; it takes POST, such as: curl http://localhost/stats/",
        ),
        ("POST", "/api/jobs", 405, "curl http://localhost/stats/api/jobs"),
    ],
)
def test_a_problem_points_below_the_prefix(client: FlaskClient, method: str, path: str, status: int, said: str) -> None:
    answer = client.open(PREFIX + path, method=method)
    assert answer.status_code == status
    body = decoded(answer)
    assert said in str(body["detail"])
    kind, _, slug = str(body["type"]).partition("#")
    assert kind == "/stats/problems"
    explained = client.get(kind, headers={"Accept": "text/html"}).text
    assert f'id="{slug}"' in explained
    assert body["type"] in [each["type"] for each in decoded(client.get(kind))["problems"]]  # type: ignore[attr-defined]


def test_a_field_in_the_wrong_place_is_told_of_a_path_below_the_prefix(client: FlaskClient) -> None:
    answer = client.post("/stats/api/v1/jobs", json=MEAN | {"dataset": "small"})
    assert "POST to /stats/api/v1/datasets/small/jobs" in str(decoded(answer)["detail"])


def test_behind_a_proxy_with_encryption_every_command_is_encrypted(client: FlaskClient) -> None:
    told = client.get("/stats/api/best5", headers={"X-Forwarded-Proto": "https"})
    assert "curl https://localhost/stats/api/best5 " in str(decoded(told)["detail"])


def test_the_explanations_of_problems_name_paths_below_the_prefix(client: FlaskClient) -> None:
    for accept in ("text/html", "application/json"):
        text = client.get("/stats/problems", headers={"Accept": accept}).text
        assert "GET /stats/ lists every path" in text
        assert "GET /api" not in text


@pytest.mark.parametrize("probe", ["/healthz", "/readyz"])
def test_the_probes_answer_at_the_root_too(client: FlaskClient, probe: str) -> None:
    assert client.get(probe).status_code == client.get(PREFIX + probe).status_code == 200


@pytest.mark.parametrize(
    "path", ["/stats/stats/api/jobs", "/statsapi/jobs", "/stats//api/jobs", "//stats/api/jobs", "/STATS/api/jobs"]
)
def test_no_other_spelling_of_the_prefix_is_taken(client: FlaskClient, path: str) -> None:
    assert client.open("/", environ_overrides={"PATH_INFO": path}).status_code == 404


def test_what_a_header_says_of_a_prefix_is_not_believed(client: FlaskClient) -> None:
    claims = {
        "X-Forwarded-Prefix": "/evil",
        "X-Script-Name": "/evil",
        "X-Original-URI": "/evil/",
        "Forwarded": "path=/evil",
    }
    answer = client.post("/stats/api/best5", json={"question": OBESITY}, headers=claims)
    assert answer.headers["Location"] == "/stats/api/get_results/job_id_3"


@pytest.mark.parametrize("prefix", ["/api", "/api/v1", "/docs/x", "/healthz", "/static"])
def test_a_prefix_that_is_a_path_of_the_server_s_own_is_refused(
    service: MeantimeService, settings: Settings, prefix: str
) -> None:
    with pytest.raises(SettingsError, match=f"--url-prefix: {prefix} begins like"):
        create_app(service, replace(settings, url_prefix=prefix))
