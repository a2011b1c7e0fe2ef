"""Every SQL statement of the adapter, by name. Nothing is run here; the tables are made by ``schema/*.sql``."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from meantime.jobs.job_store import HIGHEST_NUMBER, JobFilter
from meantime.jobs.sqlite.job_rows import JobRow, NoteRow

ROWS_PER_STATEMENT = 64

# Opening --------------------------------------------------------------------------------------------------------------

CONNECTION_PRAGMAS = (
    "PRAGMA temp_store = MEMORY",
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA mmap_size = 0",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA wal_autocheckpoint = 8000",  # pages: a checkpoint holds up a commit, so let there be few
    "PRAGMA busy_timeout = 0",
)
NO_LOG = "PRAGMA journal_mode = DELETE"
QUICK_CHECK = "PRAGMA quick_check(3)"
INTEGRITY_CHECK = "PRAGMA integrity_check(3)"
USER_VERSION = "PRAGMA user_version"
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
ALEMBIC_VERSION = "SELECT version_num FROM alembic_version"
LAST_NUMBER = (
    "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'jobs'), 0),"
    " coalesce((SELECT max(number) FROM jobs), 0))"
)
FACTS = "SELECT name, value FROM store_facts"

STORE_ID = "store_id"
IS_COPY = "is_copy"
"""The fact that a database is a backup that nobody has opened as a store yet."""

RANGE_START = "range_start"
"""The fact from which number on jobs are numbered without a wide gap; 0 without it."""

MARK_AS_COPY = f"INSERT OR REPLACE INTO store_facts (name, value) VALUES ('{IS_COPY}', 'yes')"  # noqa: S608  # a constant
UNMARK_AS_COPY = f"DELETE FROM store_facts WHERE name = '{IS_COPY}'"  # noqa: S608  # a constant
ENCLOSED_PREFIX = "enclosed:"
"""Begins the facts of a copy that are for whoever restores it."""

ENCLOSE = "INSERT OR REPLACE INTO store_facts (name, value) VALUES (?, ?)"
FORGET_ENCLOSED = f"DELETE FROM store_facts WHERE name LIKE '{ENCLOSED_PREFIX}%'"  # noqa: S608  # a constant
FORGET_LAST_NUMBER = "DELETE FROM sqlite_sequence WHERE name = 'jobs'"


def set_user_version(version: int) -> str:
    """Return the statement that sets the version of the schema."""
    return f"PRAGMA user_version = {version:d}"


def set_store_id(store_id: str) -> str:
    """Return the statement that names a store, by a number in hexadecimal."""
    return f"INSERT INTO store_facts (name, value) VALUES ('{STORE_ID}', '{int(store_id, 16):032x}')"  # noqa: S608


def set_last_number(number: int) -> str:
    """Return the statement that sets the last number used, after FORGET_LAST_NUMBER."""
    return f"INSERT INTO sqlite_sequence (name, seq) VALUES ('jobs', {number:d})"  # noqa: S608  # a number


def set_range_start(number: int) -> str:
    """Return the statement that says where a new range of numbers begins."""
    return f"INSERT OR REPLACE INTO store_facts (name, value) VALUES ('{RANGE_START}', '{number:d}')"  # noqa: S608


# Writing --------------------------------------------------------------------------------------------------------------

SYNC_ON_COMMIT = "PRAGMA synchronous = FULL"
NO_SYNC_ON_COMMIT = "PRAGMA synchronous = NORMAL"
BEGIN = "BEGIN IMMEDIATE"
COMMIT = "COMMIT"
ROLLBACK = "ROLLBACK"

BATCH = (
    "CREATE TEMP VIEW batch (a, b, c, d, e, f, g, h, i) AS SELECT 0, 0, 0, 0, 0, 0, 0, 0, 0",
    """
CREATE TEMP TRIGGER batch_accepts INSTEAD OF INSERT ON batch WHEN NEW.b IS NULL BEGIN
  INSERT INTO jobs (number, state, attempt, task, arguments, version, owner, checksum, submitted_at, idempotency_key)
  VALUES (NEW.a, 'queued', 0, NEW.c, NEW.d, NEW.e, NEW.f, NEW.g, NEW.h, NEW.i);
END""",
    """
CREATE TEMP TRIGGER batch_records INSTEAD OF INSERT ON batch WHEN NEW.b IS NOT NULL BEGIN
  UPDATE jobs SET state = NEW.b, attempt = NEW.c, started_at = NEW.d, finished_at = NEW.e,
    result_sha256 = NEW.f, result_size = NEW.g, reason = NEW.h
  WHERE number = NEW.a AND state IN ('queued', 'running');
END""",
)
"""A view that takes accepted jobs (AcceptedRow) and notes on jobs (NoteRow): one statement writes a whole batch.

The driver gives the GIL away at every statement and, with many threads about, waits long to get it back.
"""


@lru_cache(ROWS_PER_STATEMENT)
def insert_batch(count: int) -> str:
    """Return the statement that writes ``count`` rows of a batch."""
    return "INSERT INTO batch VALUES " + _rows(count, len(NoteRow._fields))  # noqa: S608  # question marks only


@lru_cache(ROWS_PER_STATEMENT)
def numbers_of_keys(count: int) -> str:
    """Return the query for (owner, key, number) of those of ``count`` pairs (owner, key) that have a job."""
    return (
        f"WITH asked (owner, idempotency_key) AS (VALUES {_rows(count, 2)})"  # noqa: S608  # question marks only
        " SELECT jobs.owner, jobs.idempotency_key, jobs.number FROM asked CROSS JOIN jobs"
        " ON jobs.owner = asked.owner AND jobs.idempotency_key = asked.idempotency_key"
    )


def _rows(count: int, width: int) -> str:
    row = "(" + ", ".join("?" * width) + ")"
    return ", ".join([row] * count)


NEWEST_BEYOND = "SELECT number FROM jobs ORDER BY number DESC LIMIT 1 OFFSET ?"
"""The newest job beyond a count of newer ones; its cost grows with the count."""

DELETE_ENDED_JOB = "DELETE FROM jobs WHERE number = ? AND state IN ('done', 'failed', 'cancelled')"

# Reading --------------------------------------------------------------------------------------------------------------

_JOBS = f"SELECT {', '.join(JobRow._fields)} FROM jobs"  # noqa: S608  # names of columns


class Query(NamedTuple):
    """A statement and what its question marks stand for."""

    statement: str
    parameters: tuple[object, ...] = ()


EVERY_JOB = Query(f"{_JOBS} ORDER BY number")
UNFINISHED_JOBS = Query(f"{_JOBS} WHERE state IN ('queued', 'running') ORDER BY number")


def one_job(number: int) -> Query:
    """Return the query for one job."""
    return Query(f"{_JOBS} WHERE number = ?", (number,))


def states_after(number: int, owner: str | None, limit: int) -> Query:
    """Return the query for (number, state) of the jobs with a greater number, ascending; None: all owners'."""
    # The second condition on the owner lets the planner use the index of owned jobs.
    of_owner = "" if owner is None else " AND owner = ? AND owner <> ''"
    parameters = (min(number, HIGHEST_NUMBER), *(() if owner is None else (owner,)), limit)
    statement = f"SELECT number, state FROM jobs WHERE number > ?{of_owner} ORDER BY number LIMIT ?"  # noqa: S608
    return Query(statement, parameters)


def page_of_jobs(job_filter: JobFilter, *, before: int | None, limit: int) -> Query:
    """Return the query for the jobs that pass a filter, newest first, with a number below ``before``."""
    conditions = ["number < ?"]
    parameters: list[object] = [HIGHEST_NUMBER + 1 if before is None else min(before, HIGHEST_NUMBER + 1)]
    if job_filter.owner is not None:
        conditions.append("owner = ? AND owner <> ''" if job_filter.owner else "owner = ?")
        parameters.append(job_filter.owner)
    if job_filter.state is not None:
        # Spelled out, not bound: a partial index serves only a condition that the planner can see.
        conditions.append(f"state = '{job_filter.state.value}'")
    if job_filter.task_name is not None:
        conditions.append("task = ?")
        parameters.append(job_filter.task_name)
    if job_filter.version_prefix is not None:
        conditions.append("substr(version, 1, ?) = ?")
        parameters += [len(job_filter.version_prefix), job_filter.version_prefix]
    if job_filter.submitted_since is not None:
        conditions.append("submitted_at >= ?")
        parameters.append(job_filter.submitted_since)
    return Query(f"{_JOBS} WHERE {' AND '.join(conditions)} ORDER BY number DESC LIMIT ?", (*parameters, limit))


_ENDED = (
    "SELECT number, coalesce(finished_at, 0.0), result_sha256, coalesce(result_size, 0) FROM jobs"
    " WHERE state IN ('done', 'failed', 'cancelled')"
)
ENDED_TOTALS = Query(
    "SELECT count(*), coalesce(sum(result_size), 0), max(finished_at) FROM jobs"
    " WHERE state IN ('done', 'failed', 'cancelled')"
)


def ended_up_to(number: int, limit: int) -> Query:
    """Return the query for the ended jobs up to a number, oldest first; its columns are EndedJob's."""
    return Query(f"{_ENDED} AND number <= ? ORDER BY number LIMIT ?", (number, limit))


def ended_after(number: int, limit: int) -> Query:
    """Return the query for the ended jobs after a number, oldest first; its columns are EndedJob's."""
    return Query(f"{_ENDED} AND number > ? ORDER BY number LIMIT ?", (number, limit))
