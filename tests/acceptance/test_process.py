"""The server as a process: how it starts, what makes it refuse to, and each of its ways to end."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.acceptance.conftest import OpenServer
from tests.acceptance.many_jobs import multiply_the_job
from tests.acceptance.misbehaving_server import GO_FILE
from tests.acceptance.patient_server import GATE_VARIABLE, LAST_ANSWERS_VARIABLE, WAITING
from tests.acceptance.server import (
    ANSWER_LIMIT_S,
    MISBEHAVING,
    PATIENT,
    START_LIMIT_S,
    STOP_LIMIT_S,
    NotReadyError,
    Server,
)
from tests.acceptance.small_table import Request, same

ENDS = ["SIGTERM", "SIGINT", "SIGTERM to the group", "SIGINT to the group", "SIGUSR1", "GET", "POST"]
UNREAD_JOB_COUNT = 300_000
"""How many jobs make a list that fits into no buffer of a connection."""


@pytest.fixture
def server(open_server: OpenServer) -> Server:
    """A server that serves."""
    return open_server().start()


def refusal(server: Server, *, code: int = 2) -> str:
    """Start a server that has to refuse, check its exit code, and return the one line that it prints."""
    with pytest.raises(NotReadyError):
        server.start()
    assert server.process.returncode == code
    (line,) = server.errors.splitlines()
    assert line.startswith("Error: ")
    assert "Traceback" not in line
    return line


def wait_until_draining(server: Server) -> None:
    """Ask until readiness fails."""
    deadline = time.monotonic() + ANSWER_LIMIT_S
    while server.ask("GET", "/readyz").status != 503:
        assert time.monotonic() < deadline, "the drain has not begun"


# Starting ----------------------------------------------------------------------------------------------------------


def test_it_says_where_it_serves_and_answers_from_then_on(server: Server) -> None:
    assert server.ask("GET", "/readyz").json() == {"status": "ready"}
    assert server.ask("GET", "/").json()["name"] == "Meantime"
    assert server.stop() == 0
    assert server.errors == ""
    assert (server.state / "webserver.log").is_file()


def test_a_server_that_can_print_nothing_serves_and_drains_all_the_same(open_server: OpenServer) -> None:
    server = open_server()
    stdout = server.launch().stdout
    assert stdout is not None
    stdout.close()
    log = server.state / "webserver.log"
    deadline = time.monotonic() + START_LIMIT_S
    while not (log.exists() and "ready at http" in log.read_text("utf-8")):
        assert time.monotonic() < deadline, "it is not ready"
    assert server.stop() == 0
    assert "drained" in log.read_text("utf-8")


@pytest.mark.parametrize("threads", ["abc", "0", "", "\u0663"])
def test_a_senseless_number_of_threads_is_one_clear_line(
    open_server: OpenServer, monkeypatch: pytest.MonkeyPatch, threads: str
) -> None:
    monkeypatch.setenv("TP_NUM_OF_THREADS", threads)
    line = refusal(open_server())
    assert line == f"Error: TP_NUM_OF_THREADS: {threads!r} is not accepted; give a whole number from 1 to 256"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--port", "65536"], "--port: '65536' is not accepted; give a whole number from 0 to 65535"),
        (["--host", "0.0.0.0"], "--host: 0.0.0.0 can be reached by others"),
        (["--host", "::"], "--host: :: can be reached by others"),
        (["--host", "192.0.2.1", "--insecure"], "can't bind to 192.0.2.1"),
        (["--config", "missing.toml"], "missing.toml: can't be read"),
        (["--drain-timeout-s", "soon"], "--drain-timeout-s: 'soon' is not accepted"),
    ],
)
def test_a_wrong_option_is_one_clear_line(open_server: OpenServer, options: list[str], message: str) -> None:
    assert message in refusal(open_server(options=options))


def test_a_table_that_is_not_there_is_one_clear_line(open_server: OpenServer, tmp_path: Path) -> None:
    assert "missing.csv" in refusal(open_server(tmp_path / "missing.csv"))


def test_a_second_server_on_the_port_is_refused_and_the_first_serves_on(open_server: OpenServer) -> None:
    first = open_server().start()
    second = open_server(options=["--port", str(first.port)])
    assert f"--port: {first.port} on 127.0.0.1 is in use" in refusal(second)
    assert first.ask("GET", "/readyz").status == 200


def test_a_port_that_something_else_listens_at_is_refused(open_server: OpenServer) -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as other:
        port = other.getsockname()[1]
        assert f"--port: {port} on 127.0.0.1 is in use" in refusal(open_server(options=["--port", str(port)]))


def test_a_second_server_on_the_state_directory_is_refused(open_server: OpenServer, tmp_path: Path) -> None:
    first = open_server(folder=tmp_path / "shared").start()
    second = open_server(folder=tmp_path / "shared")
    line = refusal(second)
    assert str(first.process.pid) in line
    assert "--state-dir" in line
    assert first.ask("GET", "/readyz").status == 200


# Ending ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ENDS)
def test_every_way_to_end_finishes_the_jobs_and_exits_with_0(server: Server, requests: list[Request], end: str) -> None:
    accepted = [(server.post(each.endpoint, each.body).json()["job_id"], each) for each in requests[:50]]
    if end in ("GET", "POST"):
        assert server.ask(end, "/api/graceful_shutdown").json()["status"] in ("running", "done")
    elif "group" in end:
        os.killpg(server.process.pid, signal.Signals[end.split(maxsplit=1)[0]])
    else:
        server.process.send_signal(signal.Signals[end])
    assert server.wait() == 0
    assert server.errors == ""
    for job_id, each in accepted:
        content = (server.state / "results" / f"{job_id}.json").read_bytes()
        assert same(each.expected, json.loads(content))


def test_results_stay_readable_until_the_end_and_new_jobs_are_refused(
    open_server: OpenServer, requests: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LAST_ANSWERS_VARIABLE, f"{STOP_LIMIT_S}")
    server = open_server(program=PATIENT).start()
    job_id = server.post(requests[0].endpoint, requests[0].body).json()["job_id"]
    server.ask("GET", "/api/graceful_shutdown")
    server.wait_idle()
    assert server.ask("GET", "/api/graceful_shutdown").json() == {"status": "done"}
    answer = server.result(str(job_id))
    assert answer["status"] == "done"
    assert same(requests[0].expected, answer["data"])
    refused = server.post(requests[0].endpoint, requests[0].body)
    assert (refused.status, refused.json()["reason"]) == (503, "shutting down")
    assert refused.headers["retry-after"] == "5"
    assert server.ask("GET", "/readyz").status == 503
    assert server.ask("GET", "/healthz").status == 200


def test_an_answer_that_is_under_way_when_the_drain_begins_arrives(open_server: OpenServer, gate: Path) -> None:
    server, _ = with_a_waiting_job(open_server)  # it holds the drain until the answer is there
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"POST /api/states_mean HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
        server.process.send_signal(signal.SIGTERM)
        wait_until_draining(server)
        connection.sendall(b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 422 ")
    assert b'"status":"error"' in answer
    gate.write_bytes(b"")
    assert server.wait() == 0


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A named pipe; the patient server's jobs wait until somebody opens it for writing."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    monkeypatch.setenv(GATE_VARIABLE, str(path))
    return path


def with_a_waiting_job(open_server: OpenServer, *options: str, errors: IO[bytes] | None = None) -> tuple[Server, str]:
    """Return a server that runs a job which doesn't end before the gate opens, and the job's id."""
    server = open_server(program=PATIENT, options=["--result-wait-s", "0", *options], stderr=errors).start()
    job_id = str(server.post(WAITING, b"{}").json()["job_id"])
    assert server.ask("GET", f"/api/get_results/{job_id}").json() == {"status": "running"}
    return server, job_id


def assert_it_runs_at_the_next_start(server: Server, job_id: str, gate: Path) -> None:
    server.start()
    gate.write_bytes(b"")  # waits until the job waits
    assert server.result(job_id) == {"status": "done", "data": {"waited": True}}
    assert server.stop() == 0


@pytest.mark.parametrize(("name", "to_group"), [("SIGINT", True), ("SIGTERM", False)])
def test_a_second_signal_ends_it_at_once_and_the_job_runs_at_the_next_start(
    open_server: OpenServer, gate: Path, name: str, to_group: bool
) -> None:
    server, job_id = with_a_waiting_job(open_server)
    number = signal.Signals[name]
    kill = os.killpg if to_group else os.kill
    kill(server.process.pid, number)
    wait_until_draining(server)
    assert server.ask("GET", "/api/graceful_shutdown").json() == {"status": "running"}
    assert server.is_alive
    kill(server.process.pid, number)
    assert server.wait() == 128 + number
    assert server.errors == ""
    assert_it_runs_at_the_next_start(server, job_id, gate)


@pytest.mark.parametrize("end", ["SIGTERM", "GET"])
def test_a_drain_longer_than_its_limit_ends_it_and_the_job_runs_at_the_next_start(
    open_server: OpenServer, gate: Path, end: str
) -> None:
    server, job_id = with_a_waiting_job(open_server, "--drain-timeout-s", "0.3")
    if end == "GET":
        server.ask("GET", "/api/graceful_shutdown")
    else:
        server.process.send_signal(signal.Signals[end])
    assert server.wait() == 0
    assert server.errors == ("meantime: the drain has taken 0.3 s; unfinished jobs: 1. They run at the next start\n")
    assert_it_runs_at_the_next_start(server, job_id, gate)


@pytest.mark.parametrize("end", ["GET", "SIGTERM"])
def test_the_drain_waits_for_a_job_that_runs(open_server: OpenServer, gate: Path, end: str) -> None:
    server, job_id = with_a_waiting_job(open_server)
    if end == "GET":
        assert server.ask("GET", "/api/graceful_shutdown").json() == {"status": "running"}
    else:
        server.process.send_signal(signal.Signals[end])
    wait_until_draining(server)
    gate.write_bytes(b"")
    assert server.wait() == 0
    assert json.loads((server.state / "results" / f"{job_id}.json").read_bytes()) == {"waited": True}


@pytest.fixture
def unread_answer(open_server: OpenServer, requests: list[Request]) -> Iterator[Server]:
    """A server with an answer under way, of some megabytes, to a client that doesn't read it."""
    server = open_server().start()
    server.post(requests[0].endpoint, requests[0].body)
    server.wait_idle()
    assert server.stop() == 0
    multiply_the_job(server.store_file, UNREAD_JOB_COUNT)
    server.start()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.port))
        client.sendall(b"GET /api/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(1, socket.MSG_PEEK) == b"H"
        yield server


@pytest.mark.parametrize("end", ["GET", "SIGTERM", "SIGTERM to the group"])
def test_a_client_that_reads_nothing_does_not_keep_the_server_from_its_end(unread_answer: Server, end: str) -> None:
    server = unread_answer
    if end == "GET":
        assert server.ask("GET", "/api/graceful_shutdown").json() == {"status": "done"}
    elif end == "SIGTERM":
        server.process.send_signal(signal.SIGTERM)
    else:
        os.killpg(server.process.pid, signal.SIGTERM)
    assert server.wait() == 0
    assert server.errors == ""
    log = (server.state / "webserver.log").read_text("utf-8")
    assert "some clients have not read their answers" in log
    assert server.start().ask("GET", "/readyz").status == 200  # neither port nor lock is held
    assert server.stop() == 0


@pytest.mark.slow
def test_a_process_that_hangs_altogether_is_killed_and_the_job_runs_at_the_next_start(
    open_server: OpenServer, requests: list[Request]
) -> None:
    def hanging() -> tuple[Server, str]:
        server = open_server(program=MISBEHAVING, options=["--drain-timeout-s", "5"]).start()
        return server, str(server.post("hang", requests[0].body).json()["job_id"])

    # Both at once: there is nothing to do but to wait until they are killed.
    (asked, _), (told, _) = hung = [hanging(), hanging()]
    assert asked.ask("GET", "/api/graceful_shutdown").json() == {"status": "running"}
    told.process.send_signal(signal.SIGTERM)
    for server, _ in hung:
        (server.folder / GO_FILE).touch()
    for server, job_id in hung:
        assert server.wait() == 1
        assert "the serving process has not ended in 22 s, and was killed" in server.errors
        (server.folder / GO_FILE).unlink()
        assert server.start().ask("GET", f"/api/get_results/{job_id}").json() == {"status": "running"}


@pytest.mark.slow
def test_a_terminal_that_takes_nothing_does_not_keep_the_server_from_its_end(
    open_server: OpenServer, gate: Path
) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb", buffering=0) as errors:
        os.set_blocking(writing, False)
        while errors.write(b"x" * 4096):
            pass
        os.set_blocking(writing, True)
        server, _ = with_a_waiting_job(open_server, "--drain-timeout-s", "0.3", errors=errors)
        server.ask("GET", "/api/graceful_shutdown")
        assert server.wait() == 0


def test_a_worker_that_dies_by_itself_ends_the_server_with_one_line(server: Server) -> None:
    server.kill("worker")
    assert server.process.returncode == 1
    assert "the serving process ended unexpectedly" in server.errors


def test_it_prints_the_notes_on_its_table_when_it_starts(open_server: OpenServer, tmp_path: Path) -> None:
    lines = ["Year,LocationDesc,Question,Data_Value", "2023,Ohio,Smokes,10.5", "2023,Utah,Smokes,9.5"]
    (tmp_path / "odd.csv").write_text("\n".join(lines))
    server = open_server(tmp_path / "odd.csv").start()
    first, *notes = server.errors.splitlines()
    assert f" on odd.csv, see http://127.0.0.1:{server.port}/api/v1/datasets/default; all of them:" in first
    assert any("2 values have no usable confidence limits" in line for line in notes)
    report = server.ask("GET", "/api/v1/datasets/default").json()["report"]
    assert isinstance(report, dict)
    assert [line.removeprefix("meantime: - ") for line in notes] == [note["text"] for note in report["notes"]]
    assert server.stop() == 0
