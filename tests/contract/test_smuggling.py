"""Requests as raw bytes against a real server: what two parsers could take apart in two ways, and headers too many.

An attack succeeds when one request's bytes get two answers, or when what should have been refused makes a job.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.acceptance.server import Server
from tests.acceptance.small_table import write_table

pytestmark = pytest.mark.acceptance

LIMIT_S = 30.0
LINES = (b"Host: localhost", b"Content-Type: application/json")
HIDDEN = b"GET /api/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n"
"""A second request, which must not be answered when it is hidden in the first one's body."""

BODY = b'{"question":"no such question"}'


LAST = b"GET /api/num_jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
"""Follows all that a test sends, so that every connection ends: by its answer, or because it is not read any more."""


class Outcome(NamedTuple):
    """The statuses that came back, without interim ones and LAST's, and whether the connection ended before LAST."""

    statuses: list[int]
    is_closed: bool


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all; nothing here may hurt it."""
    folder = tmp_path_factory.mktemp("smuggling")
    server = Server(folder, write_table(folder / "small.csv")).start()
    yield server
    assert server.ask("GET", "/api/jobs").json() == {"status": "done", "data": []}
    assert server.stop() == 0


def send(server: Server, content: bytes) -> Outcome:
    """Send bytes, then LAST, and read until the server ends the connection."""
    received = b""
    with socket.create_connection(("127.0.0.1", server.port), LIMIT_S) as connection:
        try:
            connection.sendall(content + LAST)
            while chunk := connection.recv(65_536):
                received += chunk
        except ConnectionError:  # reset while it was still sending
            pass
    found = [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received)]
    statuses = [status for status in found if status != 100]
    is_closed = b'"num_jobs":' not in received
    return Outcome(statuses if is_closed else statuses[:-1], is_closed)


def request(*lines: bytes, start: bytes = b"POST /api/states_mean HTTP/1.1", body: bytes = b"") -> bytes:
    """Return a request with the usual headers and these lines."""
    return b"\r\n".join([start, *LINES, *lines]) + b"\r\n\r\n" + body


def chunked(body: bytes, *, size: bytes | None = None) -> bytes:
    """Return a body as one chunk and the end; ``size`` is what the chunk claims."""
    return (size or b"%x" % len(body)) + b"\r\n" + body + b"\r\n0\r\n\r\n"


CHUNKED = b"Transfer-Encoding: chunked"
LENGTH = b"Content-Length: %d" % len(BODY)

REFUSED = {
    "two different lengths": request(LENGTH, b"Content-Length: 4", body=BODY),
    "a list of different lengths": request(b"Content-Length: 31, 4", body=BODY),
    "a list of equal lengths": request(b"Content-Length: 31, 31", body=BODY),
    "a signed length": request(b"Content-Length: +31", body=BODY),
    "a negative length": request(b"Content-Length: -1", body=BODY),
    "a hexadecimal length": request(b"Content-Length: 0x1f", body=BODY),
    "a length with a blank in it": request(b"Content-Length: 3 1", body=BODY),
    "an empty length": request(b"Content-Length:", body=BODY),
    "a length beyond 64 bits": request(b"Content-Length: 99999999999999999999", body=BODY),
    "a length in other digits": request("Content-Length: ٣١".encode(), body=BODY),
    "another transfer coding": request(b"Transfer-Encoding: xchunked", body=chunked(BODY)),
    "identity": request(b"Transfer-Encoding: identity", LENGTH, body=BODY),
    "gzip alone": request(b"Transfer-Encoding: gzip", body=BODY),
    "gzip before chunked": request(b"Transfer-Encoding: gzip, chunked", body=chunked(BODY)),
    "chunked before identity": request(b"Transfer-Encoding: chunked, identity", body=chunked(BODY)),
    "chunked twice": request(CHUNKED, CHUNKED, body=chunked(BODY)),
    "chunked twice in a line": request(b"Transfer-Encoding: chunked, chunked", body=chunked(BODY)),
    "a quoted coding": request(b'Transfer-Encoding: "chunked"', body=chunked(BODY)),
    "a vertical tab before the coding": request(b"Transfer-Encoding:\x0bchunked", body=chunked(BODY)),
    "a null after the coding": request(b"Transfer-Encoding: chunked\0", body=chunked(BODY)),
    "a blank before the colon": request(b"Transfer-Encoding : chunked", body=chunked(BODY)),
    "a folded header": request(b"Transfer-Encoding:", b" chunked", body=chunked(BODY)),
    "a header that begins with a blank": b"GET /healthz HTTP/1.1\r\n Host: localhost\r\n\r\n",
    "a lone carriage return": b"GET /healthz HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n",
    "a null in a header": b"GET /healthz HTTP/1.1\r\nHost: local\0host\r\n\r\n",
    "a header without a colon": request(b"Content-Length", body=BODY),
    "a header without a name": request(b": 31", body=BODY),
    "a header name in other letters": request("Contént-Length: 31".encode(), body=BODY),
    "chunks in HTTP/1.0": request(CHUNKED, start=b"POST /api/states_mean HTTP/1.0", body=chunked(BODY)),
    "a chunk's size with a prefix": request(CHUNKED, body=chunked(BODY, size=b"0x1f")),
    "a chunk's size beyond 64 bits": request(CHUNKED, body=chunked(BODY, size=b"f" * 17)),
    "a negative chunk": request(CHUNKED, body=chunked(BODY, size=b"-1f")),
    "a chunk that is longer than it says": request(CHUNKED, body=chunked(BODY, size=b"4")),
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "HTTP/3.0 in text": b"GET /healthz HTTP/3.0\r\nHost: localhost\r\n\r\n",
    "no version": b"GET /healthz HTTP/\r\nHost: localhost\r\n\r\n",
    "a version of two digits": b"GET /healthz HTTP/1.10\r\nHost: localhost\r\n\r\n",
    "the greeting of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    "a blank in the path": b"GET /health z HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no Host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "an empty Host": b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n",
    "two equal Hosts": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    "two different Hosts": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    "no Host in HTTP/1.0": b"GET /healthz HTTP/1.0\r\n\r\n",
    "a Host with a path": b"GET /healthz HTTP/1.1\r\nHost: localhost/x\r\n\r\n",
    "a Host behind a user": b"GET /healthz HTTP/1.1\r\nHost: localhost@evil.example\r\n\r\n",
    "a foreign Host and a Host with an underscore": (
        b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\nHTTP_HOST: localhost\r\n\r\n"
    ),
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED.keys())
def test_what_could_be_read_in_two_ways_is_refused_once(server: Server, content: bytes) -> None:
    outcome = send(server, content)
    assert len(outcome.statuses) == 1
    assert outcome.statuses[0] in (400, 413)


@pytest.mark.parametrize(
    "lines",
    [
        (b"Content-Length: 4", CHUNKED),
        (CHUNKED, b"Content-Length: 4"),
        (CHUNKED, b"Content-Length: 999"),
        (b"Content-Length: 6", b"transfer-encoding:\tchunked"),
    ],
)
@pytest.mark.parametrize("start", [b"POST /api/states_mean HTTP/1.1", b"GET /api/jobs HTTP/1.1"])
def test_a_length_beside_chunks_hides_no_second_request(server: Server, lines: tuple[bytes, ...], start: bytes) -> None:
    # Granian goes by the chunks and closes, which RFC 9112, section 6.3 allows: what follows is never read.
    outcome = send(server, request(*lines, start=start, body=b"0\r\n\r\n" + HIDDEN))
    assert len(outcome.statuses) == 1
    assert outcome.is_closed


@pytest.mark.parametrize(
    "name",
    [
        "gzip before chunked", "chunked twice", "two different lengths", "a signed length", "another transfer coding",
        "a lone carriage return", "a folded header", "a chunk's size with a prefix", "a negative chunk",
    ],
)  # fmt: skip
def test_nothing_that_follows_unclear_framing_is_answered(server: Server, name: str) -> None:
    outcome = send(server, REFUSED[name] + HIDDEN)
    assert len(outcome.statuses) == 1
    assert outcome.is_closed


def test_a_request_in_a_body_is_a_body(server: Server) -> None:
    for body in (HIDDEN, b"\r\n\r\n" + HIDDEN):
        assert send(server, request(b"Content-Length: %d" % len(body), body=body)).statuses == [400]
        assert send(server, request(CHUNKED, body=chunked(body))).statuses == [400]
        ignored = request(b"Content-Length: %d" % len(body), start=b"GET /healthz HTTP/1.1", body=body)
        assert send(server, ignored).statuses == [200]


def test_a_whole_body_in_chunks_that_never_end_is_one_request(server: Server) -> None:
    # Granian doesn't tell the end of the body from a broken chunk behind it; nothing behind it is read as a request.
    outcome = send(server, request(CHUNKED, body=b"%x\r\n" % len(BODY) + BODY + HIDDEN))
    assert outcome.statuses in ([400], [422])
    assert outcome.is_closed


def test_two_clear_requests_in_a_row_are_two(server: Server) -> None:
    for first in (request(LENGTH, body=BODY), request(CHUNKED, body=chunked(BODY)), request(LENGTH, LENGTH, body=BODY)):
        assert send(server, first + HIDDEN).statuses == [422, 200]


def test_a_header_with_underscores_is_another_header(server: Server) -> None:
    assert send(server, request(b"Content_Length: 3", LENGTH, body=BODY)).statuses == [422]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (request(start=b"GET /api/get_results/" + b"1" * 4_080 + b" HTTP/1.1"), 414),
        (request(start=b"GET /api/jobs?" + b"a" * 4_090 + b" HTTP/1.1"), 414),
        (request(start=b"GET /" + b"a" * 70_000 + b" HTTP/1.1"), 414),
        (request(*[b"X-%d: y" % i for i in range(150)], start=b"GET /healthz HTTP/1.1"), 431),
        (request(b"X: " + b"y" * 150_000, start=b"GET /healthz HTTP/1.1"), 431),
        (request(b"Content-Length: 70000", body=b"x" * 70_000), 413),
        (request(CHUNKED, body=chunked(b"x" * 70_000)), 413),
    ],
    ids=["path", "query", "very long path", "150 headers", "a header of 150 KB", "body", "body in chunks"],
)
def test_what_is_too_long_is_refused(server: Server, content: bytes, expected: int) -> None:
    assert send(server, content).statuses in ([expected], [])  # a connection may be reset while it still sends


@pytest.mark.parametrize(
    "content",
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        request(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk", body=b""),
        request(b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13", body=b""),
        b"CONNECT evil.example:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=["HTTP/2 at once", "HTTP/2 by upgrade", "WebSocket", "CONNECT"],
)
def test_no_other_protocol_is_spoken(server: Server, content: bytes) -> None:
    assert not {101, 200} & set(send(server, content).statuses)


def test_a_hundred_half_sent_requests_hinder_nobody(server: Server) -> None:
    halves = (b"POST /api/sta", request(LENGTH, body=BODY[:5]), b"GET /healthz HTTP/1.1\r\nHost: loc", b"")
    opened = [socket.create_connection(("127.0.0.1", server.port), LIMIT_S) for _ in range(100)]
    try:
        for i, connection in enumerate(opened):
            connection.sendall(halves[i % len(halves)])
        for _ in range(20):
            assert server.ask("GET", "/api/num_jobs").status == 200
    finally:
        for connection in opened:
            connection.close()


def test_what_the_server_leaves_behind_is_for_its_user_alone(server: Server) -> None:
    assert server.ask("GET", "/healthz").status == 200
    left = [path for path in Path(server.state).rglob("*") if not path.is_symlink()]
    assert len(left) > 5
    assert [str(path) for path in left if path.stat().st_mode & 0o077 and not path.is_socket()] == []
