"""Charts with values on hover: drawn in the place of a picture by files of this server, and back again."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.driven import Driven, driven
from tests.browser.test_pages import pytestmark as in_chromium
from tests.server_process import served

pytestmark = in_chromium

EXPLORED = "/explore?statistic=difference&question=Q036&years=2023"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    meantime = [sys.executable, "-c", "from meantime.cli import main; main()", "serve", "--url-prefix", "/stats"]
    with served(meantime, tmp_path_factory.mktemp("live")) as address:
        yield address


@pytest.fixture
def opened() -> Iterator[Driven]:
    """A page that asks nobody but one server."""
    with driven() as found:
        yield found
        assert len({urlsplit(address).netloc for address in found.asked}) == 1


def button_of(figure: Locator) -> Locator:
    return figure.get_by_role("button", name="Values on hover")


def is_drawn(figure: Locator) -> None:
    """Wait until the chart is there and the picture isn't."""
    expect(figure.locator(".drawn svg")).to_be_visible()
    expect(figure.locator("img")).to_be_hidden()
    expect(button_of(figure)).to_have_attribute("aria-pressed", "true")


def is_picture(figure: Locator) -> None:
    """Wait until the picture is there and no chart."""
    expect(figure.locator("img")).to_be_visible()
    expect(figure.locator("svg")).to_have_count(0)
    expect(button_of(figure)).to_have_attribute("aria-pressed", "false")


def said_of(page: Page, figure: Locator, place: str) -> dict[str, str]:
    """Return what the tooltip says when the pointer is on a place's mark."""
    figure.locator(f".drawn svg path[aria-label*='location: {place};']").first.hover()
    expect(page.locator(".vg-tooltip.visible td.value", has_text=place)).to_be_visible()
    tooltip = page.locator(".vg-tooltip")
    return dict(
        zip(
            tooltip.locator("td.key").all_inner_texts(),
            tooltip.locator("td.value").all_inner_texts(),
            strict=True,
        )
    )


def test_a_chart_tells_a_places_value_on_hover_and_goes_back_to_its_picture(server: str, opened: Driven) -> None:
    page = opened.page
    page.goto(f"{server}/?place=Ohio")
    figure = page.locator("figure.chart").first
    is_picture(figure)
    assert [address for address in opened.asked if "vendor" in address] == []  # loaded for those who ask for it
    button_of(figure).click()
    is_drawn(figure)
    said = said_of(page, figure, "Ohio")
    assert (said["location"], said["value"], said["verdict"]) == ("Ohio", "36.4", "worse")
    assert said["value"] in page.locator("#finding + .lead").inner_text()
    chart = figure.locator(".drawn [role=graphics-document]")
    expect(chart).to_have_attribute("aria-label", re.compile("Map by verdict against National.*Source: "))
    page.keyboard.press("Escape")
    expect(page.locator(".vg-tooltip")).to_be_hidden()
    button_of(figure).click()
    is_picture(figure)
    expect(page.locator(".vg-tooltip")).to_be_hidden()
    assert opened.console == []


def test_a_chart_is_turned_on_and_off_by_keys_and_the_focus_stays(server: str, opened: Driven) -> None:
    opened.page.goto(f"{server}/")
    figure = opened.page.locator("figure.chart").last
    for key, state in (("Space", is_drawn), ("Enter", is_picture), ("Enter", is_drawn)):
        button_of(figure).press(key)
        state(figure)
        expect(button_of(figure)).to_be_focused()
    assert len([address for address in opened.asked if "/vendor/" in address]) == 3
    assert opened.console == []


def test_explore_draws_each_kind_that_is_put_in_place(server: str, opened: Driven) -> None:
    page = opened.page
    page.goto(f"{server}{EXPLORED}&draft=yes")  # which has no chart yet
    page.evaluate("window.isTheSame = true")
    page.click("#show")
    for kind in ("Sorted dots with intervals", "Funnel plot", "Map of the United States"):
        page.click(f"nav.kinds a:has-text('{kind}')")
        page.wait_for_selector(f"nav.kinds a[aria-current]:has-text('{kind}')")
        figure = page.locator("figure.chart")
        is_picture(figure)
        button_of(figure).click()
        is_drawn(figure)
        assert said_of(page, figure, "Ohio")["value"] == "36.4"
    assert page.evaluate("window.isTheSame")
    assert opened.console == []


def test_a_chart_has_the_colours_that_the_reader_likes_also_when_they_change(server: str, opened: Driven) -> None:
    page = opened.page
    page.emulate_media(color_scheme="dark")
    page.goto(f"{server}{EXPLORED}")
    figure = page.locator("figure.chart")
    button_of(figure).click()
    expect(figure.locator(".drawn svg")).to_have_css("background-color", "rgb(22, 24, 29)")
    page.emulate_media(color_scheme="light")
    expect(figure.locator(".drawn svg")).to_have_css("background-color", "rgb(255, 255, 255)")
    is_drawn(figure)
    assert opened.console == []


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("**/vega-lite.min.js", "vega-lite.min.js can't be loaded"),
        ("**/*.vl.json?*", "the server can't be reached"),
    ],
)
def test_what_cannot_be_drawn_stays_a_picture_that_says_why_and_may_be_tried_again(
    server: str, opened: Driven, missing: str, reason: str
) -> None:
    page = opened.page
    page.route(missing, lambda route: route.abort())
    page.goto(f"{server}{EXPLORED}")
    figure = page.locator("figure.chart")
    button_of(figure).click()
    expect(figure.get_by_role("status")).to_have_text(f"The values can't be shown: {reason}. The table has them.")
    is_picture(figure)
    page.unroute(missing)
    button_of(figure).click()
    is_drawn(figure)
    expect(figure.get_by_role("status")).to_have_text("")


def test_a_refusal_is_told_in_the_servers_words_and_a_bad_spec_in_vegas(server: str, opened: Driven) -> None:
    page = opened.page
    answers = iter([(429, '{"detail": "too many requests; wait a second"}'), (200, '{"mark": "no such mark"}')])

    def answer(route: object) -> None:
        status, body = next(answers)
        route.fulfill(status=status, body=body, content_type="application/json")  # type: ignore[attr-defined]

    page.route("**/*.vl.json?*", answer)
    page.goto(f"{server}{EXPLORED}")
    figure = page.locator("figure.chart")
    button_of(figure).click()
    expect(figure.get_by_role("status")).to_contain_text("can't be shown: too many requests; wait a second. The table")
    button_of(figure).click()
    expect(figure.get_by_role("status")).to_contain_text(
        re.compile("can't be shown: (?!too many).+ The table has them")
    )
    is_picture(figure)


@pytest.mark.parametrize("path", ["/", EXPLORED])
def test_without_javascript_there_is_the_picture_and_no_button(server: str, path: str) -> None:
    with driven(javascript=False) as found:
        found.page.goto(f"{server}{path}")
        expect(found.page.locator("figure.chart img").first).to_be_visible()
        expect(found.page.locator("figure.chart button").first).to_be_hidden()


@pytest.mark.parametrize("path", ["/", EXPLORED])
def test_a_live_chart_fits_a_narrow_window(server: str, path: str) -> None:
    with driven(width=360) as found:
        found.page.goto(f"{server}{path}")
        figure = found.page.locator("figure.chart").first
        button_of(figure).click()
        is_drawn(figure)
        assert found.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_sign_on_a_square_does_not_hide_what_the_square_tells(server: str, opened: Driven) -> None:
    page = opened.page
    page.goto(f"{server}/explore?statistic=pairwise&question=Q036&years=2023&locations=Ohio,Utah,Texas&chart=pairs")
    figure = page.locator("figure.chart")
    button_of(figure).click()
    is_drawn(figure)
    figure.locator(".drawn svg path[aria-label*='location: Ohio;'][aria-label*='against: Utah;']").first.hover()
    expect(page.locator(".vg-tooltip.visible")).to_contain_text("Utah")
    assert opened.console == []
