"""``--public-read``: what is open to who has no key, which is the table in docs/running.md, and what stays closed."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlencode

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from meantime.access_keys import AccessKeyFile, Role
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.web.app import create_app
from tests.conftest import PROJECT
from tests.contract.conftest import OBESITY
from tests.contract.shown_pages import BROWSER
from tests.contract.v1_requests import MEAN, submit

ANSWER = f"/api/v1/answers/mean.json?{urlencode({'question': OBESITY})}"
ALWAYS_OPEN = {"/healthz", "/readyz", "/problems", "/sign-in", "/static/<path:filename>"}


@pytest.fixture
def alice(settings: Settings) -> str:
    return AccessKeyFile(settings.keys_file).add("alice", Role.SUBMIT)


@pytest.fixture
def app(service: MeantimeService, settings: Settings, alice: str) -> Flask:
    """An application with keys whose data anybody may read."""
    assert alice
    return create_app(service, replace(settings, public_read=True, posts_per_minute=5))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def open_paths(section: str) -> list[str]:
    """Return what the table in the documentation lists as open, or as closed."""
    text = (PROJECT / "docs" / "running.md").read_text("utf-8").partition("### What anybody may read")[2]
    (row,) = [line for line in text.splitlines() if line.startswith(f"| {section} |")]
    return re.findall(r"`(/[^`]*)`", row)


def is_listed(rule: str, paths: list[str]) -> bool:
    """Whether a rule is one of some paths, or below one that ends with three dots."""
    return any(rule == path or (path.endswith("...") and rule.startswith(path[:-3])) for path in paths)


def test_what_is_open_is_what_the_documentation_lists_and_nothing_else(app: Flask, client: FlaskClient) -> None:
    public, closed = open_paths("open"), open_paths("with a key")
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<[^>]+>", "1", rule.rule.replace("<path:filename>", "meantime.css"))
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            is_open = method in ("GET", "HEAD") and (rule.rule in ALWAYS_OPEN or is_listed(rule.rule, public))
            answer = client.open(path, method=method, buffered=True)
            refused = (403,) if rule.rule in ("/sign-in", "/sign-out") else (401,)
            assert (answer.status_code not in refused) == is_open, (method, rule.rule, answer.status_code)
            if method == "GET" and not is_open:
                assert is_listed(rule.rule, closed), rule.rule


def test_without_the_setting_nothing_of_it_is_open(service: MeantimeService, settings: Settings, alice: str) -> None:
    client = create_app(service, settings).test_client()
    assert alice
    for path in ("/", ANSWER, "/api/v1/questions", "/docs", "/openapi.json", "/api/v1/dataset/table.csv"):
        assert client.get(path).status_code == 401


def test_a_visitor_reads_and_asks_and_sees_nobodys_jobs(client: FlaskClient) -> None:
    answer = client.get(ANSWER, headers={"Prefer": "wait=30"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"].startswith("public")
    for path in ("/api/v1/jobs", "/api/v1/jobs/1", "/api/v1/jobs/1/result", "/api/v1/jobs/1/events", "/api/jobs"):
        assert client.get(path).status_code == 401, path
    assert submit(client).status_code == 401
    assert client.get("/metrics").status_code == 401


def test_a_page_offers_a_visitor_to_sign_in_and_come_back(client: FlaskClient) -> None:
    page = client.get("/?x=1", headers={"Accept": BROWSER})
    assert page.status_code == 200
    assert '<a class="account" href="/sign-in?next=/%3Fx%3D1">Sign in</a>' in page.text
    asked = client.get("/api/v1/jobs", headers={"Accept": BROWSER})
    assert (asked.status_code, asked.mimetype) == (401, "text/html")


def test_a_visitor_is_no_owner_of_the_machine_and_is_counted_by_address(client: FlaskClient) -> None:
    """Behind a proxy everybody comes from 127.0.0.1."""
    for peer in ("127.0.0.1", "192.0.2.7"):
        statuses = [client.get(ANSWER, environ_overrides={"REMOTE_ADDR": peer}).status_code for _ in range(7)]
        assert [status == 429 for status in statuses] == [False] * 5 + [True] * 2


def test_a_visitor_cannot_shut_the_server_down(client: FlaskClient, service: MeantimeService) -> None:
    for method in ("GET", "POST"):
        assert client.open("/api/graceful_shutdown", method=method).status_code == 401
    assert not service.is_draining


def test_a_key_still_does_what_it_did(client: FlaskClient, alice: str) -> None:
    header = {"Authorization": f"Bearer {alice}"}
    assert client.post("/api/v1/jobs", json=MEAN, headers=header).status_code in (201, 202)
    assert len(orjson.loads(client.get("/api/v1/jobs", headers=header).data)["jobs"]) == 1
    assert client.get(ANSWER, headers=header).headers["Cache-Control"].startswith("private")


def test_where_no_keys_are_in_use_the_setting_changes_nothing(service: MeantimeService, settings: Settings) -> None:
    client = create_app(service, replace(settings, public_read=True)).test_client()
    assert submit(client).status_code == 202
    assert client.get("/api/v1/jobs").status_code == 200
