"""The encoded results of the latest tasks, in memory. What is not here is read from disk or computed again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from meantime.jobs.job import EncodedResult, Task

CACHE_LIMIT_BYTES = 32 * 1024 * 1024

TASK_BYTES = 512
"""What a task is held to take in memory beside its arguments."""


@dataclass(frozen=True, slots=True)
class CacheUse:
    """How a cache was used since the start, and what it holds."""

    hit_count: int
    miss_count: int
    size_bytes: int


class ResultCache:
    """The encoded results of the latest different tasks, bounded by the bytes of both; equal results are kept once."""

    def __init__(self, limit_bytes: int = CACHE_LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._by_task: OrderedDict[Task, EncodedResult] = OrderedDict()  # guarded by self._lock, oldest use first
        self._tasks: dict[str, set[Task]] = {}  # guarded by self._lock; those that have a result, by its SHA-256
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
            task = next(iter(self._tasks.get(sha256, ())), None)
            if task is None:
                return None
            self._by_task.move_to_end(task)
            return self._by_task[task].content

    def use(self) -> CacheUse:
        """Return how often a task's result was found here, and how much is kept."""
        with self._lock:
            return CacheUse(self._hit_count, self._miss_count, self._size_bytes)

    def keep(self, task: Task, result: EncodedResult) -> None:
        """Keep a result; those that were not used for longest go."""
        with self._lock:
            if task in self._by_task:
                self._drop(task)
            tasks = self._tasks.setdefault(result.sha256, set())
            if not tasks:
                self._size_bytes += len(result.content)
            self._by_task[task] = self._by_task[next(iter(tasks))] if tasks else result
            tasks.add(task)
            self._size_bytes += _size_bytes(task)
            while self._size_bytes > self._limit_bytes and len(self._by_task) > 1:
                self._drop(next(iter(self._by_task)))

    def _drop(self, task: Task) -> None:
        """Drop a task, and its result unless another task has it too. Hold the lock."""
        result = self._by_task.pop(task)
        self._size_bytes -= _size_bytes(task)
        tasks = self._tasks[result.sha256]
        tasks.remove(task)
        if not tasks:
            del self._tasks[result.sha256]
            self._size_bytes -= len(result.content)


def _size_bytes(task: Task) -> int:
    return TASK_BYTES + len(task.arguments)
