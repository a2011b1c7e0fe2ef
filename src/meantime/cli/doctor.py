"""``meantime doctor``: looks at everything that a server needs from its machine, and says what is wrong and what to do.

Each check is a function that returns its findings and changes nothing; ``--accept-lost-jobs`` alone does. The store is
looked at through a copy: a running server makes it, as for ``meantime backup``; that of a stopped one is copied.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from meantime.cli.errors import one_line_errors, refusal_by_system
from meantime.cli.output import print_lines
from meantime.errors import MeantimeError, StoreLockedError
from meantime.settings import Settings, load_settings

if TYPE_CHECKING:
    from meantime.jobs.sqlite.copies import StoreFacts

PROBLEM_FREE_BYTES = 64 * 1024 * 1024
WARNING_FREE_BYTES = 1024 * 1024 * 1024
WANTED_FILES = 8192
EARLIEST_TIME_S = 1_790_000_000.0
"""September 2026: a clock that shows an earlier time is wrong."""

CLOCK_TOLERANCE_S = 60.0

_NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs", "fuse.s3fs"})


class Level(StrEnum):
    """How bad a finding is; a problem makes the command end with 1."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; ``message`` says what to do unless all is well."""

    check: str
    level: Level
    message: str


@click.command()
@click.option("--state-dir", metavar="VALUE", help="The server's state directory. [default: as for serve]")
@click.option("--config", type=click.Path(path_type=Path), help="A TOML file with settings. [default: meantime.toml]")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--accept-lost-jobs", is_flag=True, help="First give up accepted jobs that the store is refused for.")
@click.pass_context
def doctor(
    context: click.Context, /, state_dir: str | None, config: Path | None, *, as_json: bool, accept_lost_jobs: bool
) -> None:
    """Check SQLite, clock, disk, permissions, store and results; end with 1 if there is a problem.

    Changes nothing without --accept-lost-jobs, and may then be used while the server runs. Run it as the server's user.
    """
    with one_line_errors():
        settings = load_settings({"state_dir": state_dir}, config=config)
        if accept_lost_jobs:
            print_lines(_accept_lost_jobs(settings), err=as_json)
        findings = list(examine(settings))
    if as_json:
        print_lines(*json.dumps([asdict(finding) for finding in findings], indent=2).split("\n"))
    else:
        print_lines(*(f"{finding.level:<8} {finding.check:<12} {finding.message}" for finding in findings))
    context.exit(any(finding.level is Level.PROBLEM for finding in findings))


def examine(settings: Settings, *, now: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Yield what every check finds.

    Parameters
    ----------
    settings
        As the server has them.
    now
        Gives the time in seconds since the epoch.
    """
    yield check_sqlite()
    yield check_open_files()
    yield check_clock(now())
    yield from check_data(settings)
    folder = settings.state_dir.absolute()
    try:
        if not folder.is_dir():
            message = f"there is no folder {folder}; name the server's with --state-dir, or start it first"
            yield Finding("state", Level.PROBLEM, message)
            return
        yield Finding("state", Level.OK, str(folder))
        yield check_space(folder)
        yield check_file_system(folder)
        yield check_retention(settings)
        yield check_permissions(settings.store_dir.absolute())
        yield from check_store(replace(settings, state_dir=folder), now())
    except OSError as error:
        yield Finding("state", Level.PROBLEM, refusal_by_system(error))


def _accept_lost_jobs(settings: Settings) -> str:
    """Give up the accepted jobs that a store lacks, and say which they are."""
    from meantime.jobs.results.results_directory import highest_result_number
    from meantime.jobs.sqlite.opening import accept_lost_jobs

    if not (settings.store_dir / "jobs.sqlite3").exists():
        return f"nothing to accept: there is no store in {settings.store_dir.absolute()}"
    return f"accepted: {accept_lost_jobs(settings.store_dir, partial(highest_result_number, settings.results_dir))}"


def check_sqlite() -> Finding:
    """Look at the version of SQLite that this Python links."""
    from meantime.jobs.sqlite.store_connection import SQLITE_VERSION, has_wal_reset_bug

    if has_wal_reset_bug():
        message = (
            f"{SQLITE_VERSION} can corrupt a database that two connections write (fixed in 3.51.3); the server uses "
            "one, so keep other programs off jobs.sqlite3 while it runs"
        )
        return Finding("sqlite", Level.WARNING, message)
    return Finding("sqlite", Level.OK, SQLITE_VERSION)


def check_open_files() -> Finding:
    """Look at how many files a server that is started like this command may have open."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < WANTED_FILES:
        message = f"at most {hard} files; each connection is one, so allow {WANTED_FILES} (ulimit -Hn, LimitNOFILE=)"
        return Finding("open files", Level.WARNING, message)
    return Finding("open files", Level.OK, "no limit" if hard == resource.RLIM_INFINITY else f"up to {hard:,}")


def check_clock(now: float) -> Finding:
    """Look at the time of day, in seconds since the epoch."""
    shown = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    if now < EARLIEST_TIME_S:
        return Finding("clock", Level.PROBLEM, f"{shown} is before this version was made; set the clock, and run NTP")
    return Finding("clock", Level.OK, shown)


def check_data(settings: Settings) -> Iterator[Finding]:
    """Look at the tables that the settings name."""
    from meantime.bootstrap import dataset_sources

    for source in dataset_sources(settings):
        if source.path.is_file() and os.access(source.path, os.R_OK):
            yield Finding("data", Level.OK, f"{source.name}: {source.path}, {source.path.stat().st_size:,} bytes")
        else:
            yield Finding("data", Level.PROBLEM, f"{source.name}: {source.path} can't be read as a file")


def check_space(directory: Path) -> Finding:
    """Look at the space and the number of files that are left."""
    free = shutil.disk_usage(directory).free
    volume = os.statvfs(directory)
    shown = f"{free / 1024**2:,.0f} MiB free"
    if volume.f_files and volume.f_favail < 1000:
        return Finding("disk", Level.PROBLEM, f"only {volume.f_favail} more files fit; remove some")
    if free < PROBLEM_FREE_BYTES:
        return Finding("disk", Level.PROBLEM, f"{shown}; free some, or set --retention-count")
    if free < WARNING_FREE_BYTES:
        return Finding("disk", Level.WARNING, f"{shown}; free some soon")
    return Finding("disk", Level.OK, shown)


def check_retention(settings: Settings) -> Finding:
    """Say how long finished jobs are kept, and whether the disk can hold them."""
    limits = []
    if settings.retention_age_s:
        limits.append(f"after {settings.retention_age_s / 86_400:,.3g} days")
    if settings.retention_bytes:
        limits.append(f"beyond {settings.retention_bytes / 1024**2:,.0f} MiB")
    if settings.retention_count is not None:
        limits.append(f"beyond {settings.retention_count:,} jobs")
    if not limits:
        return Finding("retention", Level.WARNING, "finished jobs never go; set --retention-bytes")
    shown = f"finished jobs go {', '.join(limits)}"
    total = shutil.disk_usage(settings.state_dir).total
    if settings.retention_bytes > total:
        message = f"{shown}, but the disk has {total / 1024**2:,.0f} MiB; lower --retention-bytes"
        return Finding("retention", Level.WARNING, message)
    return Finding("retention", Level.OK, shown)


def check_file_system(directory: Path, *, mounts: Path = Path("/proc/mounts")) -> Finding:
    """Look at what the state directory lies on: locks and syncs of a network file system can't be relied on."""
    found = ("", "unknown")
    resolved = directory.resolve()
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines() if mounts.exists() else ():
        _, point, kind, *_ = line.split(" ")
        point = point.encode("ascii", "replace").decode("unicode_escape")
        if resolved.is_relative_to(point) and len(point) >= len(found[0]):
            found = (point, kind)
    if found[1] in _NETWORK_FILE_SYSTEMS:
        message = f"{found[0]} is {found[1]}, which does not keep SQLite's promises; use a local disk"
        return Finding("file system", Level.PROBLEM, message)
    return Finding("file system", Level.OK, found[1])


def check_permissions(store_dir: Path) -> Finding:
    """Look for files of the store that others may read, or that this user may not write."""
    if not store_dir.is_dir():
        return Finding("permissions", Level.OK, "no store yet")
    from meantime.jobs.state_directory import check_is_ours

    try:
        check_is_ours(store_dir)
    except MeantimeError as error:
        return Finding("permissions", Level.PROBLEM, str(error))
    places = [store_dir, *store_dir.iterdir()]
    shared = [place for place in places if stat.S_IMODE(place.stat().st_mode) & 0o077]
    closed = [place for place in places if not os.access(place, os.W_OK)]
    if closed:
        return Finding("permissions", Level.PROBLEM, f"{closed[0]} can't be written by this user; chown it")
    if shared:
        return Finding("permissions", Level.PROBLEM, f"others may use {shared[0]}; chmod -R go= {store_dir}")
    return Finding("permissions", Level.OK, f"{store_dir} is for its owner alone")


def check_store(settings: Settings, now: float) -> Iterator[Finding]:
    """Look for the store, read every job of a copy of it, and look for the newest results."""
    if not (settings.store_dir / "jobs.sqlite3").exists():
        yield Finding("store", Level.PROBLEM, _say_where_the_store_is(settings))
        return
    try:
        facts = _facts_of_store(settings)
    except MeantimeError as error:
        yield Finding("store", Level.PROBLEM, str(error))
        return
    counts = ", ".join(f"{count:,} {state}" for state, count in sorted(facts.count_by_state.items())) or "no jobs"
    if facts.damaged:
        shown = ", ".join(map(str, facts.damaged[:5]))
        message = f"{len(facts.damaged)} damaged jobs, such as {shown}, will be refused; restore a backup"
        yield Finding("store", Level.PROBLEM, message)
    else:
        yield Finding("store", Level.OK, counts)
    if facts.newest_at > now + CLOCK_TOLERANCE_S:
        behind_s = facts.newest_at - now
        message = f"the clock is {behind_s:,.0f} s before the newest job; was it set back? Run NTP"
        yield Finding("clock", Level.PROBLEM, message)
    yield check_results(settings, facts.newest_done)


def _facts_of_store(settings: Settings) -> StoreFacts:
    """Read the store through a copy: one of a stopped server's files, or the running server's."""
    from meantime.jobs.results.results_directory import highest_result_number
    from meantime.jobs.sqlite.copies import inspect_copy, inspect_stopped
    from meantime.serving.control_socket import ask_server

    with tempfile.TemporaryDirectory(prefix="meantime-doctor-") as folder:
        highest_result = partial(highest_result_number, settings.results_dir)
        try:
            return inspect_stopped(settings.store_dir, Path(folder), highest_result=highest_result)
        except StoreLockedError as error:
            locked = error
    # The server writes the copy, and may be allowed to write nowhere else.
    with tempfile.TemporaryDirectory(dir=settings.store_dir, prefix="doctor-") as folder:
        copy = Path(folder) / "copy.sqlite3"
        try:
            ask_server(settings.store_dir, "back_up", target=str(copy))
        except ConnectionError:
            raise StoreLockedError(f"{locked} and doesn't answer; perhaps it starts or ends: ask again") from locked
        return inspect_copy(copy)


def _say_where_the_store_is(settings: Settings) -> str:
    """Say why there is no store where one was looked for, and what to do."""
    wanted = settings.store_dir / "jobs.sqlite3"
    beside = settings.state_dir / "jobs.sqlite3"
    if settings.state_dir.name == settings.store_dir.name and beside.exists():
        return f"{settings.state_dir} is inside the state directory; give --state-dir {settings.state_dir.parent}"
    if beside.exists():
        return f"{beside} is not where a server looks; move it to {wanted}"
    if (settings.store_dir / "store-id").exists():
        return f"{wanted} is gone, but store-id says that it was here; restore a backup"
    return (
        f"there is no store in {settings.store_dir}; name the server's folder with --state-dir, or start it first; "
        f"a backup is restored as {wanted}"
    )


def check_results(settings: Settings, done: tuple[tuple[int, str], ...]) -> Finding:
    """Look for the results of jobs (number, SHA-256) that are done."""
    from meantime.jobs.results.results_directory import find_result

    stored = settings.store_dir / "stored"
    missing = [number for number, sha256 in done if find_result(settings.results_dir, stored, number, sha256) is None]
    if missing:
        message = (
            f"{len(missing)} of the newest {len(done)} are missing or damaged, such as job_id_{missing[0]}; "
            "each is computed again when it is asked for"
        )
        return Finding("results", Level.WARNING, message)
    return Finding("results", Level.OK, f"the newest {len(done)} are whole")
