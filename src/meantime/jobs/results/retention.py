"""Retention: which finished jobs are evicted, with their result files. When to look is for whoever has it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

from meantime.jobs.job import Job
from meantime.jobs.job_store import EndedJob, JobStore
from meantime.jobs.results.results_directory import ResultsDirectory

EVICTED_AT_ONCE = 1000

JOB_BYTES = 1024
"""What a finished job is held to take beside its result: its row and its file's name."""

FETCHED_LATELY_S = 86_400.0
FETCHED_COUNT = 10_000
"""Of so many jobs it is remembered, since the start, when their results were fetched."""


class Retention:
    """How long finished jobs are kept: by age, by the bytes that they take, and by count.

    A job whose result was fetched within a day stays, whatever its age, and goes after all others that exceed the
    bytes. Jobs grow old by a clock that, set forward, evicts nothing early: it gives the wall clock's time, but never
    more than has passed since the start, nor does it start later than the newest job ended.

    Parameters
    ----------
    age_s
        Jobs that ended longer ago go; None keeps them.
    count
        Jobs beyond this count go, the oldest first; None keeps them.
    size_bytes
        Finished jobs that together take more go, the oldest first; None keeps them. Each counts with its whole result,
        though equal results are stored once.
    wall
        Seconds since the epoch; may jump.
    monotonic
        Seconds that only pass.
    """

    def __init__(
        self,
        age_s: float | None = None,
        count: int | None = None,
        size_bytes: int | None = None,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._age_s = age_s
        self._count = count
        self._limit_bytes = size_bytes
        self._wall = wall
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._started_at = monotonic()
        self._base_s: float | None = None  # guarded by self._lock; the time of day at the start, see the class
        self._job_count = 0  # guarded by self._lock; of finished jobs, once _base_s is known
        self._taken_bytes = 0  # guarded by self._lock; by them
        self._fetched: OrderedDict[int, float] = OrderedDict()  # guarded by self._lock; monotonic s, oldest first

    @property
    def is_limited(self) -> bool:
        """Whether any job ever goes."""
        return self._age_s is not None or self._count is not None or self._limit_bytes is not None

    @property
    def job_count(self) -> int:
        """How many finished jobs there are."""
        with self._lock:
            return self._job_count

    @property
    def taken_bytes(self) -> int:
        """How many bytes finished jobs are held to take."""
        with self._lock:
            return self._taken_bytes

    def note_end(self, job: Job) -> None:
        """Count a job that has ended."""
        with self._lock:
            if self._base_s is not None:
                self._job_count += 1
                self._taken_bytes += JOB_BYTES + (job.result_size or 0)

    def note_fetch(self, number: int) -> None:
        """Remember that somebody wants a job's result."""
        with self._lock:
            self._fetched[number] = self._monotonic()
            self._fetched.move_to_end(number)
            if len(self._fetched) > FETCHED_COUNT:
                self._fetched.popitem(last=False)

    def evict(self, store: JobStore, results: ResultsDirectory, forget: Callable[[Iterable[int]], None]) -> int:
        """Drop the finished jobs that are past the limits, and have their numbers forgotten; return how many."""
        self._start(store)
        if not self.is_limited:
            return 0
        count = 0
        while self._count is not None and (gone := store.evict(keep_count=self._count, limit=EVICTED_AT_ONCE)):
            count += self._drop(gone, results, forget)
        for spares_fetched in (True, False):
            after = 0
            while page := store.ended_after(after, EVICTED_AT_ONCE):
                after = page[-1].number
                past = self._past_limits(page, spares_fetched=spares_fetched)
                if past:
                    store.delete([job.number for job in past])
                    count += self._drop(past, results, forget)
                if not self._goes_on(page[-1], spares_fetched=spares_fetched):
                    break
        return count

    def _start(self, store: JobStore) -> None:
        """Find out, the first time, what finished jobs take and when the newest of them ended."""
        with self._lock:
            if self._base_s is None:
                ended = store.ended_totals()
                self._job_count = ended.job_count
                self._taken_bytes = ended.job_count * JOB_BYTES + ended.result_bytes
                self._base_s = self._wall() if ended.newest_at is None else min(self._wall(), ended.newest_at)

    def _past_limits(self, page: Sequence[EndedJob], *, spares_fetched: bool) -> list[EndedJob]:
        """Return the jobs of a page, oldest first, that go."""
        before = self._oldest_kept() if spares_fetched else None
        with self._lock:
            lately = self._monotonic() - FETCHED_LATELY_S
            spared = {number for number, at in self._fetched.items() if spares_fetched and at >= lately}
            excess = 0 if self._limit_bytes is None else self._taken_bytes - self._limit_bytes
        past = []
        for job in page:
            is_old = before is not None and job.finished_at < before
            if (is_old or excess > 0) and job.number not in spared:
                past.append(job)
                excess -= JOB_BYTES + job.result_bytes
        return past

    def _goes_on(self, last: EndedJob, *, spares_fetched: bool) -> bool:
        """Whether jobs after this one may have to go."""
        before = self._oldest_kept()
        is_old = spares_fetched and before is not None and last.finished_at < before
        return is_old or (self._limit_bytes is not None and self.taken_bytes > self._limit_bytes)

    def _drop(
        self, gone: Sequence[EndedJob], results: ResultsDirectory, forget: Callable[[Iterable[int]], None]
    ) -> int:
        """Remove what jobs that the store no longer holds have left."""
        for job in gone:
            results.withdraw(job.number, job.result_sha256)
        forget(job.number for job in gone)
        with self._lock:
            for job in gone:
                self._fetched.pop(job.number, None)
                self._job_count -= 1
                self._taken_bytes -= JOB_BYTES + job.result_bytes
        return len(gone)

    def _oldest_kept(self) -> float | None:
        """Return since when a job must have ended not to be too old, seconds since the epoch."""
        with self._lock:
            if self._age_s is None or self._base_s is None:
                return None
            return min(self._wall(), self._base_s + self._monotonic() - self._started_at) - self._age_s
