"""The use cases, without Flask: submit, wait, result, jobs, cancel, reload, drain.

Joins the three rooms below: a request is checked against a dataset's cube, becomes a task, and the pool runs it here,
in ``_perform``, as a pure function of (dataset version, request). Whoever stands in front asks the service alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from meantime.errors import (
    IdempotencyConflictError,
    InvalidParameterError,
    ReloadError,
    ResultLostError,
    StatisticError,
    StoreCorruptError,
    StoreError,
    TimeLimitError,
    UnknownJobError,
)
from meantime.jobs.durations import Durations
from meantime.jobs.job import Checkpoint, EncodedResult, Job, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import JobFilter, JobStore
from meantime.jobs.results.result_cache import CacheUse, ResultCache
from meantime.jobs.results.results_directory import ResultsDirectory
from meantime.jobs.results.retention import Retention
from meantime.jobs.shared_jobs import SharedJobs
from meantime.jobs.thread_pool import ThreadPool
from meantime.statistics.batch import BATCH, BatchAnswers, canonical_batch, requests_in
from meantime.statistics.catalogue import Surface, find_statistic
from meantime.statistics.citation import notes_on, provenance_of
from meantime.statistics.requests import canonical_json, from_canonical, read_request
from meantime.statistics.result import Result, encode_answer
from meantime.statistics.statistic import Statistic, StatisticData
from meantime.supervisor import Housekeeper, Supervisor
from meantime.survey.datasets.dataset_registry import DatasetRegistry
from meantime.survey.datasets.dataset_reloader import DatasetReloader
from meantime.survey.datasets.drift import DriftReport
from meantime.survey.ingest.data_ingestor import DataIngestor
from meantime.survey.ingest.dataset import Dataset

_log = logging.getLogger(__name__)

PAGE_SIZE = 1000
HOUSEKEEPING_INTERVAL_S = 30.0


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """One reading of the service, for whoever watches it.

    ``unfinished`` counts jobs that have not ended by (state, statistic); ``runs`` are labelled (statistic, final
    state), ``waits`` (statistic,), ``commits`` (kind,), ``reloads`` (dataset, outcome); ``finished_bytes`` is what
    finished jobs take with their results; ``loaded_at`` is in seconds since the epoch; ``housekeeping_failures`` counts
    the rounds that raised, by thread; ``threads_running`` and ``thread_end_counts`` are the supervisor's.
    """

    unfinished: Mapping[tuple[str, str], int]
    queue_depth: int
    most_waiting_of_one_owner: int
    runner_count: int
    replaced_runner_count: int
    runs: Durations
    waits: Durations
    commits: Durations
    cache: CacheUse
    finished_count: int
    finished_bytes: int
    reloads: Mapping[tuple[str, str], int]
    loaded_at: Mapping[str, float]
    housekeeping_failures: Mapping[str, int]
    threads_running: Mapping[str, bool]
    thread_end_counts: Mapping[str, int]

    @property
    def busy_runner_count(self) -> int:
        """How many runners have a job."""
        return sum(count for (state, _), count in self.unfinished.items() if state == JobState.RUNNING)


class MeantimeService:
    """Everything the server can do, for whatever stands in front of it.

    Parameters
    ----------
    datasets
        The datasets that are served; the first is the default.
    store, results
        Where jobs and results are kept; the service closes the store.
    thread_count, queue_capacity, queue_owner_percent, time_limit_s
        See ThreadPool.
    retention
        Which finished jobs are evicted; without it they are all kept.
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
        queue_owner_percent: int = 100,
        time_limit_s: float | None = None,
        retention: Retention | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        make_ingestor: Callable[[str], DataIngestor] | None = None,
        on_job_end: Callable[[Job], None] | None = None,
    ) -> None:
        self._datasets = datasets
        self._store = store
        self._results = results
        self._cache = ResultCache()
        self._retention = retention or Retention()
        self._on_job_end = on_job_end
        self._pool = ThreadPool(
            self._perform,
            store,
            results,
            thread_count=thread_count,
            capacity=queue_capacity,
            owner_percent=queue_owner_percent,
            time_limit_s=time_limit_s,
            clock=clock,
            monotonic=monotonic,
            on_end=self._note_job_end,
        )
        self._reloader = DatasetReloader(datasets, make_ingestor, self._pool.versions_in_use) if make_ingestor else None
        self._shared_jobs = SharedJobs(self._pool.may_be_joined)
        self._evictor = Housekeeper(self.evict_expired, name="evictor", interval_s=HOUSEKEEPING_INTERVAL_S)
        self.supervisor = Supervisor()
        self.supervisor.add(self._pool.inspector_thread, self._evictor.thread)

    def start(self) -> int:
        """Start the runners on what an earlier process left; return how many jobs that was."""
        self.evict_expired()
        left = self._pool.start()
        if self._retention.is_limited:
            self._evictor.start()
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
    ) -> Job:
        """Check a request, make it a job that is on disk, and return how that stands.

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
        return self._accept(task, owner=owner, idempotency_key=idempotency_key, may_join=may_join)

    def submit_batch(
        self,
        requests: Sequence[tuple[str, Mapping[str, object]]],
        *,
        dataset: str | None = None,
        owner: str = "",
        idempotency_key: str | None = None,
    ) -> Job:
        """Check several v1 requests and make them one job, or join the owner's unfinished one of an equal batch.

        Parameters
        ----------
        requests
            The statistics, each with its parameters.
        dataset, owner, idempotency_key
            As of ``submit``.

        Raises
        ------
        InvalidParameterError
            A statistic or a parameter is not acceptable; the field says of which request.
        """
        served = self._datasets.current(dataset)
        settled = []
        for place, (statistic, parameters) in enumerate(requests):
            try:
                settled.append(read_request(find_statistic(statistic, surface=Surface.V1), served.cube, parameters))
            except InvalidParameterError as error:
                raise error.below(f"requests[{place}]") from None
        task = Task(BATCH, canonical_batch(settled), f"{served.name}@{served.version}")
        return self._accept(task, owner=owner, idempotency_key=idempotency_key, may_join=True)

    def _accept(self, task: Task, *, owner: str, idempotency_key: str | None, may_join: bool) -> Job:
        if idempotency_key is not None:
            return self._add_once(task, owner, idempotency_key)
        return self.join_or_add(task, owner=owner) if may_join else self._pool.add_task(task, owner=owner)

    def join_or_add(self, task: Task, *, owner: str = "") -> Job:
        """Return the owner's unfinished job of an equal task, or else a new one that is on disk; errors of submit."""
        add = partial(self._pool.add_task, task, owner=owner)
        return self._pool.find(self._shared_jobs.join_or_add(task, owner, add).number)

    def _add_once(self, task: Task, owner: str, idempotency_key: str) -> Job:
        """Add a task under a key, or return the job that the same request got under this key before."""
        try:
            return self._pool.add_task(task, owner=owner, idempotency_key=idempotency_key)
        except IdempotencyConflictError as conflict:
            earlier = self._pool.find(conflict.job_number)
            if earlier.task != task:
                raise
            return earlier

    def task_of(
        self, statistic: str, parameters: Mapping[str, object], *, surface: Surface, dataset: str | None = None
    ) -> Task:
        """Check a request and return the task that it stands for; equal requests give equal tasks."""
        served = self._datasets.current(dataset)
        return task_for(read_request(find_statistic(statistic, surface=surface), served.cube, parameters), served)

    # Asking for answers ------------------------------------------------------------------------------------------

    def job(self, number: int, *, owner: str | None = None) -> Job:
        """Return how a job stands; to an owner, another's job is unknown.

        Raises
        ------
        UnknownJobError
            There is no such job, or it isn't the owner's.
        """
        return _owned(self._pool.find(number), owner)

    def wait(self, number: int, timeout_s: float, *, owner: str | None = None) -> Job:
        """Wait for a job's end, at most ``timeout_s`` seconds, and return how it then stands; errors as for ``job``."""
        job = self.job(number, owner=owner)
        return job if job.state.is_final or timeout_s <= 0.0 else self._pool.wait(number, timeout_s)

    def known_result(self, task: Task) -> EncodedResult | None:
        """Return the result of a task that some job had, if it is still in memory; no job is made."""
        return self._cache.of_task(task)

    def result_of(self, job: Job) -> bytes:
        """Return the encoded result (JSON) of a job that is done: from memory, from disk, or computed again.

        Raises
        ------
        ResultLostError
            The result is gone, and what could give it again is, too.
        StoreCorruptError
            The store has lost its checksum.
        """
        if job.result_sha256 is None:
            raise StoreCorruptError(f"job {job.number} is done, but no checksum is recorded; restore a backup")
        self._retention.note_fetch(job.number)
        content = self._cache.of_sha256(job.result_sha256)
        if content is not None:
            return content
        content = self._results.read(job.number, job.result_sha256)
        if content is None:
            _log.warning("the result of job %d is missing or damaged; it is computed again", job.number)
            return self._recompute(job)
        if not self._results.is_published(job.number):
            self._publish_again(job.number, EncodedResult(content, job.result_sha256))
        return content

    def _recompute(self, job: Job) -> bytes:
        """Compute a lost result again: the same dataset version gives the same bytes, or it doesn't count."""
        try:
            result = self._perform(job.task, Checkpoint(lambda: False, None))
        except StatisticError as error:
            raise ResultLostError(
                f"the result of job {job.number} is gone and can't be computed again: {error}"
            ) from error
        if result.sha256 != job.result_sha256:
            raise ResultLostError(
                f"the result of job {job.number} is gone, and this version of Meantime computes another one from the"
                " same request; submit the request again"
            )
        self._publish_again(job.number, result)
        return result.content

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

    # Datasets ----------------------------------------------------------------------------------------------------

    def dataset(self, name: str | None = None, version: str | None = None) -> Dataset:
        """Return a dataset, the default one without a name, in its current version or in one that is kept.

        Raises
        ------
        UnknownDatasetError
            No dataset has this name.
        UnknownVersionError, VersionGoneError
            There is no such version, or no longer.
        """
        return self._datasets.current(name) if version is None else self._datasets.kept(name, version)

    def datasets(self) -> tuple[Dataset, ...]:
        """Return the current version of every dataset, the default one first."""
        return tuple(map(self._datasets.current, self._datasets.names))

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

    def reload_all(self) -> None:
        """Read every dataset's source again, as far as it is known; what happens is in the log."""
        if self._reloader is not None:
            self._reloader.reload_all()

    def latest_drift(self, dataset: str) -> DriftReport | None:
        """Return what the latest reload of a dataset changed; None if there was none since the start."""
        return None if self._reloader is None else self._reloader.latest_report(dataset)

    # Watching ----------------------------------------------------------------------------------------------------

    def figures(self) -> ServiceFigures:
        """Return one reading of jobs, runners, store, cache and datasets."""
        pool, reloader = self._pool.figures(), self._reloader
        return ServiceFigures(
            unfinished=pool.unfinished,
            queue_depth=pool.queue_depth,
            most_waiting_of_one_owner=pool.most_waiting_of_one_owner,
            runner_count=pool.runner_count,
            replaced_runner_count=pool.replaced_runner_count,
            runs=pool.runs,
            waits=pool.waits,
            commits=self._store.commit_durations,
            cache=self._cache.use(),
            finished_count=self._retention.job_count,
            finished_bytes=self._retention.taken_bytes,
            reloads=reloader.counts() if reloader else {},
            loaded_at=reloader.loaded_at() if reloader else {},
            housekeeping_failures=pool.housekeeping_failures | {self._evictor.name: self._evictor.failure_count},
            threads_running=self.supervisor.running(),
            thread_end_counts=self.supervisor.end_counts(),
        )

    def back_up(self, target: Path, *, enclosed: Mapping[str, str] | None = None) -> None:
        """Write a consistent copy of the store to a new file; see JobStore.back_up."""
        self._store.back_up(target, enclosed=enclosed)

    # Running -----------------------------------------------------------------------------------------------------

    def _perform(self, task: Task, checkpoint: Checkpoint) -> EncodedResult:
        """Compute one task, or return what an equal task gave."""
        known = self._cache.of_task(task)
        if known is not None:
            return known
        checkpoint()
        result = self._answer_batch(task, checkpoint) if task.name == BATCH else self._answer(task, checkpoint)
        self._cache.keep(task, result)
        return result

    def _answer_batch(self, task: Task, checkpoint: Checkpoint) -> EncodedResult:
        """Answer each request of a batch as if it were asked alone; one without an answer says why."""
        answers = BatchAnswers()
        for statistic, arguments in requests_in(task.arguments):
            try:
                answer = self._perform(Task(statistic, arguments, task.version), checkpoint)
            except TimeLimitError:
                raise
            except StatisticError as error:
                answers.add_failure(statistic, str(error))
            else:
                answers.add_result(statistic, answer.content)
        return EncodedResult.of(answers.encoded())

    def _answer(self, task: Task, checkpoint: Checkpoint) -> EncodedResult:
        served = self._datasets.version(task.version)
        request = from_canonical(find_statistic(task.name), task.arguments, served.cube)
        answer = request.compute(StatisticData(served.cube, served.estimates, checkpoint))
        if isinstance(answer, Result):
            answer = answer.to_json(provenance_of(served, request), notes_on(served, request))
        checkpoint()
        return EncodedResult.of(encode_answer(answer))

    def _note_job_end(self, job: Job) -> None:
        self._retention.note_end(job)
        if self._on_job_end is not None:
            self._on_job_end(job)

    # Ending ------------------------------------------------------------------------------------------------------

    @property
    def is_draining(self) -> bool:
        """Whether new jobs are refused because the server is about to end."""
        return self._pool.is_draining

    @property
    def is_ready(self) -> bool:
        """Whether a new job would be accepted, but for a full queue, and no thread is missing that looks after it."""
        is_kept = self._pool.fault is None and self._store.is_sound()
        return is_kept and not self._pool.is_draining and not self.supervisor.missing()

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
        return self._retention.evict(self._store, self._results, self._pool.forget)

    def close(self, timeout_s: float | None = None) -> bool:
        """Stop the runners and close the store; return whether every runner ended in time."""
        self._evictor.stop()
        ended = self._pool.close(timeout_s)
        self._store.close()
        return ended


def task_for(request: Statistic, dataset: Dataset) -> Task:
    """Return the task that a settled request for a dataset stands for; equal requests give equal tasks."""
    return Task(request.name, canonical_json(request), f"{dataset.name}@{dataset.version}")


def _owned(job: Job, owner: str | None) -> Job:
    """Return a job; to an owner, another's is unknown."""
    if owner is not None and job.owner != owner:
        raise UnknownJobError(f"no job has the number {job.number}")
    return job
