"""Clients that don't get done with their body: which connections are theirs, and how they are cut off."""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from werkzeug.exceptions import RequestTimeout

from meantime.connections.slow_bodies import SlowBodyGuard
from meantime.connections.unanswered_connections import Peer, UnansweredConnections, shut_receiving

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

    def drip(self, content: bytes) -> None:
        """Have the client send something that nobody has asked for yet, and the server's kernel take it."""
        self.client.sendall(content)
        deadline = time.monotonic() + LIMIT_S
        while fcntl.ioctl(self.client, termios.TIOCOUTQ, bytes(4)) != bytes(4):
            assert time.monotonic() < deadline, "it was not acknowledged"

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
    """A guard around an application that reads 10 bytes, a thread that calls it, and the guard's clock."""

    def __init__(self, line: Line) -> None:
        self.body = LineBody(line)
        self.now_s = 100.0
        self.guard = SlowBodyGuard(self.read_ten, LIMIT_S, monotonic=lambda: self.now_s)
        self.seen: bytes | RequestTimeout | None = None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        assert self.body.entered.wait(LIMIT_S)

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

    def look_after(self, seconds: float) -> int:
        """Let some time go by and have the guard look; return how many connections it cuts off."""
        self.now_s += seconds
        return self.guard.cut_off_overdue()

    def end(self) -> bytes | RequestTimeout | None:
        self.thread.join(LIMIT_S)
        return self.seen


def test_a_body_that_comes_in_time_is_read(line: Line) -> None:
    reader = Reader(line)
    assert reader.look_after(LIMIT_S - 1) == 0
    line.client.sendall(b"0123456789")
    assert reader.end() == b"0123456789"
    assert reader.look_after(LIMIT_S) == 0


def test_a_body_that_does_not_end_is_cut_off_and_the_client_told(line: Line) -> None:
    line.drip(b"01234")
    reader = Reader(line)
    assert reader.look_after(1.0) == 0  # from here on the guard knows the connection
    assert reader.look_after(LIMIT_S) == 1
    assert isinstance(reader.end(), RequestTimeout)
    line.answer(b"HTTP/1.1 408")


def test_a_client_that_waits_for_a_slow_answer_is_not_cut_off_for_another_that_drips(line: Line) -> None:
    with closing(Line()) as patient:
        patient.say(b"GET / HTTP/1.1")
        line.drip(b"0")
        reader = Reader(line)
        assert reader.look_after(1.0) == 0
        line.drip(b"1")
        assert reader.look_after(LIMIT_S) == 1
        assert isinstance(reader.end(), RequestTimeout)
        patient.say(b"still here")
        patient.answer(b"HTTP/1.1 200")


class StumblingGuard(SlowBodyGuard):
    """Fails at its first look, as it might where the kernel tells less of a connection."""

    def __init__(self) -> None:
        super().__init__(lambda environ, start_response: [], LIMIT_S)
        self.looks = 0
        self.has_looked_again = threading.Event()

    def cut_off_overdue(self) -> int:
        self.looks += 1
        if self.looks == 1:
            raise struct.error("unpack_from requires a buffer of at least 160 bytes")
        self.has_looked_again.set()
        return 0


def test_a_look_that_fails_is_logged_and_the_guard_looks_again(caplog: pytest.LogCaptureFixture) -> None:
    guard = StumblingGuard()
    guard.start()
    assert guard.has_looked_again.wait(LIMIT_S)
    guard.stop()
    assert "can't look after slow clients" in caplog.text
