"""The high-water mark: the highest job number that was ever given, in a small file outside the database.

A database can lose what it was told: its log is deleted, or an older file is put in its place. It would then count on
from too low, and one id would stand for two jobs. The mark shows it. What follows from it is in ``numbering.py``.

The mark is raised with every durable commit, so it is written through a mapped page, which keeps the GIL: 0.3 us with
8 busy threads. ``os.pwrite`` gives the GIL away and took 6 ms on average, 115 ms at the 99th percentile, to get it
back. A page survives SIGKILL. After a power cut the mark may be too low, which harms nothing as long as the database
is whole. Whoever empties the file under a running server ends it, as by a kill: no job is lost.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import re
import threading
from pathlib import Path

from meantime.jobs.state_directory import write_durably

_DIGITS = 16  # of 2**53 - 1
_MARK = re.compile(r"[0-9]{16}\n", re.ASCII)


class HighWaterMark:
    """One number in a file of its own, as sixteen digits and a newline; it only ever rises.

    Parameters
    ----------
    path
        Where it is; nothing is opened before ``open``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._page: mmap.mmap | None = None  # guarded by the store's connection lock
        self._descriptor: int | None = None  # guarded by self._sync_lock
        self._needs_sync = False  # guarded by the store's connection lock; read without it by sync
        self._sync_lock = threading.Lock()

    def read(self) -> int | None:
        """Return the number in the file; None when it is missing or holds no number."""
        try:
            text = self.path.read_text("ascii", errors="replace")
        except FileNotFoundError:
            return None
        return int(text) if _MARK.fullmatch(text) else None

    def write(self, number: int) -> None:
        """Make the file, or put a number into it whatever it held, durably."""
        write_durably(self.path, f"{number:0{_DIGITS}d}\n")

    def open(self) -> None:
        """Map the file, so that ``raise_to`` costs next to nothing."""
        with self._sync_lock:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
            self._page = mmap.mmap(self._descriptor, _DIGITS)

    def raise_to(self, number: int) -> None:
        """Note that a number was given. A kill after this can't undo it."""
        if self._page is not None:
            self._page[:] = b"%0*d" % (_DIGITS, number)
            self._needs_sync = True

    def sync(self) -> None:
        """Bring the mark to the disk, unless it is there. A sync that fails leaves it too low there, no more."""
        with self._sync_lock:
            if self._descriptor is not None and self._needs_sync:
                self._needs_sync = False
                with contextlib.suppress(OSError):
                    os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Sync, and let go of the file. Closing twice is harmless."""
        self.sync()
        with self._sync_lock:
            if self._page is not None:
                self._page.close()
                self._page = None
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
