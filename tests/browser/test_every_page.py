"""What holds on every page: axe finds nothing, nothing leaves the server, it fits, and Tab gets everywhere."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page

from tests.browser.driven import Driven, chromium, opened
from tests.browser.test_pages import pytestmark as in_chromium
from tests.server_process import served

pytestmark = in_chromium

MEANTIME = [sys.executable, "-c", "from meantime.cli import main; main()"]
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text("utf-8")
PAGES = {
    "overview": "/",
    "overview of a place": "/?place=Ohio",
    "explore": "/explore",
    "explore, answered": "/explore?statistic=difference&question=Q036&years=2023",
    "places": "/places",
    "place": "/places/ohio",
    "rug": "/rug",
    "jobs": "/jobs",
    "dataset": "/dataset",
    "endpoints": "/endpoints",
    "health": "/health",
    "problems": "/problems",
    "sign-in": "/sign-in",
    "answer to embed": "/api/v1/answers/disparity.html?question=Q036&categories=Education&years=2023",
}
LOOKS = [pytest.param("light", 1280), pytest.param("dark", 1280), pytest.param("light", 360)]
WIDTHS = (360, 390, 700, 1000, 1600)

VIOLATIONS = """async rules => {
  const said = await axe.run({resultTypes: ["violations"], preload: false, ...(rules && {runOnly: rules})});
  return said.violations.map(({id, nodes}) =>
    `${id}: ${nodes.length}, first ${nodes[0].target.join(" ")}: ${nodes[0].failureSummary.replace(/\\s+/g, " ")}`);
}"""
OVERFLOW = """() => {
  const {scrollWidth, clientWidth} = document.documentElement;
  return scrollWidth <= clientWidth ? [] : [`the document is ${scrollWidth} px wide`];
}"""
WALK = """() => {
  const name = element => `${element.tagName} ${(element.ariaLabel || element.name || element.innerText).trim()}`;
  const isReached = element => element.checkVisibility({visibilityProperty: true}) && !element.disabled &&
    !(element.type === "radio" && !element.checked);
  const kinds = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const walk = window.walk = {left: new Set([...document.querySelectorAll(kinds)].filter(isReached)), faults: []};
  document.addEventListener("keydown", () => {  // what has the focus has it since the last key, and is scrolled to
    const element = document.activeElement;
    if (!walk.left.delete(element)) return;
    const {outlineStyle, outlineWidth, outlineColor} = getComputedStyle(element);
    if (outlineStyle === "none" || outlineWidth === "0px" || outlineColor === "rgba(0, 0, 0, 0)")
      walk.faults.push(`${name(element)}: no outline`);
    const seen = [...element.getClientRects()].some(({left, right, top, bottom}) => {
      const middle = (low, high, size) => (Math.max(low, 0) + Math.min(high, size)) / 2;
      const found = document.elementFromPoint(middle(left, right, innerWidth), middle(top, bottom, innerHeight));
      return element.contains(found) || (found && found.matches("label, td, tr") && found.contains(element));
    });
    if (!seen) walk.faults.push(`${name(element)}: behind something, or outside the window`);
  }, true);
  walk.told = () => [...walk.faults, ...[...walk.left].map(element => `${name(element)}: not reached`)];
  return walk.left.size;
}"""


@dataclass(frozen=True, slots=True)
class Served:
    """A server, and a key that it takes."""

    url: str
    secret: str = field(repr=False)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that takes keys and has a job to list."""
    folder = tmp_path_factory.mktemp("every-page")
    add = [*MEANTIME, "keys", "add", "alice", "--role", "submit"]
    secret = re.search(r"mt_[A-Za-z0-9_-]{43}", subprocess.check_output(add, cwd=folder, text=True))
    assert secret is not None
    with served([*MEANTIME, "serve"], folder) as address:
        job = {"statistic": "mean", "parameters": {"question": "Q036"}}
        headers = {"Authorization": f"Bearer {secret[0]}"}
        assert requests.post(f"{address}/api/v1/jobs", json=job, headers=headers, timeout=60).status_code == 202
        yield Served(address, secret[0])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def visitor(browser: Browser, server: Served) -> Iterator[Driven]:
    """Somebody who has signed in."""
    with opened(browser) as found:
        found.page.goto(f"{server.url}/sign-in?next=/health")
        found.page.get_by_label("Access key").fill(server.secret)
        found.page.get_by_role("button", name="Sign in").click()
        found.page.wait_for_url(f"{server.url}/health")
        yield found


@pytest.fixture(scope="module", params=list(PAGES.values()), ids=list(PAGES))
def shown(request: pytest.FixtureRequest, server: Served, visitor: Driven) -> Driven:
    """A page with all that it hides laid open; loaded once for all that is asked of it."""
    visitor.asked.clear()
    visitor.console.clear()
    look(visitor.page, "light", 1280)
    answered = visitor.page.goto(server.url + request.param)
    assert answered is not None
    assert answered.status == 200
    visitor.page.evaluate("() => document.querySelectorAll('details').forEach(details => { details.open = true; })")
    return visitor


def look(page: Page, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 1000})


def violations(page: Page, rules: list[str] | None = None) -> list[str]:
    """Return what axe says against a page, by all its rules or by these."""
    if page.evaluate("() => !window.axe"):
        page.evaluate(f"() => {{ {AXE} }}")
    return list(page.evaluate(VIOLATIONS, rules))


def walked(page: Page) -> list[str]:
    """Press Tab through the page; return what it doesn't reach, or reaches without showing it."""
    for _ in range(page.evaluate(WALK) + 10):  # what scrolls may be reached too
        page.keyboard.press("Tab")
    return list(page.evaluate("() => window.walk.told()"))


def test_tab_reaches_everything_and_shows_where_it_is(shown: Driven) -> None:
    look(shown.page, "light", 1280)
    assert walked(shown.page) == []


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_axe_finds_nothing(shown: Driven, scheme: str, width: int) -> None:
    look(shown.page, scheme, width)
    assert violations(shown.page, ["color-contrast"] if scheme == "dark" else None) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_document_scrolls_downwards_only(shown: Driven, width: int) -> None:
    look(shown.page, "light", width)
    assert shown.page.evaluate(OVERFLOW) == []


def test_nothing_leaves_the_server_and_the_console_is_silent(shown: Driven, server: Served) -> None:
    look(shown.page, "dark", 1280)
    shown.page.evaluate("() => window.scrollTo(0, document.documentElement.scrollHeight)")
    shown.page.wait_for_function("() => [...document.images].every(image => image.complete)")
    assert [address for address in shown.asked if not address.startswith((f"{server.url}/", "data:"))] == []
    assert shown.console == []


def test_each_of_these_checks_finds_its_fault(browser: Browser) -> None:
    with opened(browser) as found:
        found.page.set_content(
            "<html lang=en><title>Faults</title>"
            "<style>a { outline: 0 } p { color: #eee; width: 2000px } b { position: fixed; inset: 50% 0 0 0 }</style>"
            "<main><h1>Faults</h1><p>Pale.</p><a href='#top'>Unmarked</a><button tabindex=-1>Skipped</button>"
            "<button style='position: fixed; bottom: 0'>Covered</button><b></b></main>"
        )
        assert [text.partition(":")[0] for text in violations(found.page)] == ["color-contrast"]
        assert found.page.evaluate(OVERFLOW) == ["the document is 2008 px wide"]
        assert walked(found.page) == [
            "A Unmarked: no outline",
            "BUTTON Covered: behind something, or outside the window",
            "BUTTON Skipped: not reached",
        ]
