"""The places of a request: held for as long as its answer is, whatever becomes of the client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson
import pytest
from werkzeug.test import Client, EnvironBuilder, TestResponse
from werkzeug.wrappers import Response

from meantime.web.admission.request_places import LARGE_ANSWER_BYTES, PIECE_BYTES, PROBES, BoundedAnswers
from meantime.web.places import AllPlaces

LARGE = b"x" * (LARGE_ANSWER_BYTES + 1)


class ToyApplication:
    """Answers with what it was made with, and notes what it was asked and whether its answer was closed."""

    def __init__(self, content: bytes | Iterable[bytes]) -> None:
        self._content = content
        self.asked: list[str] = []
        self.closed_count = 0

    def __call__(self, environ: dict[str, str], start_response: object) -> Iterable[bytes]:
        self.asked.append(environ["PATH_INFO"])
        response = Response(self._content)
        response.call_on_close(self.note_close)
        return response(environ, start_response)  # type: ignore[arg-type]  # as in WSGI

    def note_close(self) -> None:
        self.closed_count += 1


@pytest.fixture
def places() -> AllPlaces:
    return AllPlaces.for_threads(16)


def ask(application: ToyApplication, places: AllPlaces, path: str = "/x", method: str = "GET") -> TestResponse:
    return Client(BoundedAnswers(application, places)).open(path, method=method)


def test_a_small_answer_goes_out_in_one_piece_and_holds_nothing(places: AllPlaces) -> None:
    environ = EnvironBuilder("/x").get_environ()
    assert BoundedAnswers(ToyApplication(b"ab"), places)(environ, lambda *_: print) == [b"ab"]
    assert places.requests.used == 0


def test_an_answer_that_is_made_while_it_is_sent_holds_its_thread(places: AllPlaces) -> None:
    environ = EnvironBuilder("/x").get_environ()
    answer = iter(BoundedAnswers(ToyApplication(iter([b"a", b"b"])), places)(environ, lambda *_: print))
    assert next(answer) == b"a"
    assert places.requests.used == 1
    assert list(answer) == [b"b"]
    assert places.requests.used == 0


def test_a_large_answer_holds_its_places_until_it_is_closed(places: AllPlaces) -> None:
    application = ToyApplication(LARGE)
    response = ask(application, places)
    assert places.requests.used == 1
    assert places.large_answer_bytes.used >= len(LARGE)
    response.close()
    assert (places.requests.used, places.large_answer_bytes.used, application.closed_count) == (0, 0, 1)


def test_a_large_answer_comes_in_pieces_and_whole(places: AllPlaces) -> None:
    environ = EnvironBuilder("/x").get_environ()
    pieces = list(BoundedAnswers(ToyApplication(LARGE), places)(environ, lambda *_: print))
    assert max(map(len, pieces)) == PIECE_BYTES
    assert b"".join(pieces) == LARGE
    assert places.requests.used == 0  # its end, too, gives everything back


def test_a_client_that_holds_its_share_of_large_answers_is_told_when_to_come_again(places: AllPlaces) -> None:
    application = ToyApplication(LARGE)
    with ask(application, places):
        refused = ask(application, places)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert orjson.loads(refused.data)["type"] == "/problems#no-place"
        assert application.closed_count == 1  # what was not sent is closed
        assert places.requests.used == 1
    with ask(application, places) as response:
        assert response.status_code == 200


def test_an_answer_that_breaks_gives_its_places_back(places: AllPlaces) -> None:
    def broken() -> Iterator[bytes]:
        yield b"first"
        raise ZeroDivisionError

    environ = EnvironBuilder("/x").get_environ()
    answer = iter(BoundedAnswers(ToyApplication(broken()), places)(environ, lambda *_: print))
    assert next(answer) == b"first"
    with pytest.raises(ZeroDivisionError):
        next(answer)
    assert places.requests.used == 0


def test_the_headers_of_a_large_answer_take_no_place(places: AllPlaces) -> None:
    response = ask(ToyApplication(LARGE), places, method="HEAD")
    assert response.headers["Content-Length"] == str(len(LARGE))
    assert (places.requests.used, places.large_answer_bytes.used) == (0, 0)


@pytest.mark.parametrize("path", sorted(PROBES))
def test_a_probe_is_answered_whatever_is_taken(places: AllPlaces, path: str) -> None:
    held = [places.requests.take() for _ in range(places.requests.bound)]
    application = ToyApplication(b"ok")
    refused = ask(application, places)
    assert (refused.status_code, refused.headers["Retry-After"], application.asked) == (503, "1", [])
    assert ask(application, places, path).data == b"ok"
    for client in "abcd":  # a share each
        places.large_answer_bytes.take(client, places.large_answer_bytes.bound)
    assert ask(ToyApplication(LARGE), places, path).data == LARGE
    assert ask(application, places, path, "POST").status_code == 503  # only looking is a probe
    held.pop().release()
    assert ask(application, places).data == b"ok"
