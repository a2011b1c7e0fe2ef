"""Stores that can't be trusted: the server refuses in one line and leaves what it found as it was."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from meantime.cli.doctor import doctor
from tests.acceptance.conftest import OpenServer, require
from tests.acceptance.server import NotReadyError, Server
from tests.acceptance.small_table import Request, same
from tests.fault_table import Record


def _truncate(store: Path) -> None:
    with store.open("r+b") as file:
        file.truncate(store.stat().st_size // 2)


def _overwrite(store: Path) -> None:
    with store.open("r+b") as file:
        file.write(b"no database" * 100)


def _empty(store: Path) -> None:
    store.write_bytes(b"")


def _delete(store: Path) -> None:
    store.unlink()


def _make_newer(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("PRAGMA user_version = 9999")


def _swap(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE store_facts SET value = 'another' WHERE name = 'store_id'")


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "truncated": (_truncate, "is damaged"),
    "overwritten": (_overwrite, "is damaged"),
    "empty": (_empty, "is empty, but"),
    "deleted": (_delete, "is missing, but"),
    "newer": (_make_newer, "was written by a newer version"),
    "another's": (_swap, "is not the store that"),
}


def test_a_store_that_cannot_be_trusted_is_refused_and_left_alone(
    open_server: OpenServer, requests: list[Request], tmp_path: Path, record: Record
) -> None:
    server = open_server().start()
    jobs = [(server.post(each.endpoint, each.body).json()["job_id"], each) for each in requests[::5]]
    server.wait_idle()
    assert server.stop() == 0
    good = shutil.copy2(server.store_file, tmp_path / "good.sqlite3")
    for name, (hurt, message) in DAMAGES.items():
        hurt(server.store_file)
        line = _refusal(server)
        assert message in line
        shutil.copy2(good, server.store_file)
        record(f"store {name}", "never a wrong answer, never overwritten, a clear line", f"... {line[-100:]}")
    server.start()
    wrong = [job_id for job_id, each in jobs if not same(each.expected, server.result(str(job_id))["data"])]
    assert server.stop() == 0
    assert wrong == []


def test_a_lost_log_is_refused_and_no_id_is_given_twice(
    open_server: OpenServer, requests: list[Request], record: Record
) -> None:
    server = open_server().start()
    given = [str(server.post(each.endpoint, each.body).json()["job_id"]) for each in requests[:1]]
    server.wait_idle()
    assert server.stop() == 0
    server.start()
    given += [str(server.post(each.endpoint, each.body).json()["job_id"]) for each in requests[1:4]]
    server.wait_idle()
    server.kill()
    server.store_file.with_name("jobs.sqlite3-wal").unlink()
    line = _refusal(server)
    assert "3 accepted jobs are missing" in line
    accepted = CliRunner().invoke(doctor, ["--accept-lost-jobs", "--state-dir", str(server.state)])
    assert "job_id_2 to job_id_4" in accepted.stdout
    server.start()
    later = str(server.post(requests[4].endpoint, requests[4].body).json()["job_id"])
    assert same(requests[4].expected, server.result(later)["data"])
    assert server.stop() == 0
    record("SIGKILL, then -wal deleted", "refused; no id twice", f"... {line[-100:]}; then {later}")
    assert later not in given


def test_a_server_whose_store_was_deleted_gives_no_id_that_a_result_bears(
    open_server: OpenServer, requests: list[Request]
) -> None:
    server = open_server().start()
    for each in requests[:3]:
        server.result(str(server.post(each.endpoint, each.body).json()["job_id"]))
    assert server.stop() == 0
    shutil.rmtree(server.store_file.parent)
    server.start()
    assert server.post(requests[3].endpoint, requests[3].body).json()["job_id"] == "job_id_4"
    assert server.stop() == 0


def _refusal(server: Server) -> str:
    """Start a server that has to refuse and to leave its store alone; return the line that it prints."""
    left = server.store_file.read_bytes() if server.store_file.exists() else None
    server.errors_file.unlink()
    with pytest.raises(NotReadyError) as refused:
        server.start()
    (line,) = str(refused.value).splitlines()
    assert line.startswith("Error: ")
    assert str(server.store_file) in line
    assert server.process.returncode == 2
    found = server.store_file.read_bytes() if server.store_file.exists() else None
    assert found == left
    return line


def test_a_read_only_state_directory_is_refused_in_one_line(
    open_server: OpenServer, small_disk: Path, record: Record
) -> None:
    server = open_server(state=small_disk / "state").start()
    assert server.stop() == 0
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    require(subprocess.run(remount, check=False, capture_output=True).returncode == 0, "leave to mount")
    with pytest.raises(NotReadyError) as refused:
        server.start()
    (line,) = str(refused.value).splitlines()
    record("store read-only", "a clear line", line[7:][:90])
    assert line.startswith("Error: ")
    assert "Traceback" not in line
