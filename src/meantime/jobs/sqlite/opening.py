"""Open the SQLite file of a job store: check it, migrate it, and refuse rather than guess.

Nothing that was found is overwritten: a file that can't be trusted stays as it is, for a person to look at.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from pathlib import Path

from meantime.errors import StorageFullError, StoreCorruptError, StoreError, StoreUnavailableError, StoreVersionError

HEAD_REVISION = "0001"
"""The revision that this code reads and writes; a test holds it against migrations/versions."""

KNOWN_REVISIONS = ("0001",)

_BATCH_VIEW = "CREATE TEMP VIEW batch (a, b, c, d, e, f, g, h, i) AS SELECT 0, 0, 0, 0, 0, 0, 0, 0, 0"
_BATCH_ACCEPTS = """
CREATE TEMP TRIGGER batch_accepts INSTEAD OF INSERT ON batch WHEN NEW.b IS NULL BEGIN
  INSERT INTO jobs (number, state, attempt, task, arguments, version, owner, checksum, submitted_at)
  VALUES (NEW.a, 'queued', 0, NEW.c, NEW.d, NEW.e, NEW.f, NEW.g, NEW.h);
END"""
_BATCH_RECORDS = """
CREATE TEMP TRIGGER batch_records INSTEAD OF INSERT ON batch WHEN NEW.b IS NOT NULL BEGIN
  UPDATE jobs SET state = NEW.b, attempt = NEW.c, started_at = NEW.d, finished_at = NEW.e,
    result_sha256 = NEW.f, result_size = NEW.g, reason = NEW.h
  WHERE number = NEW.a AND state IN ('queued', 'running');
END"""
_BATCH = (_BATCH_VIEW, _BATCH_ACCEPTS, _BATCH_RECORDS)
"""A view whose rows are accepted jobs (no state) and notes on jobs, so that one statement writes a whole batch."""

_PRAGMAS = (
    "PRAGMA temp_store = MEMORY",
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA mmap_size = 0",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA wal_autocheckpoint = 8000",  # pages: a checkpoint holds up a commit, so let there be few
    "PRAGMA busy_timeout = 0",
)


def open_database(path: Path) -> sqlite3.Connection:
    """Open or create the database and bring it to this version's schema.

    Returns
    -------
    sqlite3.Connection
        The one connection, in autocommit mode; any thread may use it, one at a time.

    Raises
    ------
    StoreCorruptError
        The file is damaged, empty though it was in use before, or missing though its marker is there.
    StoreVersionError
        It was written by a newer version.
    StoreUnavailableError, StorageFullError
        It can't be written.
    """
    marker = path.with_name("store-id")
    is_new = _is_new(path, marker)
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    except sqlite3.Error as error:
        raise StoreUnavailableError(f"can't open {path}: {error}; choose another --state-dir") from error
    try:
        _prepare(connection, path, is_new=is_new)
        _migrate(connection, path)
        _check_identity(connection, marker, path)
        for statement in _BATCH:
            connection.execute(statement)
    except sqlite3.Error as error:
        connection.close()
        raise _opening_error(error, path) from error
    except BaseException:
        connection.close()
        raise
    path.chmod(0o600)
    return connection


def _is_new(path: Path, marker: Path) -> bool:
    """Whether there has never been a store here. A lost or emptied file is not a new one."""
    if marker.exists():
        if not path.exists() or path.stat().st_size == 0:
            what = "is missing" if not path.exists() else "is empty"
            raise StoreCorruptError(
                f"{path} {what}, but {marker.name} says that a store was here; restore a backup, "
                f"or delete {marker} to begin anew and give up the old jobs"
            )
        return False
    return not path.exists() or path.stat().st_size == 0


def _prepare(connection: sqlite3.Connection, path: Path, *, is_new: bool) -> None:
    """Set the pragmas and let SQLite check the whole file."""
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    if not is_new:
        problems = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
        if problems != ["ok"]:
            raise StoreCorruptError(f"{path} is damaged ({'; '.join(problems)}); restore a backup")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema to HEAD_REVISION: a new store at once, an older one by its migrations."""
    tables = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    revision = None
    if "alembic_version" in tables:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        revision = str(found[0]) if found else None
    elif tables - {"sqlite_sequence"}:
        raise StoreCorruptError(f"{path} is a database, but not a job store of Meantime; choose another --state-dir")
    if revision == HEAD_REVISION:
        return
    if revision is not None and revision not in KNOWN_REVISIONS:
        raise StoreVersionError(
            f"{path} was written by a newer version of Meantime (schema {revision}, this one knows {HEAD_REVISION}); "
            "install that version"
        )
    if revision is None:
        schema = (Path(__file__).parent.parent / "schema.sql").read_text(encoding="utf-8")
        connection.executescript(f"BEGIN IMMEDIATE;\n{schema}COMMIT;")
        return
    upgrade(connection)


def upgrade(connection: sqlite3.Connection) -> None:
    """Run the migrations that a store lacks; alembic and SQLAlchemy are imported only for this."""
    import sqlalchemy as sa
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations"))
    config.set_main_option("path_separator", "os")
    engine = sa.create_engine("sqlite://", creator=lambda: connection, poolclass=sa.StaticPool)
    with engine.begin() as bound:
        config.attributes["connection"] = bound
        command.upgrade(config, "head")


def _check_identity(connection: sqlite3.Connection, marker: Path, path: Path) -> None:
    """Hold the store against its marker file, or write the marker of a new store."""
    found = connection.execute("SELECT value FROM store_facts WHERE name = 'store_id'").fetchone()
    if found is None:
        store_id = secrets.token_hex(16)
        connection.execute("INSERT INTO store_facts (name, value) VALUES ('store_id', ?)", (store_id,))
    else:
        store_id = str(found[0])
    if not marker.exists():
        _write_durably(marker, store_id + "\n")
        return
    expected = marker.read_text("ascii", errors="replace").strip()
    if expected != store_id:
        raise StoreCorruptError(
            f"{path} is not the store that {marker.name} names; restore the right file, or delete {marker} to accept it"
        )


def _write_durably(path: Path, text: str) -> None:
    """Write a small file so that it is there, whole, after a power cut."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, text.encode("ascii"))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _opening_error(error: sqlite3.Error, path: Path) -> StoreError:
    """Say in one line why a store can't be opened."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return StoreCorruptError(f"{path} is damaged ({error}); restore a backup")
    if code == sqlite3.SQLITE_FULL:
        return StorageFullError(f"no space is left for {path}; free some")
    return StoreUnavailableError(f"can't use {path}: {error}; check its folder, or choose another --state-dir")
