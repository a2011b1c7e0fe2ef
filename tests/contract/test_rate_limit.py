"""How often one may POST: per key, else per address; and where nobody counts."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from meantime.access_keys import AccessKeyFile, Role
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.web.app import create_app
from tests.contract.conftest import OBESITY

LIMIT = 5


def post(client: FlaskClient, *, peer: str = "127.0.0.1", secret: str | None = None) -> int:
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    answer = client.post(
        "/api/global_mean", json={"question": OBESITY}, headers=headers, environ_overrides={"REMOTE_ADDR": peer}
    )
    if answer.status_code == 429:
        assert answer.json is not None
        assert answer.json["status"] == "error"
        assert answer.content_type == "application/problem+json"
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
    return answer.status_code


@pytest.fixture
def open_to_others(service: MeantimeService, settings: Settings) -> FlaskClient:
    """A client of a server on an open address, without keys."""
    settings = replace(settings, host="0.0.0.0", insecure=True, posts_per_minute=LIMIT)
    return create_app(service, settings).test_client()


def test_an_address_may_post_so_often_and_another_one_too(open_to_others: FlaskClient) -> None:
    for peer in ("192.0.2.7", "192.0.2.8", "2001:db8::1"):
        assert [post(open_to_others, peer=peer) for _ in range(LIMIT + 2)] == [200] * LIMIT + [429] * 2


def test_all_addresses_behind_one_ipv6_network_are_one_client(open_to_others: FlaskClient) -> None:
    peers = [f"2001:db8::{i:x}" for i in range(1, LIMIT + 2)]
    assert [post(open_to_others, peer=peer) for peer in peers] == [200] * LIMIT + [429]
    assert post(open_to_others, peer="2001:db8:0:1::1") == 200


@pytest.mark.parametrize("jump_s", [-3600.0, 3600.0, 5e9])
def test_a_clock_that_is_set_changes_no_limit(
    open_to_others: FlaskClient, monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    wall, steady, passed_s = time.time, time.monotonic, 0.0
    assert [post(open_to_others, peer="192.0.2.7") for _ in range(LIMIT + 1)] == [200] * LIMIT + [429]
    monkeypatch.setattr(time, "time", lambda: wall() + jump_s + passed_s)
    monkeypatch.setattr(time, "monotonic", lambda: steady() + passed_s)
    assert post(open_to_others, peer="192.0.2.7") == 429
    passed_s = 61.0
    assert [post(open_to_others, peer="192.0.2.7") for _ in range(LIMIT + 1)] == [200] * LIMIT + [429]


def test_reading_is_not_counted(open_to_others: FlaskClient) -> None:
    peer = {"REMOTE_ADDR": "192.0.2.7"}
    for _ in range(3 * LIMIT):
        assert open_to_others.get("/api/num_jobs", environ_overrides=peer).status_code == 200
    assert post(open_to_others, peer="192.0.2.7") == 200


def test_a_client_on_the_same_machine_is_not_limited(open_to_others: FlaskClient) -> None:
    assert {post(open_to_others) for _ in range(3 * LIMIT)} == {200}


def test_a_proxy_header_makes_nobody_another_client(open_to_others: FlaskClient) -> None:
    headers = {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1", "X-Real-IP": "127.0.0.1"}
    for _ in range(LIMIT):
        post(open_to_others, peer="192.0.2.7")
    answer = open_to_others.post(
        "/api/global_mean",
        json={"question": OBESITY},
        headers=headers,
        environ_overrides={"REMOTE_ADDR": "192.0.2.7"},
    )
    assert answer.status_code == 429


def test_with_keys_each_key_is_counted_wherever_it_comes_from(service: MeantimeService, settings: Settings) -> None:
    keys = AccessKeyFile(settings.keys_file)
    alice, bob = keys.add("alice", Role.SUBMIT), keys.add("bob", Role.SUBMIT)
    client = create_app(service, replace(settings, posts_per_minute=LIMIT)).test_client()
    peers = ["127.0.0.1", "192.0.2.7", "192.0.2.8"] * LIMIT
    assert [post(client, peer=peer, secret=alice) for peer in peers[: LIMIT + 1]] == [200] * LIMIT + [429]
    assert post(client, secret=bob) == 200


def test_on_loopback_without_keys_nothing_is_counted_or_registered(
    service: MeantimeService, settings: Settings
) -> None:
    app = create_app(service, replace(settings, posts_per_minute=1))
    assert {post(app.test_client()) for _ in range(5)} == {200}
    assert "limiter" not in app.extensions


def test_zero_stands_for_no_limit(service: MeantimeService, settings: Settings) -> None:
    app = create_app(service, replace(settings, host="0.0.0.0", insecure=True, posts_per_minute=0))
    assert "limiter" not in app.extensions
