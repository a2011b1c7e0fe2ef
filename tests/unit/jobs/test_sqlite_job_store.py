"""What only the SQLite adapter can do wrong: opening damaged, foreign, newer and locked stores; failing disks."""

from __future__ import annotations

import re
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from meantime.errors import (
    StorageFullError,
    StoreCorruptError,
    StoreUnavailableError,
    StoreVersionError,
)
from meantime.jobs.job import Task
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import Submission
from meantime.jobs.sqlite import opening as sqlite_opening
from meantime.jobs.sqlite.sqlite_job_store import ROWS_PER_STATEMENT, SqliteJobStore

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


def test_the_head_revision_is_the_newest_migration() -> None:
    versions = Path(sqlite_opening.__file__).parent.parent / "migrations" / "versions"
    revisions = [re.search(r'^revision = "(\d+)"', file.read_text(), re.MULTILINE) for file in versions.glob("r*.py")]
    found = sorted(match.group(1) for match in revisions if match)
    assert found == sorted(sqlite_opening.KNOWN_REVISIONS)
    assert found[-1] == sqlite_opening.HEAD_REVISION


def test_a_new_store_has_the_schema_that_all_migrations_leave(tmp_path: Path) -> None:
    def schema_of(connection: sqlite3.Connection) -> list[str]:
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name").fetchall()
        return [re.sub(r"\s+", " ", row[0]).replace(", ", ",") for row in rows]

    new = sqlite_opening.open_database(tmp_path / "new.sqlite3")
    migrated = sqlite3.connect(tmp_path / "migrated.sqlite3", isolation_level=None)
    sqlite_opening.upgrade(migrated)
    revisions = [c.execute("SELECT version_num FROM alembic_version").fetchall() for c in (new, migrated)]
    schemas = [schema_of(connection) for connection in (new, migrated)]
    new.close()
    migrated.close()
    assert schemas[0] == schemas[1]
    assert revisions[0] == revisions[1] == [(sqlite_opening.HEAD_REVISION,)]


def test_files_are_for_their_owner_alone(used: Path) -> None:
    for name in ("jobs.sqlite3", "store-id", "lock"):
        assert stat.S_IMODE((used / name).stat().st_mode) == 0o600, name


def test_a_second_server_is_refused_and_told_whose_store_it_is(used: Path) -> None:
    store = SqliteJobStore(used)
    code = (
        "import sys, pathlib\n"
        "from meantime.errors import StoreLockedError\n"
        "from meantime.jobs.sqlite.sqlite_job_store import ROWS_PER_STATEMENT, SqliteJobStore\n"
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
    change(used, "UPDATE alembic_version SET version_num = '9999'")
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


class FailingConnection:
    """Stands in for the driver's connection: a batch fails as a broken disk makes it fail."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.fails = True

    def execute(self, statement: str, parameters: tuple[object, ...] = ()) -> sqlite3.Cursor:
        if statement.startswith("INSERT INTO batch") and self.fails:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return self.connection.execute(statement, parameters)

    def __getattr__(self, name: str) -> object:
        return getattr(self.connection, name)


def test_after_a_failed_sync_nothing_is_acknowledged_any_more(tmp_path: Path) -> None:
    store = SqliteJobStore(tmp_path)
    failing = FailingConnection(store._connection)
    store._connection = failing  # type: ignore[assignment]  # a fake of the driver
    with pytest.raises(StoreUnavailableError, match="disk I/O error"):
        store.add(Submission(TASK, 1.0))
    failing.fails = False
    with pytest.raises(StoreUnavailableError, match="until the server is restarted"):
        store.add(Submission(TASK, 2.0))
    assert not store.is_sound()
    assert store.states_after(0, 10) == []  # reading still works
    store.close()
    store = SqliteJobStore(tmp_path)
    assert store.is_sound()
    assert store.add(Submission(TASK, 3.0)) == 1
    store.close()


def test_a_full_disk_refuses_one_job_and_takes_the_next_when_there_is_room(tmp_path: Path) -> None:
    store = SqliteJobStore(tmp_path)
    pages = int(store._connection.execute("PRAGMA page_count").fetchone()[0])
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    accepted: list[int] = []
    with pytest.raises(StorageFullError, match="storage full"):
        accepted.extend(store.add(Submission(Task("t", "x" * 500, "v"), 1.0)) for _ in range(200))
    store._connection.execute(f"PRAGMA max_page_count = {pages * 10}")
    number = store.add(Submission(TASK, 1.0))
    assert number > len(accepted)
    assert store.is_sound()
    assert store.states_after(0, 1000)[-1] == (number, JobState.QUEUED)
    store.close()


def test_a_batch_of_many_statements_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    store = SqliteJobStore(tmp_path)
    pages = int(store._connection.execute("PRAGMA page_count").fetchone()[0])
    store._connection.execute(f"PRAGMA max_page_count = {pages + 10}")
    batch = [Submission(Task("t", "x" * 500, "v"), 1.0)] * (2 * ROWS_PER_STATEMENT)
    with pytest.raises(StorageFullError):
        store._commit(batch, [])
    assert store.states_after(0, 1000) == []
    store._connection.execute(f"PRAGMA max_page_count = {pages * 10}")
    assert len(store._commit(batch, [])) == len(batch)
    assert len(store.states_after(0, 1000)) == len(batch)
    store.close()
