"""CORS: silent unless a site is named, and then for that site alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from meantime.access_keys import AccessKeyFile, Role
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.web.app import create_app
from tests.contract.conftest import OBESITY

SITE = "https://stats.example.org"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
FROM_SITE = {"Origin": SITE, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
OTHERS = [
    "https://evil.example", "null", "http://stats.example.org", "https://stats.example.org.evil.example",
    "https://stats.example.org:8443", "https://xstats.example.org", "", "*",
]  # fmt: skip


@pytest.fixture
def allowing(service: MeantimeService, settings: Settings) -> FlaskClient:
    """A client of a server that allows SITE."""
    return create_app(service, replace(settings, allowed_origins=(SITE,))).test_client()


def cors_headers(client: FlaskClient, method: str, path: str, headers: dict[str, str]) -> dict[str, str]:
    answer = client.open(path, method=method, headers=headers, buffered=True)
    return {name: value for name, value in answer.headers if name.startswith("Access-Control-")}


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_without_a_named_site_no_answer_allows_anything(client: FlaskClient, method: str) -> None:
    for path in ("/", "/api/jobs", "/nowhere", "/static/meantime.css"):
        assert cors_headers(client, method, path, FROM_SITE | PREFLIGHT) == {}


def test_a_named_sites_pages_may_read_and_submit(allowing: FlaskClient) -> None:
    answer = allowing.post("/api/global_mean", json={"question": OBESITY}, headers=FROM_SITE)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert "Location" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_refusals_can_be_read_too(allowing: FlaskClient) -> None:
    answer = allowing.get("/api/get_results/0", headers=FROM_SITE)
    assert answer.status_code == 404
    assert answer.headers["Access-Control-Allow-Origin"] == SITE


def test_a_preflight_says_what_may_be_sent_and_needs_no_key(service: MeantimeService, settings: Settings) -> None:
    AccessKeyFile(settings.keys_file).add("alice", Role.SUBMIT)
    client = create_app(service, replace(settings, allowed_origins=(SITE,))).test_client()
    headers = cors_headers(client, "OPTIONS", "/api/global_mean", FROM_SITE | PREFLIGHT)
    assert "POST" in headers["Access-Control-Allow-Methods"]
    assert "Authorization" in headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("origin", OTHERS)
def test_other_sites_stay_outside(allowing: FlaskClient, origin: str) -> None:
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
    assert allowing.post("/api/global_mean", json={"question": OBESITY}, headers=headers).status_code == 403
    for method in ("GET", "OPTIONS"):
        assert cors_headers(allowing, method, "/api/jobs", headers | PREFLIGHT) == {}


def test_caches_are_told_that_the_answer_depends_on_the_site(allowing: FlaskClient) -> None:
    assert "Origin" in allowing.get("/api/jobs").headers["Vary"]
    assert {"Accept", "Origin"} <= set(allowing.get("/").headers["Vary"].split(", "))


def test_a_named_site_may_not_shut_the_server_down(allowing: FlaskClient, service: MeantimeService) -> None:
    for method in ("GET", "POST"):
        assert allowing.open("/api/graceful_shutdown", method=method, headers=FROM_SITE).status_code == 403
    assert not service.is_draining


@pytest.mark.parametrize(
    ("headers", "advice"),
    [
        ({"Origin": "https://app.example"}, "--allowed-origins https://app.example"),
        ({"Origin": "http://localhost:5173"}, "--allowed-origins http://localhost:5173"),
        ({"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}, "--allowed-origins https://app.example"),
        ({"Sec-Fetch-Site": "same-site"}, "--allowed-origins with that site"),
        ({"Origin": "null"}, "--allowed-origins with that site"),
        ({"Origin": "https://x;rm -rf ~"}, "--allowed-origins with that site"),
    ],
)
def test_the_refusal_of_another_sites_page_names_the_setting(
    client: FlaskClient, headers: dict[str, str], advice: str
) -> None:
    answer = client.post("/api/states_mean", json={"question": OBESITY}, headers=headers)
    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["reason"].endswith(advice)


def test_the_refusal_of_a_shutdown_names_no_setting_since_none_allows_it(client: FlaskClient) -> None:
    answer = client.post("/api/graceful_shutdown", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert client.get("/api/graceful_shutdown", headers={"Sec-Fetch-Site": "cross-site"}).json["reason"] == (  # type: ignore[index]
        "a page of another site may not ask for this"
    )
