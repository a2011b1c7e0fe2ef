"""A server with access keys: who gets in, what each role may do, and whose jobs one sees."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from meantime.access_keys import AccessKeyFile, Role
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.web.admission.callers import ADMIN_ROUTES, OPEN_ROUTES
from meantime.web.app import create_app
from tests.contract.conftest import OBESITY, OpenService
from tests.contract.shown_pages import Elements

SUBMISSION = {"question": OBESITY}
SHUTDOWN = "/api/graceful_shutdown"


@dataclass(frozen=True)
class Holder:
    """Asks with one key; without a key if it has none."""

    client: FlaskClient
    secret: str | None = None

    def open(
        self,
        path: str,
        *,
        method: str = "GET",
        json: object = None,
        headers: Mapping[str, str] | None = None,
        peer: str = "127.0.0.1",
    ) -> TestResponse:
        own = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        environ = {"REMOTE_ADDR": peer}
        return self.client.open(
            path,
            method=method,
            json=json,
            headers={**own, **(headers or {})},
            environ_overrides=environ,
            buffered=True,
        )

    def submit(self) -> str:
        answer = self.open("/api/global_mean", method="POST", json=SUBMISSION)
        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        return str(answer.json["job_id"])

    def status(self, path: str, method: str = "GET") -> int:
        return self.open(path, method=method, json=SUBMISSION if method == "POST" else None).status_code


@pytest.fixture
def keys(settings: Settings) -> AccessKeyFile:
    """The keys of the test's server; there is one already."""
    file = AccessKeyFile(settings.keys_file)
    file.add("operator", Role.ADMIN)
    return file


@pytest.fixture
def app(service: MeantimeService, settings: Settings, keys: AccessKeyFile) -> Flask:
    """An application that has found keys when it was made."""
    return create_app(service, settings)


@pytest.fixture
def nobody(app: Flask) -> Holder:
    return Holder(app.test_client())


@pytest.fixture
def alice(app: Flask, keys: AccessKeyFile) -> Holder:
    return Holder(app.test_client(), keys.add("alice", Role.SUBMIT))


@pytest.fixture
def bob(app: Flask, keys: AccessKeyFile) -> Holder:
    return Holder(app.test_client(), keys.add("bob", Role.SUBMIT))


@pytest.fixture
def reader(app: Flask, keys: AccessKeyFile) -> Holder:
    return Holder(app.test_client(), keys.add("reader", Role.READ, owner="alice"))


@pytest.fixture
def admin(app: Flask, keys: AccessKeyFile) -> Holder:
    return Holder(app.test_client(), keys.add("admin", Role.ADMIN))


# ---- getting in -----------------------------------------------------------------------------------------------------


def paths_of(app: Flask) -> list[tuple[str, str]]:
    """Return (method, path) of everything that is routed, and of something that isn't."""
    found = [("GET", "/nowhere"), ("POST", "/nowhere")]
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<[^>]+>", "1", rule.rule.replace("<path:filename>", "meantime.css"))
        found += [(method, path) for method in rule.methods or () if method != "OPTIONS"]
    return found


OPEN = ("/healthz", "/readyz", "/problems", "/sign-in", "/static/meantime.css")


def test_without_a_key_nothing_answers_but_probes_problems_sign_in_and_static_files(app: Flask, nobody: Holder) -> None:
    for method, path in paths_of(app):
        is_open = method in ("GET", "HEAD") and path in OPEN
        is_form = method == "POST" and path in ("/sign-in", "/sign-out")  # takes a page of our own; see test_sign_in
        answer = nobody.open(path, method=method)
        assert answer.status_code == (200 if is_open else 403 if is_form else 401), (method, path)
        if answer.status_code == 401:
            assert answer.headers["WWW-Authenticate"] == "Bearer realm=Meantime"
    assert nobody.open("/api/best5", method="POST", json=SUBMISSION).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "", " ", "Bearer", "Bearer ", "{}", "Basic {}", "Token {}", "Bearer {},Bearer {}", "Bearer {}x", "Bearer  x{}",
        "Bearer {} ", "bearer\t{}", "Bearer '{}'", "Bearer \xe9", "Bearer " + "x" * 5000, "Bearer mt_" + "A" * 43,
        "Bearer alice",
    ],
)  # fmt: skip
def test_a_header_that_is_not_exactly_a_known_key_is_refused(nobody: Holder, alice: Holder, header: str) -> None:
    text = header.replace("{}", alice.secret or "")
    answer = nobody.client.get("/api/jobs", environ_overrides={"HTTP_AUTHORIZATION": text})
    assert answer.status_code == 401
    assert (alice.secret or "?") not in answer.text


def test_the_word_bearer_may_be_written_in_any_case(nobody: Holder, alice: Holder) -> None:
    for word in ("Bearer", "bearer", "BEARER"):
        assert nobody.open("/api/jobs", headers={"Authorization": f"{word} {alice.secret}"}).status_code == 200


def test_a_key_in_the_url_or_in_a_cookie_is_not_looked_at(nobody: Holder, alice: Holder) -> None:
    for name in ("token", "key", "access_token", "api_key"):
        assert nobody.open(f"/api/jobs?{name}={alice.secret}").status_code == 401
    assert nobody.open("/api/jobs", headers={"Cookie": f"token={alice.secret}"}).status_code == 401


def test_a_revoked_key_is_refused_at_once(alice: Holder, keys: AccessKeyFile) -> None:
    assert alice.status("/api/jobs") == 200
    keys.revoke("alice")
    assert alice.status("/api/jobs") == 401


def test_when_the_keys_cannot_be_read_nobody_gets_in(
    alice: Holder, nobody: Holder, settings: Settings, keys: AccessKeyFile
) -> None:
    settings.keys_file.write_text("damaged")
    answer = alice.open("/api/jobs")
    assert answer.status_code == 503
    assert str(settings.keys_file) not in answer.text
    assert nobody.status("/api/jobs") == 401
    assert nobody.status("/healthz") == 200
    settings.keys_file.unlink()
    assert alice.status("/api/jobs") == 503


def test_the_loopback_address_is_no_key(nobody: Holder) -> None:
    for peer in ("127.0.0.1", "::1"):
        assert nobody.open("/api/jobs", peer=peer).status_code == 401


def test_without_a_file_of_keys_a_key_changes_nothing(service: MeantimeService, settings: Settings) -> None:
    client = create_app(service, settings).test_client()
    assert client.get("/api/jobs").status_code == 200
    assert client.get("/api/jobs", headers={"Authorization": "Bearer mt_" + "x" * 43}).status_code == 200


# ---- roles ----------------------------------------------------------------------------------------------------------


def test_a_reader_may_look_and_do_nothing_else(app: Flask, reader: Holder, alice: Holder) -> None:
    job_id = alice.submit()
    for path in ("/", "/api/jobs", "/api/num_jobs", f"/api/get_results/{job_id}"):
        assert reader.status(path) == 200, path
    for method, path in paths_of(app):
        if method not in ("GET", "HEAD") or path == SHUTDOWN:
            assert reader.status(path, method) == 403, path
    assert alice.open("/api/jobs").json == {"status": "done", "data": [{job_id: "done"}]}


def test_only_an_admin_may_shut_down_from_wherever(
    alice: Holder, reader: Holder, nobody: Holder, admin: Holder, service: MeantimeService
) -> None:
    for holder, expected in ((alice, 403), (reader, 403), (nobody, 401)):
        for method in ("GET", "POST", "HEAD"):
            assert holder.status(SHUTDOWN, method) == expected
    assert not service.is_draining
    assert admin.status(SHUTDOWN, "HEAD") == 405
    assert admin.open(SHUTDOWN, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert admin.open(SHUTDOWN, headers={"Origin": "https://evil.example"}).status_code == 403
    assert not service.is_draining
    assert admin.open(SHUTDOWN, peer="192.0.2.7").status_code == 200
    assert service.is_draining


def test_every_route_that_has_a_rule_of_its_own_is_there_and_every_dangerous_one_has_a_rule(app: Flask) -> None:
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    assert rules >= OPEN_ROUTES
    assert SHUTDOWN in ADMIN_ROUTES
    dangerous = {rule for rule in rules if "shutdown" in rule or "reload" in rule}
    assert dangerous <= ADMIN_ROUTES


# ---- whose jobs -----------------------------------------------------------------------------------------------------


def test_to_another_key_a_job_looks_like_none_at_all(alice: Holder, bob: Holder) -> None:
    job_id = alice.submit()
    assert alice.open(f"/api/get_results/{job_id}").status_code == 200
    of_another, of_nobody = bob.open(f"/api/get_results/{job_id}"), bob.open("/api/get_results/job_id_999")
    assert (of_another.status_code, of_another.data) == (404, of_nobody.data)
    compared = [{**answer.headers, "X-Request-ID": ""} for answer in (of_another, of_nobody)]
    assert compared[0] == compared[1]
    assert bob.status(f"/api/get_results/{job_id.removeprefix('job_id_')}") == 404


def test_lists_and_counts_show_ones_own(open_service: OpenService, settings: Settings, keys: AccessKeyFile) -> None:
    service = open_service(start=False)
    client = create_app(service, settings).test_client()
    alice, bob = (Holder(client, keys.add(name, Role.SUBMIT)) for name in ("alice", "bob"))
    admin = Holder(client, keys.add("admin", Role.ADMIN))
    jobs = {holder: [holder.submit() for _ in range(2)] for holder in (alice, bob, admin)}
    for holder in (alice, bob):
        assert holder.open("/api/jobs").json == {"status": "done", "data": [{job: "running"} for job in jobs[holder]]}
        assert holder.open("/api/num_jobs").json == {"status": "done", "num_jobs": 2, "data": 2}
    every = [{job: "running"} for holder in (alice, bob, admin) for job in jobs[holder]]
    assert admin.open("/api/jobs").json == {"status": "done", "data": every}
    assert admin.open("/api/num_jobs").json == {"status": "done", "num_jobs": 6, "data": 6}


def test_an_admin_sees_everybodys_results(alice: Holder, admin: Holder) -> None:
    job_id = alice.submit()
    answer = admin.open(f"/api/get_results/{job_id}")
    assert answer.json is not None
    assert answer.json["status"] == "done"


def test_a_key_with_the_same_owner_sees_the_same_jobs(alice: Holder, reader: Holder, keys: AccessKeyFile) -> None:
    job_id = alice.submit()
    assert reader.status(f"/api/get_results/{job_id}") == 200
    keys.revoke("alice")
    successor = Holder(alice.client, keys.add("alice-2", Role.SUBMIT, owner="alice"))
    assert successor.status(f"/api/get_results/{job_id}") == 200


def test_jobs_of_a_time_without_keys_belong_to_admins_alone(
    service: MeantimeService, settings: Settings, keys: AccessKeyFile
) -> None:
    settings.keys_file.unlink()
    job_id = Holder(create_app(service, settings).test_client()).submit()
    client = create_app_with_keys(service, settings, {"alice": Role.SUBMIT, "admin": Role.ADMIN})
    assert client["alice"].status(f"/api/get_results/{job_id}") == 404
    assert client["alice"].open("/api/jobs").json == {"status": "done", "data": []}
    assert client["admin"].status(f"/api/get_results/{job_id}") == 200


def create_app_with_keys(
    service: MeantimeService, settings: Settings, roles: Mapping[str, Role]
) -> Mapping[str, Holder]:
    """Return a holder for each of some new keys of a new application."""
    file = AccessKeyFile(settings.keys_file)
    secrets = {name: file.add(name, role) for name, role in roles.items()}
    client = create_app(service, settings).test_client()
    return {name: Holder(client, secret) for name, secret in secrets.items()}


def test_no_spelling_of_any_id_shows_anothers_job(
    open_service: OpenService, settings: Settings, keys: AccessKeyFile
) -> None:
    service = open_service(start=False)
    client = create_app(service, settings).test_client()
    alice, bob = (Holder(client, keys.add(name, Role.SUBMIT)) for name in ("alice", "bob"))
    for _ in range(100):
        alice.submit()
    for number in range(1, 101):
        for spelling in (f"job_id_{number}", f"{number}"):
            assert bob.status(f"/api/get_results/{spelling}") == 404


def test_commands_that_a_page_shows_take_the_key_from_the_environment_and_never_name_it(
    service: MeantimeService, settings: Settings
) -> None:
    client = create_app_with_keys(service, settings, {"alice": Role.READ})
    for path in ("/", "/dataset"):
        page = Elements(client["alice"].open(path, headers={"Accept": "text/html"}).text).text
        for expected in ("${ACCESS_KEY:?", "os.environ['ACCESS_KEY']", 'Sys.getenv("ACCESS_KEY")', "BEARER_TOKEN"):
            assert expected in page
        assert str(client["alice"].secret) not in page
