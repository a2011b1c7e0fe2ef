"""Faults at single system calls: killed at each write, syncs that fail, and no word to a client before the sync."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.conftest import OpenServer
from tests.acceptance.load import store_problems
from tests.acceptance.server import MISBEHAVING, Server, ask
from tests.acceptance.small_table import QUESTIONS, Request, same
from tests.acceptance.system_calls import SYNCS, WRITES, Position, positions, traced
from tests.fault_table import Record

pytestmark = pytest.mark.usefixtures("strace")

GATED = Request("wait_for_go", json.dumps({"question": QUESTIONS[0]}).encode(), {"question": QUESTIONS[0]})
WRITE_LIMIT_S = 30.0
_SYNCED = re.compile(r"(?:fdatasync\(\d+<[^>]*jobs\.sqlite3-wal>\)|fdatasync resumed>\)) += 0$")


def submit(server: Server, request: Request) -> str | None:
    """Submit a job; return its id, or None when the server was gone before it had answered."""
    try:
        answer = server.post(request.endpoint, request.body)
    except (OSError, http.client.HTTPException):
        return None
    return str(answer.json()["job_id"]) if answer.status == 200 else None


def test_each_of_100_acknowledgements_follows_a_sync(
    open_server: OpenServer, requests: list[Request], tmp_path: Path, record: Record
) -> None:
    server = open_server().start()
    log = tmp_path / "calls.txt"
    with traced(server.worker_pid, log, ["-e", f"trace={WRITES}"]), closing(server.connect()) as connection:
        for request in requests[:100]:
            assert ask(connection, "POST", f"/api/{request.endpoint}", request.body).status == 200
    synced, acknowledged, good = False, 0, 0
    for line in log.read_text("ascii", "replace").splitlines():
        if _SYNCED.search(line):
            synced = True
        elif "HTTP/1.1 200" in line:
            acknowledged += 1
            good += synced
            synced = False
    assert server.stop() == 0
    record("acknowledged only after fdatasync", "100 of 100 POSTs", f"{good} of {acknowledged}")
    assert (good, acknowledged) == (100, 100)


# Killed at each write ------------------------------------------------------------------------------------------------


def _accept(server: Server, request: Request, log: Path, options: list[str]) -> str | None:
    """Trace a job from its submission on."""
    with traced(server.worker_pid, log, options):
        job_id = submit(server, request)
        if job_id is not None:
            wait_for_end(server, job_id)
    return job_id


def _finish(server: Server, _: Request, log: Path, options: list[str]) -> str | None:
    """Trace a job that runs already, to its end."""
    job_id = submit(server, GATED)
    assert job_id is not None
    written_ns = _last_write_ns(server)
    with traced(server.worker_pid, log, options):
        (server.folder / "go").touch()
        wait_for_end(server, job_id)
        # The client hears of the end before the store does.
        deadline = time.monotonic() + WRITE_LIMIT_S
        while server.is_alive and _last_write_ns(server) == written_ns:
            assert time.monotonic() < deadline, "the end was not written"
    return job_id


def _last_write_ns(server: Server) -> int:
    return server.store_file.with_name("jobs.sqlite3-wal").stat().st_mtime_ns


def wait_for_end(server: Server, job_id: str) -> None:
    """Ask for a job until it has ended or the server is gone."""
    try:
        server.result(job_id)
    except (OSError, http.client.HTTPException):
        return


Life = Callable[[Server, Request, Path, list[str]], str | None]


def _kill_at(position: Position, life: Life, server: Server, request: Request, log: Path) -> tuple[bool, list[str]]:
    """Kill a server at one position of a job's life, start it again; return whether it died there and what is wrong."""
    server.start()
    inject = f"inject={position.call}:signal=KILL:when={position.nth}"
    job_id = life(server, request, log, ["-e", f"trace={position.call}", "-e", inject])
    # The calls of the log's writer come in batches, now one, now two, so a position may never be reached.
    died = "killed by SIGKILL" in log.read_text("ascii", "replace")
    server.kill()
    (server.folder / "go").touch()
    server.start()
    server.wait_idle()
    expected = GATED.expected if life is _finish else request.expected
    wrong = []
    if job_id is not None:
        answer = server.result(job_id)
        if answer.get("status") != "done" or not same(expected, answer.get("data")):
            wrong.append(f"{position}: {answer}")
    later = submit(server, request)
    if later is None or (job_id is not None and int(later[7:]) <= int(job_id[7:])):
        wrong.append(f"{position}: {later} was given after {job_id}")
    elif not same(request.expected, server.result(later)["data"]):
        wrong.append(f"{position}: {later} is wrong")
    server.kill()
    wrong += [f"{position}: {problem}" for problem in store_problems(server.store_file)]
    return died, wrong


@pytest.mark.parametrize("life", [_accept, _finish], ids=["accepted", "finished"])
def test_a_kill_at_any_write_of_a_jobs_life_loses_nothing(
    open_server: OpenServer, requests: list[Request], tmp_path: Path, record: Record, life: Life
) -> None:
    options = ["--threads", "1"]
    server = open_server(program=MISBEHAVING, options=options).start()
    life(server, requests[0], tmp_path / "life.txt", ["-e", f"trace={WRITES}"])
    assert server.stop() == 0
    found = positions(tmp_path / "life.txt")
    assert {"pwrite64", "link" if life is _finish else "fdatasync"} <= {position.call for position in found}
    wrong: list[str] = []
    death_count = 0
    for i, position in enumerate(found):
        target = open_server(program=MISBEHAVING, options=options, folder=tmp_path / f"killed-{i}")
        died, found_wrong = _kill_at(position, life, target, requests[0], tmp_path / "killed.txt")
        death_count += died
        wrong += found_wrong
    name = "accepted" if life is _accept else "finished"
    record(
        f"SIGKILL at every write, job {name}",
        "0 violations",
        f"{len(found)} positions, {death_count} deaths: {len(wrong)} violations",
    )
    assert wrong == []
    assert death_count > len(found) // 2


# Syncs that fail -----------------------------------------------------------------------------------------------------


def _fail_syncs_from(count: int, server: Server, requests: list[Request], log: Path) -> tuple[int, float]:
    """Let each sync from the ``count``-th on fail; return how many jobs were accepted, and seconds until refusal."""
    server.start()
    options = ["-e", f"trace={SYNCS}", "-e", f"inject={SYNCS}:error=EIO:when={count}+"]
    accepted: list[tuple[str, Request]] = []
    with traced(server.worker_pid, log, options), closing(server.connect()) as connection:
        for request in requests * 3:
            began = time.monotonic()
            answer = ask(connection, "POST", f"/api/{request.endpoint}", request.body)
            if answer.status != 200:
                break
            accepted.append((str(answer.json()["job_id"]), request))
        refused_after_s = time.monotonic() - began
        assert answer.status == 503
        assert server.ask("GET", "/readyz").status == 503
        assert {server.post(each.endpoint, each.body).status for each in requests[:20]} == {503}
        for job_id, request in accepted[-3:]:
            assert same(request.expected, server.result(job_id)["data"])
    assert "EIO" in log.read_text("ascii", "replace")
    server.kill()
    server.start()
    server.wait_idle()
    for job_id, request in accepted:
        assert same(request.expected, server.result(job_id)["data"])
    assert server.stop() == 0
    return len(accepted), refused_after_s


def _fail_syncs(counts: range, open_server: OpenServer, requests: list[Request], tmp: Path, record: Record) -> None:
    seen = [
        _fail_syncs_from(count, open_server(folder=tmp / f"sync-{count}"), requests, tmp / "syncs.txt")
        for count in counts
    ]
    slowest_s = max(seconds for _, seconds in seen)
    accepted = sum(count for count, _ in seen)
    record(
        f"fsync fails with EIO, {len(counts)} positions",
        "no acknowledgement after it; 503 or exit <= 5 s",
        f"0 acknowledged after it ({accepted} before: 0 lost), 503 after {slowest_s:.2f} s",
    )


def test_nothing_is_acknowledged_after_a_sync_has_failed(
    open_server: OpenServer, requests: list[Request], tmp_path: Path, record: Record
) -> None:
    _fail_syncs(range(1, 8, 3), open_server, requests, tmp_path, record)


@pytest.mark.soak
def test_nothing_is_acknowledged_after_any_of_20_syncs_has_failed(
    open_server: OpenServer, requests: list[Request], tmp_path: Path, record: Record
) -> None:
    _fail_syncs(range(1, 21), open_server, requests, tmp_path, record)
