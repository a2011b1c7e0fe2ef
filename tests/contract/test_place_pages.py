"""GET /places, /places/<place> and /rug: what a reader finds there, of this table and of others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from meantime.bootstrap import build_service
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.survey import bundled_table
from meantime.survey.ingest.data_ingestor import DataIngestor
from meantime.survey.ingest.dataset import Dataset
from meantime.web.app import create_app
from tests.contract.conftest import OBESITY, PLACES, STRENGTH
from tests.contract.shown_pages import Elements
from tests.datasets import dataset_of
from tests.reference import Row

PAGES = ("/places", "/places/ohio", "/places/ohio?against=utah", "/places/nowhere", "/rug")

Serve = Callable[[Dataset], FlaskClient]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serves a dataset alone."""
    services = []

    def of(dataset: Dataset) -> FlaskClient:
        settings = Settings(state_dir=tmp_path, threads=1)
        services.append(build_service(settings, [dataset]))
        return create_app(services[-1], settings).test_client()

    yield of
    for service in services:
        service.close(30.0)


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of a server of the bundled table."""
    settings = Settings(state_dir=Path(tmp_path_factory.mktemp("served")), threads=1)
    service = build_service(settings, [DataIngestor(bundled_table(), name="default").ingest()])
    yield create_app(service, settings).test_client()
    service.close(30.0)


def row(question: str, place: str, year: int, value: float | None, stratum: str = "Total", group: str = "Total") -> Row:
    low, high = (None, None) if value is None else (value - 1.0, value + 1.0)
    return Row(question, "", place, "", year, group, stratum, value, low, high, None if value is None else 500.0)


def text_of(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, path
    assert answer.content_type == "text/html; charset=utf-8"
    return " ".join(Elements(answer.text).text.split())


# ---- every page ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_a_page_needs_no_inline_script_or_style_and_refers_to_what_is_there(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    page = Elements(answer.text)
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert not [tag for tag, found in page.tags if tag == "style" or (tag == "script" and "src" not in found)]
    assert not [name for _, found in page.tags for name in found if name == "style" or name.startswith("on")]
    references = {found.get(name) for _, found in page.tags for name in ("href", "src")} - {None}
    built_elsewhere = ("/explore", "/jobs", "/dataset", "/endpoints", "/health")
    pictures = (".svg?", ".png?", ".pdf?")
    for reference in references:
        if not str(reference).startswith(("#", *built_elsewhere)) and not any(
            end in str(reference) for end in pictures
        ):
            assert client.get(str(reference), buffered=True).status_code == 200, reference


@pytest.mark.parametrize("path", PAGES)
def test_headings_are_in_order_and_every_table_has_a_caption_and_scopes(client: FlaskClient, path: str) -> None:
    page = Elements(client.get(path).text)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    tags = [tag for tag, _ in page.tags]
    assert tags.count("table") == tags.count("caption")
    assert all(found.get("scope") for tag, found in page.tags if tag == "th")
    ids = [found["id"] for _, found in page.tags if found.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", PAGES)
def test_below_a_path_every_address_is_below_it(service: MeantimeService, settings: Settings, path: str) -> None:
    app = create_app(service, replace(settings, url_prefix="/stats"))
    page = Elements(app.test_client().get(f"/stats{path}").text)
    references = {str(found[name]) for _, found in page.tags for name in ("href", "src", "action") if found.get(name)}
    assert [each for each in references if not each.startswith(("/stats/", "#"))] == []


# ---- all places ---------------------------------------------------------------------------------------------------


def test_all_places_are_listed_by_their_kind(client: FlaskClient) -> None:
    text = text_of(client, "/places")
    order = [text.index(words) for words in ("The nation", "States 5", "Territories 2")]
    assert order == sorted(order)
    links = {found.get("href") for _, found in Elements(client.get("/places").text).tags}
    assert {f"/places/{place.lower().replace(' ', '-')}" for place in PLACES} <= links


# ---- one place ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["ohio", "Ohio", "OHIO", "oh", "39"])
def test_any_spelling_is_the_same_page_which_names_its_canonical_address(bundled: FlaskClient, spelling: str) -> None:
    answer = bundled.get(f"/places/{spelling}")
    assert answer.status_code == 200
    assert answer.headers["Link"] == '</places/ohio>; rel="canonical"'
    assert '<link rel="canonical" href="/places/ohio">' in answer.text
    assert '<h1 id="place">Ohio</h1>' in answer.text


def test_what_it_is_compared_with_is_canonical_too(bundled: FlaskClient) -> None:
    for asked, canonical in {"TX": "?against=texas", "new york": "?against=new-york", "US": "", "ohio": ""}.items():
        link = bundled.get("/places/oh", query_string={"against": asked}).headers["Link"]
        assert link == f'</places/ohio{canonical}>; rel="canonical"', asked


@pytest.mark.parametrize("path", ["/places/new-mexcio", "/places/ohio?against=new mexcio"])
def test_an_unknown_place_names_those_that_may_have_been_meant(bundled: FlaskClient, path: str) -> None:
    answer = bundled.get(path)
    assert answer.status_code == 404
    assert "Perhaps you meant" in answer.text
    assert 'href="/places/new-mexico"' in answer.text


def test_nothing_that_was_asked_for_becomes_markup(bundled: FlaskClient) -> None:
    answer = bundled.get("/places/%3Cscript%3Ealert(1)%3C%2Fscript%3E".replace("%2F", ""))
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text


def test_every_question_stands_there_with_the_figures_of_the_answer(bundled: FlaskClient) -> None:
    document = bundled.get("/api/v1/answers/profile.json?place=Ohio").json
    assert document is not None
    text = text_of(bundled, "/places/ohio")
    table = text.partition("Every question against the nation")[2]
    now = [record for record in document["records"] if record["part"] == "now"]
    assert len(now) == 9
    for record in now:
        words = record["question"].removeprefix("Percent of adults ")
        at = table.index(words)
        rest = table[at : at + len(words) + 160]
        assert f"{record['value']:.1f}" in rest
        assert f"{record['reference']:.1f}" in rest
        assert record["verdict"] in rest
        assert f"{record['rank']}" in rest
    counts = {verdict: sum(record["verdict"] == verdict for record in now) for verdict in ("worse", "lower")}
    assert counts == {"worse": 5, "lower": 1}
    assert "Ohio is worse than the nation in 5 and better in none of 8 questions" in text
    assert "36.4 % of adults aged 18 years and older who have obesity, against 32.8 in the nation" in text
    assert all(caution[1:] in text for caution in document["cautions"])


def test_right_is_better_in_every_row(bundled: FlaskClient) -> None:
    page = bundled.get("/places/ohio").text
    marks = re.findall(r'<circle class="mark (better|worse)" cx="([\d.]+)%" cy="15"', page)
    assert len(marks) == 5
    assert all((float(across) > 50) == (verdict == "better") for verdict, across in marks)


def test_a_panel_stops_at_a_break_and_marks_a_year_without_an_estimate(bundled: FlaskClient) -> None:
    panels = bundled.get("/places/new-jersey").text.split('<ul class="panels">')[1].split("</ul>")[0].split("<li>")[1:]
    obesity = next(panel for panel in panels if "have obesity" in panel)
    assert obesity.count('class="absent"') == 1  # 2019
    assert obesity.count('class="course"') == 2
    activity = next(panel for panel in panels if "150 minutes" in panel)
    assert activity.count('class="break"') == 1  # 2023


def test_the_largest_gaps_name_their_groups(bundled: FlaskClient) -> None:
    text = text_of(bundled, "/places/ohio")
    assert "32.8 (25.3\u201340.3): 14.0 for College graduate, 46.8 for Less than high school" in text
    assert "may be chance" in text


def test_what_is_missing_says_why(bundled: FlaskClient) -> None:
    assert "Race/Ethnicity: Hawaiian/Pacific Islander (all questions): suppressed" in text_of(bundled, "/places/ohio")
    assert "2012 (Q037, Q036, Q047): the place isn't in the survey of that year" in text_of(bundled, "/places/guam")
    assert "only states are ranked" in text_of(bundled, "/places/guam")


def test_the_nation_is_compared_with_nothing(bundled: FlaskClient) -> None:
    page = bundled.get("/places/national").text
    assert "compared with nothing" in page
    assert 'class="reference"' not in page.split('<tbody role="rowgroup">')[1]


def test_a_question_without_a_value_says_why(client: FlaskClient) -> None:
    assert "not asked" in text_of(client, "/places/virgin-islands")


# ---- other tables -------------------------------------------------------------------------------------------------


def test_a_table_of_one_year_has_no_courses_and_says_so(client: FlaskClient) -> None:
    text = text_of(client, "/places/ohio")
    assert "No question has two years with a value here" in text
    assert "no trend" in text
    assert all(question.removeprefix("Percent of adults ") in text for question in (OBESITY, STRENGTH))


def test_places_elsewhere_without_a_nation_are_compared_when_asked(serve: Serve) -> None:
    names = ["Bremen", "\u6771\u4eac", "St. John's"]
    client = serve(
        dataset_of([row("Wellbeing", name, 2020 + i, 30.0 + i + k) for k, name in enumerate(names) for i in range(3)])
    )
    assert "Places 3" in text_of(client, "/places")
    assert "compared with nothing" in text_of(client, "/places/bremen")
    compared = text_of(client, "/places/st-john-s?against=%E6%9D%B1%E4%BA%AC")
    assert "higher" in compared
    assert "no end of them is called better" in compared
    assert "lower higher" in compared.replace("\u2190 ", "").replace(" \u2192", "")
    assert "no nation to compare with" in text_of(client, "/rug")
    rug = text_of(client, "/rug?against=bremen")
    assert "against Bremen" in rug
    assert "2022" in rug


def test_a_table_without_an_overall_stratum_says_why_there_is_no_profile(serve: Serve) -> None:
    client = serve(dataset_of([row("Wellbeing", "Ohio", 2020, 30.0, stratum, "Sex") for stratum in ("Male", "Female")]))
    assert "no stratum of everybody" in text_of(client, "/places/ohio")


def test_a_table_of_nothing_has_pages(serve: Serve) -> None:
    client = serve(dataset_of([]))
    assert "This table has no places" in text_of(client, "/places")
    assert text_of(client, "/rug")
    text_of(client, "/places/ohio", status=404)


def test_places_with_one_slug_have_an_address_each(serve: Serve) -> None:
    client = serve(dataset_of([row("Wellbeing", name, 2020, 30.0) for name in ("Saint-Denis", "Saint Denis", "?")]))
    links = re.findall(r'href="(/places/[^"]+)"', client.get("/places").text)
    assert sorted(links) == ["/places/place", "/places/saint-denis", "/places/saint-denis-2"]
    shown = {re.findall(r'<h1 id="place">(.*?)</h1>', client.get(link).text)[0] for link in links}
    assert shown == {"Saint-Denis", "Saint Denis", "?"}


# ---- the rug ------------------------------------------------------------------------------------------------------


def test_each_cell_of_the_rug_has_the_verdict_of_its_answer(bundled: FlaskClient) -> None:
    page = bundled.get("/rug").text
    answers = re.findall(r'<th scope="col" id="question-\d+"><a href="([^"]+)"', page)
    assert len(answers) == 9
    rows = dict(re.findall(r'<tr><th scope="row"><a href="/places/[^"]+">(.*?)</a></th>(.*?)</tr>', page, re.DOTALL))
    assert len(rows) == 54
    cells = {place: re.findall(r'<span class="said"> (.*?)</span>', found) for place, found in rows.items()}
    for column, address in enumerate(answers):
        records = bundled.get(address.replace("&amp;", "&")).json["records"]  # type: ignore[index]  # an object
        for record in records:
            assert cells[record["location"]][column] == (record["verdict"] or "not tested"), (column, record)


def test_the_rug_shows_the_newest_year_of_each_question(bundled: FlaskClient) -> None:
    years = re.findall(r'<span class="year">(\d+)</span>', bundled.get("/rug").text)
    assert sorted(map(int, years)) == [2021] * 2 + [2023] * 7


def test_of_many_questions_the_rug_shows_some_and_leads_to_the_others(serve: Serve) -> None:
    rows = [
        row(f"Question {i}", name, 2020, 30.0 + k) for i in range(35) for k, name in enumerate(("Ohio", "National"))
    ]
    client = serve(dataset_of(rows))
    assert "Questions 1 to 30 of 35" in text_of(client, "/rug")
    assert "Questions 31 to 35 of 35" in text_of(client, "/rug?from=31")
    assert "Questions 35 to 35 of 35" in text_of(client, "/rug?from=99")
    assert client.get("/rug?from=31").text.count('id="question-') == 5
