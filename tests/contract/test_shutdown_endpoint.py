"""GET and POST /api/graceful_shutdown: what they begin, and who may ask; other pages' requests; the Host header."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.web.app import create_app
from tests.contract.conftest import LIMIT_S, OBESITY, OpenService

PATH = "/api/graceful_shutdown"
OWN_HOST = "127.0.0.1:5000"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_begins_the_drain_and_reports_what_is_left(
    open_service: OpenService, settings: Settings, method: str
) -> None:
    service = open_service(start=False)
    client = create_app(service, settings).test_client()
    client.post("/api/global_mean", json={"question": OBESITY})
    for _ in range(2):
        answer = client.open(PATH, method=method)
        assert (answer.status_code, answer.json) == (200, {"status": "running"})
    assert service.is_draining
    service.start()
    assert service.wait_drained(LIMIT_S)
    assert client.open(PATH, method=method).json == {"status": "done"}


def test_it_asks_the_process_to_end_every_time_it_is_called(service: MeantimeService, settings: Settings) -> None:
    calls: list[str] = []
    client = create_app(service, settings, request_drain=lambda: calls.append("drain")).test_client()
    client.get(PATH)
    client.get(PATH)
    assert calls == ["drain", "drain"]


def test_head_is_refused_and_begins_nothing(client: FlaskClient, service: MeantimeService) -> None:
    answer = client.head(PATH)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST"}
    client.options(PATH)
    assert not service.is_draining


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "LOCALHOST:80", "127.0.0.1:5000", "[::1]:5000"])
def test_clients_on_this_machine_may_ask(app: Flask, service: MeantimeService, peer: str, host: str) -> None:
    answer = app.test_client().get(PATH, environ_overrides={"REMOTE_ADDR": peer}, headers={"Host": host})
    assert answer.status_code == 200
    assert service.is_draining


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("192.168.1.7", {}),
        ("::ffff:10.0.0.1", {}),
        ("", {}),
        ("unix:", {}),
        ("10.0.0.1", {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"}),
        ("127.0.0.1", {"Sec-Fetch-Site": "cross-site"}),
        ("127.0.0.1", {"Sec-Fetch-Site": "same-site"}),
        ("127.0.0.1", {"Sec-Fetch-Site": ""}),
        ("127.0.0.1", {"Origin": "https://evil.example"}),
        ("127.0.0.1", {"Origin": "null"}),
        ("127.0.0.1", {"Origin": f"http://{OWN_HOST}.evil.example"}),
        ("127.0.0.1", {"Origin": "http://127.0.0.1:8080"}),
    ],
)
def test_others_may_not(app: Flask, service: MeantimeService, method: str, peer: str, headers: dict[str, str]) -> None:
    answer = app.test_client().open(
        PATH, method=method, environ_overrides={"REMOTE_ADDR": peer}, headers={"Host": OWN_HOST, **headers}
    )
    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["status"] == "error"
    assert not service.is_draining


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": f"http://{OWN_HOST}"}]
)
def test_a_person_or_an_own_page_in_a_browser_may(app: Flask, headers: dict[str, str]) -> None:
    assert app.test_client().get(PATH, headers={"Host": OWN_HOST, **headers}).status_code == 200


def test_a_server_that_others_reach_still_ends_for_this_machine_only(service: MeantimeService) -> None:
    settings = Settings(host="0.0.0.0", insecure=True, allowed_hosts=("server.example",))
    client = create_app(service, settings).test_client()
    assert client.get(PATH, headers={"Host": "server.example"}).status_code == 403
    assert client.get(PATH, headers={"Host": "10.0.0.1"}).status_code == 403
    assert client.get(PATH, environ_overrides={"REMOTE_ADDR": "10.0.0.9"}).status_code == 403
    assert not service.is_draining
    assert client.get(PATH, headers={"Host": "localhost"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_page_of_another_site_can_submit_no_job(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.post("/api/global_mean", json={"question": OBESITY}, headers=headers)
    assert answer.status_code == 403
    assert client.get("/api/num_jobs").json == {"status": "done", "num_jobs": 0, "data": 0}
    assert client.get("/api/jobs", headers=headers).status_code == 200  # reading is left to the browser's own rules


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "localhost,evil.example", "", " ",
        "localhost:5000,localhost:5000", "localhost@evil.example", "localhost/", "localhost:port", "localhost:123456",
        "[::2]", "0.0.0.0", "10.0.0.1", "localhost.", "\uff4cocalhost", "local host",
    ],
)  # fmt: skip
def test_another_host_name_is_refused_on_loopback(app: Flask, host: str) -> None:
    for path in ("/", "/api/jobs", "/healthz", "/nowhere", "/static/meantime.css"):
        # As in WSGI: a byte a character.
        answer = app.test_client().get(path, environ_overrides={"HTTP_HOST": host.encode().decode("latin-1")})
        assert answer.status_code == 400, path
        assert host.strip() == "" or host not in answer.text


def test_a_server_that_others_reach_answers_to_any_address_and_to_the_names_that_are_allowed(
    service: MeantimeService,
) -> None:
    settings = Settings(host="0.0.0.0", insecure=True, allowed_hosts=("server.example",))
    client = create_app(service, settings).test_client()
    for host in ("server.example", "Server.Example:80", "192.0.2.7:5000", "[2001:db8::1]", "localhost"):
        assert client.get("/healthz", headers={"Host": host}).status_code == 200
    for host in ("evil.example", "server.example.evil.example", "192.0.2.7.evil.example", "1.2.3", "[evil]"):
        assert client.get("/healthz", headers={"Host": host}).status_code == 400
    assert client.get("/healthz", environ_overrides={"HTTP_HOST": "a,b"}).status_code == 400
    assert client.get("/healthz", environ_overrides={"HTTP_HOST": ""}).status_code == 400


def test_the_address_that_is_bound_to_is_an_own_name(service: MeantimeService) -> None:
    client = create_app(service, Settings(host="127.0.0.9", port=8080)).test_client()
    for host in ("127.0.0.9", "127.0.0.9:8080", "localhost:8080", "localhost:9999"):
        assert client.get("/healthz", headers={"Host": host}).status_code == 200
