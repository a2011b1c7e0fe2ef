"""``meantime backup``: a copy of the job store, made by the server while it runs, or by this command when none does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from meantime.cli.errors import one_line_errors
from meantime.errors import BackupError, StoreLockedError
from meantime.serving.control_socket import ask_server
from meantime.settings import load_settings

EPILOG = """
\b
Examples:
  meantime backup /srv/backups                     a new file there, named after the time
  meantime backup jobs.sqlite3 --state-dir /srv/m  a file of this name
To restore: stop the server, put the copy in the place of .meantime/jobs.sqlite3, remove jobs.sqlite3-wal if there is
one, ask meantime doctor, start.
Leave high-water-mark where it is.
"""


@click.command(epilog=EPILOG)
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--state-dir", metavar="VALUE", help="The server's state directory. [default: as for serve]")
@click.option("--config", type=click.Path(path_type=Path), help="A TOML file with settings. [default: meantime.toml]")
def backup(target: Path, state_dir: str | None, config: Path | None) -> None:
    """Copy the job store to TARGET: a new file, or a folder that gets one.

    The copy is consistent, checked and synced, whether or not the server runs. Results are not in it: they are
    computed again when they are asked for.
    """
    with one_line_errors():
        settings = load_settings({"state_dir": state_dir}, config=config)
        file = back_up(settings.store_dir, target.expanduser().absolute())
    click.echo(f"{file}: {file.stat().st_size:,} bytes")


def back_up(store_dir: Path, target: Path, *, now: datetime | None = None) -> Path:
    """Copy the store of a state directory and return the file that was written.

    Parameters
    ----------
    store_dir
        Where the store is.
    target
        A file that doesn't exist, or a folder; absolute, because the server works elsewhere.
    now
        What a file in a folder is named after; the present without it.

    Raises
    ------
    BackupError
        There is no store, or the target can't be written.
    StoreError
        The store can't be read.
    """
    if not (store_dir / "jobs.sqlite3").exists():
        raise BackupError(f"{store_dir} holds no job store; name the server's folder with --state-dir")
    if target.is_dir():
        target = target / f"meantime-{now or datetime.now(UTC):%Y%m%dT%H%M%SZ}.sqlite3"
    try:
        ask_server(store_dir, "back_up", target=str(target))
    except ConnectionError:
        _back_up_offline(store_dir, target)
    return target


def _back_up_offline(store_dir: Path, target: Path) -> None:
    from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore

    try:
        store = SqliteJobStore(store_dir)
    except StoreLockedError as error:
        raise BackupError(f"{error}, or wait: it doesn't answer, so it is perhaps starting or ending") from error
    try:
        store.back_up(target)
    finally:
        store.close()
