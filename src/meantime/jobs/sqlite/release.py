"""Which SQLite this Python links, and whether it has the WAL-reset bug. Nothing is opened here."""

from __future__ import annotations

import sqlite3

SQLITE_VERSION = sqlite3.sqlite_version

_FIXED = (3, 51, 3)
_FIXED_IN_BRANCH = {(3, 50): 7, (3, 44): 6}


def has_wal_reset_bug(version: str = SQLITE_VERSION) -> bool:
    """Return whether two connections of this SQLite that write at once can corrupt a WAL database.

    Every release from 3.7.0 to 3.51.2 has the bug, but for 3.50.7 and later 3.50s and 3.44.6 and later 3.44s
    (sqlite.org/wal.html#walresetbug). A server of Meantime has one connection, which can't run into it.

    Examples
    --------
    >>> has_wal_reset_bug("3.40.1"), has_wal_reset_bug("3.50.7"), has_wal_reset_bug("3.51.3")
    (True, False, False)
    """
    major, minor, patch = (int(part) for part in version.split(".")[:3])
    if (major, minor, patch) >= _FIXED or (major, minor) < (3, 7):
        return False
    fixed_patch = _FIXED_IN_BRANCH.get((major, minor))
    return fixed_patch is None or patch < fixed_patch
