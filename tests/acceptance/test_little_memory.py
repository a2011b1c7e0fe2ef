"""Many clients ask for large files at once from a server that has little memory: it stays up, and stays small."""

from __future__ import annotations

import csv
import io
import json
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from meantime.survey import bundled_table
from tests.acceptance.conftest import OpenServer
from tests.acceptance.server import ANSWER_LIMIT_S, Server, memory_of
from tests.fault_table import Record

DATA_LIMIT_BYTES = 2 * 1024**3
"""Of all that the server's process may allocate, its threads' stacks included: RLIMIT_DATA, which needs no rights."""

CLIENT_COUNT = 200
JOB_COUNT = 8
GROUPED = ["location", "year", "category", "stratum"]
CATEGORIES = ["Age (years)", "Education", "Income", "Race/Ethnicity", "Sex", "Total"]


def make_large_results(server: Server) -> list[int]:
    """Have some results of megabytes computed, each another one; return their jobs' numbers."""
    numbers = []
    for i in range(JOB_COUNT):
        parameters = {"question": "Q036", "years": list(range(2011, 2024)), "categories": CATEGORIES, "by": GROUPED}
        body = json.dumps({"statistic": "mean", "parameters": parameters | {"level": 0.9 + i / 100}})
        numbers.append(server.ask("POST", "/api/v1/jobs", body.encode()).json()["id"])
    server.wait_idle()
    return [int(str(number)) for number in numbers]


def status_of(client: socket.socket) -> str:
    """Read a whole answer, and return its status; one that was cut off counts as that."""
    client.settimeout(ANSWER_LIMIT_S)
    try:
        answer = b"".join(iter(lambda: client.recv(1 << 20), b""))
    except ConnectionResetError:
        return "cut off"
    return answer[9:12].decode("ascii")


@pytest.mark.slow
def test_two_hundred_requests_for_large_files_leave_a_server_of_two_gigabytes_alive(
    open_server: OpenServer, record: Record
) -> None:
    server = open_server(bundled_table(), limits=[f"--data={DATA_LIMIT_BYTES}"]).start()
    numbers = make_large_results(server)
    before_bytes = memory_of(server.worker_pid, "VmHWM")
    with ExitStack() as stack:
        clients = []
        for i in range(CLIENT_COUNT):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), ANSWER_LIMIT_S))
            path = f"/api/v1/jobs/{numbers[i % JOB_COUNT]}/result.csv"
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode("ascii"))
            clients.append(client)
        assert server.ask("GET", "/healthz").status == 200  # nobody reads yet
        with ThreadPoolExecutor(CLIENT_COUNT) as readers:
            seen = Counter(readers.map(status_of, clients))
    peak_bytes = memory_of(server.worker_pid, "VmHWM")
    assert seen["200"] > 0
    assert seen["200"] + seen["503"] == CLIENT_COUNT
    for number in numbers:
        records = server.ask("GET", f"/api/v1/jobs/{number}/result").json()["records"]
        rows = list(csv.reader(io.StringIO(server.ask("GET", f"/api/v1/jobs/{number}/result.csv").body.decode())))
        assert isinstance(records, list)
        assert len(rows) == len(records) + 1
    assert server.stop() == 0
    record(
        f"{CLIENT_COUNT} GETs of {JOB_COUNT} large CSV files, 2 GB for the process",
        "200 or 503; it goes on",
        f"{dict(seen)}; at most {peak_bytes / 1e6:.0f} MB resident, {before_bytes / 1e6:.0f} MB before",
    )
