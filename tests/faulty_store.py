"""A job store between the pool and the real one, that a test can fill up or break."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from meantime.errors import StorageFullError, StoreUnavailableError
from meantime.jobs.job import Job
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import EndedJob, EndedTotals, JobFilter, JobStore, Receipt, Submission


class FaultyStore(JobStore):
    """Passes everything on; while ``is_full`` nothing is accepted, once ``is_broken`` nothing is written either."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self.commit_durations = store.commit_durations
        self.is_full = False
        self.is_broken = False

    def _check_works(self) -> None:
        if self.is_broken:
            raise StoreUnavailableError("a sync has failed")

    def add(self, submission: Submission, on_durable: Callable[[Job], None] = lambda _: None) -> Receipt:
        self._check_works()
        if self.is_full:
            raise StorageFullError("no space is left")
        return self._store.add(submission, on_durable)

    def record(self, job: Job, *, at_once: bool = False) -> None:
        self._check_works()
        self._store.record(job, at_once=at_once)

    def flush(self) -> None:
        self._check_works()
        self._store.flush()

    def get(self, number: int) -> Job | None:
        return self._store.get(number)

    def unfinished(self) -> list[Job]:
        return self._store.unfinished()

    def states_after(self, number: int, limit: int, *, owner: str | None = None) -> list[tuple[int, JobState]]:
        return self._store.states_after(number, limit, owner=owner)

    def page(self, job_filter: JobFilter, *, before: int | None, limit: int) -> list[Job]:
        return self._store.page(job_filter, before=before, limit=limit)

    def evict(self, *, keep_count: int, limit: int) -> Sequence[EndedJob]:
        return self._store.evict(keep_count=keep_count, limit=limit)

    def ended_after(self, number: int, limit: int) -> Sequence[EndedJob]:
        return self._store.ended_after(number, limit)

    def ended_totals(self) -> EndedTotals:
        return self._store.ended_totals()

    def delete(self, numbers: Sequence[int]) -> None:
        self._store.delete(numbers)

    def is_sound(self) -> bool:
        return not (self.is_broken or self.is_full) and self._store.is_sound()

    def back_up(self, target: Path, *, enclosed: Mapping[str, str] | None = None) -> None:
        self._store.back_up(target, enclosed=enclosed)

    def close(self) -> None:
        self._store.close()
