"""Clients that connect and say nothing, drip headers, or drip bodies: honest ones are served, drippers are cut off."""

from __future__ import annotations

import selectors
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.acceptance.conftest import OpenServer
from tests.acceptance.server import Server, ask
from tests.fault_table import Record

SLOW_COUNT = 500
HEADER_LIMIT_S = 3.0
CUT_OFF_LIMIT_S = 120.0
"""When a test gives up; the server is told 3 s, and a loaded machine takes its time."""

_HEAD = (
    b"POST /api/states_mean HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n"
)
OPENINGS = {"idle": b"", "headers": _HEAD, "bodies": _HEAD + b"\r\n{"}
DRIPS = {"idle": b"", "headers": b"X-Drip: 1\r\n", "bodies": b" "}
DRIP_INTERVAL_S = 0.2


class SlowClients:
    """Connections that drip, all on one thread, until the server has closed the last of them."""

    def __init__(self, server: Server, kind: str) -> None:
        self._drip = DRIPS[kind]
        self._selector = selectors.DefaultSelector()
        self.cut_off_after_s: list[float] = []  # written by the thread, read after it has ended
        self._began = time.monotonic()
        for _ in range(SLOW_COUNT):
            connection = socket.create_connection(("127.0.0.1", server.port))
            connection.sendall(OPENINGS[kind])
            connection.setblocking(False)
            self._selector.register(connection, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="slow-clients")

    def _run(self) -> None:
        drip_at = time.monotonic() + DRIP_INTERVAL_S
        while self._selector.get_map() and time.monotonic() < self._began + CUT_OFF_LIMIT_S:
            for key, _ in self._selector.select(max(0.0, drip_at - time.monotonic())):
                assert isinstance(key.fileobj, socket.socket)
                self._receive(key.fileobj)
            if time.monotonic() >= drip_at:
                self._drip_all()
                drip_at = time.monotonic() + DRIP_INTERVAL_S

    def _receive(self, connection: socket.socket) -> None:
        try:
            if connection.recv(4096):
                return  # an answer, such as 408, before the end
        except BlockingIOError:
            return
        except OSError:
            pass
        self.cut_off_after_s.append(time.monotonic() - self._began)
        self._selector.unregister(connection)
        connection.close()

    def _drip_all(self) -> None:
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            try:
                key.fileobj.send(self._drip)
            except OSError:
                self._receive(key.fileobj)

    def start(self) -> None:
        """Start to drip."""
        self._thread.start()

    def join(self) -> None:
        """Wait until all have been cut off, or the limit has passed; close what is left."""
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()


@contextmanager
def slow_clients(server: Server, kind: str) -> Iterator[SlowClients]:
    """Have slow clients for as long as the block lasts, and then until they are cut off."""
    clients = SlowClients(server, kind)
    clients.start()
    try:
        yield clients
    finally:
        clients.join()


def _honest_p99_ms(server: Server, count: int) -> float:
    """Ask again and again, on a connection and on new ones; return the 99th percentile of the times, milliseconds."""
    times_s = []
    for _ in range(count // 10):
        with closing(server.connect()) as connection:
            for _ in range(10):
                began = time.perf_counter()
                assert ask(connection, "GET", "/api/num_jobs").status == 200
                times_s.append(time.perf_counter() - began)
    return statistics.quantiles(times_s, n=100)[98] * 1000


@pytest.mark.parametrize("kind", OPENINGS)
def test_slow_clients_cost_honest_ones_nothing_and_are_cut_off(
    open_server: OpenServer, record: Record, kind: str
) -> None:
    server = open_server(options=["--header-timeout-s", f"{HEADER_LIMIT_S:g}"]).start()
    _honest_p99_ms(server, 200)
    baseline_ms = _honest_p99_ms(server, 1000)
    with slow_clients(server, kind) as clients:
        honest_ms = _honest_p99_ms(server, 1000)
    assert server.ask("GET", "/healthz").status == 200
    assert server.stop() == 0
    cut_off = clients.cut_off_after_s
    record(
        f"slow clients: {SLOW_COUNT} {kind}",
        "honest p99 < 2 x baseline and < 100 ms; cut off",
        f"p99 {honest_ms:.1f} ms, baseline {baseline_ms:.1f} ms; {len(cut_off)} cut off, "
        f"the last after {max(cut_off, default=0):.1f} s (limit {HEADER_LIMIT_S:g} s)",
    )
    assert len(cut_off) == SLOW_COUNT
