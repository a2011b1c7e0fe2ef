"""Addresses that hold more connections than their share: the surplus is closed, and nobody else's connections are."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from meantime.connections.crowds import CrowdGuard

LIMIT_S = 30.0


class Crowd:
    """A listener, and clients of it from several addresses of this machine."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.port = self._listener.getsockname()[1]

    def come(self, address: str, count: int) -> list[socket.socket]:
        """Open connections from an address."""
        opened = []
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", self.port), LIMIT_S, source_address=(address, 0))
            opened.append(self._stack.enter_context(client))
            self._stack.enter_context(self._listener.accept()[0])
        return opened


def closed_count(clients: list[socket.socket]) -> int:
    """Return how many of some connections the server has closed; nothing else is sent on them."""
    count = 0
    for client in clients:
        client.setblocking(False)
        with suppress(BlockingIOError):
            count += client.recv(1) == b""
    return count


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    with ExitStack() as stack:
        yield Crowd(stack)


def test_what_an_address_has_beyond_its_share_is_closed_and_nothing_else(crowd: Crowd) -> None:
    greedy, honest = crowd.come("127.0.0.2", 30), crowd.come("127.0.0.3", 20)
    assert CrowdGuard(crowd.port, 20).close_surplus() == 10
    assert (closed_count(greedy), closed_count(honest)) == (10, 0)


def test_nobody_is_closed_within_the_share(crowd: Crowd) -> None:
    clients = crowd.come("127.0.0.2", 20)
    assert CrowdGuard(crowd.port, 20).close_surplus() == 0
    assert closed_count(clients) == 0


def test_connections_of_another_port_do_not_count(crowd: Crowd) -> None:
    clients = crowd.come("127.0.0.2", 30)
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert CrowdGuard(other.getsockname()[1], 20).close_surplus() == 0
    assert closed_count(clients) == 0


def test_the_open_connections_of_the_port_are_counted(crowd: Crowd) -> None:
    guard = CrowdGuard(crowd.port, 20)
    assert guard.connection_count() == 0
    crowd.come("127.0.0.2", 3)
    (last,) = crowd.come("127.0.0.3", 1)
    with socket.create_server(("127.0.0.1", 0)) as other, socket.create_connection(other.getsockname()):
        assert guard.connection_count() == 4
    last.close()  # the server's end is still there
    assert guard.connection_count() == 4


def test_without_descriptors_nobody_can_tell_how_many_there_are(crowd: Crowd) -> None:
    crowd.come("127.0.0.2", 1)
    guard, (soft, hard) = CrowdGuard(crowd.port, 20), resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        assert guard.connection_count() is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
