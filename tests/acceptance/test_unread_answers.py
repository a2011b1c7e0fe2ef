"""Clients that ask for much and read nothing: probes are answered meanwhile, others still are, and they are cut off."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from tests.acceptance.conftest import OpenServer
from tests.acceptance.many_jobs import multiply_the_job
from tests.acceptance.server import MISBEHAVING, Server
from tests.acceptance.small_table import QUESTIONS, Request
from tests.fault_table import Record

THREAD_COUNT = 32
CLIENT_COUNT = 100
LEAVING_COUNT = 300
JOB_COUNT = 300_000
"""Their list is more than a kernel takes of an answer by itself."""

TIMEOUT_S = 2.0
LIMIT_S = 60.0
LARGE_BYTES = 5_000_000
OPTIONS = ["--http-threads", str(THREAD_COUNT), "--answer-timeout-s", f"{TIMEOUT_S:g}"]


@contextmanager
def unread(server: Server, path: str, count: int = CLIENT_COUNT) -> Iterator[list[socket.socket]]:
    """Have many clients ask for something, each with little room for the answer, and read nothing."""
    opened = []
    try:
        for _ in range(count):
            client = socket.socket()
            opened.append(client)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode("ascii"))
        yield opened
    finally:
        for client in opened:
            client.close()


def places_used(server: Server, kind: str) -> float:
    """Return how many places of one kind are taken."""
    for line in server.ask("GET", "/metrics").body.decode().splitlines():
        if line.startswith(f'meantime_places_used{{kind="{kind}"}}'):
            return float(line.rpartition(" ")[2])
    raise AssertionError(f"no metric for {kind}")


def wait_until_free(server: Server, kind: str) -> float:
    """Wait until nothing of one kind is held; return how many seconds that took."""
    began = time.monotonic()
    while places_used(server, kind):
        assert time.monotonic() < began + LIMIT_S, f"{kind} are still held"
    return time.monotonic() - began


def wait_until_held(server: Server, kind: str) -> float:
    """Wait until something of one kind is held; return how much."""
    deadline = time.monotonic() + LIMIT_S
    while not (used := places_used(server, kind)):
        assert time.monotonic() < deadline, f"no {kind} are held"
    return used


def statuses(clients: list[socket.socket]) -> dict[str, int]:
    """Return how often which status was answered; what was cut off before it was read counts as that."""
    found: dict[str, int] = {}
    for client in clients:
        client.settimeout(LIMIT_S)
        status = "cut off"
        with suppress(ConnectionResetError):
            status = client.recv(12).decode("ascii").rpartition(" ")[2] or "closed"
        found[status] = found.get(status, 0) + 1
    return found


def test_lists_that_nobody_reads_hold_few_threads_and_not_for_long(
    open_server: OpenServer, requests: list[Request], record: Record
) -> None:
    server = open_server(options=OPTIONS).start()
    server.post(requests[0].endpoint, requests[0].body)
    server.wait_idle()
    assert server.stop() == 0
    multiply_the_job(server.store_file, JOB_COUNT)
    server.start()
    with unread(server, "/api/jobs") as clients:
        held = wait_until_held(server, "lists")
        assert server.ask("GET", "/healthz").status == 200
        assert server.ask("GET", "/readyz").status == 200
        assert server.ask("GET", "/api/num_jobs").status == 200
        freed_s = wait_until_free(server, "lists")
        seen = statuses(clients)
    assert held <= THREAD_COUNT // 16
    assert seen["503"] >= CLIENT_COUNT // 2
    assert len(server.ask("GET", "/api/jobs").json()["data"]) == JOB_COUNT  # type: ignore[arg-type]  # a list
    record(
        f"{CLIENT_COUNT} unread lists of {JOB_COUNT:,} jobs, {THREAD_COUNT} threads",
        "probes answered; few threads; cut off",
        f"{held:g} threads; {seen}; free after {freed_s:.1f} s (limit {TIMEOUT_S:g} s)",
    )
    assert server.stop() == 0


def test_large_results_that_nobody_reads_cost_little_memory_and_are_cut_off(
    open_server: OpenServer, record: Record
) -> None:
    server = open_server(program=MISBEHAVING, options=OPTIONS).start()
    job_id = str(server.post("return_much", json.dumps({"question": QUESTIONS[0]}).encode()).json()["job_id"])
    server.wait_idle()
    with closing(server.connect()) as connection:
        connection.request("GET", f"/api/get_results/{job_id}")
        assert len(connection.getresponse().read()) > LARGE_BYTES
    before_bytes = server.resident_bytes()
    with unread(server, f"/api/get_results/{job_id}") as clients:
        wait_until_held(server, "large_answer_bytes")
        assert server.ask("GET", "/healthz").status == 200
        grown_bytes = server.resident_bytes() - before_bytes
        freed_s = wait_until_free(server, "large_answer_bytes")
        seen = statuses(clients)
    assert seen["503"] >= CLIENT_COUNT // 2
    assert server.ask("GET", f"/api/get_results/{job_id}").status == 200
    record(
        f"{CLIENT_COUNT} unread results of 5 MB",
        "memory bounded; cut off",
        f"{grown_bytes / 1e6:.0f} MB more; {seen}; free after {freed_s:.1f} s (limit {TIMEOUT_S:g} s)",
    )
    assert grown_bytes < CLIENT_COUNT * LARGE_BYTES / 5
    assert server.stop() == 0


def test_files_that_nobody_waits_for_keep_nobody_waiting(open_server: OpenServer, record: Record) -> None:
    server = open_server(options=OPTIONS).start()
    body = json.dumps({"statistic": "mean", "parameters": {"question": QUESTIONS[0], "by": ["location"]}}).encode()
    path = f"/api/v1/jobs/{server.ask('POST', '/api/v1/jobs', body).json()['id']}/result.parquet"
    server.wait_idle()
    with unread(server, path, LEAVING_COUNT):
        began = time.monotonic()
        assert server.ask("GET", "/healthz").status == 200
        first_s = time.monotonic() - began
    began = time.monotonic()
    assert server.ask("GET", "/healthz").status == 200
    second_s = time.monotonic() - began
    wait_until_free(server, "children")
    assert server.ask("GET", path).body.startswith(b"PAR1")
    record(
        f"{LEAVING_COUNT} requests for Parquet whose clients leave, {THREAD_COUNT} threads",
        "GET /healthz answered",
        f"after {first_s:.2f} s while they were there, {second_s:.2f} s when they had left",
    )
    assert server.stop() == 0
