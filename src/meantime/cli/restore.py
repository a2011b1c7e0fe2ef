"""``meantime restore``: puts a backup in the place of a job store, with its access keys. Nothing is deleted."""

from __future__ import annotations

import itertools
import os
import shutil
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from meantime.cli.errors import one_line_errors
from meantime.cli.output import print_lines
from meantime.errors import BackupError
from meantime.settings import Settings, load_settings

EPILOG = """
\b
Example, with the server stopped:
  meantime restore /srv/backups/meantime-20261122T235907Z.sqlite3 --state-dir /srv/m
"""

_STORE_FILES = ("jobs.sqlite3-wal", "jobs.sqlite3-shm", "jobs.sqlite3")
"""In the order in which they go: SQLite would apply an old log to the copy."""


@click.command(epilog=EPILOG)
@click.argument("backup", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--state-dir", metavar="VALUE", help="The server's state directory. [default: as for serve]")
@click.option("--config", type=click.Path(path_type=Path), help="A TOML file with settings. [default: meantime.toml]")
def restore(backup: Path, state_dir: str | None, config: Path | None) -> None:
    """Put BACKUP, a file that meantime backup wrote, in the place of the job store.

    The server must not run. What was there is kept beside it under another name. Access keys come back where there are
    none; those that are there stay.
    """
    with one_line_errors():
        settings = load_settings({"state_dir": state_dir}, config=config)
        lines = restore_backup(settings, backup)
    print_lines(*lines)


def restore_backup(settings: Settings, backup: Path, *, now: datetime | None = None) -> list[str]:
    """Restore a backup, and return lines that say what was done.

    Parameters
    ----------
    settings
        Whose state directory it goes to.
    backup
        A file that ``meantime backup`` wrote.
    now
        What the files that were there are renamed after; the present without it.

    Raises
    ------
    BackupError
        The file is no backup, or one of another store; nothing was changed.
    StoreError
        A server runs there, the file is damaged, or the folder can't be written.
    """
    from meantime.jobs.results.results_directory import highest_result_number
    from meantime.jobs.sqlite.copies import inspect_copy
    from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
    from meantime.jobs.state_directory import StateLock

    if not backup.is_file():
        raise BackupError(f"{backup} is no file; name one that meantime backup wrote")
    facts = inspect_copy(backup)
    if not facts.is_backup:
        raise BackupError(
            f"{backup} was not written by meantime backup, or a server has gone on from it; name another file"
        )
    lock = StateLock(settings.store_dir)
    lock.acquire()
    try:
        _check_is_of_this_store(settings.store_dir / "store-id", backup, facts.store_id)
        lines = [f"restored {sum(facts.count_by_state.values()):,} jobs to {settings.store_dir / 'jobs.sqlite3'}"]
        try:
            lines += _put_in_place(settings.store_dir, backup, f"{now or datetime.now(UTC):%Y%m%dT%H%M%SZ}")
            lines += _restore_keys(settings.keys_file, facts.enclosed.get(settings.keys_file.name))
        except OSError as error:
            message = f"can't write to {settings.store_dir}: {error.strerror}; mend that, and restore again"
            raise BackupError(message) from error
    except BaseException:
        lock.release()
        raise
    # Opened once, so that what is wrong shows now; it begins a range of numbers of its own.
    highest_result = partial(highest_result_number, settings.results_dir)
    with closing(SqliteJobStore(settings.store_dir, state_lock=lock, highest_result=highest_result)):
        return lines


def _check_is_of_this_store(marker: Path, backup: Path, store_id: str) -> None:
    if marker.exists() and marker.read_text("ascii", errors="replace").strip() != store_id:
        raise BackupError(f"{backup} is of another store than {marker} names; choose another --state-dir")


def _put_in_place(folder: Path, backup: Path, time: str) -> list[str]:
    """Move the store that is there aside and the copy to its place; after a kill in between it can be done again."""
    from meantime.jobs.state_directory import move_durably

    new, lines = folder / "jobs.sqlite3.new", []
    new.unlink(missing_ok=True)
    shutil.copyfile(backup, new)
    new.chmod(0o600)
    suffix = _free_suffix(folder, f"before-{time}")
    for name in _STORE_FILES:
        if (folder / name).exists():
            kept = folder / f"{name}.{suffix}"
            (folder / name).rename(kept)
            lines.append(f"what was there is kept as {kept}")
    move_durably(new, folder / "jobs.sqlite3")
    return lines


def _free_suffix(folder: Path, wanted: str) -> str:
    """Return a suffix that no file of a store has yet: two restores may see the clock show the same time."""
    suffixes = itertools.chain([wanted], (f"{wanted}-{i}" for i in itertools.count(2)))
    return next(each for each in suffixes if not any(os.path.lexists(folder / f"{n}.{each}") for n in _STORE_FILES))


def _restore_keys(file: Path, keys: str | None) -> list[str]:
    """Write the access keys of a backup where there are none, lest a key that was revoked since comes back."""
    from meantime.jobs.state_directory import write_durably

    if keys is None:
        return []
    if os.path.lexists(file):
        return [f"{file} is there and stays; the backup's access keys are not used"]
    write_durably(file, keys)
    return [f"restored the access keys to {file}"]
