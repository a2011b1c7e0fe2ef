"""GET /explore: a form for every statistic, whose address holds the whole state, and the answer without JavaScript."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson
import pytest
from flask.testing import FlaskClient

from meantime.bootstrap import build_service
from meantime.fields.fields import write_query_fields
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.statistics.catalogue import CATALOGUE, Surface, statistics_of
from meantime.statistics.requests import read_query, read_request
from meantime.statistics.statistic import Statistic
from meantime.survey import bundled_table
from meantime.survey.ingest.data_ingestor import DataIngestor
from meantime.survey.ingest.dataset import Dataset
from meantime.web.app import create_app
from tests.contract.conftest import LIMIT_S, OBESITY, STRENGTH
from tests.contract.forms import SentForm
from tests.contract.shown_pages import Elements
from tests.datasets import dataset_of
from tests.reference import Row

V1 = statistics_of(Surface.V1)


@pytest.fixture(scope="module")
def bundled() -> Dataset:
    """CDC's table."""
    return DataIngestor(bundled_table(), name="default").ingest()


@pytest.fixture(scope="module")
def served(bundled: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of a server of CDC's table and of a small one of two years, without states of the US."""
    rows = [
        Row(question, "", place, "", year, "Total", "Total", 10.0 + year - 2000 + len(place), None, None, None)
        for question, years in {"Are <you> well?": (2001, 2002), "Do you sleep?": (2001,)}.items()
        for year in years
        for place in ("Ain", "Var & Gard")
    ]
    settings = Settings(state_dir=Path(tmp_path_factory.mktemp("explored")), threads=1)
    service = build_service(settings, [bundled, dataset_of(rows, "other")])
    yield create_app(service, settings).test_client()
    service.close(LIMIT_S)


def links_of(page: str, attribute: str = "data-in-place") -> list[str]:
    return [str(given["href"]) for tag, given in Elements(page).tags if tag == "a" and attribute in given]


def refusal_of(page: str, name: str) -> str:
    """Return the words and links beside a field."""
    return page.partition(f'id="refusal-{name}"')[2].partition("</div>")[0]


def test_without_a_question_it_offers_every_statistic_that_can_be_asked_and_each_is_answered(
    served: FlaskClient,
) -> None:
    page = served.get("/explore").text
    links = [link for link in links_of(page) if "statistic=" in link]
    assert {parse_qs(urlsplit(link).query)["statistic"][0] for link in links} == {each.name for each in V1}
    for link in links:
        answer = served.get(link)
        assert answer.status_code == 200, link
        assert "<caption>" in answer.text, link


@pytest.mark.parametrize("statistic", V1, ids=lambda each: each.name)
def test_the_form_has_a_field_for_every_parameter(served: FlaskClient, statistic: type[Statistic]) -> None:
    form = SentForm(served.get(f"/explore?statistic={statistic.name}&draft=yes").text)
    assert form.names == {"statistic", "dataset", *(each.name for each in statistic.parameters())}
    assert dict(form.pairs)["statistic"] == statistic.name


@pytest.mark.parametrize("statistic", V1, ids=lambda each: each.name)
def test_the_form_of_an_answer_sends_the_same_request_again(
    served: FlaskClient, bundled: Dataset, statistic: type[Statistic]
) -> None:
    cube = bundled.cube
    wanted = read_request(statistic, cube, statistic.example)
    query = urlencode([("statistic", statistic.name), *write_query_fields(wanted, cube)])
    sent = SentForm(served.get(f"/explore?{query}&draft=yes").text).filled
    texts = parse_qs(urlencode([pair for pair in sent if pair[0] != "statistic"]))
    assert read_query(statistic, cube, texts).settled(cube) == wanted


@pytest.mark.parametrize(
    "query",
    [
        "statistic=trend&question=Q036&by=[]",
        "statistic=mean&question=Q036&strata=Male,$15,000 - $24,999&level=0.9&explain=yes&scale=logit",
        'statistic=people&question=Q036&population=[{"location":"Ohio","year":2023,"population":9000000.0}]',
        "statistic=distribution&question=Q036&quantiles=0.1,0.9",
        "statistic=difference&question=Q036&goal=30.5&locations=states&adjust=holm",
        "statistic=disparity&question=Q036&categories=Sex&reference=Male",
    ],
)
def test_a_form_keeps_what_an_address_says(served: FlaskClient, bundled: Dataset, query: str) -> None:
    asked = {name: texts for name, texts in parse_qs(query).items() if name != "statistic"}
    statistic = CATALOGUE[parse_qs(query)["statistic"][0]]
    page = served.get(f"/explore?{query}&draft=yes").text
    sent = parse_qs(urlencode([pair for pair in SentForm(page).filled if pair[0] != "statistic"]))
    again = read_query(statistic, bundled.cube, sent)
    assert again == read_query(statistic, bundled.cube, asked)


def test_the_answer_has_the_records_of_its_address_and_names_where_else_they_are(served: FlaskClient) -> None:
    query = "question=Q036&years=2023"
    page = served.get(f"/explore?statistic=difference&{query}").text
    records = orjson.loads(served.get(f"/api/v1/answers/difference.json?{query}").data)["records"]
    rows = re.findall(r'<tr>\s*<th scope="row">(.*?)</th>(.*?)</tr>', page, re.DOTALL)
    assert [html.unescape(name) for name, _ in rows] == [record["location"] for record in records]
    for (_, cells), record in zip(rows, records, strict=True):
        value = "suppressed" if record["value"] is None else f"{record['value']:.1f}"
        assert value in cells
        assert (record["verdict"] or "not tested") in cells
    for extension in ("json", "csv", "parquet", "jsonstat"):
        assert f"/api/v1/answers/difference.{extension}?{query.replace('&', '&amp;')}" in page
    assert f"version={served.get('/api/v1/dataset').json['version']}" in page  # type: ignore[index]  # an object
    assert "FROM read_parquet(" in page
    assert "--embedding-sites" in page
    canonical = re.search(r'<link rel="canonical" href="(.*?)">', page)
    assert canonical is not None
    assert html.unescape(canonical[1]) == f"/explore?statistic=difference&{query}"


def test_equal_requests_have_one_canonical_address_and_empty_fields_count_as_left_out(served: FlaskClient) -> None:
    page = served.get(f"/explore?statistic=mean&level=0.95&question={OBESITY}&by=year&years=&scale=&by=location").text
    assert 'rel="canonical" href="/explore?statistic=mean&amp;question=Q036&amp;by=location,year"' in page


def test_what_is_wrong_is_said_beside_its_field_with_what_would_be_right(served: FlaskClient) -> None:
    answer = served.get("/explore?statistic=difference&question=Q036&locations=Utah,Ohoi&years=2023")
    assert answer.status_code == 422
    beside = refusal_of(answer.text, "locations")
    assert "is no location" in beside
    offered = links_of(beside)
    assert [parse_qs(urlsplit(link).query)["locations"] for link in offered] == [["Utah", "Ohio"]]
    assert served.get(offered[0]).status_code == 200
    assert ("locations", "Utah") in SentForm(answer.text).filled


@pytest.mark.parametrize(
    ("query", "field", "status"),
    [
        ("statistic=meen&question=Q036", "statistic", 422),
        ("statistic=mean", "question", 422),
        ("statistic=mean&question=Q036&year=2023", "year", 422),
        ("statistic=mean&question=Q036&level=2", "level", 422),
        ("statistic=mean&question=Q036&scale=log", "scale", 422),
        ("statistic=mean&question=Q036&years=1999", "years", 422),
        ("statistic=mean&question=Q036&population=[", "population", 422),
        ("statistic=difference&question=Q036&against=Ohio&goal=30", "goal", 422),
        ("statistic=disparity&question=Q036&categories=Sex,Income", "categories", 422),
        ("statistic=trend&question=Q036&years=2023", "years", 422),
        ("dataset=nothing&statistic=mean&question=Q036", "dataset", 422),
    ],
)
def test_every_refusal_has_its_place_on_the_page(served: FlaskClient, query: str, field: str, status: int) -> None:
    answer = served.get(f"/explore?{query}")
    assert answer.status_code == status
    assert not field or refusal_of(answer.text, field)
    for link in links_of(refusal_of(answer.text, field)) if field else []:
        assert f'id="refusal-{field}"' not in served.get(link).text, link


def test_a_statistic_chosen_without_its_question_is_not_called_wrong_yet(served: FlaskClient) -> None:
    answer = served.get("/explore?statistic=disparity&draft=yes&level=0.9&k=7")
    assert answer.status_code == 200
    assert "refusal-" not in answer.text
    assert ("level", "0.9") in SentForm(answer.text).filled


def test_what_a_question_has_no_values_for_cannot_be_chosen(served: FlaskClient) -> None:
    of_both = SentForm(served.get("/explore?statistic=mean&dataset=other&draft=yes").text)
    of_one = SentForm(served.get("/explore?statistic=mean&dataset=other&question=Do+you+sleep?&draft=yes").text)
    assert ("years", "2002") not in of_both.disabled
    assert ("years", "2002") in of_one.disabled
    assert ("years", "2001") not in of_one.disabled


def test_a_chart_that_fits_is_chosen_by_the_address_and_another_is_explained(served: FlaskClient) -> None:
    query = "statistic=mean&question=Q036&years=2023&by=location"
    page = served.get(f"/explore?{query}&chart=bars").text
    assert re.search(r'chart=bars" data-in-place aria-current="true"', page)
    misfit = served.get(f"/explore?{query}&chart=gaps").text
    assert "Gaps between strata: needs the highest and the lowest stratum" in misfit
    assert "is no kind of chart" in served.get(f"/explore?{query}&chart=pie").text


def test_all_columns_are_there_for_who_asks(served: FlaskClient) -> None:
    query = "statistic=mean&question=Q036&years=2023&by=location"
    few, all_of_them = (served.get(f"/explore?{query}{more}").text for more in ("", "&columns=all"))
    assert "Standard error" not in few
    assert ">Standard error</th>" in all_of_them


def test_any_table_can_be_explored_and_its_names_are_text(served: FlaskClient) -> None:
    page = served.get("/explore?statistic=mean&dataset=other&question=Are+%3Cyou%3E+well?&by=location&years=2001").text
    assert "<you>" not in page
    assert "Are &lt;you&gt; well?" in page
    assert "Var &amp; Gard" in page
    assert "/api/v1/datasets/other/answers/mean.csv?" in page
    examples = [link for link in links_of(served.get("/explore?dataset=other").text) if "statistic=" in link]
    for link in examples:
        assert "dataset=other" in link
        assert served.get(link).status_code == 200, link


def test_a_job_that_goes_on_is_shown_with_those_before_it(
    idle_client: FlaskClient, idle_service: MeantimeService
) -> None:
    waiting = idle_client.post("/api/v1/jobs", json={"statistic": "mean", "parameters": {"question": STRENGTH}})
    assert waiting.status_code == 202
    query = urlencode({"statistic": "mean", "question": OBESITY})
    answer = idle_client.get(f"/explore?{query}", headers={"Prefer": "wait=0"})
    assert answer.status_code == 202
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.headers["Cache-Control"] == "no-store"
    assert "1 job comes before it" in answer.text
    assert 'data-job="/api/v1/jobs/2"' in answer.text
    idle_service.start()
    finished = idle_client.get(f"/explore?{query}", headers={"Prefer": f"wait={LIMIT_S:.0f}"})
    assert finished.status_code == 200
    assert "<caption>1 record, in percent</caption>" in finished.text


def test_every_address_of_the_page_is_below_the_prefix(service: MeantimeService, settings: Settings) -> None:
    client = create_app(service, replace(settings, url_prefix="/stats")).test_client()
    query = urlencode({"statistic": "mean", "question": OBESITY, "by": "location"})
    for address in ("/stats/explore", f"/stats/explore?{query}", "/stats/explore?statistic=meen"):
        page = Elements(client.get(address).text)
        named = [given[name] for _, given in page.tags for name in ("href", "src", "action") if given.get(name)]
        assert named
        assert [each for each in named if not str(each).startswith(("/stats/", "#"))] == []


def test_the_page_has_no_inline_script_style_or_handler(client: FlaskClient) -> None:
    answer = client.get(f"/explore?{urlencode({'statistic': 'mean', 'question': OBESITY})}")
    assert "script-src 'self'; style-src 'self'" in answer.headers["Content-Security-Policy"]
    page = Elements(answer.text)
    assert not [name for _, given in page.tags for name in given if name == "style" or name.startswith("on")]
    assert [given.get("src") for tag, given in page.tags if tag == "script"] == [
        "/static/explore.js",
        "/static/live.js",
    ]


def test_every_field_has_its_label_and_what_describes_it_is_there(served: FlaskClient) -> None:
    answer = served.get("/explore?statistic=difference&question=Q036&level=2&locations=Ohoi")
    page = Elements(answer.text)
    ids = {given["id"] for _, given in page.tags if "id" in given}
    labelled = {given.get("for") for tag, given in page.tags if tag == "label"}
    for tag, given in page.tags:
        if tag in ("select", "textarea") or (tag == "input" and given.get("type") not in ("checkbox", "hidden")):
            assert given["id"] in labelled
        for described in (given.get("aria-describedby") or "").split():
            assert described in ids
    assert len(ids) == len([given for _, given in page.tags if "id" in given])
