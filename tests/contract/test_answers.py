"""Answers by URL: at once where the result is known, else by a job of nobody's; live, or of one version for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from meantime.access_keys import AccessKeyFile, Role
from meantime.bootstrap import build_service, make_ingestor
from meantime.formats.result_formats import FORMATS
from meantime.jobs.job_store import JobFilter
from meantime.service import MeantimeService
from meantime.settings import NamedPath, Settings
from meantime.web.app import create_app
from tests.contract.conftest import OBESITY, STRENGTH, OpenService
from tests.contract.v1_requests import MEAN, WAIT, decoded, problem, submit
from tests.unit.survey.tables import ROW, csv_text, written

ANSWER = f"/api/v1/answers/mean?question={quote(OBESITY)}&by=location"
CANONICAL = f"/api/v1/answers/mean?question={quote(OBESITY)}&by=location"


def links(answer: TestResponse) -> dict[str, str]:
    """Return the addresses of a Link header by their relation."""
    found = {}
    for link in answer.headers["Link"].split(", "):
        address, relation = link.split("; ")
        found[relation.removeprefix('rel="').removesuffix('"')] = address[1:-1]
    return found


# ---- the answer -----------------------------------------------------------------------------------------------------


def test_an_answer_is_the_result_that_a_job_gives(client: FlaskClient) -> None:
    answer = client.get(ANSWER)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    submit(client, Prefer="wait=30")
    assert answer.data == client.get("/api/v1/jobs/2/result").data


@pytest.mark.parametrize("extension", FORMATS)
def test_the_extension_and_the_accept_header_give_the_same(client: FlaskClient, extension: str) -> None:
    address = ANSWER.replace("/mean?", f"/mean.{extension}?")
    by_extension, by_header = client.get(address), client.get(ANSWER, headers={"Accept": FORMATS[extension].media_type})
    assert by_extension.status_code == by_header.status_code == 200
    assert by_extension.data == by_header.data
    assert by_extension.headers["ETag"] == by_header.headers["ETag"]
    assert by_header.headers["Vary"] == "Accept"
    assert "Vary" not in by_extension.headers
    assert by_extension.headers["Content-Location"] == by_header.headers["Content-Location"] == address


def test_a_result_that_is_known_is_sent_without_a_job(client: FlaskClient, service: MeantimeService) -> None:
    first = client.get(ANSWER)
    assert client.get(ANSWER).data == client.get(f"{ANSWER}&level=0.95").data == first.data
    assert len(service.page(JobFilter(), before=None, limit=10)) == 1


def test_what_a_job_of_somebody_found_is_known_to_all(client: FlaskClient, service: MeantimeService) -> None:
    submit(client, MEAN, **WAIT)
    assert client.get(ANSWER).status_code == 200
    assert len(service.page(JobFilter(), before=None, limit=10)) == 1


def test_every_spelling_has_one_canonical_address_and_that_gives_the_same(client: FlaskClient) -> None:
    spelt = client.get(f"/api/v1/answers/mean?by=location&level=0.95&weights=NONE&question={quote(OBESITY.upper())}")
    assert links(spelt)["canonical"] == CANONICAL
    again = client.get(CANONICAL)
    assert (again.data, links(again)) == (spelt.data, links(spelt))


def test_who_has_the_answer_already_is_told_so(client: FlaskClient) -> None:
    tag = client.get(ANSWER).headers["ETag"]
    answer = client.get(ANSWER, headers={"If-None-Match": f"W/{tag}"})
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", tag)
    assert "canonical" in links(answer)


def test_the_headers_alone_are_those_of_the_answer(client: FlaskClient) -> None:
    whole, headers = client.get(ANSWER), client.head(ANSWER)
    assert headers.data == b""
    assert {name: headers.headers[name] for name in ("ETag", "Content-Length", "Link", "Cache-Control")} == {
        name: whole.headers[name] for name in ("ETag", "Content-Length", "Link", "Cache-Control")
    }


def test_a_live_answer_may_be_kept_for_a_minute_and_a_frozen_one_for_ever(client: FlaskClient) -> None:
    live = client.get(ANSWER)
    assert live.headers["Cache-Control"] == "public, max-age=60, must-revalidate"
    frozen = client.get(links(live)["memento"])
    assert frozen.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert frozen.data == live.data
    assert links(frozen)["canonical"] == links(live)["memento"]
    assert client.get(links(frozen)["latest-version"]).data == live.data


# ---- jobs -----------------------------------------------------------------------------------------------------------


def test_an_answer_that_takes_long_is_202_with_the_job_and_equal_requests_share_it(
    idle_client: FlaskClient, idle_service: MeantimeService
) -> None:
    answers = [idle_client.get(ANSWER, headers={"Prefer": "wait=0"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert [decoded(answer)["id"] for answer in answers] == [1, 1]
    assert answers[0].headers["Location"] == CANONICAL
    assert answers[0].headers["Preference-Applied"] == "wait=0"
    assert int(answers[0].headers["Retry-After"]) > 0
    idle_service.start()
    assert idle_client.get(answers[0].headers["Location"], headers=WAIT).status_code == 200


def test_a_question_without_an_answer_is_a_problem_that_says_why(client: FlaskClient) -> None:
    query = f"question={quote(STRENGTH)}&locations=Virgin Islands&include=territories"
    found = problem(client.get(f"/api/v1/answers/ranking?{query}"), 409, "no-answer")
    failed = decoded(client.get("/api/v1/jobs/1"))
    assert (failed["state"], failed["reason"]) == ("failed", found["detail"])


def test_a_cancelled_job_is_no_answer_and_the_next_request_makes_another(
    idle_client: FlaskClient, idle_service: MeantimeService
) -> None:
    idle_client.get(ANSWER, headers={"Prefer": "wait=0"})
    assert idle_client.delete("/api/v1/jobs/1").status_code == 200
    idle_service.start()
    assert idle_client.get(ANSWER, headers=WAIT).status_code == 200


# ---- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/api/v1/answers/mean", "question"),
        (f"{ANSWER}&colour=red", "colour"),
        (f"{ANSWER}&years=1999", "years"),
        (f"{ANSWER}&version=1&version=2", "version"),
    ],
)
def test_a_wrong_parameter_is_named(client: FlaskClient, address: str, field: str) -> None:
    assert problem(client.get(address), 422, "invalid-parameter")["field"] == field


def test_the_contracts_statistics_have_no_address_and_a_slip_is_mended(client: FlaskClient) -> None:
    assert problem(client.get("/api/v1/answers/best5?question=Q036"), 404, "not-found")
    detail = problem(client.get("/api/v1/answers/means"), 404, "not-found")["detail"]
    assert "/api/v1/answers/mean" in str(detail)


def test_an_unknown_form_is_not_found_and_an_unknown_type_not_acceptable(client: FlaskClient) -> None:
    assert problem(client.get(ANSWER.replace("/mean?", "/mean.docx?")), 404, "not-found")
    assert problem(client.get(ANSWER, headers={"Accept": "image/gif"}), 406, "not-acceptable")


@pytest.mark.parametrize("version", ["0" * 64, "ab", "../../etc/passwd", "Z" * 64])
def test_a_version_that_nobody_knows_is_404_and_names_the_current_one(client: FlaskClient, version: str) -> None:
    found = problem(client.get(f"{ANSWER}&version={quote(version)}"), 404, "unknown-version")
    current = decoded(client.get("/api/v1/dataset"))["version"]
    assert found["accepted"] == [current]


# ---- versions -------------------------------------------------------------------------------------------------------

QUESTION = "Percent of adults who have obesity"
FIGURE = f"/api/v1/answers/mean?question={quote(QUESTION)}"
RELOAD = "/api/v1/datasets/default/reload"


class Room:
    """A server whose table may change, and be started again."""

    def __init__(self, folder: Path, kept_versions: int) -> None:
        self._folder = folder
        self._kept_versions = kept_versions
        self.source = written(folder, csv_text([ROW]), "brfss.csv")
        self.start()

    def start(self) -> None:
        settings = Settings(
            data=(NamedPath("", self.source),),
            state_dir=self._folder,
            threads=1,
            kept_versions=self._kept_versions,
        )
        self.service = build_service(settings, [make_ingestor(settings).ingest()])
        self.client = create_app(self.service, settings).test_client()

    def serve(self, value: str) -> None:
        """Reload the table with another figure."""
        self.source.write_text(csv_text([ROW.replace("39.2", value)]))
        assert self.client.post(RELOAD).status_code == 200


@pytest.fixture
def make_room(tmp_path: Path) -> Iterator[Callable[[int], Room]]:
    made: list[Room] = []

    def make(kept_versions: int) -> Room:
        made.append(Room(tmp_path, kept_versions))
        return made[-1]

    yield make
    for room in made:
        room.service.close()


def value_in(answer: TestResponse) -> object:
    records = decoded(answer)["records"]
    assert isinstance(records, list)
    return records[0]["value"]


def test_a_frozen_address_gives_the_same_bytes_after_a_reload_and_after_a_restart(
    make_room: Callable[[int], Room],
) -> None:
    room = make_room(8)
    first = room.client.get(FIGURE)
    frozen = links(first)["memento"]
    for value in ("38.2", "37.2"):
        room.serve(value)
    assert (value_in(first), value_in(room.client.get(FIGURE))) == (39.2, 37.2)
    assert room.client.get(frozen).data == first.data
    room.service.close()
    room.start()
    again = room.client.get(frozen)
    assert (again.status_code, again.data) == (200, first.data)
    assert room.client.get(frozen, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_a_version_that_is_no_longer_kept_is_410_with_its_citation(make_room: Callable[[int], Room]) -> None:
    room = make_room(1)
    frozen = links(room.client.get(FIGURE))["memento"]
    for value in ("38.2", "37.2"):
        room.serve(value)
    room.service.close()
    room.start()
    detail = problem(room.client.get(frozen), 410, "version-gone")["detail"]
    checksum = hashlib.sha256(csv_text([ROW]).encode()).hexdigest()
    assert f"SHA-256 {checksum[:12]}" in str(detail)


# ---- who may ask ----------------------------------------------------------------------------------------------------


@pytest.fixture
def keyed(tmp_path: Path, open_service: OpenService) -> Callable[[Role], FlaskClient]:
    settings = Settings(state_dir=tmp_path, threads=1)
    keys = AccessKeyFile(settings.keys_file)
    settings.keys_file.parent.mkdir(exist_ok=True)
    made = {role: keys.add(role.value, role) for role in Role}
    app = create_app(open_service(), settings)

    def client_as(role: Role) -> FlaskClient:
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {made[role]}"
        return client

    return client_as


def test_a_key_that_may_only_read_may_ask_and_no_job_of_its_own_comes_of_it(
    keyed: Callable[[Role], FlaskClient],
) -> None:
    reader = keyed(Role.READ)
    answer = reader.get(ANSWER)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"].startswith("private")
    assert decoded(reader.get("/api/v1/jobs"))["jobs"] == []
    assert decoded(keyed(Role.SUBMIT).get("/api/v1/jobs"))["jobs"] == []
    listed = decoded(keyed(Role.ADMIN).get("/api/v1/jobs"))["jobs"]
    assert isinstance(listed, list)
    assert [job["statistic"] for job in listed] == ["mean"]
