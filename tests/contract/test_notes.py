"""What reading a table found reaches whoever reads its figures: in answers, in the list of datasets and on the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from flask.testing import FlaskClient

from meantime.bootstrap import build_service
from meantime.settings import Settings
from meantime.survey.ingest.notes import ABOUT_NO_ANSWER, Note
from meantime.web.app import create_app
from tests.contract.conftest import LIMIT_S, OBESITY, STRENGTH
from tests.contract.v1_requests import decoded, submit
from tests.datasets import dataset_of
from tests.reference import Row

NOTES = (
    Note(kind="title", text="The file has a title <above> its header."),
    Note(
        kind="duplicate_rows",
        text="3 rows stand twice.",
        count=3,
        lines=(7, 12, 40),
        questions=frozenset({OBESITY}),
        locations=frozenset({"Ohio"}),
        years=frozenset({2023}),
    ),
    Note(kind="nation", text="The nation is odd.", locations=frozenset({"National"})),
    Note(kind="other_question", text="The other question is odd.", questions=frozenset({STRENGTH})),
    Note(kind="early", text="2013 is odd.", years=frozenset({2013})),
    Note(kind="without_direction", text="Nobody has said which end is better.", questions=ABOUT_NO_ANSWER),
)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FlaskClient]:
    """A client of a server whose table has notes."""
    places, strata = ("Alabama", "National", "Ohio", "Utah"), (("Total", "Total"), ("Sex", "Male"), ("Sex", "Female"))
    keys = [
        (question, place, year, stratum)
        for question in (OBESITY, STRENGTH)
        for place in places
        for year in (2013, 2023)
        for stratum in strata
    ]
    rows = []
    for i, (question, place, year, stratum) in enumerate(keys):
        value = 20.0 + i * i % 17
        rows.append(Row(question, "", place, "", year, *stratum, value, value - 2, value + 2, 400.0))
    settings = Settings(state_dir=tmp_path, result_wait_s=LIMIT_S, threads=2)
    service = build_service(settings, [dataset_of(rows, notes=NOTES)])
    yield create_app(service, settings).test_client()
    assert service.close(LIMIT_S)


def kinds_in(client: FlaskClient, statistic: str, **parameters: object) -> list[str]:
    """Return the kinds of the notes that an answer carries."""
    body = {"statistic": statistic, "parameters": {"question": OBESITY} | parameters}
    answer = decoded(submit(client, body, Prefer="wait=30"))
    result = answer["result"]
    assert isinstance(result, dict), answer
    assert result.get("notes") != [], "without notes there is no such member"
    return [note["kind"] for note in result.get("notes", [])]


@pytest.mark.parametrize(
    ("statistic", "parameters", "expected"),
    [
        ("mean", {}, ["title", "duplicate_rows"]),
        ("mean", {"locations": ["Utah"]}, ["title"]),
        ("mean", {"include": ["states", "nation"]}, ["title", "duplicate_rows", "nation"]),
        ("mean", {"years": [2013]}, ["title", "early"]),
        ("mean", {"question": STRENGTH}, ["title", "other_question"]),
        ("ranking", {"k": 1}, ["title", "duplicate_rows"]),
        ("difference", {"locations": ["Utah"]}, ["title", "nation"]),
        ("difference", {"locations": ["Utah"], "against": "Ohio"}, ["title", "duplicate_rows"]),
        ("difference", {"locations": ["Utah"], "goal": 30}, ["title"]),
        ("compare", {"locations": ["Utah"], "against_year": 2013}, ["title", "early"]),
        ("compare", {"locations": ["Utah"], "against_question": STRENGTH}, ["title", "other_question"]),
        ("compare", {"strata": ["Male"], "against_stratum": "Female"}, ["title", "duplicate_rows"]),
        ("distribution", {"years": [2013, 2023]}, ["title", "duplicate_rows", "early"]),
        ("trend", {"locations": ["National"]}, ["title", "nation", "early"]),
        ("disparity", {"categories": ["Sex"], "locations": ["Utah"]}, ["title"]),
        ("correlation", {"against_question": STRENGTH}, ["title", "duplicate_rows", "other_question"]),
        ("coverage", {"question": None}, ["title", "duplicate_rows", "nation", "other_question", "early"]),
    ],
)
def test_an_answer_carries_the_notes_that_touch_the_cells_it_selects(
    client: FlaskClient, statistic: str, parameters: dict[str, object], expected: list[str]
) -> None:
    assert kinds_in(client, statistic, **parameters) == expected


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ["title", "duplicate_rows", "other_question"]),
        ({"questions": [OBESITY], "locations": ["Utah"]}, ["title"]),
        ({"questions": [OBESITY], "locations": ["Utah"], "year": 2013}, ["title", "early"]),
        ({"questions": [OBESITY], "include": ["states", "nation"]}, ["title", "duplicate_rows", "nation"]),
    ],
)
def test_a_scan_carries_the_notes_on_the_questions_places_and_years_that_it_looks_at(
    client: FlaskClient, parameters: dict[str, object], expected: list[str]
) -> None:
    answer = decoded(submit(client, {"statistic": "disparity_scan", "parameters": parameters}, Prefer="wait=30"))
    assert isinstance(answer["result"], dict), answer
    assert [note["kind"] for note in answer["result"]["notes"]] == expected


def test_a_note_in_an_answer_has_text_count_and_lines(client: FlaskClient) -> None:
    submit(client, {"statistic": "mean", "parameters": {"question": OBESITY}}, Prefer="wait=30")
    result = decoded(client.get("/api/v1/jobs/1/result"))
    assert result["notes"] == [
        {"kind": "title", "text": "The file has a title <above> its header.", "count": None, "lines": []},
        {"kind": "duplicate_rows", "text": "3 rows stand twice.", "count": 3, "lines": [7, 12, 40]},
    ]
    assert list(result) == ["records", "unit", "method", "cautions", "notes", "provenance"]
    components = decoded(client.get("/openapi.json"))["components"]
    jsonschema.validate(result, {"$ref": "#/components/schemas/StatisticResult", "components": components})


def test_json_stat_has_the_notes_among_its_notes(client: FlaskClient) -> None:
    submit(client, {"statistic": "mean", "parameters": {"question": OBESITY}}, Prefer="wait=30")
    noted = decoded(client.get("/api/v1/jobs/1/result.jsonstat"))["note"]
    assert isinstance(noted, list)
    assert "3 rows stand twice." in noted
    assert "The nation is odd." not in noted


def test_an_answer_of_the_contract_has_no_notes(client: FlaskClient) -> None:
    client.post("/api/state_mean", json={"question": OBESITY, "state": "Ohio"})
    answer = decoded(client.get("/api/get_results/1"))
    assert isinstance(answer["data"], dict)
    assert set(answer["data"]) == {"Ohio"}


def test_the_dataset_lists_every_note_with_whom_it_concerns(client: FlaskClient) -> None:
    report = decoded(client.get("/api/v1/dataset"))["report"]
    assert isinstance(report, dict)
    assert [note["kind"] for note in report["notes"]] == [note.kind for note in NOTES]
    assert report["notes"][1] == {
        "kind": "duplicate_rows",
        "text": "3 rows stand twice.",
        "count": 3,
        "lines": [7, 12, 40],
        "questions": [OBESITY],
        "locations": ["Ohio"],
        "years": [2023],
    }


def test_the_page_counts_and_shows_the_notes(client: FlaskClient) -> None:
    page = client.get("/dataset", headers={"Accept": "text/html"}).text
    assert "6 notes on this table" in page
    assert all(note.text.replace("<", "&lt;").replace(">", "&gt;") in page for note in NOTES)
