"""A copy of a store that is in use: whole, private, and safe to go on from."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from meantime.errors import BackupError, StoreUnavailableError
from meantime.jobs.job import Task
from meantime.jobs.job_store import Submission
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore

LIMIT_S = 30.0


def _submission(text: str) -> Submission:
    return Submission(Task("echo", text, "v1"), 1000.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteJobStore]:
    """An open store."""
    opened = SqliteJobStore(tmp_path / "state")
    yield opened
    opened.close()


def _restore(backup: Path, directory: Path) -> SqliteJobStore:
    directory.mkdir()
    (directory / "jobs.sqlite3").write_bytes(backup.read_bytes())
    return SqliteJobStore(directory)


def test_a_backup_holds_every_job_and_opens_as_a_store(store: SqliteJobStore, tmp_path: Path) -> None:
    numbers = [store.add(_submission(f'{{"n":{i}}}')).number for i in range(300)]
    store.back_up(tmp_path / "copy.sqlite3")
    restored = _restore(tmp_path / "copy.sqlite3", tmp_path / "restored")
    try:
        assert [job.number for job in restored.unfinished()] == numbers
        found = restored.get(numbers[17])
        assert found is not None
        assert found.task.arguments == '{"n":17}'
    finally:
        restored.close()


@pytest.mark.parametrize("name", ["copy.sqlite3", "copy.sqlite3.unfinished"])
def test_a_link_in_the_way_of_a_backup_is_not_followed(store: SqliteJobStore, tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    (tmp_path / name).symlink_to(victim)
    target = tmp_path / "copy.sqlite3"
    if target.is_symlink():
        with pytest.raises(BackupError, match="exists already"):
            store.back_up(target)
    else:
        victim.write_text("precious")
        store.back_up(target)
        assert victim.read_text() == "precious"
        assert target.is_file()
    assert victim.exists() is not target.is_symlink()
    assert list(tmp_path.glob(".copy*")) == []


def test_a_restored_store_gives_no_number_that_was_given_after_the_backup(
    store: SqliteJobStore, tmp_path: Path
) -> None:
    store.add(_submission("{}"))
    store.back_up(tmp_path / "copy.sqlite3")
    given_later = store.add(_submission("{}")).number
    restored = _restore(tmp_path / "copy.sqlite3", tmp_path / "restored")
    try:
        assert restored.add(_submission("{}")).number > 1_000_000 > given_later
    finally:
        restored.close()


def test_jobs_are_accepted_while_the_copy_is_made_and_every_earlier_one_is_in_it(
    store: SqliteJobStore, tmp_path: Path
) -> None:
    large = "x" * 20_000
    before = [store.add(_submission(large)).number for _ in range(500)]  # 10 MB, so the copy takes several portions
    copied = threading.Event()
    during: list[int] = []

    def submit() -> None:
        while not copied.is_set():
            during.append(store.add(_submission("{}")).number)

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        store.back_up(tmp_path / "copy.sqlite3")
    finally:
        copied.set()
        for thread in threads:
            thread.join(LIMIT_S)
    with sqlite3.connect(tmp_path / "copy.sqlite3") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        held = {int(row[0]) for row in connection.execute("SELECT number FROM jobs")}
    connection.close()
    assert set(before) <= held <= {*before, *during}
    assert len(set(during)) == len(during) > 0


def test_a_backup_is_one_file_that_only_its_owner_can_read(store: SqliteJobStore, tmp_path: Path) -> None:
    target = tmp_path / "backups" / "copy.sqlite3"
    target.parent.mkdir()
    store.add(_submission("{}"))
    store.back_up(target)
    assert [path.name for path in target.parent.iterdir()] == ["copy.sqlite3"]
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_backup_to_nowhere_leaves_the_store_at_work(store: SqliteJobStore, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="missing/copy.sqlite3"):
        store.back_up(tmp_path / "missing" / "copy.sqlite3")
    assert store.is_sound()
    assert store.add(_submission("{}")).number == 1


def test_a_closed_store_is_not_copied(store: SqliteJobStore, tmp_path: Path) -> None:
    store.close()
    with pytest.raises(StoreUnavailableError, match="closed"):
        store.back_up(tmp_path / "copy.sqlite3")


def test_commits_are_timed_with_and_without_a_sync(store: SqliteJobStore) -> None:
    number = store.add(_submission("{}")).number
    job = store.get(number)
    assert job is not None
    store.record(job, at_once=True)
    seen = store.commit_durations.distributions()
    assert {label: each.count for label, each in seen.items()} == {("durable",): 1, ("soon",): 1}
    assert all(each.sum_s > 0.0 for each in seen.values())
