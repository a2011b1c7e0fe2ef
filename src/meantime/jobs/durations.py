"""Durations: how long something took, counted into buckets by label. Plain numbers; others show them."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

Label = tuple[str, ...]

DEFAULT_BOUNDS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)

_PENDING_COUNT = 256


@dataclass(frozen=True, slots=True)
class Distribution:
    """What was seen under one label: ``counts[i]`` durations up to ``bounds_s[i]``, the last beyond all bounds."""

    counts: tuple[int, ...]
    sum_s: float

    @property
    def count(self) -> int:
        """How many durations there were."""
        return sum(self.counts)


class Durations:
    """Counts durations by label, from any thread.

    A duration is left in a queue, which takes no lock; now and then the thread that comes by counts what is there.

    Parameters
    ----------
    bounds_s
        The upper bounds of the buckets in seconds, ascending; a duration equal to a bound is in its bucket.
    """

    def __init__(self, bounds_s: Sequence[float] = DEFAULT_BOUNDS_S) -> None:
        self.bounds_s = tuple(bounds_s)
        self._pending: deque[tuple[Label, float]] = deque()  # append and popleft are atomic
        self._lock = threading.Lock()
        self._counts: dict[Label, list[int]] = {}  # guarded by self._lock
        self._sums_s: dict[Label, float] = {}  # guarded by self._lock

    def add(self, label: Label, duration_s: float) -> None:
        """Count one duration, in seconds."""
        self._pending.append((label, duration_s))
        if len(self._pending) >= _PENDING_COUNT:
            with self._lock:
                self._count_pending()

    def distributions(self) -> dict[Label, Distribution]:
        """Return what was seen so far, by label.

        Examples
        --------
        >>> waits = Durations([0.1, 1.0])
        >>> waits.add(("GET",), 0.25)
        >>> waits.distributions()
        {('GET',): Distribution(counts=(0, 1, 0), sum_s=0.25)}
        """
        with self._lock:
            self._count_pending()
            return {label: Distribution(tuple(counts), self._sums_s[label]) for label, counts in self._counts.items()}

    def _count_pending(self) -> None:
        """Count what is in the queue. Holds self._lock, so that nobody else takes from it."""
        for _ in range(len(self._pending)):
            label, duration_s = self._pending.popleft()
            counts = self._counts.get(label)
            if counts is None:
                counts = self._counts[label] = [0] * (len(self.bounds_s) + 1)
                self._sums_s[label] = 0.0
            counts[bisect_left(self.bounds_s, duration_s)] += 1
            self._sums_s[label] += duration_s
