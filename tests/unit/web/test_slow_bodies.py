"""Clients that don't get done with their body: which connections are theirs, and how they are cut off."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from werkzeug.exceptions import RequestTimeout

from meantime.web.slow_bodies import SlowBodyGuard
from meantime.web.unanswered_connections import Peer, UnansweredConnections, shut_receiving

LIMIT_S = 30.0


class Line:
    """A TCP connection between a client and a server of this process."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.client = socket.create_connection(listener.getsockname())
            self.server, _ = listener.accept()
        for end in (self.client, self.server):
            end.settimeout(LIMIT_S)
        self.peer: Peer = self.client.getsockname()

    def say(self, content: bytes) -> None:
        """Have the client send something, and the server receive it."""
        self.client.sendall(content)
        assert self.server.recv(100) == content

    def answer(self, content: bytes) -> None:
        """Have the server send something, and the client receive it."""
        self.server.sendall(content)
        assert self.client.recv(100) == content

    def close(self) -> None:
        self.client.close()
        self.server.close()


@pytest.fixture
def line() -> Iterator[Line]:
    with closing(Line()) as opened:
        yield opened


def test_a_connection_that_has_sent_nothing_is_owed_nothing(line: Line) -> None:
    assert line.peer not in UnansweredConnections().sample(0.0)


def test_a_connection_is_unanswered_from_the_first_sample_after_its_request(line: Line) -> None:
    connections = UnansweredConnections()
    line.say(b"POST")
    assert connections.sample(5.0)[line.peer].began_at == 5.0
    seen = connections.sample(9.0)[line.peer]
    assert (seen.began_at, seen.is_still_sending) == (5.0, False)
    line.say(b" /")
    assert connections.sample(10.0)[line.peer].is_still_sending


def test_an_answer_ends_the_wait(line: Line) -> None:
    connections = UnansweredConnections()
    line.say(b"POST")
    assert line.peer in connections.sample(5.0)
    line.answer(b"HTTP/1.1 200")
    line.say(b"POST")
    later = connections.sample(9.0).get(line.peer)
    assert later is None or later.began_at == 9.0  # the kernel's clock is coarse: both may have been at one tick


def test_a_shut_connection_receives_no_more_but_can_be_answered(line: Line) -> None:
    assert shut_receiving({line.peer}) == 1
    assert line.server.recv(100) == b""
    line.answer(b"HTTP/1.1 408")


def test_only_the_chosen_connections_are_shut(line: Line) -> None:
    with closing(Line()) as other:
        assert shut_receiving({other.peer}) == 1
        line.say(b"still here")


# The guard -----------------------------------------------------------------------------------------------------------


class LineBody:
    """A body that comes by a line."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.entered = threading.Event()

    def read(self, size: int = -1, /) -> bytes:
        self.entered.set()
        parts = b""
        while len(parts) < size and (part := self._line.server.recv(size - len(parts))):
            parts += part
        return parts


class Reader:
    """A guard around an application that reads 10 bytes, and a thread that calls it."""

    def __init__(self, line: Line, limit_s: float) -> None:
        self.body = LineBody(line)
        self.guard = SlowBodyGuard(self.read_ten, limit_s)
        self.seen: bytes | RequestTimeout | None = None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def read_ten(self, environ: dict[str, object], start_response: object) -> list[bytes]:
        body = environ["wsgi.input"]
        assert hasattr(body, "read")
        return [body.read(10)]

    def run(self) -> None:
        environ = {"REQUEST_METHOD": "POST", "wsgi.input": self.body, "REMOTE_ADDR": "127.0.0.1"}
        try:
            (self.seen,) = self.guard(environ, lambda *_: print)
        except RequestTimeout as error:
            self.seen = error


def test_a_body_that_comes_in_time_is_read(line: Line) -> None:
    reader = Reader(line, LIMIT_S)
    line.client.sendall(b"0123456789")
    reader.thread.join(LIMIT_S)
    assert reader.seen == b"0123456789"
    assert reader.guard.cut_off_overdue() == 0


def test_a_body_that_does_not_end_is_cut_off_and_the_client_told(line: Line) -> None:
    line.client.sendall(b"01234")
    reader = Reader(line, 0.0)
    assert reader.body.entered.wait(LIMIT_S)
    while reader.thread.is_alive():
        reader.guard.cut_off_overdue()  # it takes half a second until a read counts as slow
    assert isinstance(reader.seen, RequestTimeout)
    line.answer(b"HTTP/1.1 408")


def test_a_client_that_waits_for_a_slow_answer_is_not_cut_off_for_another_that_drips(line: Line) -> None:
    with closing(Line()) as patient:
        patient.say(b"GET / HTTP/1.1")
        line.client.sendall(b"0")
        reader = Reader(line, 0.0)
        assert reader.body.entered.wait(LIMIT_S)
        while reader.thread.is_alive():
            line.client.sendall(b"1")
            if reader.guard.cut_off_overdue():
                break
        reader.thread.join(LIMIT_S)
        patient.say(b"still here")
        patient.answer(b"HTTP/1.1 200")
