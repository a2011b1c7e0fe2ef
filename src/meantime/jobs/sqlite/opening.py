"""Open the SQLite file of a job store: check it, bring it to this version's schema, and refuse rather than guess.

Nothing that was found is overwritten: a file that can't be trusted stays as it is, for a person to look at.
"""

from __future__ import annotations

import logging
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from meantime.errors import StorageFullError, StoreCorruptError, StoreError, StoreUnavailableError, StoreVersionError
from meantime.jobs.sqlite import numbering, statements
from meantime.jobs.sqlite.high_water_mark import HighWaterMark
from meantime.jobs.sqlite.numbering import Witnesses
from meantime.jobs.state_directory import StateLock, storage_error, write_durably

_log = logging.getLogger(__name__)

SCHEMA = Path(__file__).parent / "schema"
"""Numbered SQL files: each brings a store from the version before to its own, which is SQLite's user_version."""

_STORE_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)

_VERSION_WITH_MARK = 2
"""From this version on a store has a high-water mark beside it."""


class OpenedDatabase(NamedTuple):
    """The one connection, the number that numbering goes on from, and what was known of the numbers before.

    Between ``range_start`` and ``last_number`` are no gaps but those of writes that failed.
    """

    connection: sqlite3.Connection
    last_number: int
    range_start: int
    witnesses: Witnesses


@dataclass(frozen=True, slots=True)
class _Found:
    """A database as it was found; version 0 is an empty one."""

    version: int
    last_number: int
    facts: Mapping[str, str]


def open_database(
    path: Path,
    mark: HighWaterMark,
    *,
    highest_result: Callable[[], int] = lambda: 0,
    accepts_loss: bool = False,
    schema: Path = SCHEMA,
) -> OpenedDatabase:
    """Open or create the database and bring it to this version's schema.

    Parameters
    ----------
    path
        The database; ``store-id`` beside it says that there was one before.
    mark
        The store's high-water mark, which is opened.
    highest_result
        Returns the highest number in a result file's name. Listing a million takes most of a second, so it is asked
        only where no mark says what was given.
    accepts_loss
        Whether to go on above all that is known, though accepted jobs or the mark are missing.
    schema
        The folder of numbered SQL files.

    Returns
    -------
    OpenedDatabase
        Its connection is in autocommit mode; any thread may use it, one at a time.

    Raises
    ------
    StoreCorruptError
        The file is damaged, empty though it was in use before, missing though its marker is there, or lacks jobs that
        were accepted.
    StoreVersionError
        It was written by a newer version.
    StoreUnavailableError, StorageFullError
        It can't be written.
    """
    marker = path.with_name("store-id")
    is_new = _is_new(path, marker)
    with _connected(path) as connection:
        _prepare(connection, path, is_new=is_new)
        found = _look(connection, path, newest=_newest_version(schema))
        store_id = _identity(found, marker, path)
        marked, is_copy = mark.read(), statements.IS_COPY in found.facts
        witnesses = Witnesses(
            in_database=found.last_number,
            mark=marked,
            in_results=highest_result() if marked is None or is_new or is_copy else 0,
            has_mark=found.version >= _VERSION_WITH_MARK or mark.path.exists(),
            is_new=is_new,
            is_copy=is_copy,
        )
        last_number = numbering.last_number(witnesses, path, accepts_loss=accepts_loss)
        if witnesses.mark is None and not witnesses.is_mark_lost:
            # Before the database says that there is a mark: after a kill in between, none would be missed.
            mark.write(found.last_number)
        _bring_up_to_date(connection, found, store_id, last_number, schema)
        for statement in statements.BATCH:
            connection.execute(statement)
        if mark.read() != last_number:
            mark.write(last_number)
        if not marker.exists():
            write_durably(marker, store_id + "\n")
        path.chmod(0o600)
        mark.open()
    range_start = int(found.facts.get(statements.RANGE_START, "0"))
    if last_number != found.last_number:
        range_start = last_number
    return OpenedDatabase(connection, last_number, range_start, witnesses)


def log_new_range(opened: OpenedDatabase, path: Path) -> None:
    """Say in the log where numbers go on, if that isn't where the database ends."""
    witnesses = opened.witnesses
    if opened.last_number != witnesses.in_database:
        found = [f"{path} ends at job {witnesses.in_database}"]
        if witnesses.mark is not None:
            found.append(f"the mark at {witnesses.mark}")
        if witnesses.in_results:
            found.append(f"results/ at job_id_{witnesses.in_results}")
        _log.warning("%s: numbers go on after %d", ", ".join(found), opened.last_number)


def accept_lost_jobs(directory: Path, highest_result: Callable[[], int] = lambda: 0) -> str:
    """Open a store that is refused because accepted jobs, or the mark, are missing; return what was given up.

    Its numbers go on above all that is known to have been given. Nothing happens to a store that isn't refused.

    Raises
    ------
    StoreError
        Another server uses the store, or it can't be opened for another reason.
    """
    path, mark, lock = directory / "jobs.sqlite3", HighWaterMark(directory / "high-water-mark"), StateLock(directory)
    lock.acquire()
    try:
        opened = open_database(path, mark, highest_result=highest_result, accepts_loss=True)
        log_new_range(opened, path)
        opened.connection.close()
        mark.close()
    finally:
        lock.release()
    return numbering.loss_of(opened.witnesses)


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection; close it when the block raises, and say in one line why."""
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    except sqlite3.Error as error:
        raise StoreUnavailableError(f"can't open {path}: {error}; choose another --state-dir") from error
    try:
        yield connection
    except sqlite3.Error as error:
        connection.close()
        raise _opening_error(error, path) from error
    except OSError as error:
        connection.close()
        raise storage_error(error, f"can't write beside {path}") from error
    except BaseException:
        connection.close()
        raise


def _is_new(path: Path, marker: Path) -> bool:
    """Whether there has never been a store here. A lost or emptied file is not a new one."""
    is_missing = not path.exists()
    is_empty = not is_missing and path.stat().st_size == 0
    if (is_missing or is_empty) and marker.exists():
        raise StoreCorruptError(
            f"{path} is {'missing' if is_missing else 'empty'}, but {marker.name} says that a store was here; "
            f"restore a backup, or delete {marker} to begin anew and give up the old jobs"
        )
    return is_missing or is_empty


def _prepare(connection: sqlite3.Connection, path: Path, *, is_new: bool) -> None:
    """Set the pragmas and let SQLite check the whole file."""
    for pragma in statements.CONNECTION_PRAGMAS:
        connection.execute(pragma)
    if not is_new:
        problems = [str(row[0]) for row in connection.execute(statements.QUICK_CHECK)]
        if problems != ["ok"]:
            raise StoreCorruptError(f"{path} is damaged ({'; '.join(problems)}); restore a backup")


def _look(connection: sqlite3.Connection, path: Path, *, newest: int) -> _Found:
    """Find out what kind of database it is."""
    tables = {name for (name,) in connection.execute(statements.TABLES)}
    version: int = connection.execute(statements.USER_VERSION).fetchone()[0]
    if version == 0 and "alembic_version" in tables:  # the release before numbered its schema there
        [(revision,)] = connection.execute(statements.ALEMBIC_VERSION).fetchall() or [("",)]
        version = 1 if revision == "0001" else newest + 1
    if version > newest:
        raise StoreVersionError(
            f"{path} was written by a newer version of Meantime (schema {version}, this one knows {newest}); "
            "install that version"
        )
    if version == 0 and tables - {"sqlite_sequence"}:
        raise StoreCorruptError(f"{path} is a database, but not a job store of Meantime; choose another --state-dir")
    if version == 0:
        return _Found(0, 0, {})
    last_number: int = connection.execute(statements.LAST_NUMBER).fetchone()[0]
    return _Found(version, last_number, dict(connection.execute(statements.FACTS)))


def _identity(found: _Found, marker: Path, path: Path) -> str:
    """Return the id that the database and its marker agree on; a new one when neither has any."""
    expected = marker.read_text("ascii", errors="replace").strip() if marker.exists() else None
    store_id = found.facts.get(statements.STORE_ID)
    if expected is not None and (expected != store_id if store_id else _STORE_ID.fullmatch(expected) is None):
        raise StoreCorruptError(
            f"{path} is not the store that {marker.name} names; restore the right file, or delete {marker} to accept it"
        )
    return store_id or expected or secrets.token_hex(16)


def _newest_version(schema: Path) -> int:
    return max(int(file.name[:4]) for file in schema.glob("*.sql"))


def _bring_up_to_date(
    connection: sqlite3.Connection, found: _Found, store_id: str, last_number: int, schema: Path
) -> None:
    """Make all changes that the database needs, in one transaction; none when it needs none."""
    newest = _newest_version(schema)
    script: list[str] = []
    if found.version < newest:
        files = sorted(schema.glob("*.sql"))
        script += [file.read_text(encoding="utf-8") for file in files if int(file.name[:4]) > found.version]
        script.append(statements.set_user_version(newest) + ";")
    if statements.STORE_ID not in found.facts:
        script.append(statements.set_store_id(store_id) + ";")
    if statements.IS_COPY in found.facts:
        script += [statements.UNMARK_AS_COPY + ";", statements.FORGET_ENCLOSED + ";"]
    if last_number != found.last_number:
        script += [statements.FORGET_LAST_NUMBER + ";", statements.set_last_number(last_number) + ";"]
        script.append(statements.set_range_start(last_number) + ";")
    if not script:
        return
    try:
        connection.executescript("\n".join([statements.BEGIN + ";", *script, statements.COMMIT + ";"]))
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute(statements.ROLLBACK)
        raise


def _opening_error(error: sqlite3.Error, path: Path) -> StoreError:
    """Say in one line why a store can't be opened."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return StoreCorruptError(f"{path} is damaged ({error}); restore a backup")
    if code == sqlite3.SQLITE_FULL:
        return StorageFullError(f"no space is left for {path}; free some")
    return StoreUnavailableError(f"can't use {path}: {error}; check its folder, or choose another --state-dir")
