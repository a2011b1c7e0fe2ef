"""``meantime backup`` without a server; ``tests/acceptance/test_operation.py`` has the one that runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from meantime.cli.backup import back_up, backup
from meantime.errors import BackupError, StoreCorruptError
from meantime.jobs.job import Task
from meantime.jobs.job_store import Submission
from meantime.jobs.sqlite.copies import inspect_copy
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore


@pytest.fixture
def store_dir(tmp_path: Path) -> Path:
    """The folder of a store of three jobs that nobody has open."""
    folder = tmp_path / ".meantime"
    store = SqliteJobStore(folder)
    for i in range(3):
        store.add(Submission(Task("echo", f'{{"n":{i}}}', "v1"), 1000.0 + i))
    store.close()
    return folder


def test_a_store_that_no_server_has_open_is_copied(store_dir: Path, tmp_path: Path) -> None:
    facts = inspect_copy(back_up(store_dir, tmp_path / "copy.sqlite3"))
    assert (facts.count_by_state, facts.newest_at, facts.damaged) == ({"queued": 3}, 1002.0, ())


def test_in_a_folder_the_copy_is_named_after_the_time(store_dir: Path, tmp_path: Path) -> None:
    now = datetime(2026, 11, 22, 23, 59, 7, tzinfo=UTC)
    assert back_up(store_dir, tmp_path, now=now) == tmp_path / "meantime-20261122T235907Z.sqlite3"


def test_a_folder_without_a_store_is_not_made_into_one(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="holds no job store"):
        back_up(tmp_path / ".meantime", tmp_path / "copy.sqlite3")
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_somebody_has_open_but_does_not_answer_for_is_not_copied(store_dir: Path, tmp_path: Path) -> None:
    store = SqliteJobStore(store_dir)
    try:
        with pytest.raises(BackupError, match="perhaps starting or ending"):
            back_up(store_dir, tmp_path / "copy.sqlite3")
    finally:
        store.close()


def test_a_damaged_store_gives_no_backup(store_dir: Path, tmp_path: Path) -> None:
    content = bytearray((store_dir / "jobs.sqlite3").read_bytes())
    content[4096:] = b"\x55" * len(content[4096:])
    (store_dir / "jobs.sqlite3").write_bytes(content)
    with pytest.raises(StoreCorruptError, match="damaged"):
        back_up(store_dir, tmp_path / "copy.sqlite3")
    assert not (tmp_path / "copy.sqlite3").exists()


def test_the_command_says_what_it_wrote_or_why_not(store_dir: Path, tmp_path: Path) -> None:
    arguments = ["--state-dir", str(tmp_path), str(tmp_path / "copy.sqlite3")]
    first, second = (CliRunner().invoke(backup, arguments) for _ in range(2))
    assert (first.exit_code, first.stdout.split(":")[0]) == (0, str(tmp_path / "copy.sqlite3"))
    assert second.exit_code == 2
    assert second.stderr.startswith("Error: ")
    assert "exists already" in second.stderr
