"""A full disk: jobs fail with a reason, new ones are refused, everything is read, and space alone mends it."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path

from tests.acceptance.conftest import OpenServer
from tests.acceptance.server import ANSWER_LIMIT_S, MISBEHAVING, Server
from tests.acceptance.small_table import QUESTIONS, Request, same
from tests.fault_table import Record

BODY = json.dumps({"question": QUESTIONS[0]}).encode()


def fill(folder: Path) -> Path:
    """Take every byte that is free, and return the file that holds them."""
    filler = folder / "filler"
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
    with suppress(OSError):
        while True:
            os.write(descriptor, b"x" * 4096)
    os.close(descriptor)
    return filler


def open_on(disk: Path, open_server: OpenServer) -> Server:
    return open_server(program=MISBEHAVING, state=disk / "state", options=["--threads", "2"]).start()


def refused_and_read(server: Server, done: str, expected: object) -> set[int]:
    """Submit jobs to a server on a full disk, read an old result each time, and return the statuses of the POSTs."""
    statuses = set()
    for _ in range(50):
        answer = server.post("states_mean", BODY)
        statuses.add(answer.status)
        assert answer.status == 200 or "Retry-After" in answer.headers or "retry-after" in answer.headers
        assert same(expected, server.result(done)["data"])
    return statuses


def test_a_full_disk_fails_jobs_with_a_reason_and_space_alone_mends_it(
    open_server: OpenServer, small_disk: Path, requests: list[Request], record: Record
) -> None:
    server = open_on(small_disk, open_server)
    done = str(server.post(requests[0].endpoint, requests[0].body).json()["job_id"])
    assert server.result(done)["status"] == "done"
    waiting = str(server.post("wait_for_go", BODY).json()["job_id"])
    filler = fill(small_disk)
    (server.folder / "go").touch()
    began = time.monotonic()
    failed = server.result(waiting)
    failed_after_s = time.monotonic() - began
    assert str(failed["reason"]).startswith("storage full")
    filled_again = fill(small_disk / "state")
    statuses = refused_and_read(server, done, requests[0].expected)
    assert server.ask("GET", "/healthz").status == 200
    assert server.ask("GET", "/readyz").status == 503
    assert statuses <= {503, 507}
    began = time.monotonic()
    filler.unlink()
    filled_again.unlink()
    while (answer := server.post("states_mean", BODY)).status != 200:
        assert time.monotonic() < began + ANSWER_LIMIT_S, "space alone does not mend it"
    recovered_after_s = time.monotonic() - began
    assert server.result(str(answer.json()["job_id"]))["status"] == "done"
    assert server.result(waiting) == failed
    assert server.stop() == 0
    record(
        "disk full (16 MB)",
        "job failed with 'storage full' <= 5 s, POST 507/503, GET 200, accepts <= 10 s after space",
        f"failed after {failed_after_s:.1f} s: {failed['reason']}; POST {sorted(statuses)}, GET 200; "
        f"accepts {recovered_after_s:.1f} s after space",
    )


def test_that_a_job_failed_on_a_full_disk_is_written_into_the_spare_space(
    open_server: OpenServer, small_disk: Path
) -> None:
    server = open_on(small_disk, open_server)
    waiting = str(server.post("wait_for_go", BODY).json()["job_id"])
    filler = fill(small_disk)
    (server.folder / "go").touch()
    failed = server.result(waiting)
    assert str(failed["reason"]).startswith("storage full")
    assert server.stop() == 0
    filler.unlink()
    server.start()  # a job whose end was not written would run again now, and have a result
    assert server.result(waiting) == failed
    assert server.stop() == 0


def test_a_full_disk_under_the_log_alone_stops_nothing(open_server: OpenServer, small_disk: Path) -> None:
    server = open_server()
    server.state.mkdir(parents=True)
    (server.state / "webserver.log").symlink_to(small_disk / "webserver.log")
    fill(small_disk)
    server.start()
    answer = server.post("states_mean", BODY)
    assert server.result(str(answer.json()["job_id"]))["status"] == "done"
    assert server.stop() == 0
