"""The pages as a browser builds them: whole, from this server alone, within their content policy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server_process import served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--virtual-time-budget=10000",
    "--dump-dom",
)
LIMIT_S = 120.0

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("CI"), reason="needs Chromium: apt-get install chromium"
    ),
]


@pytest.fixture(scope="module", params=["", "/stats"], ids=["at the root", "below a path"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of the bundled table, and where it is."""
    meantime = [sys.executable, "-c", "from meantime.cli import main; main()", "serve", "--url-prefix", request.param]
    with served(meantime, tmp_path_factory.mktemp("browser")) as address:
        yield address


def show(address: str, profile: Path) -> tuple[str, list[str]]:
    """Return the page as Chromium has built it, and what its console said."""
    assert CHROMIUM is not None, "CI installs Chromium; see .ci/run"
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", address]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    return shown.stdout, [line for line in shown.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.parametrize(
    ("path", "texts"),
    [
        (
            "/?place=Ohio",
            ["36.4 % (35.2\u201337.7) of adults in Ohio had obesity: worse than the nation's 32.8 %", "chart=map"],
        ),
        ("/endpoints", ["/api/states_mean", '/docs">Try them</a>']),
        ("/dataset", ["106,260", "12,755", "Q036"]),
        ("/health", ["Everything works."]),
        ("/problems", ["RFC 9457"]),
        ("/docs", ["/api/v1/jobs/{job_id}/events", "opblock-summary-path"]),
    ],
)
def test_a_page_is_built_whole_and_its_console_is_silent(url: str, tmp_path: Path, path: str, texts: list[str]) -> None:
    page, console = show(url + path, tmp_path)
    assert [text for text in texts if text not in page] == []
    assert console == []


def test_the_console_would_tell_of_a_file_that_the_policy_forbids(url: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        "<meta http-equiv='Content-Security-Policy' content=\"script-src 'self'\"><script>document.title = 1</script>"
    )
    _, console = show(page.as_uri(), tmp_path / "profile")
    assert any("Content Security Policy" in line for line in console)
