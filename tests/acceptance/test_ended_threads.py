"""Threads of the server that end although nobody asked them to: it is said, and others take their places."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.conftest import OpenServer
from tests.acceptance.misbehaving_server import KEPT_THREADS
from tests.acceptance.server import ANSWER_LIMIT_S, MISBEHAVING, Server
from tests.acceptance.small_table import QUESTIONS

BODY = json.dumps({"question": QUESTIONS[0]}).encode()
OPTIONS = ["--retention-count", "1000", "--event-log", "events.log"]


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Ask again and again."""
    deadline = time.monotonic() + ANSWER_LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, what


def log_of(server: Server) -> str:
    file = server.state / "webserver.log"
    return file.read_text("utf-8") if file.exists() else ""


def back_up(server: Server, target: Path, *options: str) -> str:
    """Run ``meantime backup``; return what it says."""
    program = [sys.executable, "-c", "from meantime.cli import main; main()"]
    done = subprocess.run(
        [*program, "backup", str(target), "--state-dir", str(server.state), *options],
        check=False,
        capture_output=True,
        text=True,
        timeout=ANSWER_LIMIT_S,
    )
    return done.stdout + done.stderr


def metric(server: Server, name: str) -> dict[str, float]:
    """Return a metric's values by thread."""
    lines = server.ask("GET", "/metrics").body.decode().splitlines()
    found = [line.removeprefix(f'{name}{{thread="').split('"} ') for line in lines if line.startswith(f"{name}{{")]
    return {thread: float(value) for thread, value in found}


def test_threads_that_end_are_logged_counted_and_started_again(open_server: OpenServer, tmp_path: Path) -> None:
    server = open_server(program=MISBEHAVING, options=OPTIONS).start()
    os.kill(server.process.pid, signal.SIGHUP)
    wait_until(lambda: "reloaded" in log_of(server), "SIGHUP reads nothing")
    ended = server.result(str(server.post("end_threads", BODY).json()["job_id"]))["data"]
    assert ended == {"question": QUESTIONS[0], "ended": sorted(KEPT_THREADS)}
    os.kill(server.process.pid, signal.SIGHUP)  # wakes those that wait for it
    back_up(server, tmp_path / "lost.sqlite3", "--timeout-s", "1")  # the control thread drops this one

    ends = "meantime_thread_ends_total"
    # The evictor sleeps for half a minute, and the inspector may be at work, which ends a round and not the thread.
    waking = KEPT_THREADS - {"evictor", "pool-inspector"}
    wait_until(lambda: all(metric(server, ends)[name] == 1 for name in waking), "ends are not counted")
    wait_until(lambda: set(metric(server, "meantime_thread_running").values()) == {1.0}, "they are not started again")
    assert server.ask("GET", "/readyz").status == 200
    for name in waking:
        assert f"the thread {name} has ended, and nobody asked it to" in log_of(server)
    assert "copy.sqlite3" in back_up(server, tmp_path / "copy.sqlite3")
    assert server.result(str(server.post("states_mean", BODY).json()["job_id"]))["status"] == "done"
    assert server.stop() == 0
    assert server.errors == ""
