"""The JobStore in a few plain lines, against which the contract suite is held. What it keeps outlives it in a Shelf."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from meantime.errors import BackupError, StoreUnavailableError
from meantime.jobs.durations import Durations
from meantime.jobs.job import Job
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import HIGHEST_NUMBER, EndedJob, EndedTotals, JobFilter, JobStore, Receipt, Submission


@dataclass
class Shelf:
    """What a closed store leaves for the next one."""

    jobs: dict[int, Job] = field(default_factory=dict)
    numbers_by_key: dict[tuple[str, str], int] = field(default_factory=dict)
    last_number: int = 0


class MemoryJobStore(JobStore):
    """Keeps jobs on a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf  # guarded by self._lock
        self._lock = threading.Lock()
        self._closed = False  # guarded by self._lock
        self.commit_durations = Durations()

    def add(self, submission: Submission, on_durable: Callable[[Job], None] = lambda _: None) -> Receipt:
        with self._lock:
            if self._closed or self._shelf.last_number >= HIGHEST_NUMBER:
                raise StoreUnavailableError("the job store is closed, or no number is left")
            text = submission.idempotency_key
            key = None if text is None else (submission.owner, text)
            if key and key in self._shelf.numbers_by_key:
                return Receipt(self._shelf.numbers_by_key[key], is_new=False)
            number = self._shelf.last_number = self._shelf.last_number + 1
            job = Job(number=number, task=submission.task, owner=submission.owner, submitted_at=submission.submitted_at)
            self._shelf.jobs[number] = job
            if key:
                self._shelf.numbers_by_key[key] = number
            on_durable(job)
            return Receipt(number, is_new=True)

    def record(self, job: Job, *, at_once: bool = False) -> None:
        with self._lock:
            stored = self._shelf.jobs.get(job.number)
            if stored is not None and not stored.state.is_final:
                self._shelf.jobs[job.number] = stored.evolve(
                    state=job.state,
                    attempt=job.attempt,
                    started_at=job.started_at,
                    finished_at=job.finished_at,
                    result_sha256=job.result_sha256,
                    result_size=job.result_size,
                    reason=job.reason,
                )

    def flush(self) -> None:
        return

    def get(self, number: int) -> Job | None:
        with self._lock:
            return self._shelf.jobs.get(number)

    def unfinished(self) -> list[Job]:
        return [job for job in self._ascending() if not job.state.is_final]

    def states_after(self, number: int, limit: int, *, owner: str | None = None) -> list[tuple[int, JobState]]:
        found = [job for job in self._ascending() if job.number > number and owner in (None, job.owner)]
        return [(job.number, job.state) for job in found[:limit] if owner != ""]

    def page(self, job_filter: JobFilter, *, before: int | None, limit: int) -> list[Job]:
        def passes(job: Job) -> bool:
            return (
                (before is None or job.number < before)
                and job_filter.owner in (None, job.owner)
                and job_filter.state in (None, job.state)
                and job_filter.task_name in (None, job.task.name)
                and job.task.version.startswith(job_filter.version_prefix or "")
                and (job_filter.submitted_since is None or job.submitted_at >= job_filter.submitted_since)
            )

        return [job for job in reversed(self._ascending()) if passes(job)][:limit]

    def evict(self, *, keep_count: int, limit: int) -> Sequence[EndedJob]:
        with self._lock:
            newest = self._shelf.last_number
        expired = [job for job in self._ended() if job.number <= newest - keep_count][:limit]
        self.delete([job.number for job in expired])
        return expired

    def ended_after(self, number: int, limit: int) -> Sequence[EndedJob]:
        return [job for job in self._ended() if job.number > number][:limit]

    def ended_totals(self) -> EndedTotals:
        ended = self._ended()
        newest_at = max((job.finished_at for job in ended), default=None)
        return EndedTotals(len(ended), sum(job.result_bytes for job in ended), newest_at)

    def delete(self, numbers: Sequence[int]) -> None:
        with self._lock:
            for number in numbers:
                if number in self._shelf.jobs and self._shelf.jobs[number].state.is_final:
                    del self._shelf.jobs[number]
            kept = self._shelf.numbers_by_key.items()
            self._shelf.numbers_by_key = {key: number for key, number in kept if number in self._shelf.jobs}

    def _ended(self) -> list[EndedJob]:
        return [
            EndedJob(job.number, job.finished_at or 0.0, job.result_sha256, job.result_size or 0)
            for job in self._ascending()
            if job.state.is_final
        ]

    def is_sound(self) -> bool:
        with self._lock:
            return not self._closed and self._shelf.last_number < HIGHEST_NUMBER

    def back_up(self, target: Path, *, enclosed: Mapping[str, str] | None = None) -> None:
        if target.exists():
            raise BackupError(f"{target} exists already")
        target.write_text(repr((self._shelf, enclosed)))

    def close(self) -> None:
        with self._lock:
            self._closed = True

    def _ascending(self) -> list[Job]:
        with self._lock:
            return sorted(self._shelf.jobs.values(), key=lambda job: job.number)
