"""A job store as a killed process would leave it: a copy of its files while it is open."""

from __future__ import annotations

import shutil
from pathlib import Path

from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore


def open_as_killed(directory: Path, copy: Path) -> SqliteJobStore:
    """Open a copy of a state directory whose store is open elsewhere: what has been written is there, nothing else."""
    shutil.copytree(directory, copy)
    return SqliteJobStore(copy)
