"""The versions of the schema: a new store, one of the release before, and an upgrade that fails."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from meantime.errors import StoreUnavailableError, StoreVersionError
from meantime.jobs.job import Task
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import Submission
from meantime.jobs.sqlite.high_water_mark import HighWaterMark
from meantime.jobs.sqlite.job_rows import row_checksum
from meantime.jobs.sqlite.opening import SCHEMA, open_database
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore

TASK = Task("states_mean", '{"question":"Q"}', "brfss@1")

RELEASE_BEFORE = """
CREATE TABLE alembic_version (
  version_num VARCHAR(32) NOT NULL,
  CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE jobs (
  number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  task TEXT NOT NULL,
  arguments TEXT NOT NULL,
  version TEXT NOT NULL,
  owner TEXT NOT NULL,
  idempotency_key TEXT,
  checksum INTEGER NOT NULL,
  state TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  submitted_at FLOAT NOT NULL,
  started_at FLOAT,
  finished_at FLOAT,
  result_sha256 TEXT,
  result_size INTEGER,
  reason TEXT
);
CREATE INDEX jobs_unfinished ON jobs (number) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_ended_badly ON jobs (state, number) WHERE state IN ('failed', 'cancelled');
CREATE INDEX jobs_of_owner ON jobs (owner, number) WHERE owner <> '';
CREATE INDEX jobs_of_task ON jobs (task, number);
CREATE UNIQUE INDEX jobs_idempotency ON jobs (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE TABLE store_facts (
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (name)
);
INSERT INTO alembic_version (version_num) VALUES ('0001');
"""
"""What a new store was made from; the text is that release's."""

STORE_ID = "0123456789abcdef" * 2


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The directory of a store that the release before has closed: job 1 is done, job 2 of 3 evicted, 3 is queued."""
    directory = tmp_path / "old"
    directory.mkdir()
    (directory / "store-id").write_text(STORE_ID + "\n")
    (directory / "ballast").write_bytes(b"\0" * 4096)
    with closing(sqlite3.connect(directory / "jobs.sqlite3", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(RELEASE_BEFORE)
        connection.execute("INSERT INTO store_facts VALUES ('store_id', ?)", (STORE_ID,))
        for number, state, key in [(1, "done", None), (2, "failed", None), (3, "queued", "key")]:
            connection.execute(
                "INSERT INTO jobs VALUES (?, ?, ?, ?, 'alice', ?, ?, ?, 1, 1.5, 2.5, 3.5, 'ab', 12, NULL)",
                (
                    *(number, TASK.name, TASK.arguments, TASK.version, key),
                    row_checksum(number, TASK, "alice", key),
                    state,
                ),
            )
        connection.execute("DELETE FROM jobs WHERE number = 2")
    return directory


def schema_of(database: Path) -> tuple[int, list[str]]:
    with closing(sqlite3.connect(database)) as connection:
        [(version,)] = connection.execute("PRAGMA user_version")
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name").fetchall()
    return version, [re.sub(r"\s+", " ", sql) for (sql,) in rows]


def test_a_store_of_the_release_before_is_upgraded_with_all_it_holds(old: Path) -> None:
    with closing(SqliteJobStore(old)) as store:
        assert store.states_after(0, 10) == [(1, JobState.DONE), (3, JobState.QUEUED)]
        job = store.get(1)
        assert job is not None
        assert (job.task, job.owner, job.submitted_at, job.finished_at, job.result_size) == (
            TASK,
            "alice",
            1.5,
            3.5,
            12,
        )
        assert not store.add(Submission(TASK, 9.0, "alice", "key")).is_new
        assert store.add(Submission(TASK, 9.0, "alice", "another")).number == 4
    assert (old / "store-id").read_text() == STORE_ID + "\n"


def test_an_upgraded_store_has_the_schema_of_a_new_one(old: Path, tmp_path: Path) -> None:
    for directory in (old, tmp_path / "new"):
        SqliteJobStore(directory).close()
    assert schema_of(old / "jobs.sqlite3") == schema_of(tmp_path / "new" / "jobs.sqlite3")


def test_the_version_is_the_number_of_the_newest_file(tmp_path: Path) -> None:
    SqliteJobStore(tmp_path).close()
    numbers = [int(file.name[:4]) for file in sorted(SCHEMA.glob("*.sql"))]
    assert numbers == list(range(1, len(numbers) + 1))
    assert schema_of(tmp_path / "jobs.sqlite3")[0] == numbers[-1]


def test_an_upgrade_that_fails_leaves_the_file_as_it_was_found(old: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(SCHEMA, tmp_path / "schema"))
    (broken / "0003_broken.sql").write_text("CREATE TABLE extra (name TEXT);\nDROP TABLE nothing;\n")
    database = old / "jobs.sqlite3"
    content = database.read_bytes()
    with pytest.raises(StoreUnavailableError, match="nothing"):
        open_database(database, HighWaterMark(old / "high-water-mark"), schema=broken)
    assert database.read_bytes() == content
    assert not database.with_name("jobs.sqlite3-wal").exists()
    with closing(SqliteJobStore(old)) as store:
        assert store.add(Submission(TASK, 9.0)).number == 4


def test_a_store_that_a_newer_alembic_made_is_refused(old: Path) -> None:
    with closing(sqlite3.connect(old / "jobs.sqlite3")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0002'")
    with pytest.raises(StoreVersionError, match="newer version"):
        SqliteJobStore(old)
