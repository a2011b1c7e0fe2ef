"""Retention: which finished jobs are evicted, with their result files. When to look is for whoever has it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from meantime.jobs.job_store import JobStore
from meantime.jobs.results.results_directory import ResultsDirectory

EVICTED_AT_ONCE = 1000


class Retention:
    """How long finished jobs are kept, by age and by count.

    Jobs grow old by a clock that, set forward while the server runs, evicts nothing early: it gives the wall clock's
    time, but never more than has passed since the start.

    Parameters
    ----------
    age_s
        Jobs that ended longer ago go; None keeps them.
    count
        Jobs beyond this count go, the oldest first; None keeps them.
    wall
        Seconds since the epoch; may jump.
    monotonic
        Seconds that only pass.
    """

    def __init__(
        self,
        age_s: float | None = None,
        count: int | None = None,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._age_s = age_s
        self._count = count
        self._wall = wall
        self._monotonic = monotonic
        self._offset_s = wall() - monotonic()

    @property
    def is_limited(self) -> bool:
        """Whether any job ever goes."""
        return self._age_s is not None or self._count is not None

    def evict(self, store: JobStore, results: ResultsDirectory, forget: Callable[[Iterable[int]], None]) -> int:
        """Drop the finished jobs that are past the limits, and have their numbers forgotten; return how many."""
        if not self.is_limited:
            return 0
        before = None if self._age_s is None else self._now() - self._age_s
        count = 0
        while evicted := store.evict(finished_before=before, keep_count=self._count, limit=EVICTED_AT_ONCE):
            for job in evicted:
                results.withdraw(job.number, job.result_sha256)
            forget(job.number for job in evicted)
            count += len(evicted)
        return count

    def _now(self) -> float:
        return min(self._wall(), self._offset_s + self._monotonic())
