"""Answers as charts by their addresses: specs, pictures, pages that stand alone, and what other sites may show."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import orjson
import pytest
from flask.testing import FlaskClient

from meantime.charts.rendering.picture_renderer import PictureRenderer
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.web.app import create_app
from tests.contract.conftest import OBESITY
from tests.contract.v1_requests import decoded, problem

pytestmark = pytest.mark.slow  # pictures are drawn by a process

ASKED = f"question={quote(OBESITY)}&by=location"


def address(form: str, more: str = "") -> str:
    return f"/api/v1/answers/mean.{form}?{ASKED}{more}"


@pytest.fixture(scope="module")
def renderer() -> Iterator[PictureRenderer]:
    """What draws, for all tests of this file."""
    made = PictureRenderer(time_limit_s=60.0)
    yield made
    made.close()


@pytest.fixture
def client(service: MeantimeService, settings: Settings, renderer: PictureRenderer) -> FlaskClient:
    return create_app(service, settings, renderer=renderer).test_client()


@pytest.mark.parametrize(
    ("form", "media_type", "begins"),
    [
        ("svg", "image/svg+xml", b"<svg"),
        ("png", "image/png", b"\x89PNG"),
        ("pdf", "application/pdf", b"%PDF"),
        ("vl.json", "application/vnd.vegalite.v6+json", b"{"),
        ("html", "text/html; charset=utf-8", b"<!doctype html>"),
    ],
)
def test_an_answer_comes_as_a_chart_by_extension_and_by_accept(
    client: FlaskClient, form: str, media_type: str, begins: bytes
) -> None:
    answer = client.get(address(form))
    assert (answer.status_code, answer.content_type) == (200, media_type)
    assert answer.data.startswith(begins)
    by_header = client.get(f"/api/v1/answers/mean?{ASKED}", headers={"Accept": media_type.partition(";")[0]})
    assert by_header.data == answer.data
    assert by_header.headers["Content-Location"] == answer.headers["Content-Location"] == address(form)
    again = client.get(address(form), headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_spec_holds_the_records_of_the_answer(client: FlaskClient) -> None:
    spec, answer = orjson.loads(client.get(address("vl.json")).data), decoded(client.get(address("json")))
    drawn = {record["location"]: record["value"] for record in spec["datasets"]["records"]}
    records = answer["records"]
    assert isinstance(records, list)
    assert drawn.items() >= {record["location"]: record["value"] for record in records}.items()


def test_the_address_of_a_picture_says_how_it_is_drawn(client: FlaskClient) -> None:
    answer = client.get(address("vl.json", "&chart=bars&theme=dark"))
    assert answer.headers["Content-Location"] == address("vl.json", "&chart=bars&theme=dark")
    assert client.get(address("vl.json", "&chart=bars&theme=dark")).data == answer.data


def test_the_kind_and_the_colours_can_be_chosen(client: FlaskClient) -> None:
    light, dark, bars = (
        client.get(address("vl.json", more)).data for more in ("", "&theme=dark", "&chart=bars&theme=light")
    )
    assert light != dark
    assert light != bars
    assert client.get(address("vl.json", "&chart=map")).data == light


def test_a_png_is_larger_by_its_zoom(client: FlaskClient) -> None:
    def width(content: bytes) -> int:
        return int.from_bytes(content[16:20])

    plain, zoomed = (client.get(address("png", more)).data for more in ("", "&zoom=2"))
    assert width(zoomed) == pytest.approx(2 * width(plain), abs=2)


def test_a_closed_renderer_is_503_and_says_when_to_ask_again(service: MeantimeService, settings: Settings) -> None:
    closed = PictureRenderer()
    closed.close()
    refused = create_app(service, settings, renderer=closed).test_client().get(address("svg"))
    problem(refused, 503, "no-pictures")
    assert int(refused.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (address("svg", "&chart=pie"), "chart"),
        (address("svg", "&chart=pairs"), "chart"),
        (address("svg", "&theme=pink"), "theme"),
        (address("png", "&zoom=99"), "zoom"),
        (address("json", "&chart=map"), "chart"),
        (address("csv", "&theme=dark"), "theme"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_its_field(client: FlaskClient, path: str, field: str) -> None:
    assert problem(client.get(path), 422, "invalid-parameter")["field"] == field


def test_where_nothing_draws_no_picture_is_offered_and_all_else_is_there(
    service: MeantimeService, settings: Settings
) -> None:
    client = create_app(service, settings).test_client()
    problem(client.get(address("svg")), 404, "not-found")
    problem(client.get(f"/api/v1/answers/mean?{ASKED}", headers={"Accept": "image/png"}), 406, "not-acceptable")
    assert client.get(address("vl.json")).status_code == 200
    page = client.get(address("html"))
    assert page.status_code == 200
    assert b"<img" not in page.data
    assert b"Wyoming" in page.data


def test_a_frozen_picture_is_frozen(client: FlaskClient) -> None:
    version = decoded(client.get("/api/v1/dataset"))["version"]
    frozen = client.get(address("svg", f"&version={version}"))
    assert "immutable" in frozen.headers["Cache-Control"]
    assert frozen.data == client.get(address("svg")).data


# ---- pages that stand alone ------------------------------------------------------------------------------------------


def test_the_page_needs_nothing_else_and_allows_nothing_else(client: FlaskClient) -> None:
    answer = client.get(address("html"))
    page = answer.data.decode()
    used = re.findall(r'<(?:img|source|link|script|iframe)[^>]*? (?:src|srcset|href)="([^"]*)"', page)
    assert all(link.startswith("data:image/svg+xml;") for link in used if "/oembed?" not in link)
    assert "<script" not in page
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert "frame-ancestors 'self'" in policy


def test_the_page_says_the_whole_in_words_and_has_every_figure(client: FlaskClient) -> None:
    page = client.get(address("html")).data.decode()
    spec = orjson.loads(client.get(address("vl.json")).data)
    assert spec["description"].split(".")[0] in page.replace("&#39;", "'")
    for place in ("Alabama", "Wyoming"):
        assert f"<td>{place}</td>" in page


def test_a_text_of_the_table_is_no_markup(client: FlaskClient) -> None:
    assert b"<script>" not in client.get(address("html", "&locations=Ohio")).data


# ---- other sites ----------------------------------------------------------------------------------------------------


@pytest.fixture
def open_client(service: MeantimeService, settings: Settings, renderer: PictureRenderer) -> FlaskClient:
    named = replace(settings, embedding_sites=("https://news.example",))
    return create_app(service, named, renderer=renderer).test_client()


def test_no_other_site_may_show_an_answer_unless_it_is_named(client: FlaskClient, open_client: FlaskClient) -> None:
    closed, opened = client.get(address("html")), open_client.get(address("html"))
    assert closed.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "frame-ancestors https://news.example" in opened.headers["Content-Security-Policy"]
    assert open_client.get(address("svg")).headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert open_client.get("/api/v1/jobs").headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in open_client.get("/api/v1/jobs").headers["Content-Security-Policy"]


def test_oembed_tells_how_an_answer_is_shown(client: FlaskClient) -> None:
    here = "http://localhost"
    for form in ("", ".svg", ".html", ".vl.json"):
        answer = f"{here}/api/v1/answers/mean{form}?{ASKED}"
        found = decoded(client.get("/oembed", query_string={"url": answer, "maxwidth": 500}))
        assert (found["version"], found["type"], found["width"]) == ("1.0", "rich", 500)
        [source] = re.findall(r'src="([^"]*)"', str(found["html"]))
        framed = source.replace("&amp;", "&").removeprefix(here)
        assert client.get(framed).data == client.get(address("html")).data


@pytest.mark.parametrize(
    "foreign",
    [
        "http://elsewhere.example/api/v1/answers/mean?question=Q036",
        "http://localhost/api/v1/jobs",
        "javascript:alert(1)//localhost/api/v1/answers/mean",
        "http://localhost/api/v1/answers/mean/../../../x",
        "nonsense",
    ],
)
def test_oembed_knows_answers_of_this_server_alone(client: FlaskClient, foreign: str) -> None:
    assert client.get("/oembed", query_string={"url": foreign}).status_code == 404


def test_a_page_names_where_oembed_is(client: FlaskClient) -> None:
    page = client.get(address("html")).data.decode()
    [link] = re.findall(r'type="application/json\+oembed" href="([^"]*)"', page)
    found = client.get(link.replace("&amp;", "&").removeprefix("http://localhost"))
    assert found.status_code == 200
