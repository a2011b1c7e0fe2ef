"""One client that takes all it can get: others still get theirs, and what outlives a key's revocation ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from meantime.access_keys import AccessKeyFile, Role
from meantime.charts.rendering.picture_renderer import PictureRenderer
from meantime.errors import NoPlaceError, ReloadError
from meantime.formats.result_formats import FORMATS
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.statistics.catalogue import CATALOGUE, Statistic, Surface, register
from meantime.statistics.statistic import StatisticData
from meantime.web.admission.request_places import PLACES_KEY, RequestPlaces
from meantime.web.app import create_app
from meantime.web.places import AllPlaces
from meantime.web.v1.answer_addresses import AnswerAddress
from meantime.web.v1.chart_forms import CHART_FORMS, ChartedResult, ChartForms, ChartQuery
from meantime.web.v1.dataset_resources import DatasetResources
from meantime.web.v1.encoded_forms import EncodedForms
from meantime.web.v1.result_forms import StoredResult
from meantime.web.v1.visible_jobs import VisibleJobs
from tests.contract.conftest import OBESITY, OpenService
from tests.contract.test_metrics import labels, values
from tests.contract.v1_requests import problem, submit

EVENTS = "/api/v1/jobs/1/events"
RESULT = "/api/v1/jobs/1/result"
GREEDY, HONEST = {"REMOTE_ADDR": "192.0.2.7"}, {"REMOTE_ADDR": "198.51.100.9"}


@pytest.fixture
def narrow(settings: Settings) -> Settings:
    """A server that answers 32 requests at once: 8 streams, 2 of them for each client; 2 long lists, 1 for each."""
    return Settings(state_dir=settings.state_dir, http_threads=32, queue_capacity=2000)


def get(client: FlaskClient, path: str, environ: dict[str, str] = HONEST, **headers: str) -> TestResponse:
    return client.get(path, environ_overrides=environ, headers=headers)


def used(client: FlaskClient, kind: str) -> float:
    return values(client, "meantime_places_used")[labels(kind=kind)]


def refused_count(client: FlaskClient, kind: str) -> float:
    return values(client, "meantime_places_refused", "meantime_places_refused_total")[labels(kind=kind)]


# ---- shares ---------------------------------------------------------------------------------------------------------


def test_one_client_cannot_take_all_event_streams(idle_service: MeantimeService, narrow: Settings) -> None:
    client = create_app(idle_service, narrow).test_client()
    submit(client)
    streams = [get(client, EVENTS, GREEDY) for _ in range(20)]
    assert [each.status_code for each in streams] == [200] * 2 + [503] * 18
    problem(streams[-1], 503, "no-place")
    honest = get(client, EVENTS)
    assert honest.status_code == 200
    assert (used(client, "streams"), refused_count(client, "streams")) == (3.0, 18.0)
    for stream in [*streams, honest]:
        stream.close()
    assert used(client, "streams") == 0.0


def test_two_programs_of_this_machine_have_a_share_each_when_each_has_a_key(
    idle_service: MeantimeService, narrow: Settings
) -> None:
    here, file = {"REMOTE_ADDR": "127.0.0.1"}, AccessKeyFile(narrow.keys_file)
    greedy, honest = (
        {"Authorization": f"Bearer {file.add(name, Role.SUBMIT, owner='team')}"} for name in ("greedy", "honest")
    )
    client = create_app(idle_service, narrow).test_client()
    submit(client, **greedy)
    streams = [get(client, EVENTS, here, **greedy) for _ in range(4)]
    streams += [get(client, EVENTS, here, **honest) for _ in range(3)]
    assert [each.status_code for each in streams] == [200, 200, 503, 503, 200, 200, 503]
    for stream in streams:
        stream.close()


def test_one_client_cannot_take_all_lists_of_jobs(open_service: OpenService, narrow: Settings) -> None:
    service = open_service(start=False, queue_capacity=2000)
    for _ in range(1001):
        service.submit("global_mean", {"question": OBESITY}, surface=Surface.CONTRACT)
    client = create_app(service, narrow).test_client()
    lists = [get(client, "/api/jobs", GREEDY) for _ in range(10)]
    assert [each.status_code for each in lists] == [200] + [503] * 9
    assert lists[-1].headers["Retry-After"] == "1"
    honest = get(client, "/api/jobs")
    assert len(orjson.loads(honest.data)["data"]) == 1001
    lists[0].close()
    assert get(client, "/api/jobs", GREEDY).status_code == 200


def test_who_finds_no_place_to_wait_is_answered_at_once(idle_service: MeantimeService) -> None:
    places = AllPlaces.for_threads(32)
    jobs = VisibleJobs(idle_service, places)
    accepted = idle_service.submit("global_mean", {"question": OBESITY}, surface=Surface.CONTRACT)
    places.waits.take("address 192.0.2.7", places.waits.share)
    with Flask("waiting").test_request_context(headers={"Prefer": "wait=60"}, environ_base=GREEDY):
        assert jobs.wait_as_preferred(accepted) == (accepted, None)
    assert places.waits.refused_count == 1


def test_one_client_cannot_have_sources_read_again_and_again(service: MeantimeService) -> None:
    places = AllPlaces.for_threads(32)
    resources = DatasetResources(service, places)
    places.reloads.take("address 192.0.2.7")  # one that goes on
    app = Flask("reloading")
    refused = pytest.raises(NoPlaceError, match="no place for more reloads: you hold 1 of 2")
    with app.test_request_context(method="POST", environ_base=GREEDY), refused:
        resources.reload_dataset("default")
    had_its_turn = pytest.raises(ReloadError, match="knows no source")
    with app.test_request_context(method="POST", environ_base=HONEST), had_its_turn:
        resources.reload_dataset("default")
    assert places.reloads.used == 1


def test_one_client_has_few_pictures_drawn_and_leaves_room_for_others(
    service: MeantimeService, settings: Settings
) -> None:
    places = AllPlaces.for_threads(32)
    renderer = PictureRenderer()
    forms = ChartForms(renderer, EncodedForms(places), places)
    result = service.result_of(
        service.wait(service.submit("mean", {"question": OBESITY, "by": ["location"]}, surface=Surface.V1).number, 30)
    )
    stored = StoredResult("0" * 64, len(result), lambda: result, "mean")
    address = AnswerAddress("/api/v1/answers/mean", [])
    charted = ChartedResult("mean", stored, address, address, [])
    places.pictures.take("address 192.0.2.7", places.pictures.share)  # being drawn
    app = create_app(service, settings, renderer=renderer)
    refused = pytest.raises(NoPlaceError, match="no place for more pictures: you hold 6 of 12")
    with app.test_request_context(environ_base=GREEDY | held(places)), refused:
        forms.respond(CHART_FORMS["svg"], charted, ChartQuery())
    with app.test_request_context(environ_base=HONEST | held(places)):
        assert forms.respond(CHART_FORMS["svg"], charted, ChartQuery()).status_code == 200
    renderer.close()
    assert places.pictures.used == places.pictures.share


def held(places: AllPlaces) -> dict[str, object]:
    """Return the environment of a request that may hold places."""
    environ: dict[str, object] = {}
    environ[PLACES_KEY] = RequestPlaces(environ, places)
    return environ


def test_what_every_client_holds_is_measured(client: FlaskClient) -> None:
    kinds = {
        "requests",
        "streams",
        "waits",
        "lists",
        "large_answer_bytes",
        "encoder_bytes",
        "children",
        "pictures",
        "reloads",
    }
    for name in ("meantime_places_used", "meantime_places", "meantime_places_share"):
        assert {dict(found)["kind"] for found in values(client, name)} == kinds


# ---- other forms of a result ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", [name for name, each in FORMATS.items() if each.encode is not None])
def test_asking_for_the_headers_of_a_form_doesnt_make_it(client: FlaskClient, extension: str) -> None:
    submit(client, Prefer="wait=30")
    before = client.head(f"{RESULT}.{extension}")
    assert before.status_code == 200
    assert "Content-Length" not in before.headers
    whole = client.get(f"{RESULT}.{extension}")
    after = client.head(f"{RESULT}.{extension}")
    assert after.content_length == len(whole.data)
    assert before.headers["ETag"] == whole.headers["ETag"] == after.headers["ETag"]


# ---- keys that are revoked meanwhile ---------------------------------------------------------------------------------


@pytest.fixture
def keys(settings: Settings) -> AccessKeyFile:
    file = AccessKeyFile(settings.keys_file)
    file.add("operator", Role.ADMIN)
    return file


def test_the_stream_of_a_revoked_key_ends_and_says_nothing(
    idle_service: MeantimeService, settings: Settings, keys: AccessKeyFile
) -> None:
    client = create_app(idle_service, settings).test_client()
    bearer = {"Authorization": f"Bearer {keys.add('guest', Role.SUBMIT)}"}
    submit(client, **bearer)
    stream = client.get(EVENTS, headers=bearer).iter_encoded()
    received = [next(stream), next(stream)]
    keys.revoke("guest")
    idle_service.start()
    received += list(stream)
    assert b"event: job" in received[1]
    assert b"event: end" not in b"".join(received)


def test_the_stream_of_a_key_that_is_still_known_goes_on(
    idle_service: MeantimeService, settings: Settings, keys: AccessKeyFile
) -> None:
    client = create_app(idle_service, settings).test_client()
    bearer = {"Authorization": f"Bearer {keys.add('guest', Role.SUBMIT)}"}
    submit(client, **bearer)
    stream = client.get(EVENTS, headers=bearer).iter_encoded()
    received = [next(stream), next(stream)]
    keys.add("another", Role.READ)
    idle_service.start()
    assert b"event: end" in b"".join([*received, *stream])


def test_a_long_list_breaks_off_when_its_key_is_revoked(
    open_service: OpenService, settings: Settings, keys: AccessKeyFile
) -> None:
    service = open_service(start=False, queue_capacity=2000)
    for _ in range(1001):
        service.submit("global_mean", {"question": OBESITY}, surface=Surface.CONTRACT, owner="guest")
    client = create_app(service, settings).test_client()
    bearer = {"Authorization": f"Bearer {keys.add('guest', Role.SUBMIT)}"}
    pieces = client.get("/api/jobs", headers=bearer).iter_encoded()
    assert b"job_id_1000" in next(pieces)
    keys.revoke("guest")
    assert list(pieces) == []


@pytest.fixture
def revoking(keys: AccessKeyFile) -> Iterator[str]:
    """A statistic during which the operator revokes the guest's key; the guest's key."""

    @dataclass(frozen=True, kw_only=True)
    class Revoke(Statistic):
        name = "revoke"
        title = "Revoke"
        summary = "Revokes the key of whoever waits for it."
        unit = "percent"
        method = "revoke/1: none"
        example: ClassVar = {}
        documentation = "methods/mean.md"

        def compute(self, data: StatisticData) -> dict[str, object]:
            keys.revoke("guest")
            return {"locations": list(data.cube.locations)}

    register(Revoke)
    yield keys.add("guest", Role.SUBMIT)
    del CATALOGUE[Revoke.name]


def test_who_waits_with_a_key_that_is_revoked_meanwhile_gets_no_result(
    service: MeantimeService, settings: Settings, revoking: str
) -> None:
    client = create_app(service, settings).test_client()
    response = submit(client, {"statistic": "revoke"}, Authorization=f"Bearer {revoking}", Prefer="wait=30")
    assert "Alabama" not in response.text
    problem(response, 401, "unauthorized")
    answer = submit(client, {"statistic": "mean"}, Authorization=f"Bearer {revoking}")
    assert answer.status_code == 401
