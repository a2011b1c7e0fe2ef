"""The use cases, without Flask: submit, outcome, jobs, cancel, drain.

Joins the three rooms below: a request is checked against a dataset's cube, becomes a task, and the pool runs it here,
in ``_perform``, as a pure function of (dataset version, request).
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from meantime.errors import (
    IdempotencyConflictError,
    ReloadError,
    ResultLostError,
    StatisticError,
    StoreCorruptError,
    StoreError,
    UnknownJobError,
)
from meantime.jobs.durations import Durations
from meantime.jobs.housekeeper import Housekeeper
from meantime.jobs.job import Checkpoint, EncodedResult, Job, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import JobFilter, JobStore
from meantime.jobs.job_tally import JobTally
from meantime.jobs.result_cache import CacheUse, ResultCache
from meantime.jobs.results_directory import ResultsDirectory
from meantime.jobs.retention_clock import RetentionClock
from meantime.jobs.shared_jobs import SharedJobs
from meantime.jobs.thread_pool import ThreadPool
from meantime.statistics.catalogue import Surface, find_statistic
from meantime.statistics.citation import provenance_of
from meantime.statistics.encoding import encode_answer
from meantime.statistics.requests import canonical_json, from_canonical, read_request
from meantime.statistics.result import Result
from meantime.statistics.statistic import StatisticData
from meantime.survey.datasets.dataset_registry import DatasetRegistry
from meantime.survey.datasets.dataset_reloader import DatasetReloader
from meantime.survey.datasets.drift import DriftReport
from meantime.survey.ingest.data_ingestor import DataIngestor
from meantime.survey.ingest.dataset import Dataset

_log = logging.getLogger(__name__)

PAGE_SIZE = 1000
HOUSEKEEPING_INTERVAL_S = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job stands, with its encoded result (JSON) when it is done or the reason when it has none."""

    state: JobState
    result: bytes | None = None
    reason: str | None = None


class MeantimeService:
    """Everything the server can do, for whatever stands in front of it.

    Parameters
    ----------
    datasets
        The datasets that are served; the first is the default.
    store, results
        Where jobs and results are kept; the service closes the store.
    thread_count, queue_capacity, time_limit_s
        See ThreadPool.
    retention_age_s, retention_count
        Finished jobs older than this, or beyond this count, are evicted; None keeps them all.
    make_ingestor
        Given a dataset's name, returns what reads its source; without it nothing can be reloaded.
    on_job_end
        See ThreadPool's ``on_end``.
    """

    def __init__(  # noqa: PLR0913  # each is a setting of its own
        self,
        datasets: DatasetRegistry,
        store: JobStore,
        results: ResultsDirectory,
        *,
        thread_count: int,
        queue_capacity: int = 1000,
        time_limit_s: float | None = None,
        retention_age_s: float | None = None,
        retention_count: int | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        make_ingestor: Callable[[str], DataIngestor] | None = None,
        on_job_end: Callable[[Job], None] | None = None,
    ) -> None:
        self.datasets = datasets
        self.tally = JobTally()
        self._on_job_end = on_job_end
        self._store = store
        self._results = results
        self._cache = ResultCache()
        self._retention_clock = RetentionClock(clock, monotonic)
        self._retention_age_s = retention_age_s
        self._retention_count = retention_count
        self._pool = ThreadPool(
            self._perform,
            store,
            results,
            thread_count=thread_count,
            capacity=queue_capacity,
            time_limit_s=time_limit_s,
            clock=clock,
            monotonic=monotonic,
            on_end=self._note_end,
        )
        self._reloader = DatasetReloader(datasets, make_ingestor, self._versions_in_use) if make_ingestor else None
        self._shared_jobs = SharedJobs(self._pool.find)
        self._housekeeper = Housekeeper(self.evict_expired, interval_s=HOUSEKEEPING_INTERVAL_S)

    @property
    def pool(self) -> ThreadPool:
        """The pool that runs the jobs."""
        return self._pool

    def start(self) -> int:
        """Start the runners on what an earlier process left; return how many jobs that was."""
        self.evict_expired()
        left = self._pool.start()
        if self._retention_age_s is not None or self._retention_count is not None:
            self._housekeeper.start()
        return left

    # Asking for work ---------------------------------------------------------------------------------------------

    def submit(
        self,
        statistic: str,
        parameters: Mapping[str, object],
        *,
        surface: Surface,
        dataset: str | None = None,
        owner: str = "",
        idempotency_key: str | None = None,
        may_join: bool = False,
    ) -> int:
        """Check a request, make it a job that is on disk, and return its number.

        Parameters
        ----------
        statistic, parameters, surface, dataset
            What is asked; see ``task_of``.
        owner
            Whose job it is; empty where there are no owners.
        idempotency_key
            The owner's name for this request: sent again with the same request it gives the same job.
        may_join
            Whether the owner's unfinished job of an equal request will do; not with an idempotency key.

        Raises
        ------
        InvalidParameterError
            The statistic or a parameter is not acceptable.
        IdempotencyConflictError
            The owner has used this key for another request.
        QueueFullError, ShuttingDownError, StoreError
            See ThreadPool.add_task.
        """
        task = self.task_of(statistic, parameters, surface=surface, dataset=dataset)
        if idempotency_key is not None:
            return self._add_once(task, owner, idempotency_key)
        if may_join:
            return self._shared_jobs.join_or_add(task, owner, partial(self._pool.add_task, task, owner=owner))
        return self._pool.add_task(task, owner=owner)

    def _add_once(self, task: Task, owner: str, idempotency_key: str) -> int:
        """Add a task under a key, or return the number of the job that the same request got under this key before."""
        try:
            return self._pool.add_task(task, owner=owner, idempotency_key=idempotency_key)
        except IdempotencyConflictError as conflict:
            if self._pool.find(conflict.job_number).task != task:
                raise
            return conflict.job_number

    def task_of(
        self, statistic: str, parameters: Mapping[str, object], *, surface: Surface, dataset: str | None = None
    ) -> Task:
        """Check a request and return the task that it stands for; equal requests give equal tasks."""
        served = self.datasets.current(dataset)
        request = read_request(find_statistic(statistic, surface=surface), served.cube, parameters)
        return Task(request.name, canonical_json(request), f"{served.name}@{served.version}")

    # Asking for answers ------------------------------------------------------------------------------------------

    def job(self, number: int, *, owner: str | None = None) -> Job:
        """Return one job; to an owner, another's job is unknown.

        Raises
        ------
        UnknownJobError
            There is no such job, or it isn't the owner's.
        """
        job = self._pool.find(number)
        if owner is not None and job.owner != owner:
            raise UnknownJobError(f"no job has the number {number}")
        return job

    def outcome(self, job_number: int, *, wait_s: float = 0.0, owner: str | None = None) -> Outcome:
        """Return how a job stands, after waiting for its end for up to ``wait_s`` seconds.

        Raises
        ------
        UnknownJobError
            There is no such job, or it isn't the owner's.
        ResultLostError
            The result is gone, and the dataset version that could give it again is, too.
        """
        job = self.job(job_number, owner=owner)
        if wait_s > 0.0 and not job.state.is_final:
            job.finished.wait(wait_s)
        if job.state is not JobState.DONE:
            return Outcome(job.state, reason=job.reason)
        return Outcome(JobState.DONE, result=self._result_of(job))

    def _result_of(self, job: Job) -> bytes:
        """Return the result of a done job from memory or disk, or compute it again."""
        if job.result_sha256 is None:
            raise StoreCorruptError(f"job {job.number} is done, but no checksum is recorded; restore a backup")
        content = self._cache.of_sha256(job.result_sha256)
        if content is not None:
            return content
        content = self._results.read(job.number, job.result_sha256)
        if content is None:
            _log.warning("the result of job %d is missing or damaged; it is computed again", job.number)
            content = self._recompute(job).content
        elif not self._results.is_published(job.number):
            self._publish_again(job.number, EncodedResult(content, job.result_sha256))
        return content

    def _recompute(self, job: Job) -> EncodedResult:
        """Compute a lost result again; the same dataset version gives the same result."""
        try:
            result = self._perform(job.task, Checkpoint(lambda: False, None))
        except StatisticError as error:
            raise ResultLostError(
                f"the result of job {job.number} is gone and can't be computed again: {error}"
            ) from error
        self._publish_again(job.number, result)
        return result

    def _publish_again(self, number: int, result: EncodedResult) -> None:
        """Put a result file back; the answer doesn't depend on it."""
        try:
            self._results.publish(number, result)
        except StoreError as error:
            _log.error("the result file of job %d can't be put back: %s", number, error)

    def jobs(self, *, owner: str | None = None) -> Iterator[tuple[int, JobState]]:
        """Yield each job's number and state, ascending, read from the store page by page; None: all owners' jobs."""
        last = 0
        while page := self._store.states_after(last, PAGE_SIZE, owner=owner):
            live = self._pool.current_states(number for number, _ in page)
            for number, state in page:
                yield number, live.get(number, state)
            last = page[-1][0]

    def page(self, job_filter: JobFilter, *, before: int | None, limit: int) -> list[Job]:
        """Return jobs, newest first; states are those in memory where a job is there.

        A job that changed its state just now may still be listed under the old one's filter.
        """
        return [self._live(job) for job in self._store.page(job_filter, before=before, limit=limit)]

    def _live(self, job: Job) -> Job:
        return self._pool.find(job.number) if not job.state.is_final else job

    def jobs_ahead(self, number: int) -> int:
        """Return how many accepted jobs that came before this one have not ended."""
        return self._pool.unfinished_before(number)

    def unfinished_count(self, *, owner: str | None = None) -> int:
        """Return the number of accepted jobs that have not ended; None: all owners' jobs."""
        return self._pool.unfinished_count(owner=owner)

    def cancel(self, number: int, *, owner: str | None = None) -> Job:
        """Cancel a job; see ThreadPool.cancel."""
        self.job(number, owner=owner)
        return self._pool.cancel(number)

    def dataset(self, name: str | None = None) -> Dataset:
        """Return the current version of a dataset; the default one without a name."""
        return self.datasets.current(name)

    # Reloading ---------------------------------------------------------------------------------------------------

    @property
    def reloader(self) -> DatasetReloader | None:
        """What reads the datasets again; None when no source of theirs is known."""
        return self._reloader

    def reload(self, dataset: str | None = None) -> DriftReport:
        """Read a dataset's source again and say what changed; see DatasetReloader.reload.

        Raises
        ------
        UnknownDatasetError
            No dataset has this name.
        ReloadError
            The source can't be read, or isn't known; the old version is still served.
        """
        if self._reloader is None:
            raise ReloadError("this server was given its datasets and knows no source to read them from")
        return self._reloader.reload(dataset)

    def _versions_in_use(self) -> set[str]:
        return {job.task.version for job in self._pool.unfinished()}

    # Measuring ---------------------------------------------------------------------------------------------------

    @property
    def commit_durations(self) -> Durations:
        """How long the store's commits took."""
        return self._store.commit_durations

    def cache_use(self) -> CacheUse:
        """Return how often an equal task's result was at hand."""
        return self._cache.use()

    def _note_end(self, job: Job) -> None:
        self.tally.count(job)
        if self._on_job_end is not None:
            self._on_job_end(job)

    def back_up(self, target: Path) -> None:
        """Write a consistent copy of the store to a new file; see JobStore.back_up."""
        self._store.back_up(target)

    # Running -----------------------------------------------------------------------------------------------------

    def _perform(self, task: Task, checkpoint: Checkpoint) -> EncodedResult:
        """Compute one task, or return what an equal task gave."""
        known = self._cache.of_task(task)
        if known is not None:
            return known
        checkpoint()
        served = self.datasets.version(task.version)
        request = from_canonical(find_statistic(task.name), task.arguments, served.cube)
        answer = request.compute(StatisticData(served.cube, served.estimates))
        if isinstance(answer, Result):
            answer = answer.to_json(provenance_of(served, request))
        checkpoint()
        content = encode_answer(answer)
        result = EncodedResult(content, hashlib.sha256(content).hexdigest())
        self._cache.keep(task, result)
        return result

    # Ending ------------------------------------------------------------------------------------------------------

    @property
    def is_draining(self) -> bool:
        """Whether new jobs are refused because the server is about to end."""
        return self._pool.is_draining

    @property
    def is_ready(self) -> bool:
        """Whether a new job would be accepted, but for a full queue."""
        return not self._pool.is_draining and self._store.is_sound()

    def begin_drain(self) -> None:
        """Refuse new jobs from now on, and give up a reload; never blocks."""
        self._pool.begin_drain()
        if self._reloader is not None:
            self._reloader.cancel()

    def wait_drained(self, timeout_s: float | None) -> bool:
        """Wait until every accepted job has ended; return whether they all have."""
        return self._pool.drain(timeout_s)

    def evict_expired(self) -> int:
        """Drop the finished jobs that are past the retention limits; return how many."""
        if self._retention_age_s is None and self._retention_count is None:
            return 0
        before = None if self._retention_age_s is None else self._retention_clock() - self._retention_age_s
        count = 0
        while evicted := self._store.evict(finished_before=before, keep_count=self._retention_count, limit=PAGE_SIZE):
            for job in evicted:
                self._results.withdraw(job.number, job.result_sha256)
            self._pool.forget(job.number for job in evicted)
            count += len(evicted)
        return count

    def close(self, timeout_s: float | None = None) -> bool:
        """Stop the runners and close the store; return whether every runner ended in time."""
        self._housekeeper.stop()
        ended = self._pool.close(timeout_s)
        self._store.close()
        return ended
