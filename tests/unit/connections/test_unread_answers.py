"""Clients that don't take their answers are cut off; who takes them slowly, or waits for one, is not."""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from meantime.connections.unread_answers import (
    KERNEL_LIMIT_BYTES,
    LEAST_BYTES,
    UnreadAnswerGuard,
    limit_unsent_bytes,
)

LIMIT_S = 30.0
TCP_NOTSENT_LOWAT = 25


class Line:
    """A TCP connection between a client with little room and a server of this process, and a guard with its clock."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.client = socket.socket()
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self.client.connect(listener.getsockname())
            self.server, _ = listener.accept()
        self.client.settimeout(LIMIT_S)
        self.server.setblocking(False)
        self.now_s = 100.0
        self.sent_bytes = 0
        self.guard = UnreadAnswerGuard(LIMIT_S, monotonic=lambda: self.now_s)

    def answer(self) -> None:
        """Have the server send as much as the kernel takes."""
        with suppress(BlockingIOError):
            while True:
                self.sent_bytes += self.server.send(b"x" * 65_536)

    def read(self, size: int) -> None:
        """Have the client take some of the answer."""
        while size > 0:
            part = len(self.client.recv(size))
            self.sent_bytes -= part
            size -= part

    def read_all(self) -> None:
        """Have the client take the rest, and wait until the server's side has heard of it."""
        self.read(self.sent_bytes)
        deadline = time.monotonic() + LIMIT_S
        while struct.unpack("i", fcntl.ioctl(self.server, termios.TIOCOUTQ, bytes(4)))[0]:
            assert time.monotonic() < deadline, "the server still waits for it"

    def look_after(self, seconds: float) -> int:
        """Let some time go by and have the guard look; return how many connections it cuts off."""
        self.now_s += seconds
        return self.guard.cut_off_stalled()

    def close(self) -> None:
        self.client.close()
        self.server.close()


@pytest.fixture
def line() -> Iterator[Line]:
    with closing(Line()) as opened:
        yield opened


def test_a_client_that_does_not_read_is_cut_off_after_the_limit(line: Line) -> None:
    line.answer()
    assert line.look_after(0.0) == 0
    assert line.look_after(LIMIT_S - 1) == 0
    assert line.guard.behind_count == 1
    assert line.look_after(1.0) == 1
    assert line.guard.behind_count == 0
    with pytest.raises(BrokenPipeError):  # and so the server learns it
        line.server.send(b"x")
    assert line.guard.cut_off_count == 1


def test_a_client_that_reads_slowly_is_left_alone(line: Line) -> None:
    line.answer()
    for _ in range(5):
        assert line.look_after(LIMIT_S - 1) == 0
        line.read(4 * LEAST_BYTES)  # what it has read is acknowledged in larger steps
        assert line.look_after(0.0) == 0
    assert line.guard.cut_off_count == 0


def test_a_client_that_reads_a_byte_now_and_then_is_cut_off(line: Line) -> None:
    line.answer()
    line.look_after(0.0)
    for _ in range(5):
        line.read(1)
        assert line.look_after(5.0) == 0
    assert line.look_after(5.0) == 1


def test_a_client_that_reads_just_enough_of_a_long_answer_is_cut_off_in_the_end(line: Line) -> None:
    line.answer()
    line.look_after(0.0)
    seconds, steps = 0.0, 0
    while not line.look_after(LIMIT_S - 1):
        seconds += LIMIT_S - 1
        line.read(4 * LEAST_BYTES)
        line.answer()  # there is always more
        steps += 1
        assert steps < 200
    assert 19 * LIMIT_S < seconds <= 20 * LIMIT_S


def test_a_client_that_has_taken_all_there_was_begins_anew(line: Line) -> None:
    for _ in range(4):
        line.answer()
        for _ in range(8):
            assert line.look_after(LIMIT_S - 1) == 0
            line.read(4 * LEAST_BYTES)
        line.read_all()
        assert line.look_after(1.0) == 0


def test_a_client_that_takes_whatever_is_on_its_way_is_left_alone_however_much_follows(line: Line) -> None:
    for _ in range(45):  # as one far away that asks for one answer after another: there is one at every look
        line.answer()
        assert line.look_after(LIMIT_S / 2) == 0
        assert line.guard.behind_count == 1
        line.read_all()


def test_a_client_that_waits_for_an_answer_is_left_alone(line: Line) -> None:
    line.client.sendall(b"GET / HTTP/1.1")
    assert [line.look_after(LIMIT_S) for _ in range(3)] == [0, 0, 0]


def test_the_kernel_takes_little_of_an_answer_ahead_on_every_connection_to_a_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert limit_unsent_bytes(listener.getsockname()[1]) == 1
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT) == KERNEL_LIMIT_BYTES
