"""The first page: a finished answer, in words, figures and addresses, whatever table is served."""

from __future__ import annotations

import html
import re
import shlex
from collections import Counter
from dataclasses import replace
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from meantime.charts.rendering.picture_renderer import PictureRenderer
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.web.app import create_app
from tests.contract.conftest import OBESITY, ROWS, Serve
from tests.contract.shown_pages import Elements, shown
from tests.contract.v1_requests import decoded
from tests.datasets import dataset_of, rows_of_everybody
from tests.reference import Row

STATES = ["Alabama", "New Jersey", "Ohio", "Utah", "Wyoming"]
VALUES = {
    row.location: row for row in ROWS if row.question == OBESITY and row.category == "Total" and row.value is not None
}


def records(client: FlaskClient, address: str) -> dict[str, dict[str, object]]:
    """Return an answer's records by location."""
    answer = decoded(client.get(f"/api/v1/answers/{address}"))
    return {each["location"]: each for each in answer["records"]}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("Alabama", "35.0 % (34.0\u201336.0) of adults in Alabama had obesity: worse than the nation's 30.0 %."),
        ("Ohio", "25.0 % (24.0\u201326.0) of adults in Ohio had obesity: better than the nation's 30.0 %."),
        (
            "Utah",
            "30.5 % (29.5\u201331.5) of adults in Utah had obesity: not clearly different from the nation's 30.0 %.",
        ),
        ("Wyoming", "there is no estimate for Wyoming."),
    ],
)
def test_the_first_sentence_says_value_interval_and_verdict_of_the_place_that_is_asked_for(
    serve: Serve, place: str, expected: str
) -> None:
    values = {"National": 30.0, "Alabama": 35.0, "Ohio": 25.0, "Utah": 30.5}
    rows = [
        Row(OBESITY, "", name, "", 2023, "Total", "Total", value, value - 1, value + 1, 900.0)
        for name, value in values.items()
    ]
    rows.append(Row(OBESITY, "", "Wyoming", "", 2023, "Total", "Total", None, None, None, None))
    assert f"In 2023, {expected}" in shown(serve(dataset_of(rows)), f"/?place={place}").text


def test_every_state_stands_in_the_table_with_its_verdict_and_its_ranks(client: FlaskClient) -> None:
    compared = records(client, f"difference?question={quote(OBESITY)}")
    ranks = records(client, f"ranking?question={quote(OBESITY)}&k=1000")
    page = shown(client, "/")
    for place in STATES:
        row, difference = VALUES[place], float(str(compared[place]["difference"]))
        assert row.value is not None
        assert row.value - VALUES["National"].value == pytest.approx(difference)  # type: ignore[operator]  # it has one
        cells = page.row_of(place)
        assert cells[1:3] == [f"{row.value:.1f}", f"{row.low:.1f} to {row.high:.1f}"]
        assert cells[3].replace("\u2212", "-") == f"{difference:+.1f}"
        assert cells[5:] == [compared[place]["verdict"], f"{ranks[place]['rank_low']} to {ranks[place]['rank_high']}"]
    assert page.row_of("The nation")[1] == f"{VALUES['National'].value:.1f}"


def test_the_summary_counts_the_verdicts_of_all_states(client: FlaskClient) -> None:
    counts = Counter(str(each["verdict"]) for each in records(client, f"difference?question={quote(OBESITY)}").values())
    text = shown(client, "/").text
    assert f"Of {len(STATES)} states, " in text
    for verdict, words in {"worse": "worse than the nation", "better": "better than the nation"}.items():
        said = re.search(rf"(\d+) (?:is|are) {words}", text)
        assert int(said[1] if said else 0) == counts[verdict]


@pytest.mark.parametrize("spelling", ["Ohio", "ohio", "  OHIO "])
def test_a_place_is_found_by_any_spelling_of_its_name(client: FlaskClient, spelling: str) -> None:
    page = shown(client, f"/?place={quote(spelling)}")
    assert "adults in Ohio had" in page.text
    assert "is called" not in page.text
    assert page.all("option", "selected") == [""]


@pytest.mark.parametrize("name", ["Atlantis", "<script>alert(1)</script>", "National", "a" * 900])
def test_a_place_that_is_not_compared_is_named_and_another_one_shown(client: FlaskClient, name: str) -> None:
    page = shown(client, f"/?place={quote(name)}")
    assert "No place of this answer is called" in page.text
    assert [given.get("src") for tag, given in page.tags if tag == "script"] == ["/static/live.js"]
    assert any(f"adults in {place} had" in page.text for place in STATES)


def test_without_a_choice_the_place_with_the_largest_sample_is_shown(serve: Serve) -> None:
    page = shown(serve(dataset_of(rows_of_everybody(["National", "Ohio", "Utah"], [2023], OBESITY))), "/")
    assert "adults in Utah had" in page.text


def test_the_sentence_names_the_trend_where_there_are_years_enough(serve: Serve) -> None:
    client = serve(dataset_of(rows_of_everybody(["National", "Ohio", "Utah"], range(2012, 2020), OBESITY)))
    page = shown(client, "/?place=Ohio")
    assert ", and rising by about 1.0 points a year since 2012." in page.text
    assert "On the trend of Ohio: the samples of different years are taken as independent." in page.text
    assert "/api/v1/answers/trend.csv?question=Q1&locations=Ohio" in page.all("a", "href")
    assert records(client, "trend?question=Q1&locations=Ohio")["Ohio"]["value"] == pytest.approx(1.0)


def test_a_course_that_may_be_chance_is_not_called_rising(serve: Serve) -> None:
    client = serve(dataset_of(rows_of_everybody(["National", "Ohio", "Utah"], range(2012, 2020), OBESITY, rise=0.001)))
    assert ", with no clear change since 2012." in shown(client, "/?place=Ohio").text


def test_without_a_nation_values_are_shown_and_no_verdict(serve: Serve) -> None:
    page = shown(serve(dataset_of(rows_of_everybody(["Ohio", "Utah"], [2022, 2023], OBESITY))), "/?place=Ohio")
    assert "In 2023, 21.0 % (20.0\u201322.0) of adults in Ohio had obesity." in page.text
    assert "nation" not in page.text
    assert page.row_of("Utah") == ["Utah", "25.0", "24.0 to 26.0"]
    assert not [row for row in page.rows if {"worse", "better"} & set(row)]


def test_a_question_without_a_better_end_is_told_in_higher_and_lower(serve: Serve) -> None:
    visits = "Percent of visitors who come back"
    page = shown(serve(dataset_of(rows_of_everybody(["National", "Ohio", "Utah"], [2023], visits))), "/?place=Utah")
    assert "In 2023, the value for Utah was 28.0 % (27.0\u201329.0): higher than the nation's 20.0 %." in page.text
    assert "from the highest, is 1 of 2" in page.text
    assert "Of 2 states, 2 are higher than the nation." in page.text
    assert [row[5] for row in page.rows if row[0] in ("Ohio", "Utah")] == ["higher", "higher"]


def test_places_that_are_no_states_get_everything_but_a_map(serve: Serve) -> None:
    client = serve(dataset_of(rows_of_everybody(["National", "Utrecht", "Drenthe"], [2023], OBESITY)))
    page = shown(client, "/")
    assert "Of 2 places, " in page.text
    assert not [link for link in page.all("a", "href") if "chart=map" in link]
    assert page.row_of("Utrecht")[1] == "24.0"


def test_a_table_of_one_stratum_that_is_not_called_total_is_shown(serve: Serve) -> None:
    rows = [
        row._replace(category="Sex", stratum="Male") for row in rows_of_everybody(["Ohio", "Utah"], [2023], OBESITY)
    ]
    assert "adults in Ohio had" in shown(serve(dataset_of(rows)), "/?place=Ohio").text


def test_small_values_of_an_unknown_unit_keep_their_digits(serve: Serve) -> None:
    rows = [
        Row("Litres a head", "", place, "", 2023, "Total", "Total", value, value - 0.01, value + 0.01, 100.0)
        for place, value in {"National": 0.124, "Ohio": 0.256}.items()
    ]
    dataset = dataset_of(rows)
    questions = tuple(replace(question, unit="litres") for question in dataset.cube.questions)
    page = shown(serve(replace(dataset, cube=replace(dataset.cube, questions=questions))), "/")
    assert "the value for Ohio was 0.256 litres (0.246 to 0.266)" in page.text
    assert page.row_of("Ohio")[1:4] == ["0.256", "0.246 to 0.266", "+0.132"]


@pytest.mark.parametrize("rows", [[], [Row(OBESITY, "", "Ohio", "", 2023, "Total", "Total", None, None, None, None)]])
def test_a_table_without_a_value_says_so(serve: Serve, rows: list[Row]) -> None:
    page = shown(serve(dataset_of(rows)), "/")
    assert "no value that could be shown" in page.text
    assert "/dataset" in page.all("a", "href")


def test_while_the_server_shuts_down_the_page_says_that_there_is_no_answer_now(
    service: MeantimeService, client: FlaskClient
) -> None:
    service.begin_drain()
    assert "There is no answer just now: " in shown(client, "/").text


def test_what_is_taken_along_is_data_at_its_address(client: FlaskClient) -> None:
    page = shown(client, "/?place=Ohio")
    downloads = {
        link.partition("?")[0].rpartition(".")[2]: link for link in page.all("a", "href") if "/answers/" in link
    }
    for extension in ("json", "csv", "parquet", "jsonstat"):
        assert client.get(downloads[extension], buffered=True).status_code == 200
    addresses = re.findall(r"http://localhost(/\S*)", page.text)
    assert "/?place=Ohio" in addresses
    live, frozen = [each for each in addresses if each.startswith("/api/v1/") and "/difference?" in each][:2]
    assert "version=" not in live
    assert "version=" in frozen
    assert decoded(client.get(live))["records"] == decoded(client.get(frozen))["records"]


def test_the_commands_get_the_figures_of_the_page_from_the_address_that_was_used(client: FlaskClient) -> None:
    answer = client.get("/", headers={"Accept": "text/html", "Host": "127.0.0.1"})
    text = Elements(answer.text).text
    [command] = [line for line in text.splitlines() if line.strip().startswith("curl ")]
    _, url = shlex.split(command)
    assert url.startswith("http://127.0.0.1/api/v1/datasets/small/answers/difference.csv?")
    found = client.get(url.removeprefix("http://127.0.0.1")).text
    assert [line.partition(",")[0] for line in found.splitlines()[1:]] == STATES
    for program in ("pandas.read_csv(", "read.csv(", "read_parquet("):
        assert program in text


def test_the_code_that_embeds_the_chart_asks_for_a_page_and_says_who_may(
    service: MeantimeService, settings: Settings
) -> None:
    for sites, said in {
        (): "--embedding-sites",
        ("https://a.example",): "Allowed for pages of https://a.example",
    }.items():
        client = create_app(service, replace(settings, embedding_sites=sites)).test_client()
        page = shown(client, "/")
        [source] = re.findall(r'<iframe src="http://localhost([^"]*)"', page.text)
        assert client.get(html.unescape(source)).mimetype == "text/html"
        assert said in page.text


def test_the_charts_are_pictures_with_words_for_light_and_dark_pages(
    service: MeantimeService, settings: Settings
) -> None:
    renderer = PictureRenderer()
    client = create_app(service, settings, renderer=renderer).test_client()
    page = shown(client, "/")
    assert renderer.process_id is not None  # it starts while the browser reads the page
    renderer.close()
    pictures = page.all("img", "src")[1:] + page.all("source", "srcset")
    assert sorted(re.findall(r"chart=(\w+)", " ".join(pictures))) == ["map", "map", "ranks", "ranks"]
    assert sum("theme=dark" in each for each in pictures) == 2
    for picture in pictures:
        assert client.get(picture.replace(".svg?", ".vl.json?")).status_code == 200
    assert all(page.all("img", "alt")[1:])


def test_each_chart_names_its_specs_for_light_and_dark_pages(service: MeantimeService, settings: Settings) -> None:
    client = create_app(service, replace(settings, url_prefix="/stats")).test_client()
    page = shown(client, "/stats/")
    assert page.all("script", "src") == ["/stats/static/live.js"]
    for theme in ("light", "dark"):
        specs = [client.get(address).get_json() for address in page.all("figure", f"data-{theme}")]
        drawn = [spec["usermeta"]["meantime"] for spec in specs]
        assert [(each["chart"], each["theme"]) for each in drawn] == [("map", theme), ("ranks", theme)]


def test_a_name_that_is_code_stays_text(serve: Serve) -> None:
    rows = rows_of_everybody(["National", "<b onclick=x>Ohio</b>", 'O\'Brien & "Sons"'], [2023], OBESITY)
    page = shown(serve(dataset_of(rows)), "/")
    assert page.row_of("<b onclick=x>Ohio</b>")
