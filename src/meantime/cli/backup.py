"""``meantime backup``: a copy of the job store with its access keys.

Made by the server while it runs, or by this command when none does.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from meantime.access_keys import files_to_enclose
from meantime.cli.errors import one_line_errors
from meantime.cli.output import print_lines
from meantime.errors import BackupError, StoreLockedError
from meantime.serving.control_socket import ANSWER_LIMIT_S, ask_server
from meantime.settings import load_settings

EPILOG = """
\b
Examples:
  meantime backup /srv/backups                     a new file there, named after the time
  meantime backup jobs.sqlite3 --state-dir /srv/m  a file of this name
To restore: stop the server, meantime restore FILE, start it.
"""


@click.command(epilog=EPILOG)
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--state-dir", metavar="VALUE", help="The server's state directory. [default: as for serve]")
@click.option("--config", type=click.Path(path_type=Path), help="A TOML file with settings. [default: meantime.toml]")
@click.option(
    "--timeout-s",
    type=click.FloatRange(min=0, min_open=True, max=1e6),
    default=ANSWER_LIMIT_S,
    show_default=True,
    help="Seconds that a running server may take for the copy.",
)
def backup(target: Path, state_dir: str | None, config: Path | None, timeout_s: float) -> None:
    """Copy the job store to TARGET: a new file, or a folder that gets one.

    The copy is consistent, checked and synced, whether or not the server runs. The access keys are in it, as hashes.
    Results are not: they are computed again when they are asked for.
    """
    with one_line_errors():
        settings = load_settings({"state_dir": state_dir}, config=config)
        file = back_up(settings.store_dir, target.expanduser().absolute(), limit_s=timeout_s)
    print_lines(f"{file}: {file.stat().st_size:,} bytes")


def back_up(store_dir: Path, target: Path, *, now: datetime | None = None, limit_s: float = ANSWER_LIMIT_S) -> Path:
    """Copy the store of a state directory and return the file that was written.

    Parameters
    ----------
    store_dir
        Where the store is.
    target
        A file that doesn't exist, or a folder; absolute, because the server works elsewhere.
    now
        What a file in a folder is named after; the present without it.
    limit_s
        How many seconds a running server may take.

    Raises
    ------
    BackupError
        There is no store, or the target can't be written.
    StoreError
        The store can't be read, or the server hasn't answered in time.
    """
    if not (store_dir / "jobs.sqlite3").exists():
        raise BackupError(f"{store_dir} holds no job store; name the server's folder with --state-dir")
    if target.is_dir():
        target = target / f"meantime-{now or datetime.now(UTC):%Y%m%dT%H%M%SZ}.sqlite3"
    try:
        ask_server(store_dir, "back_up", limit_s=limit_s, target=str(target))
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
        store.back_up(target, enclosed=files_to_enclose(store_dir / "keys.json"))
    finally:
        store.close()
