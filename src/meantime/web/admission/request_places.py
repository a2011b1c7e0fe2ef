"""The places that one request holds until its answer has gone out, and the WSGI layer that sees to it.

A thread counts from the request's first line on. An answer that is small is handed to the server in one piece, and its
thread is free; one that is large, or whose size nobody knows, goes out in pieces, each when the client has room for
it, and holds its thread and its places until then. What may be held is listed in ``web/places.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from flask import request

from meantime.errors import NoPlaceError
from meantime.web.admission.callers import client_of, is_still_known
from meantime.web.places import AllPlaces, Place, Places
from meantime.web.problems import problem_response

if TYPE_CHECKING:
    from types import TracebackType

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""What is answered whatever else is taken."""

LARGE_ANSWER_BYTES = 128 * 1024
"""An answer from this size on takes a place: a client that doesn't read it makes the server keep it."""

PIECE_BYTES = 64 * 1024

PLACES_KEY = "meantime.places"
"""Where the places of a request are, in its environment."""


class RequestPlaces:
    """What one request holds. Used by one thread at a time.

    Parameters
    ----------
    environ
        The request's environment; it says who asks, once that is known.
    places
        All that there are.
    """

    def __init__(self, environ: WSGIEnvironment, places: AllPlaces) -> None:
        self._environ = environ
        self._places = places
        self._held: list[Place] = []
        self._answer: Place | None = None

    def hold_thread(self) -> None:
        """Take a place for the request itself, on nobody's account yet; NoPlaceError without one."""
        self._held.append(self._places.requests.take())

    def count_thread(self) -> None:
        """Count the request towards the share of its client, who is known now; NoPlaceError when that is used up."""
        for place in self._held:
            place.give_to(client_of(self._environ))

    def hold(self, places: Places) -> None:
        """Take a place until the answer has gone out; NoPlaceError without one."""
        self._held.append(places.take(client_of(self._environ)))

    def hold_answer(self, size_bytes: int) -> None:
        """Take what an answer of this size takes, before it is made, and once; NoPlaceError without a place."""
        if size_bytes >= LARGE_ANSWER_BYTES and self._answer is None:
            self._answer = self._places.large_answer_bytes.take(client_of(self._environ), size_bytes)
            self._held.append(self._answer)

    @property
    def are_still_due(self) -> bool:
        """Whether the client may still be answered."""
        return is_still_known(self._environ)

    def release(self) -> None:
        """Give everything back; harmless when that is done."""
        while self._held:
            self._held.pop().release()


def request_places() -> RequestPlaces:
    """Return the places of the current request."""
    found: RequestPlaces = request.environ[PLACES_KEY]
    return found


class BoundedAnswers:
    """Wraps a WSGI application; who finds no place is answered 503, with ``Retry-After``.

    Parameters
    ----------
    wsgi_app
        The application; it answers every exception itself, and says of each answer how long it is unless it makes it
        while sending.
    places
        All places that there are.
    """

    def __init__(self, wsgi_app: WSGIApplication, places: AllPlaces) -> None:
        self._wsgi_app = wsgi_app
        self._places = places

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass a request on, or refuse it."""
        held = environ[PLACES_KEY] = RequestPlaces(environ, self._places)
        if environ["PATH_INFO"] in PROBES and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return self._wsgi_app(environ, start_response)
        try:
            held.hold_thread()
            answer = self._answer(environ, start_response, held)
        except NoPlaceError as error:
            held.release()
            return problem_response(error, path=environ["PATH_INFO"], prefix=environ.get("SCRIPT_NAME", ""))(
                environ, start_response
            )
        except BaseException:
            held.release()
            raise
        if isinstance(answer, list):
            held.release()
        return answer

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse, held: RequestPlaces) -> Iterable[bytes]:
        status, headers = "", list[tuple[str, str]]()

        def start(given_status: str, given_headers: list[tuple[str, str]], _: ExceptionInfo | None = None) -> None:
            nonlocal status, headers
            status, headers = given_status, given_headers

        chunks = self._wsgi_app(environ, start)  # type: ignore[arg-type]  # nobody writes to what it returns
        answer: Iterable[bytes]
        if isinstance(chunks, list) and sum(map(len, chunks)) < LARGE_ANSWER_BYTES:  # what is asked for most
            start_response(status, headers)
            return chunks
        try:
            size_bytes = None if environ["REQUEST_METHOD"] == "HEAD" else _size_bytes(chunks, headers)
            held.hold_answer(size_bytes or 0)
        except NoPlaceError:
            _close(chunks)
            raise
        if environ["REQUEST_METHOD"] == "HEAD" or (size_bytes is not None and size_bytes < LARGE_ANSWER_BYTES):
            answer = [b"".join(chunks)]
            _close(chunks)
        else:
            answer = PiecewiseAnswer(chunks, held)
        start_response(status, headers)
        return answer


class PiecewiseAnswer:
    """An answer in pieces; its places are held until its end, or until it is closed.

    It breaks off when the key of its client is revoked meanwhile.
    """

    def __init__(self, chunks: Iterable[bytes], held: RequestPlaces) -> None:
        self._chunks = chunks
        self._pieces = _in_pieces(chunks)
        self._held = held

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self._held.are_still_due:
            self.close()
            raise StopIteration
        try:
            return next(self._pieces)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give everything back, also when the client has gone."""
        try:
            _close(self._chunks)
        finally:
            self._held.release()


def _in_pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield bytes in pieces, none of which is large: what the server has taken of us it keeps beside ours."""
    for chunk in chunks:
        if len(chunk) <= PIECE_BYTES:
            yield chunk
        else:
            view = memoryview(chunk)
            for start in range(0, len(chunk), PIECE_BYTES):
                yield bytes(view[start : start + PIECE_BYTES])


def _size_bytes(chunks: Iterable[bytes], headers: list[tuple[str, str]]) -> int | None:
    """Return how long an answer is; None for one that is made while it is sent."""
    if isinstance(chunks, list):
        return sum(map(len, chunks))
    return next((int(value) for name, value in headers if name.lower() == "content-length"), None)


def _close(chunks: Iterable[bytes]) -> None:
    if hasattr(chunks, "close"):
        chunks.close()
