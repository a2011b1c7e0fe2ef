"""What a killed process leaves of its job store."""

from __future__ import annotations

import shutil
from pathlib import Path


def copy_as_killed(state: Path, target: Path, *, without: tuple[str, ...] = ()) -> Path:
    """Copy the directory of a store that is open, as SIGKILL would leave it, and return the copy.

    What is committed is in the files, as the kernel has them; what the store only holds in memory isn't. ``without``
    names files that are lost besides.
    """
    ignored = shutil.ignore_patterns("lock", "spare-space", *without)
    return Path(shutil.copytree(state, target, ignore=ignored))
