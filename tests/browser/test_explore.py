"""Explore and Jobs, clicked: asking, going back and forward, waiting, cancelling; the same without JavaScript."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from playwright.sync_api import Page

from tests.acceptance.patient_server import GATE_VARIABLE, WAITING
from tests.browser.driven import Driven, driven
from tests.browser.test_pages import pytestmark as in_chromium
from tests.conftest import PROJECT
from tests.server_process import served

pytestmark = in_chromium

PREFIX = "/stats"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A server of one runner, below a path."""

    url: str
    gate: Path

    def occupy(self) -> None:
        """Give the runner a job that lasts until the gate is opened."""
        answer = requests.post(f"{self.url}/api/{WAITING}", json={}, timeout=60)
        assert answer.status_code == 200, answer.text

    def open_gate(self) -> None:
        """Let the job go on that waits; it reads from the gate, or will."""
        self.gate.write_bytes(b"")


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Waiting]:
    gate = folder / "gate"
    os.mkfifo(gate)
    command = [
        *("env", f"{GATE_VARIABLE}={gate}", f"PYTHONPATH={PROJECT}", sys.executable),
        *("-m", "tests.acceptance.patient_server", "serve", "--threads", "1", "--url-prefix", PREFIX),
    ]
    with served(command, folder) as url:
        yield Waiting(url, gate)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waiting]:
    """A server that answers at once."""
    with serving(tmp_path_factory.mktemp("explored")) as found:
        yield found


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Waiting]:
    """A server whose runner has a job that waits for the gate; a result that is known can't be waited for again."""
    with serving(tmp_path) as found:
        found.occupy()
        yield found


@pytest.fixture
def opened() -> Iterator[Driven]:
    """A page whose console stays silent, and which asks nobody but one server."""
    with driven() as found:
        yield found
        assert found.console == []
        assert len({urlsplit(address).netloc for address in found.asked}) == 1


def query_of(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def wait_for_answer(page: Page, *, title: str) -> None:
    page.wait_for_selector(f"#answer:not([aria-busy]) h2:has-text('{title}')")
    page.wait_for_selector("#answer:not([aria-busy]) table.explored")


def test_a_question_is_chosen_asked_and_shown_in_place_and_back_and_forward_work(
    server: Waiting, opened: Driven
) -> None:
    page = opened.page
    page.goto(f"{server.url}/explore")
    page.evaluate("window.isTheSame = true")
    page.select_option("#in-statistic", "difference")
    page.wait_for_selector("#in-goal")
    page.select_option("#in-question", "Q036")
    page.get_by_role("checkbox", name="2023", exact=True).check()
    page.click("#show")
    wait_for_answer(page, title="Difference")
    assert query_of(page) == {"statistic": ["difference"], "question": ["Q036"], "years": ["2023"]}
    assert page.locator("table.explored tbody tr").count() == 51
    assert page.locator("#status").inner_text() == "The answer is there: 51 records, in percent."
    page.click("nav.kinds a:has-text('Sorted dots')")
    page.wait_for_selector("nav.kinds a[aria-current]:has-text('Sorted dots')")
    assert query_of(page)["chart"] == ["bars"]

    page.get_by_role("checkbox", name="2023", exact=True).uncheck()
    page.get_by_role("checkbox", name="2013", exact=True).check()
    page.click("#show")
    page.wait_for_selector("#answer:not([aria-busy]) .about:has-text('2013')")
    page.go_back()
    page.wait_for_selector("#answer:not([aria-busy]) .about:has-text('2023')")
    assert query_of(page)["chart"] == ["bars"]
    page.go_back()
    page.wait_for_selector("nav.kinds a[aria-current]:has-text('Map')")
    page.go_forward()
    page.go_forward()
    page.wait_for_selector("#answer:not([aria-busy]) .about:has-text('2013')")
    assert page.get_by_role("checkbox", name="2013", exact=True).is_checked()
    assert page.evaluate("window.isTheSame") is True, "the page was never loaded anew"


def test_the_address_of_an_answer_shows_it_again_with_the_form_as_it_was(server: Waiting, opened: Driven) -> None:
    page = opened.page
    page.goto(f"{server.url}/explore?statistic=disparity&question=Q036&categories=Education&years=2023&level=0.9")
    wait_for_answer(page, title="Disparity")
    assert page.input_value("#in-question") == "Q036"
    assert page.input_value("#in-level") == "0.9"
    assert page.locator("#advanced").evaluate("each => each.open")
    assert page.get_by_role("checkbox", name="Education", exact=True).is_checked()
    page.locator("#field-strata summary").click()
    assert [each.inner_text() for each in page.locator("#field-strata .group-name:visible").all()] == ["Education"]
    page.get_by_role("checkbox", name="College graduate", exact=True).check()
    assert page.locator("#field-strata summary").inner_text() == "1 chosen of 28"
    page.get_by_role("checkbox", name="Education", exact=True).uncheck()
    page.get_by_role("checkbox", name="Sex", exact=True).check()
    page.click("#show")
    page.wait_for_selector("#answer:not([aria-busy]) .about:has-text('Sex')")
    assert query_of(page)["categories"] == ["Sex"]
    assert "strata" not in query_of(page), "strata of a category that isn't chosen are not asked for"


def test_what_is_wrong_is_shown_beside_its_field_and_mended_by_a_click(server: Waiting, opened: Driven) -> None:
    page = opened.page
    page.goto(f"{server.url}/explore?statistic=mean&question=Q036&by=location")
    wait_for_answer(page, title="Mean")
    page.locator("#field-locations summary").click()
    page.locator("#field-locations input[value=Ohio]").evaluate("each => { each.value = 'Ohoi'; each.checked = true; }")
    page.click("#show")
    page.wait_for_selector("#refusal-locations")
    assert "is no location" in page.locator("#refusal-locations").inner_text()
    page.click("#refusal-locations a.button:has-text('Ohio')")
    page.wait_for_selector("#answer:not([aria-busy]) table.explored")
    assert query_of(page)["locations"] == ["Ohio"]
    # Chromium's console tells of every answer that isn't one of the good ones.
    assert [line for line in opened.console if "422" not in line] == []
    opened.console.clear()


def test_a_long_computation_shows_how_it_stands_and_the_answer_comes_by_itself(busy: Waiting, opened: Driven) -> None:
    page = opened.page
    page.goto(f"{busy.url}/explore")
    page.click("ul.examples a:has-text('Heterogeneity')")
    page.wait_for_selector("#answer[data-job] progress")
    assert "1 job comes before it" in page.locator("#answer .lead").inner_text()
    assert page.locator("#answer [data-cancel]").is_visible()
    busy.open_gate()
    wait_for_answer(page, title="Heterogeneity")


def test_a_long_computation_is_cancelled_by_a_click(busy: Waiting, opened: Driven) -> None:
    page = opened.page
    page.goto(f"{busy.url}/explore")
    page.click("ul.examples a:has-text('Coverage')")
    page.click("#answer [data-cancel]")
    page.wait_for_selector("#answer:has-text('Cancelled.')")
    newest = requests.get(f"{busy.url}/api/v1/jobs?limit=1", timeout=60).json()["jobs"][0]
    assert (newest["statistic"], newest["state"]) == ("coverage", "cancelled")
    busy.open_gate()
    page.click("#show")
    wait_for_answer(page, title="Coverage")


def test_jobs_are_kept_as_they_are_cancelled_and_run_again(busy: Waiting, opened: Driven) -> None:
    page = opened.page
    page.goto(f"{busy.url}/jobs")
    asked = {"statistic": "people", "parameters": {"question": "Q036", "years": [2023], "locations": ["Utah"]}}
    number = requests.post(f"{busy.url}/api/v1/jobs", json=asked, timeout=60).json()["id"]
    page.wait_for_selector(f"#job-{number}[data-state=queued]")
    page.click(f"#cancel-{number}")
    page.wait_for_selector(f"#job-{number}[data-state=cancelled]")
    page.click(f"#rerun-{number}")
    page.wait_for_selector(f"#job-{number + 1}[data-state=queued]")
    busy.open_gate()
    page.wait_for_selector(f"#job-{number + 1}[data-state=done]")
    page.select_option("select[name=state]", "cancelled")
    page.wait_for_selector(f"#job-{number + 1}", state="detached")
    assert query_of(page) == {"state": ["cancelled"]}
    page.go_back()
    page.click(f"#open-{number + 1}")
    wait_for_answer(page, title="Number of people")
    assert page.locator("table.explored tbody tr").count() == 1


def test_without_javascript_a_question_is_asked_and_answered(server: Waiting) -> None:
    with driven(javascript=False) as found:
        page = found.page
        page.goto(f"{server.url}/explore")
        page.select_option("#in-statistic", "ranking")
        page.click("button[name=draft]")
        page.wait_for_selector("#in-k")
        page.select_option("#in-question", "Q036")
        page.fill("#in-k", "3")
        page.click("#show")
        page.wait_for_selector("table.explored")
        assert page.input_value("#in-k") == "3"
        assert re.search(r"rank", page.locator("table.explored thead").inner_text(), re.IGNORECASE)
        assert found.console == []


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("path", ["/explore", "/explore?statistic=difference&question=Q036&years=2023", "/jobs"])
def test_nothing_is_wider_than_the_window(server: Waiting, path: str, width: int) -> None:
    with driven(width=width) as found:
        found.page.goto(f"{server.url}{path}")
        found.page.wait_for_selector("main h1")
        assert found.page.evaluate("document.documentElement.scrollWidth") <= width
