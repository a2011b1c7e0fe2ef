"""One address that opens connections without end: it keeps its share, and others still get in."""

from __future__ import annotations

import resource
import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from meantime.serving.granian_server import CONNECTION_LIMIT
from tests.acceptance.conftest import OpenServer, require
from tests.acceptance.server import Server
from tests.fault_table import Record

SHARE = CONNECTION_LIMIT // 2
OPENED_COUNT = SHARE + 300
LIMIT_S = 60.0


@contextmanager
def crowd(server: Server) -> Iterator[list[socket.socket]]:
    """Have one address open many connections and say nothing on them."""
    with ExitStack() as stack:
        clients = []
        for _ in range(OPENED_COUNT):
            client = socket.create_connection(("127.0.0.1", server.port), LIMIT_S, source_address=("127.0.0.2", 0))
            clients.append(stack.enter_context(client))
        yield clients


def count_closed(clients: list[socket.socket], wanted: int) -> int:
    """Wait until so many have been closed by the server, and return how many have."""
    selector, closed, deadline = selectors.DefaultSelector(), 0, time.monotonic() + LIMIT_S
    for client in clients:
        selector.register(client, selectors.EVENT_READ)
    while closed < wanted and time.monotonic() < deadline:
        for key, _ in selector.select(1.0):
            selector.unregister(key.fileobj)
            closed += 1
    selector.close()
    return closed


def test_an_address_keeps_no_more_connections_than_its_share(open_server: OpenServer, record: Record) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTION_LIMIT
    require(hard == resource.RLIM_INFINITY or hard >= wanted, f"{wanted} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        server = open_server(options=["--header-timeout-s", "600"]).start()
        with crowd(server) as clients:
            closed = count_closed(clients, OPENED_COUNT - SHARE)
            assert server.ask("GET", "/healthz").status == 200
        assert server.stop() == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    record(f"{OPENED_COUNT} connections of one address", f"{SHARE} stay", f"{closed} closed")
    assert closed == OPENED_COUNT - SHARE
