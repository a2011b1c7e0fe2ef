"""Signing in with a browser: a key is traded for a session, what the session opens, what ends it, who can't use it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from html import unescape
from urllib.parse import quote, urlencode

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from meantime.access_keys import AccessKeyFile, Role
from meantime.errors import NoPlaceError
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.web.admission.sessions import LONGEST_S, Sessions
from meantime.web.app import create_app
from meantime.web.observation.access_log import AccessLog
from meantime.web.pages.sign_in import TRIES_PER_MINUTE
from tests.contract.conftest import OBESITY
from tests.contract.shown_pages import BROWSER, Elements
from tests.contract.test_metrics import values
from tests.contract.v1_requests import MEAN, submit

OWN = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
"""What a browser says of a request that a page of this server makes."""

ANSWER = f"/api/v1/answers/mean?{urlencode({'question': OBESITY})}"
SITE = "https://dashboard.example"
SECRET = re.compile(r"mt_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Browser:
    """Asks as a browser does: for pages, with its cookies, and says from which page."""

    client: FlaskClient
    address: str = "192.0.2.7"

    def open(self, path: str, method: str = "GET", json: object = None, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(
            path,
            method=method,
            json=json,
            headers={"Accept": BROWSER, **named},
            environ_overrides={"REMOTE_ADDR": self.address},
            buffered=True,
        )

    def sign_in(self, secret: str, wanted: str = "/", headers: dict[str, str] = OWN, at: str = "") -> TestResponse:
        return self.client.post(
            f"{at}/sign-in",
            data={"key": secret, "next": wanted},
            headers={"Accept": BROWSER, **headers},
            environ_overrides={"REMOTE_ADDR": self.address},
        )

    def sign_out(self) -> TestResponse:
        return self.open("/sign-out", "POST", Origin="http://localhost")

    @property
    def cookie(self) -> str:
        found = self.client.get_cookie("meantime_session")
        assert found is not None
        return found.value


@pytest.fixture
def keys(settings: Settings) -> AccessKeyFile:
    file = AccessKeyFile(settings.keys_file)
    file.add("operator", Role.ADMIN)
    return file


@pytest.fixture
def app(service: MeantimeService, settings: Settings, keys: AccessKeyFile) -> Flask:
    """An application that has found keys."""
    assert keys.exists
    return create_app(service, settings)


@pytest.fixture
def alice(keys: AccessKeyFile) -> str:
    return keys.add("alice", Role.SUBMIT)


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app.test_client())


@pytest.fixture
def signed_in(browser: Browser, alice: str) -> Browser:
    assert browser.sign_in(alice).status_code == 303
    return browser


def wanted_in(answer: TestResponse) -> str:
    """Return the page that a form leads to."""
    found = re.search(r'name="next" value="([^"]*)"', answer.text)
    assert found is not None
    return unescape(found[1])


# ---- getting in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/docs", "/api/jobs", "/api/v1/jobs?limit=5", "/openapi.json", ANSWER])
def test_a_browser_without_a_key_is_shown_the_form_and_has_the_page_after_signing_in(
    browser: Browser, alice: str, path: str
) -> None:
    asked = browser.open(path)
    assert (asked.status_code, asked.mimetype) == (401, "text/html")
    assert asked.headers["WWW-Authenticate"] == "Bearer realm=Meantime"
    assert asked.headers["Cache-Control"] == "no-store"
    assert OBESITY not in Elements(asked.text).text
    answer = browser.sign_in(alice, wanted_in(asked))
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    assert browser.open(path).status_code == 200


def test_a_program_without_a_key_is_told_so_in_json(browser: Browser) -> None:
    for accept in ("*/*", "application/json", "application/json, text/html;q=0.9"):
        answer = browser.open("/", Accept=accept)
        assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
        assert "/sign-in" in str(orjson.loads(answer.data)["detail"])
    posted = browser.open("/api/v1/jobs", "POST", json=MEAN)
    assert (posted.status_code, posted.content_type) == (401, "application/problem+json")


def test_the_form_can_be_used_with_a_keyboard_and_a_screen_reader(browser: Browser) -> None:
    answer = browser.open("/sign-in")
    assert answer.status_code == 200
    page = Elements(answer.text)
    (field,) = [each for tag, each in page.tags if tag == "input" and each["type"] == "password"]
    assert {each["for"] for tag, each in page.tags if tag == "label"} == {field["id"]}
    assert [tag for tag, _ in page.tags if tag in ("h1", "main", "button")] == ["main", "h1", "button"]
    wrong = Elements(browser.sign_in("nonsense").text)
    (field,) = [each for tag, each in wrong.tags if tag == "input" and each["type"] == "password"]
    (message,) = [each for _, each in wrong.tags if each.get("role") == "alert"]
    assert field["aria-describedby"] == message["id"]
    assert "value" not in field


@pytest.mark.parametrize("made", ["", "nonsense", "mt_" + "A" * 43, "{}x", "{} {}", "\x00", "ключ", "x" * 20_000])
def test_a_wrong_key_opens_nothing_and_is_not_sent_back(browser: Browser, alice: str, made: str) -> None:
    given = made.replace("{}", alice)
    answer = browser.sign_in(given)
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers
    assert not given.strip("\0") or given not in answer.text
    assert browser.open("/").status_code == 401


def test_blanks_around_a_pasted_key_do_not_matter(browser: Browser, alice: str) -> None:
    assert browser.sign_in(f" {alice}\r\n").status_code == 303


def test_a_key_is_taken_from_nowhere_but_the_body_of_the_form(browser: Browser, alice: str) -> None:
    assert browser.open(f"/sign-in?key={alice}", "POST", **OWN).status_code in (401, 415)
    assert browser.open("/sign-in", "POST", json={"key": alice}, **OWN).status_code == 415
    assert browser.open(f"/sign-in?key={alice}").headers.get("Set-Cookie") is None
    twice = browser.client.post("/sign-in", data={"key": [alice, alice]}, headers=OWN)
    assert twice.status_code == 400
    assert browser.open("/").status_code == 401


# ---- the cookie -----------------------------------------------------------------------------------------------------


def flags_of(answer: TestResponse) -> tuple[str, set[str]]:
    (sent,) = answer.headers.getlist("Set-Cookie")
    pair, *flags = sent.split("; ")
    return pair, set(flags)


def test_the_cookie_is_for_no_script_no_other_site_and_lasts_as_long_as_the_browser(
    browser: Browser, alice: str
) -> None:
    pair, flags = flags_of(browser.sign_in(alice))
    assert re.fullmatch(r"meantime_session=[A-Za-z0-9_-]{43}", pair)
    assert flags == {"HttpOnly", "SameSite=Strict", "Path=/"}


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://localhost"}, {**OWN, "X-Forwarded-Proto": "https"}], ids=["origin", "proxy"]
)
def test_the_cookie_is_secure_where_the_browser_came_over_https(
    browser: Browser, alice: str, headers: dict[str, str]
) -> None:
    assert "Secure" in flags_of(browser.sign_in(alice, headers=headers))[1]


def test_below_a_prefix_cookie_form_and_way_back_stay_there(
    service: MeantimeService, settings: Settings, alice: str
) -> None:
    browser = Browser(create_app(service, replace(settings, url_prefix="/stats")).test_client())
    for passed_on in ("/stats", ""):  # as a proxy takes the prefix off, or doesn't
        asked = browser.open(f"{passed_on}/docs")
        assert asked.status_code == 401
        assert 'action="/stats/sign-in"' in asked.text
        assert wanted_in(asked) == "/stats/docs"
    answer = browser.sign_in(alice, "/stats/docs", at="/stats")
    assert answer.headers["Location"] == "/stats/docs"
    assert "Path=/stats" in flags_of(answer)[1]
    assert browser.open("/stats/docs").status_code == 200
    for outside in ("/docs", "/statsx/docs", "/", "/stats//evil.example"):
        assert browser.sign_in(alice, outside, at="/stats").headers["Location"] == "/stats/"
    assert browser.open("/stats/sign-out", "POST", **OWN).headers["Location"] == "/stats/sign-in"
    assert browser.open("/stats/docs").status_code == 401


def test_nothing_of_the_key_is_in_the_cookie_and_each_sign_in_makes_another(browser: Browser, alice: str) -> None:
    seen = set()
    for _ in range(5):
        browser.sign_in(alice)
        seen.add(browser.cookie)
        assert alice[3:11] not in browser.cookie
    assert len(seen) == 5


def test_no_other_answer_sets_a_cookie(signed_in: Browser) -> None:
    for path in ("/", "/docs", "/sign-in", "/api/v1/jobs", "/healthz", "/nowhere", ANSWER):
        assert "Set-Cookie" not in signed_in.open(path).headers, path


# ---- what a session opens -------------------------------------------------------------------------------------------


def test_every_page_says_who_is_signed_in_and_lets_them_sign_out(signed_in: Browser) -> None:
    for path in ("/", "/problems"):
        page = signed_in.open(path).text
        assert "Signed in as <strong>alice</strong>" in page
        assert '<form class="account" method="post" action="/sign-out">' in page


def test_pages_let_a_browser_name_its_origin_when_it_sends_their_forms(signed_in: Browser) -> None:
    """With no-referrer a browser sends a form with ``Origin: null`` (Fetch standard, "append an Origin header")."""
    for path in ("/", "/sign-in"):
        assert signed_in.open(path).headers["Referrer-Policy"] == "same-origin"


def test_a_reader_may_ask_answers_by_get_and_submit_nothing(browser: Browser, keys: AccessKeyFile) -> None:
    assert browser.sign_in(keys.add("reader", Role.READ)).status_code == 303
    answer = browser.open(ANSWER, Accept="application/json")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"].startswith("private")
    assert browser.open("/api/v1/jobs", "POST", json=MEAN, **OWN).status_code == 403
    assert orjson.loads(browser.open("/api/v1/jobs").data)["jobs"] == []


def test_a_session_has_the_role_and_the_jobs_of_its_key(signed_in: Browser, app: Flask, keys: AccessKeyFile) -> None:
    answer = signed_in.open("/api/v1/jobs", "POST", json=MEAN, **OWN)
    assert answer.status_code in (201, 202)
    path = f"/api/v1/jobs/{orjson.loads(answer.data)['id']}"
    assert signed_in.open(path).status_code == 200
    other = Browser(app.test_client())
    other.sign_in(keys.add("bob", Role.SUBMIT))
    assert other.open(path).status_code == 404
    assert signed_in.open("/api/v1/datasets/small/reload", "POST", **OWN).status_code == 403


def test_swagger_ui_its_document_and_events_work_by_the_cookie(signed_in: Browser) -> None:
    for path in ("/docs", "/docs/swagger-ui.css", "/openapi.json"):
        assert signed_in.open(path).status_code == 200
    schemes = orjson.loads(signed_in.open("/openapi.json").data)["components"]["securitySchemes"]
    assert schemes["session"] == {"type": "apiKey", "in": "cookie", "name": "meantime_session"}
    submitted = signed_in.open("/api/v1/jobs", "POST", json=MEAN, Prefer="wait=30", **OWN)
    number = orjson.loads(submitted.data)["id"]
    events = signed_in.open(f"/api/v1/jobs/{number}/events", Accept="text/event-stream")
    assert (events.status_code, events.mimetype) == (200, "text/event-stream")
    assert "event: end" in events.text


def test_a_key_in_the_header_counts_before_a_session(signed_in: Browser, keys: AccessKeyFile) -> None:
    reader = keys.add("reader", Role.READ)
    refused = signed_in.open("/api/v1/jobs", "POST", json=MEAN, Authorization=f"Bearer {reader}")
    assert refused.status_code == 403
    wrong = signed_in.open("/", Authorization="Bearer mt_" + "A" * 43)
    assert wrong.status_code == 401


def test_a_session_is_counted_by_the_name_of_its_key(
    service: MeantimeService, settings: Settings, keys: AccessKeyFile, alice: str
) -> None:
    app = create_app(service, replace(settings, posts_per_minute=5))
    browsers = [Browser(app.test_client(), f"192.0.2.{i}") for i in range(3)]
    for each in browsers:
        assert each.sign_in(alice).status_code == 303
    statuses = [each.open("/api/v1/jobs", "POST", json=MEAN, **OWN).status_code for each in (*browsers, *browsers)]
    assert [status == 429 for status in statuses] == [False] * 5 + [True]
    header = {"Authorization": f"Bearer {alice}"}
    assert submit(app.test_client(), **header).status_code == 429
    assert submit(app.test_client(), Authorization=f"Bearer {keys.add('bob', Role.SUBMIT)}").status_code == 202


# ---- what ends it ---------------------------------------------------------------------------------------------------


def test_signing_out_ends_the_session_also_for_who_has_kept_the_cookie(signed_in: Browser, app: Flask) -> None:
    kept = signed_in.cookie
    answer = signed_in.sign_out()
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert "Max-Age=0" in flags_of(answer)[1]
    assert signed_in.client.get_cookie("meantime_session") is None
    assert replayed(app, kept).status_code == 401


def replayed(app: Flask, session_id: str) -> TestResponse:
    """Ask with a cookie of one's own making."""
    headers = {"Cookie": f"meantime_session={session_id}", "Accept": BROWSER}
    return app.test_client(use_cookies=False).get("/", headers=headers)


def test_a_session_that_was_made_up_is_none_and_does_not_become_one(app: Flask, alice: str) -> None:
    fixed = "A" * 43
    client = app.test_client()
    client.set_cookie("meantime_session", fixed)
    browser = Browser(client)
    assert browser.open("/").status_code == 401
    assert browser.sign_in(alice).status_code == 303
    assert browser.cookie != fixed
    assert replayed(app, fixed).status_code == 401


def test_signing_in_again_ends_the_session_before(signed_in: Browser, app: Flask, keys: AccessKeyFile) -> None:
    kept = signed_in.cookie
    assert signed_in.sign_in(keys.add("bob", Role.READ)).status_code == 303
    assert replayed(app, kept).status_code == 401
    assert "Signed in as <strong>bob</strong>" in signed_in.open("/").text


def test_a_revoked_key_ends_its_sessions_at_once(signed_in: Browser, keys: AccessKeyFile) -> None:
    assert signed_in.open("/").status_code == 200
    keys.revoke("alice")
    answer = signed_in.open("/")
    assert answer.status_code == 401
    assert "session has ended" in answer.text
    keys.add("alice", Role.SUBMIT)  # another key of the same name
    assert signed_in.open("/").status_code == 401


def test_a_key_whose_role_was_changed_ends_its_sessions(signed_in: Browser, settings: Settings) -> None:
    content = orjson.loads(settings.keys_file.read_bytes())
    content["keys"][1]["role"] = "read"
    settings.keys_file.write_bytes(orjson.dumps(content))
    assert signed_in.open("/").status_code == 401


def test_a_session_ends_after_twelve_hours_however_much_it_is_used(
    signed_in: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    steady, passed_s = time.monotonic, 0.0
    monkeypatch.setattr(time, "monotonic", lambda: steady() + passed_s)
    for passed_s in (0.25 * LONGEST_S, 0.5 * LONGEST_S, LONGEST_S - 60):  # noqa: B007  # the clock reads it
        assert signed_in.open("/").status_code == 200
    passed_s = LONGEST_S + 1
    assert signed_in.open("/").status_code == 401


@pytest.mark.parametrize("how", ["signing out", "revoking the key"])
def test_a_stream_that_is_open_ends_with_the_session(
    idle_service: MeantimeService, settings: Settings, keys: AccessKeyFile, alice: str, how: str
) -> None:
    app = create_app(idle_service, settings)
    browser = Browser(app.test_client())
    browser.sign_in(alice)
    number = orjson.loads(browser.open("/api/v1/jobs", "POST", json=MEAN, **OWN).data)["id"]
    stream = browser.client.get(f"/api/v1/jobs/{number}/events")
    pieces = stream.iter_encoded()
    assert [next(pieces), next(pieces)][1].startswith(b"event: job")
    if how == "signing out":
        browser.sign_out()
    else:
        keys.revoke("alice")
    assert next(pieces, None) is None
    stream.close()


def test_when_the_keys_cannot_be_read_no_session_opens_anything(signed_in: Browser, settings: Settings) -> None:
    settings.keys_file.write_text("damaged")
    assert signed_in.open("/api/jobs").status_code == 503
    assert signed_in.open("/healthz").status_code == 200
    assert signed_in.open("/sign-in").status_code == 200
    assert signed_in.sign_in("mt_" + "A" * 43).status_code == 503


def test_after_a_restart_one_signs_in_again(signed_in: Browser, service: MeantimeService, settings: Settings) -> None:
    assert replayed(create_app(service, settings), signed_in.cookie).status_code == 401


# ---- other sites ----------------------------------------------------------------------------------------------------


FOREIGN = [
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://localhost:8080", "Sec-Fetch-Site": "same-site"},
    {"Origin": "null"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": SITE},
    {"Origin": SITE, "Sec-Fetch-Site": "same-site"},
    {},
]


@pytest.fixture
def allowing(service: MeantimeService, settings: Settings, alice: str) -> Browser:
    """A browser that is signed in at a server that allows another site's pages."""
    browser = Browser(create_app(service, replace(settings, allowed_origins=(SITE,))).test_client())
    assert browser.sign_in(alice).status_code == 303
    return browser


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_no_other_sites_page_can_do_anything_by_the_cookie_not_even_an_allowed_one(
    allowing: Browser, headers: dict[str, str]
) -> None:
    asked = {
        "/api/v1/jobs": ("POST", MEAN),
        "/api/best5": ("POST", {"question": OBESITY}),
        "/api/v1/jobs/1": ("DELETE", None),
        "/sign-out": ("POST", None),
    }
    for path, (method, body) in asked.items():
        assert allowing.open(path, method, json=body, **headers).status_code == 403, path
    assert allowing.sign_in("mt_" + "A" * 43, headers=headers).status_code == 403
    assert allowing.open("/").status_code == 200
    assert orjson.loads(allowing.open("/api/v1/jobs").data)["jobs"] == []


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_no_other_sites_page_can_shut_down_by_an_admins_cookie(
    browser: Browser, keys: AccessKeyFile, service: MeantimeService, headers: dict[str, str]
) -> None:
    browser.sign_in(keys.add("admin", Role.ADMIN))
    for method in ("GET", "POST"):
        assert browser.open("/api/graceful_shutdown", method, **headers).status_code == 403
    assert not service.is_draining


@pytest.mark.parametrize("headers", [{"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}, OWN], ids=str)
def test_a_page_of_the_server_can(signed_in: Browser, headers: dict[str, str]) -> None:
    assert signed_in.open("/api/v1/jobs", "POST", json=MEAN, **headers).status_code in (201, 202)


def test_a_program_with_a_key_in_the_header_needs_no_origin(app: Flask, alice: str) -> None:
    assert submit(app.test_client(), Authorization=f"Bearer {alice}").status_code == 202


def test_an_allowed_site_gets_no_credentials_and_still_uses_a_key(allowing: Browser, alice: str) -> None:
    for method in ("GET", "OPTIONS"):
        answer = allowing.open(ANSWER, method, Origin=SITE, Access_Control_Request_Method="GET")
        assert answer.headers["Access-Control-Allow-Origin"] == SITE
        assert "Access-Control-Allow-Credentials" not in answer.headers
    by_key = allowing.open("/api/v1/jobs", "POST", json=MEAN, Origin=SITE, Authorization=f"Bearer {alice}")
    assert by_key.status_code in (201, 202)


def test_the_form_cannot_be_framed(browser: Browser) -> None:
    for path in ("/sign-in", "/"):
        assert "frame-ancestors 'none'" in browser.open(path).headers["Content-Security-Policy"]


# ---- the way back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example",
        "https://evil.example", "https:evil.example", "http:///evil.example", "javascript:alert(1)", "evil.example",
        "/\t/evil.example", "/\n/evil.example", "/%2f/evil.example", "/%5cevil.example", " //evil.example", "",
        "/docs\r\nSet-Cookie: a=b", "/docs\\..\\x", "/@evil.example", "/.//evil.example", "/..//evil.example",
        "/?x\r\nSet-Cookie: a=b", "/?\x00", "/?дом", "/?x=\\", "/?" + "x" * 4001,
        "/nowhere", "/docs/", "/дом", "?next=/docs", "#", "/" + "x" * 3000,
        "/api/graceful_shutdown", "/api/graceful%5fshutdown", "/static/../api/graceful_shutdown",
        "/static/%2e%2e/api/graceful_shutdown", "/static/.%2E/api/graceful_shutdown", "/./api/graceful_shutdown",
        "/api/graceful_shutdown?x", "/api/graceful_shutdown#x", "/sign-in?next=/docs", "/sign-out", "/api/best5",
    ],
)  # fmt: skip
def test_the_way_back_leaves_neither_the_server_nor_what_is_to_look_at(
    browser: Browser, alice: str, wanted: str
) -> None:
    if len(wanted) < 4000:  # a longer URL is refused
        assert wanted_in(browser.open(f"/sign-in?next={quote(wanted)}")) == "/"
    answer = browser.sign_in(alice, wanted)
    assert answer.headers.getlist("Location") == ["/"]
    assert len(answer.headers.getlist("Set-Cookie")) == 1


@pytest.mark.parametrize("wanted", ["/docs", "/api/v1/jobs?limit=5&state=done", ANSWER, "/problems#not-found"])
def test_the_way_back_keeps_the_query(browser: Browser, alice: str, wanted: str) -> None:
    assert wanted_in(browser.open(f"/sign-in?next={quote(wanted)}")) == wanted
    assert browser.sign_in(alice, wanted).headers["Location"] == wanted


def test_the_way_back_is_a_text_in_the_page_whatever_it_is(browser: Browser) -> None:
    asked = browser.open('/api/v1/jobs?"><script>alert(1)</script>')
    assert "<script" not in asked.text


def test_who_comes_by_another_sites_link_may_go_on_by_one_click(browser: Browser) -> None:
    """SameSite=Strict keeps the cookie back once: with a link of ours it goes along."""
    from_elsewhere = browser.open("/docs", Sec_Fetch_Site="cross-site")
    assert '<a href="/docs">go on' in from_elsewhere.text
    assert "go on" not in browser.open("/docs", Sec_Fetch_Site="none").text
    shutdown = browser.open("/api/graceful_shutdown", Sec_Fetch_Site="cross-site")
    assert "graceful_shutdown" not in shutdown.text


# ---- bounds and logs ------------------------------------------------------------------------------------------------


def test_an_address_may_try_so_often_a_minute_and_another_one_too(
    app: Flask, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steady, passed_s = time.monotonic, 0.0
    monkeypatch.setattr(time, "monotonic", lambda: steady() + passed_s)
    browser = Browser(app.test_client())
    assert {browser.sign_in("wrong").status_code for _ in range(TRIES_PER_MINUTE)} == {401}
    refused = browser.sign_in(alice)
    assert (refused.status_code, refused.mimetype) == (429, "text/html")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "Set-Cookie" not in refused.headers
    assert Browser(app.test_client(), "192.0.2.8").sign_in(alice).status_code == 303
    assert browser.open("/", Authorization=f"Bearer {alice}").status_code == 200
    passed_s = 61.0
    assert browser.sign_in(alice).status_code == 303


def test_the_oldest_session_of_a_key_makes_room_and_no_key_takes_anothers(
    settings: Settings, keys: AccessKeyFile
) -> None:
    found = {name: keys.find(keys.add(name, Role.READ)) for name in ("ann", "ben", "cai")}
    ann, ben, cai = found.values()
    assert ann is not None
    assert ben is not None
    assert cai is not None
    sessions = Sessions(keys, bound=4, share=2)
    anns = [sessions.begin(ann) for _ in range(3)]
    assert [sessions.find(each) for each in anns] == [None, ann, ann]
    bens = [sessions.begin(ben) for _ in range(2)]
    with pytest.raises(NoPlaceError):
        sessions.begin(cai)
    assert [sessions.find(each) for each in (*anns, *bens)] == [None, ann, ann, ben, ben]
    keys.revoke("ann")  # its sessions take no room any more
    assert sessions.find(sessions.begin(cai)) == cai
    assert sessions.count == 3


def test_the_metrics_say_how_many_sessions_are_kept(browser: Browser, keys: AccessKeyFile) -> None:
    browser.sign_in(keys.add("reader", Role.READ))
    assert values(browser.client, "meantime_sessions") == {frozenset(): 1.0}
    browser.sign_in(keys.add("another", Role.READ))  # in the place of the first
    assert values(browser.client, "meantime_sessions") == {frozenset(): 1.0}


def test_who_signs_in_and_who_fails_to_is_logged_without_the_key(
    service: MeantimeService,
    settings: Settings,
    alice: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "meantime")
    log = AccessLog(settings.log_file)
    log.start()
    browser = Browser(create_app(service, settings, access_log=log).test_client())
    nearly = alice[:-1] + ("A" if alice[-1] != "A" else "B")
    browser.sign_in(nearly)
    browser.sign_in(alice)
    browser.open("/sign-in", "POST", json={"key": alice}, **OWN)
    browser.open("/")
    log.close()
    written = caplog.text + settings.log_file.read_text("utf-8")
    assert "a wrong key was given to sign in, from 192.0.2.7" in written
    assert "key alice has signed in, from 192.0.2.7" in written
    assert "enter POST /sign-in {} from 192.0.2.7" in written
    assert SECRET.search(written) is None
    assert browser.cookie not in written


# ---- without keys ---------------------------------------------------------------------------------------------------


def test_where_no_keys_are_in_use_nobody_signs_in(service: MeantimeService, settings: Settings) -> None:
    browser = Browser(create_app(service, settings).test_client())
    for answer in (browser.open("/sign-in"), browser.sign_in("anything")):
        assert answer.status_code == 200
        assert "asks nobody for a key" in answer.text
        assert "Set-Cookie" not in answer.headers
    assert "/sign-in" not in browser.open("/").text
