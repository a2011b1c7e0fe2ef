"""What a server stands on taken away while it runs: its result files, its log's folder, its file descriptors."""

from __future__ import annotations

import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.acceptance.conftest import OpenServer
from tests.acceptance.load import Journal, running_load
from tests.acceptance.server import ANSWER_LIMIT_S, Server
from tests.acceptance.small_table import Request, same
from tests.fault_table import Record

_LOST = re.compile(rb'^meantime_log_lines_lost_total\{log="webserver.log"\} [1-9]', re.MULTILINE)


def _work(server: Server, requests: list[Request]) -> None:
    """Submit jobs and hold each result against the reference."""
    for request in requests:
        answer = server.post(request.endpoint, request.body)
        assert answer.status == 200, answer
        assert same(request.expected, server.result(str(answer.json()["job_id"]))["data"])


def test_the_results_folder_may_be_emptied_while_jobs_run(
    open_server: OpenServer, requests: list[Request], record: Record
) -> None:
    server, journal = open_server().start(), Journal()
    emptied_count = 20
    with running_load(server, requests, journal):
        for i in range(emptied_count):
            wanted = journal.right_count + 20
            if i % 2:
                shutil.rmtree(server.state / "results", ignore_errors=True)
            else:
                for file in (server.state / "results").glob("*.json"):
                    file.unlink(missing_ok=True)
            while journal.right_count < wanted:
                assert server.ask("GET", "/healthz").status == 200
    last = len(journal.acknowledged)
    lost = journal.check(server)
    _work(server, requests[:1])
    assert (server.state / "results" / f"job_id_{last + 1}.json").is_file()
    assert server.stop() == 0
    record(
        f"results folder emptied {emptied_count} times under load",
        "ids go on counting, every result readable",
        f"{last} acknowledged: {len(lost)} lost, {len(journal.wrong)} wrong, {len(journal.duplicates())} duplicate ids",
    )
    assert (lost, journal.wrong, journal.duplicates(), dict(journal.unheard)) == ([], [], [], {})


def test_a_file_in_the_place_of_the_results_folder_costs_no_job_and_no_start(
    open_server: OpenServer, requests: list[Request], record: Record
) -> None:
    server = open_server().start()
    _work(server, requests[:1])
    results = server.state / "results"
    shutil.rmtree(results)
    results.touch()
    _work(server, requests[:5])
    assert server.stop() == 0
    server.start()
    _work(server, requests[:5])
    results.unlink()
    _work(server, requests[:1])
    assert (results / "job_id_12.json").is_file()
    assert server.stop() == 0
    record("results folder replaced by a file", "jobs end as done, the server starts", "12 of 12 right, and a restart")


def test_a_log_whose_folder_is_gone_stops_nothing(
    open_server: OpenServer, requests: list[Request], tmp_path: Path, record: Record
) -> None:
    server = open_server()
    server.state.mkdir(parents=True)
    logs = tmp_path / "logs"
    logs.mkdir()
    (server.state / "webserver.log").symlink_to(logs / "webserver.log")
    server.start()
    _work(server, requests[:5])
    shutil.rmtree(logs)
    _work(server, requests[:20])
    _wait_for_lost_lines(server)
    logs.mkdir()
    _work(server, requests[:5])
    assert server.stop() == 0
    text = (logs / "webserver.log").read_text("utf-8")
    record("log folder gone", "no request fails; the lost lines are counted", f"30 of 30 right; {_lost_lines(text)}")
    assert "lines of this log could not be written" in text


def _wait_for_lost_lines(server: Server) -> None:
    """Ask until the server counts lines that it could not write; each question is a line more to lose."""
    deadline = time.monotonic() + ANSWER_LIMIT_S
    while not _LOST.search(server.ask("GET", "/metrics").body):
        assert time.monotonic() < deadline, "no line was lost"


def _lost_lines(log: str) -> str:
    return next(line[25:] for line in log.splitlines() if "could not be written" in line)


@contextmanager
def _open_connections(server: Server, count: int) -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(count):
            connection = socket.socket()
            stack.callback(connection.close)
            connection.setblocking(False)
            connection.connect_ex(("127.0.0.1", server.port))
        yield


def test_more_connections_than_descriptors_are_survived(
    open_server: OpenServer, requests: list[Request], record: Record
) -> None:
    descriptor_count, connection_count = 256, 600
    server = open_server(limits=[f"--nofile={descriptor_count}"], options=["--header-timeout-s", "1"]).start()
    _work(server, requests[:5])
    with _open_connections(server, connection_count):
        # The idle ones are cut off after a second; then there is a descriptor for this one.
        _work(server, requests[:5])
    _work(server, requests[:20])
    assert server.stop() == 0
    record(
        f"{connection_count} connections, {descriptor_count} descriptors",
        "the server lives and answers",
        "25 of 25 right, during and after",
    )
