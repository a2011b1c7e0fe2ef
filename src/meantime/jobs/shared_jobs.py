"""SharedJobs: which unfinished job an equal request joins, so that the same question isn't computed twice at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

from meantime.jobs.job import Job, Task
from meantime.jobs.latch import Latch

_SWEEP_AT_LEAST = 256


class _Entry:
    """A job that can be joined, or one that is just being made."""

    __slots__ = ("decided", "job")

    def __init__(self) -> None:
        self.decided = Latch()
        self.job: Job | None = None  # written before `decided` opens, read-only after; None when it wasn't accepted

    def can_be_joined(self) -> bool:
        """Whether the job is being made, or runs and nobody wants it to stop."""
        if not self.decided.is_open():
            return True
        return self.job is not None and not self.job.state.is_final and not self.job.cancel_requested


class SharedJobs:
    """The unfinished jobs that requests may share, by task and owner.

    Parameters
    ----------
    find
        Returns the job with a number.
    """

    def __init__(self, find: Callable[[int], Job]) -> None:
        self._find = find
        self._lock = threading.Lock()
        self._entries: dict[tuple[Task, str], _Entry] = {}  # guarded by self._lock
        self._sweep_at = _SWEEP_AT_LEAST  # guarded by self._lock

    def __len__(self) -> int:
        """Return how many jobs are remembered; some of them may have ended."""
        with self._lock:
            return len(self._entries)

    def join_or_add(self, task: Task, owner: str, add: Callable[[], int]) -> int:
        """Return the number of the owner's unfinished job of an equal task; without one, that of the job ``add`` makes.

        Of callers that come at the same time one adds, and the others wait for its number. When it fails, its error
        is its own and the next one tries.
        """
        key = (task, owner)
        while True:
            with self._lock:
                entry = self._entries.get(key)
                is_new = entry is None or not entry.can_be_joined()
                if entry is None or is_new:
                    entry = self._entries[key] = _Entry()
                    self._sweep()
            if is_new:
                return self._add(entry, add)
            entry.decided.wait()
            if entry.job is not None:
                return entry.job.number

    def _add(self, entry: _Entry, add: Callable[[], int]) -> int:
        try:
            entry.job = self._find(add())
        finally:
            entry.decided.open()
        return entry.job.number

    def _sweep(self) -> None:
        """Forget jobs that can't be joined any more, now and then. Holds self._lock."""
        if len(self._entries) > self._sweep_at:
            self._entries = {key: entry for key, entry in self._entries.items() if entry.can_be_joined()}
            self._sweep_at = max(_SWEEP_AT_LEAST, 2 * len(self._entries))
