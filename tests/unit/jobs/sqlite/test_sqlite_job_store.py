"""What only the SQLite adapter can do wrong: damaged, foreign and locked stores; disks that fail or are full."""

from __future__ import annotations

import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from meantime.errors import (
    StorageFullError,
    StoreCorruptError,
    StoreUnavailableError,
    StoreVersionError,
)
from meantime.jobs.job import Job, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import Submission
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.jobs.sqlite.statements import ROWS_PER_STATEMENT

TASK = Task("states_mean", '{"question":"Q"}', "brfss@1")


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """A state directory with one accepted job in a cleanly closed store."""
    store = SqliteJobStore(tmp_path)
    store.add(Submission(TASK, 1.0))
    store.close()
    return tmp_path


def change(directory: Path, statement: str) -> None:
    connection = sqlite3.connect(directory / "jobs.sqlite3")
    with connection:
        connection.execute(statement)
    connection.close()


def test_files_are_for_their_owner_alone(used: Path) -> None:
    for name in ("jobs.sqlite3", "store-id", "lock", "high-water-mark", "spare-space"):
        assert stat.S_IMODE((used / name).stat().st_mode) == 0o600, name


def test_a_second_server_is_refused_and_told_whose_store_it_is(used: Path) -> None:
    store = SqliteJobStore(used)
    code = (
        "import sys, pathlib\n"
        "from meantime.errors import StoreLockedError\n"
        "from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore\n"
        "try:\n"
        "    SqliteJobStore(pathlib.Path(sys.argv[1]))\n"
        "except StoreLockedError as error:\n"
        "    print(error)\n"
    )
    other = subprocess.run([sys.executable, "-c", code, str(used)], capture_output=True, text=True, check=True)
    store.close()
    assert re.search(r"another server \(process \d+\) uses", other.stdout)
    SqliteJobStore(used).close()


def test_the_lock_is_free_after_a_failed_opening(used: Path) -> None:
    (used / "jobs.sqlite3").write_bytes(b"no database" * 100)
    for _ in range(2):
        with pytest.raises(StoreCorruptError):
            SqliteJobStore(used)


def test_the_lock_is_free_after_the_spare_space_could_not_be_taken(used: Path) -> None:
    (used / "spare-space").unlink()
    (used / "spare-space").mkdir()
    for _ in range(2):
        with pytest.raises(StoreUnavailableError, match="spare-space"):
            SqliteJobStore(used)
    (used / "spare-space").rmdir()
    SqliteJobStore(used).close()


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty"), (None, "is missing"), (b"garbage " * 512, "is damaged")],
    ids=["emptied", "missing", "garbage"],
)
def test_a_lost_store_is_never_taken_for_a_new_one(used: Path, content: bytes | None, message: str) -> None:
    file = used / "jobs.sqlite3"
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    with pytest.raises(StoreCorruptError, match=message):
        SqliteJobStore(used)
    assert file.exists() is (content is not None)
    assert content is None or file.read_bytes() == content


def test_a_truncated_store_is_refused_and_left_as_it_was(used: Path) -> None:
    file = used / "jobs.sqlite3"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(StoreCorruptError, match="damaged"):
        SqliteJobStore(used)
    assert file.read_bytes() == content[: len(content) // 2]


def test_another_store_in_its_place_is_refused(used: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    SqliteJobStore(other).close()
    (used / "jobs.sqlite3").write_bytes((other / "jobs.sqlite3").read_bytes())
    with pytest.raises(StoreCorruptError, match="is not the store that"):
        SqliteJobStore(used)


def test_a_store_of_a_newer_version_is_refused(used: Path) -> None:
    change(used, "PRAGMA user_version = 9999")
    with pytest.raises(StoreVersionError, match="newer version"):
        SqliteJobStore(used)


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    change(tmp_path, "CREATE TABLE recipes (name TEXT)")
    with pytest.raises(StoreCorruptError, match="not a job store"):
        SqliteJobStore(tmp_path)


def test_a_job_whose_request_was_altered_is_refused_not_answered(used: Path) -> None:
    change(used, 'UPDATE jobs SET arguments = \'{"question":"R"}\'')
    store = SqliteJobStore(used)
    with pytest.raises(StoreCorruptError, match="job 1 .* is damaged"):
        store.get(1)
    store.close()


def test_an_unknown_state_in_the_store_is_refused(used: Path) -> None:
    change(used, "UPDATE jobs SET state = 'dome'")
    store = SqliteJobStore(used)
    with pytest.raises(StoreCorruptError, match="unknown job state 'dome'"):
        store.states_after(0, 10)
    store.close()


class FaultyConnection(sqlite3.Connection):
    """The driver's connection on a disk that can break, or be too small."""

    is_broken = False

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> sqlite3.Cursor:  # type: ignore[override]
        if self.is_broken and statement.startswith("INSERT INTO batch"):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return super().execute(statement, parameters)

    def leave_room_for(self, page_count: int) -> None:
        """Let the database grow by so many pages and no more."""
        [(size,)] = self.execute("PRAGMA page_count")
        self.execute(f"PRAGMA max_page_count = {size + page_count}")


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[FaultyConnection]:
    """The connections that are opened, latest last."""
    opened: list[FaultyConnection] = []
    connect = sqlite3.connect

    def connect_faulty(
        path: Path, *, isolation_level: None, check_same_thread: bool, cached_statements: int
    ) -> sqlite3.Connection:
        opened.append(
            connect(
                path,
                isolation_level=isolation_level,
                check_same_thread=check_same_thread,
                cached_statements=cached_statements,
                factory=FaultyConnection,
            )
        )
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", connect_faulty)
    return opened


def test_after_a_failed_sync_nothing_is_acknowledged_any_more(
    tmp_path: Path, connections: list[FaultyConnection]
) -> None:
    store = SqliteJobStore(tmp_path)
    connections[0].is_broken = True
    with pytest.raises(StoreUnavailableError, match="disk I/O error"):
        store.add(Submission(TASK, 1.0))
    connections[0].is_broken = False
    with pytest.raises(StoreUnavailableError, match="until the server is restarted"):
        store.add(Submission(TASK, 2.0))
    assert not store.is_sound()
    assert store.states_after(0, 10) == []  # reading still works
    store.close()
    store = SqliteJobStore(tmp_path)
    assert store.is_sound()
    assert store.add(Submission(TASK, 3.0)).number == 1
    store.close()


def test_a_full_disk_refuses_one_job_and_takes_the_next_when_there_is_room(
    tmp_path: Path, connections: list[FaultyConnection]
) -> None:
    store = SqliteJobStore(tmp_path)
    connections[0].leave_room_for(0)
    accepted: list[int] = []
    with pytest.raises(StorageFullError, match="storage full"):
        accepted.extend(store.add(Submission(Task("t", "x" * 500, "v"), 1.0)).number for _ in range(200))
    connections[0].leave_room_for(100)
    number = store.add(Submission(TASK, 1.0)).number
    assert number > len(accepted)
    assert store.is_sound()
    assert store.states_after(0, 1000)[-1] == (number, JobState.QUEUED)
    store.close()


def test_a_keyed_job_that_a_full_disk_refuses_is_not_there_and_can_be_sent_again(
    tmp_path: Path, connections: list[FaultyConnection]
) -> None:
    store = SqliteJobStore(tmp_path)
    number = store.add(Submission(TASK, 1.0)).number
    store.record(Job(number=number, task=TASK, state=JobState.FAILED, attempt=1, reason="x" * 50_000))
    connections[0].leave_room_for(4)  # the keyed job alone would fit, but not what is written with it
    keyed = Submission(TASK, 2.0, "alice", "key")
    told: list[Job] = []
    with pytest.raises(StorageFullError, match="storage full"):
        store.add(keyed, told.append)
    assert [found for found, _ in store.states_after(0, 10)] == [number]
    assert told == []
    connections[0].leave_room_for(100)
    receipt = store.add(keyed, told.append)
    assert receipt.is_new
    assert [job.number for job in told] == [receipt.number]
    assert store.states_after(0, 10) == [(number, JobState.FAILED), (receipt.number, JobState.QUEUED)]
    store.close()


def test_a_commit_of_many_statements_is_written_whole_or_not_at_all(
    tmp_path: Path, connections: list[FaultyConnection]
) -> None:
    store = SqliteJobStore(tmp_path)
    numbers = [store.add(Submission(TASK, 1.0)).number for _ in range(2 * ROWS_PER_STATEMENT)]
    connections[0].leave_room_for(10)
    for number in numbers:
        store.record(Job(number=number, task=TASK, state=JobState.FAILED, attempt=1, reason="x" * 500))
    with pytest.raises(StorageFullError):
        store.flush()
    assert {state for _, state in store.states_after(0, 1000)} == {JobState.QUEUED}
    connections[0].leave_room_for(100)
    store.flush()
    assert {state for _, state in store.states_after(0, 1000)} == {JobState.FAILED}
    store.close()


def test_the_spare_space_of_an_earlier_release_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "ballast").write_bytes(b"\0" * 4096)
    SqliteJobStore(tmp_path).close()
    assert not (tmp_path / "ballast").exists()
    assert (tmp_path / "spare-space").stat().st_size > 4096
