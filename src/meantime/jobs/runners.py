"""The runner threads of a pool, kept at full strength: one that is given up or has died is replaced, and counted.

What a runner does is in ``task_runner.py``; when one is to be given up is the pool's decision.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Runners:
    """A fixed number of threads.

    Parameters
    ----------
    target
        What each of them does until it ends.
    count
        How many there are.
    """

    def __init__(self, target: Callable[[], None], count: int) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._made_count = 0  # guarded by self._lock
        self._threads = [self._make() for _ in range(count)]  # guarded by self._lock
        self._replaced_count = 0  # guarded by self._lock
        self._started = False  # guarded by self._lock

    def start(self) -> None:
        """Start them all."""
        with self._lock:
            self._started = True
            for thread in self._threads:
                thread.start()

    def __len__(self) -> int:
        """Return how many there are to be."""
        with self._lock:
            return len(self._threads)

    def alive_count(self) -> int:
        """Return how many are alive; one that was given up doesn't count, even if it lives on."""
        with self._lock:
            return sum(thread.is_alive() for thread in self._threads)

    @property
    def replaced_count(self) -> int:
        """How many have been replaced."""
        with self._lock:
            return self._replaced_count

    def replace(self, thread: threading.Thread) -> None:
        """Start another thread in the place of one; harmless when that was replaced before."""
        with self._lock:
            if thread not in self._threads:
                return
            successor = self._make()
            self._threads[self._threads.index(thread)] = successor
            self._replaced_count += 1
            successor.start()

    def dead(self) -> list[threading.Thread]:
        """Return the threads that have ended."""
        with self._lock:
            return [thread for thread in self._threads if self._started and not thread.is_alive()]

    def join(self, timeout_s: float | None) -> bool:
        """Wait until they have ended, at most ``timeout_s`` seconds for all; return whether they have."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        with self._lock:
            threads = [thread for thread in self._threads if self._started]
        for thread in threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _make(self) -> threading.Thread:
        """Return another thread. Holds self._lock, except in the constructor."""
        self._made_count += 1
        return threading.Thread(target=self._target, name=f"runner-{self._made_count}", daemon=True)
