"""Chromium that is driven: a page that is clicked, typed into and gone back from; what it fetched and complained of."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ("--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update")
LIMIT_MS = 60_000


@dataclass(frozen=True, slots=True)
class Driven:
    """A page, the addresses that it asked for, and what its console said."""

    page: Page
    asked: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium; nothing of it is left behind."""
    assert CHROMIUM is not None, "CI installs Chromium; see .ci/run"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@contextlib.contextmanager
def opened(browser: Browser, *, javascript: bool = True, width: int = 1280) -> Iterator[Driven]:
    """Open an empty page, with cookies of its own."""
    context = browser.new_context(java_script_enabled=javascript, viewport={"width": width, "height": 1000})
    context.set_default_timeout(LIMIT_MS)
    found = Driven(context.new_page())
    found.page.on("request", lambda request: found.asked.append(request.url))
    found.page.on("console", lambda message: found.console.append(message.text))
    found.page.on("pageerror", lambda error: found.console.append(str(error)))
    yield found
    context.close()


@contextlib.contextmanager
def driven(*, javascript: bool = True, width: int = 1280) -> Iterator[Driven]:
    """Open an empty page in a Chromium of its own."""
    with chromium() as browser, opened(browser, javascript=javascript, width=width) as found:
        yield found
