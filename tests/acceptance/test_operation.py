"""What an operator does with a real server: reload it, back it up, examine it, follow a request through its log."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from meantime.cli.backup import back_up
from meantime.cli.doctor import Level, examine
from meantime.jobs.sqlite.copies import inspect_copy
from meantime.settings import NamedPath, Settings
from tests.acceptance.conftest import OpenServer
from tests.acceptance.server import ANSWER_LIMIT_S, STOP_LIMIT_S, Server
from tests.acceptance.small_table import Request, requests_for, same, write_table

RELOAD = "/api/v1/datasets/default/reload"


def served_version(server: Server) -> object:
    datasets = server.ask("GET", "/api/v1/datasets").json()["datasets"]
    assert isinstance(datasets, list)
    return datasets[0]["version"]


def wait_for_version_after(server: Server, old: object) -> None:
    deadline = time.monotonic() + ANSWER_LIMIT_S
    while served_version(server) == old:
        assert time.monotonic() < deadline, "the new version is not served"


def check_all(server: Server, requests: list[Request]) -> None:
    """Submit requests and hold the answers against what they have to be."""
    for request in requests:
        job_id = server.post(request.endpoint, request.body).json()["job_id"]
        answer = server.result(str(job_id))
        assert answer["status"] == "done"
        assert same(request.expected, answer["data"])


# Reloading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whom", ["main", "group"])
def test_sighup_reads_the_table_again_and_the_server_goes_on(
    open_server: OpenServer, tmp_path: Path, whom: str
) -> None:
    source = write_table(tmp_path / "table.csv")
    server = open_server(source).start()
    check_all(server, requests_for(source)[:4])
    old = served_version(server)
    write_table(source, shift=20.0)
    (os.kill if whom == "main" else os.killpg)(server.process.pid, signal.SIGHUP)
    wait_for_version_after(server, old)
    check_all(server, requests_for(source)[:4])
    assert server.ask("GET", "/api/num_jobs").json()["num_jobs"] == 0
    assert server.stop() == 0


def test_a_table_that_changes_under_load_never_gives_a_mixed_answer(open_server: OpenServer, tmp_path: Path) -> None:
    versions = [write_table(tmp_path / f"{i}.csv", shift=100.0 * i) for i in range(4)]
    request = next(each for each in requests_for(versions[0]) if each.endpoint == "mean_by_category")
    expected = [
        next(
            each.expected
            for each in requests_for(path)
            if (each.endpoint, each.body) == (request.endpoint, request.body)
        )
        for path in versions
    ]
    source = tmp_path / "table.csv"
    source.write_bytes(versions[0].read_bytes())
    server = open_server(source).start()
    reloaded = threading.Event()
    answers: list[object] = []

    def ask() -> None:
        while not reloaded.is_set():
            job_id = server.post(request.endpoint, request.body).json()["job_id"]
            answers.append(server.result(str(job_id)).get("data"))

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        for path in versions[1:]:
            (tmp_path / "new").write_bytes(path.read_bytes())
            (tmp_path / "new").replace(source)
            assert server.ask("POST", RELOAD).status == 200
        source.write_bytes(source.read_bytes()[:100])
        assert server.ask("POST", RELOAD).status == 409
        source.unlink()
        assert server.ask("POST", RELOAD).status == 409
    finally:
        reloaded.set()
        for client in clients:
            client.join(ANSWER_LIMIT_S)
    assert all(any(same(one, answer) for one in expected) for answer in answers)
    assert same(expected[0], answers[0])
    job_id = server.post(request.endpoint, request.body).json()["job_id"]
    assert same(expected[-1], server.result(str(job_id))["data"])


def test_several_tables_are_served_side_by_side(open_server: OpenServer, tmp_path: Path) -> None:
    first, second = (write_table(tmp_path / f"{name}.csv", shift=shift) for name, shift in (("a", 0.0), ("b", 50.0)))
    server = open_server(Path(f"one={first}"), options=[f"two={second}"]).start()
    datasets = server.ask("GET", "/api/v1/datasets").json()["datasets"]
    assert isinstance(datasets, list)
    assert [each["name"] for each in datasets] == ["one", "two"]
    check_all(server, requests_for(first)[:2])
    assert server.ask("POST", "/api/v1/datasets/two/reload").json()["is_same"] is True


def test_a_server_whose_terminal_is_gone_drains_and_ends(tmp_path: Path, table: Path) -> None:
    code = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); from meantime.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", str(table), "--state-dir", str(tmp_path / "state"), "--port", "0"]
    terminal, servers_side = pty.openpty()
    with subprocess.Popen(
        command, stdin=servers_side, stdout=servers_side, stderr=servers_side, start_new_session=True
    ) as process:
        os.close(servers_side)
        said = b""
        while b"Meantime serves" not in said:
            said += os.read(terminal, 4096)
        os.close(terminal)
        assert process.wait(STOP_LIMIT_S) == 0
    assert "drained" in (tmp_path / "state" / "webserver.log").read_text("utf-8")


# Looking after it --------------------------------------------------------------------------------------------------


def test_a_backup_of_a_busy_server_holds_every_job_that_was_acknowledged_before(
    open_server: OpenServer, requests: list[Request], tmp_path: Path
) -> None:
    server = open_server().start()
    enough, copied = threading.Event(), threading.Event()
    acknowledged: list[int] = []

    def submit() -> None:
        while not copied.is_set():
            request = requests[len(acknowledged) % len(requests)]
            job_id = str(server.post(request.endpoint, request.body).json()["job_id"])
            acknowledged.append(int(job_id.removeprefix("job_id_")))
            if len(acknowledged) >= 50:
                enough.set()

    clients = [threading.Thread(target=submit) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        assert enough.wait(ANSWER_LIMIT_S)
        before = list(acknowledged)
        copy = back_up(server.store_file.parent, tmp_path / "copy.sqlite3")
    finally:
        copied.set()
        for client in clients:
            client.join(ANSWER_LIMIT_S)
    facts = inspect_copy(copy)
    assert facts.damaged == ()
    assert sum(facts.count_by_state.values()) >= len(before) >= 50
    assert server.stop() == 0
    restored = open_server(state=_restore(copy, tmp_path / "restored")).start()
    listed = restored.ask("GET", "/api/jobs").json()["data"]
    assert isinstance(listed, list)
    assert {f"job_id_{number}" for number in before} <= {job_id for entry in listed for job_id in entry}
    later = str(restored.post(requests[0].endpoint, requests[0].body).json()["job_id"])
    assert int(later.removeprefix("job_id_")) > max(acknowledged)
    check_all(restored, requests[:2])


def _restore(copy: Path, state: Path) -> Path:
    (state / ".meantime").mkdir(parents=True, mode=0o700)
    (state / ".meantime" / "jobs.sqlite3").write_bytes(copy.read_bytes())
    return state


def test_the_doctor_finds_nothing_wrong_with_a_busy_server(
    open_server: OpenServer, table: Path, requests: list[Request]
) -> None:
    server = open_server().start()
    check_all(server, requests[:10])
    settings = Settings(data=(NamedPath("", table),), state_dir=server.state)
    found = list(examine(settings))
    assert [finding for finding in found if finding.level is Level.PROBLEM] == []
    assert {finding.check: finding.message for finding in found}["results"] == "the newest 10 are whole"
    assert server.ask("GET", "/readyz").status == 200


def test_a_request_can_be_followed_into_its_job(
    open_server: OpenServer, requests: list[Request], tmp_path: Path
) -> None:
    log = tmp_path / "events.jsonl"
    server = open_server(options=["--event-log", str(log)]).start()
    check_all(server, requests[:3])
    assert server.stop() == 0
    events = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    submitted = {e["job_id"]: e["request_id"] for e in events if e["event"] == "request" and e["method"] == "POST"}
    ended = {e["job_id"]: e["request_id"] for e in events if e["event"] == "job"}
    assert ended == submitted
    assert set(ended) == {"job_id_1", "job_id_2", "job_id_3"}
    assert log.stat().st_mode & 0o777 == 0o600
