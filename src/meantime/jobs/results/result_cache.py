"""The encoded results of the latest tasks, in memory. What is not here is read from disk or computed again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from meantime.jobs.job import EncodedResult, Task

CACHE_LIMIT_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class CacheUse:
    """How a cache was used since the start, and what it holds."""

    hit_count: int
    miss_count: int
    size_bytes: int


class ResultCache:
    """The encoded results of the latest different tasks, bounded by their size in bytes."""

    def __init__(self, limit_bytes: int = CACHE_LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._by_task: OrderedDict[Task, EncodedResult] = OrderedDict()  # guarded by self._lock, oldest use first
        self._by_sha256: dict[str, EncodedResult] = {}  # guarded by self._lock
        self._size_bytes = 0  # guarded by self._lock
        self._hit_count = 0  # guarded by self._lock; of of_task alone
        self._miss_count = 0  # guarded by self._lock

    def of_task(self, task: Task) -> EncodedResult | None:
        """Return the result of an equal task, or None."""
        with self._lock:
            result = self._by_task.get(task)
            if result is None:
                self._miss_count += 1
            else:
                self._hit_count += 1
                self._by_task.move_to_end(task)
            return result

    def of_sha256(self, sha256: str) -> bytes | None:
        """Return the content with a checksum, or None."""
        with self._lock:
            result = self._by_sha256.get(sha256)
            return None if result is None else result.content

    def use(self) -> CacheUse:
        """Return how often a task's result was found here, and how much is kept."""
        with self._lock:
            return CacheUse(self._hit_count, self._miss_count, self._size_bytes)

    def keep(self, task: Task, result: EncodedResult) -> None:
        """Keep a result; those that were not used for longest go."""
        with self._lock:
            old = self._by_task.pop(task, None)
            if old is not None:
                self._size_bytes -= len(old.content)
                self._by_sha256.pop(old.sha256, None)
            self._by_task[task] = result
            self._by_sha256[result.sha256] = result
            self._size_bytes += len(result.content)
            while self._size_bytes > self._limit_bytes and len(self._by_task) > 1:
                _, oldest = self._by_task.popitem(last=False)
                self._size_bytes -= len(oldest.content)
                self._by_sha256.pop(oldest.sha256, None)
