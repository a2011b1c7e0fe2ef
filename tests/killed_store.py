"""A job store as a killed process would leave it: a copy of its files while it is open."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore


def open_as_killed(directory: Path, copy: Path, *, without: Sequence[str] = ()) -> SqliteJobStore:
    """Open a copy of a state directory whose store is open elsewhere: what has been written is there, nothing else.

    ``without`` names files that are lost besides.
    """
    shutil.copytree(directory, copy, ignore=shutil.ignore_patterns("spare-space", *without))
    return SqliteJobStore(copy)
