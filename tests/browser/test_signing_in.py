"""Signing in with a real browser: it sends the form, keeps the cookie, and another site's page can't use it."""

from __future__ import annotations

import http.server
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.browser.test_pages import CHROMIUM
from tests.browser.test_pages import pytestmark as in_chromium
from tests.server_process import served

pytestmark = in_chromium
MEANTIME = [sys.executable, "-c", "from meantime.cli import main; main()"]
SUBMIT = """async () => (await fetch('api/v1/jobs', {method: 'POST', headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({statistic: 'mean', parameters: {question: 'Q036'}})})).status"""
FOLLOW = """() => new Promise((resolve, reject) => {
    const events = new EventSource('api/v1/jobs/1/events');
    events.addEventListener('end', event => { events.close(); resolve(JSON.parse(event.data).state); });
    events.onerror = () => { events.close(); reject('no events'); };
})"""


@dataclass(frozen=True)
class KeyedServer:
    """A server that takes keys, and a key with the role ``submit``."""

    url: str
    secret: str


@pytest.fixture(scope="module", params=["", "/stats"], ids=["at the root", "below a path"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyedServer]:
    folder = tmp_path_factory.mktemp("signing-in")
    added = subprocess.run(
        [*MEANTIME, "keys", "add", "alice", "--role", "submit"], cwd=folder, capture_output=True, text=True, check=True
    )
    found = re.search(r"mt_[A-Za-z0-9_-]{43}", added.stdout)
    assert found is not None
    with served([*MEANTIME, "serve", "--url-prefix", request.param], folder) as url:
        yield KeyedServer(url, found[0])


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of a fresh Chromium."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def sign_in(page: Page, server: KeyedServer, path: str) -> None:
    page.goto(server.url + path)
    page.get_by_label("Access key").fill(server.secret)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(server.url + path)


def test_a_browser_signs_in_has_the_page_it_wanted_works_with_it_and_signs_out(page: Page, server: KeyedServer) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    sign_in(page, server, "/docs")
    page.get_by_text("/api/v1/jobs/{job_id}/events", exact=True).first.wait_for()
    assert page.evaluate(SUBMIT) == 202
    assert page.evaluate(FOLLOW) == "done"
    assert page.evaluate("document.cookie") == ""
    page.goto(f"{server.url}/")
    page.get_by_text("Signed in as alice").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{server.url}/sign-in")
    shown = page.goto(f"{server.url}/docs")
    assert shown is not None
    assert shown.status == 401
    assert problems == []


def test_a_wrong_key_is_said_beside_the_field(page: Page, server: KeyedServer) -> None:
    page.goto(f"{server.url}/")
    page.get_by_label("Access key").fill("mt_" + "A" * 43)
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("alert").inner_text() == "The server knows no such key."
    assert page.get_by_label("Access key").input_value() == ""


class _OtherSite(http.server.BaseHTTPRequestHandler):
    """A site with one page."""

    content = b""

    def do_GET(self) -> None:  # the name is http.server's
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["same site, another port", "another site"])
def test_another_sites_page_cannot_sign_somebody_out(page: Page, server: KeyedServer, host: str) -> None:
    sign_in(page, server, "/")

    class Site(_OtherSite):
        content = f"<form method=post action='{server.url}/sign-out'><button>Win</button></form>".encode()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        serving = threading.Thread(target=site.serve_forever)
        serving.start()
        page.goto(f"http://{host}:{site.server_port}/")
        with page.expect_navigation():
            page.get_by_role("button", name="Win").click()
        assert '"title":"Forbidden"' in page.content()
        site.shutdown()
        serving.join()
    page.goto(f"{server.url}/")
    page.get_by_text("Signed in as alice").wait_for()
