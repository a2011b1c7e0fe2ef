"""ThreadPool: accepts tasks durably, queues them, and owns the runner threads. The heart of the server.

A job goes one way: ``add_task`` makes it durable and puts it into ``job_queue``; a runner takes it, runs it and hands
in how it ended; whoever waits on it wakes. One lock guards what the threads share; the queue is its own.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterable

from meantime.errors import (
    IdempotencyConflictError,
    IllegalTransitionError,
    JobCancelledError,
    MeantimeError,
    QueueFullError,
    ShuttingDownError,
    StoreError,
    UnknownJobError,
)
from meantime.jobs.housekeeper import Housekeeper
from meantime.jobs.job import Checkpoint, EncodedResult, Job, Perform, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import JobStore, Submission
from meantime.jobs.log_context import worked_for
from meantime.jobs.results_directory import ResultsDirectory
from meantime.jobs.runners import Runners
from meantime.jobs.task_runner import TaskRunner

_log = logging.getLogger(__name__)

RECENT_COUNT = 4096
"""How many finished jobs stay in memory, so that those who poll need no look into the store."""

MAX_ATTEMPTS = 3
"""How often a job may be found unfinished at start before it is held to be what ended the server."""

STUCK_GRACE_S = 1.0
"""How long past its time limit a job may go on before its runner is given up."""

_INSPECTION_INTERVAL_S = 0.5


class ThreadPool:
    """A bounded queue of durable jobs and the threads that run them.

    Parameters
    ----------
    perform
        Runs one task; called by the runner threads, may raise anything.
    store
        Keeps the jobs; the pool doesn't close it.
    results
        Where results appear as files.
    thread_count
        Number of runner threads.
    capacity
        How many jobs may wait in the queue.
    time_limit_s
        Seconds a task may run before its next checkpoint raises, or None. A task that reaches no checkpoint fails all
        the same a second later; its thread is given up and replaced.
    clock
        Gives the time in seconds since the epoch. It may jump: no job ends before it started.
    monotonic
        Gives the seconds that time limits are measured in.
    on_end
        Told of each job that has ended, by the thread that ended it; must neither raise nor block.
    """

    def __init__(  # noqa: PLR0913  # each is a setting of its own
        self,
        perform: Perform,
        store: JobStore,
        results: ResultsDirectory,
        *,
        thread_count: int,
        capacity: int = 1000,
        time_limit_s: float | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        on_end: Callable[[Job], None] | None = None,
    ) -> None:
        self._perform = perform
        self._store = store
        self._results = results
        self._capacity = capacity
        self._time_limit_s = time_limit_s
        self._clock = clock
        self._monotonic = monotonic
        self._on_end = on_end
        self._lock = threading.Lock()
        self._all_finished = threading.Condition(self._lock)
        self.job_queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()  # None ends one runner
        self.job_id_dict: dict[int, Job] = {}  # guarded by self._lock; accepted jobs that have not ended
        self._recent: OrderedDict[int, Job] = OrderedDict()  # guarded by self._lock; ended jobs, oldest first
        self._readmitted: set[int] = set()  # guarded by self._lock; unfinished jobs of an earlier process
        self._depth = 0  # guarded by self._lock; accepted (or about to be), not yet taken
        self._accepting = 0  # guarded by self._lock; add_task calls between reservation and queue
        self._draining = False  # guarded by self._lock
        self._closed = False  # guarded by self._lock
        self._runners = Runners(TaskRunner(self).run, thread_count)
        self._inspector = Housekeeper(self._inspect, interval_s=_INSPECTION_INTERVAL_S)

    # Accepting ---------------------------------------------------------------------------------------------------

    def start(self) -> int:
        """Queue what an earlier process left unfinished, start the runners, and return how many jobs were left."""
        with self._lock:
            accepted = set(self.job_id_dict)  # by this process already; the runners will find them
        left = [job for job in self._store.unfinished() if job.number not in accepted]
        for job in left:
            self._readmit(job)
        if len(self._runners):
            self._runners.start()
            self._inspector.start()
        return len(left)

    def _readmit(self, job: Job) -> None:
        """Queue a job that an earlier process accepted, unless it seems to have ended that process."""
        if job.state is JobState.RUNNING and job.attempt >= MAX_ATTEMPTS:
            job.finished_at = self._now(job)
            job.reason = f"crashed: the server ended {job.attempt} times while this job ran"
            job.move_to(JobState.FAILED)
            self._store.record(job, at_once=True)
            return
        if job.state is JobState.RUNNING:
            job.move_to(JobState.QUEUED)
        with self._lock:
            self.job_id_dict[job.number] = job
            self._readmitted.add(job.number)
            self._depth += 1
        self.job_queue.put(job)

    def add_task(self, task: Task, *, owner: str = "", idempotency_key: str | None = None) -> int:
        """Accept a task: make it durable, queue it, and return the number of its job.

        Raises
        ------
        ShuttingDownError
            The drain has begun.
        QueueFullError
            As many jobs wait as may.
        IdempotencyConflictError
            The owner has used this key before.
        StoreError
            The job can't be made durable; it is not accepted.
        """
        self._reserve_place()
        job = None
        try:
            now = self._clock()
            number, is_new = self._store.add(Submission(task, now, owner, idempotency_key))
            if not is_new:
                raise IdempotencyConflictError(
                    f"the idempotency key belongs to job {number} already", job_number=number
                )
            job = Job(number, task, owner, submitted_at=now, request_id=worked_for.get()[0])
        finally:
            with self._lock:
                self._accepting -= 1
                if job is None:
                    self._depth -= 1
                    self._notify_if_all_finished()
                else:
                    self.job_id_dict[job.number] = job
        self.job_queue.put(job)
        return job.number

    def _reserve_place(self) -> None:
        """Take one of the queue's places for a job that is about to be accepted."""
        with self._lock:
            if self._draining:
                raise ShuttingDownError("shutting down")
            if self._depth >= self._capacity:
                raise QueueFullError(
                    f"the queue is full: {self._depth} jobs wait, {self._capacity} may; try again in a second"
                )
            self._depth += 1
            self._accepting += 1

    def queue_depth(self) -> int:
        """Return how many accepted jobs no runner has taken yet."""
        with self._lock:
            return self._depth

    def unfinished_count(self, *, owner: str | None = None) -> int:
        """Return how many accepted jobs have not ended; all of them, or an owner's."""
        with self._lock:
            if owner is not None:
                return sum(job.owner == owner for job in self.job_id_dict.values())
            return len(self.job_id_dict) + self._accepting

    def unfinished(self) -> list[Job]:
        """Return the accepted jobs that have not ended, in no order."""
        with self._lock:
            return list(self.job_id_dict.values())

    def unfinished_before(self, number: int) -> int:
        """Return how many accepted jobs with a smaller number have not ended."""
        with self._lock:
            return sum(other < number for other in self.job_id_dict)

    def runner_count(self) -> int:
        """Return how many runner threads are alive."""
        return self._runners.alive_count()

    @property
    def replaced_runner_count(self) -> int:
        """How many runner threads have been given up, or have died, and were replaced."""
        return self._runners.replaced_count

    # Asking ------------------------------------------------------------------------------------------------------

    def find(self, number: int) -> Job:
        """Return a job: the live one while it is in memory, else a snapshot from the store.

        Raises
        ------
        UnknownJobError
            There is no such job.
        """
        with self._lock:
            job = self.job_id_dict.get(number) or self._recent.get(number)
        job = job or self._store.get(number)
        if job is None:
            raise UnknownJobError(f"no job has the number {number}")
        return job

    def current_states(self, numbers: Iterable[int]) -> dict[int, JobState]:
        """Return the states of those of the jobs that are in memory; the store may lag behind these."""
        with self._lock:
            found = ((n, self.job_id_dict.get(n) or self._recent.get(n)) for n in numbers)
            return {number: job.state for number, job in found if job is not None}

    def forget(self, numbers: Iterable[int]) -> None:
        """Drop ended jobs from memory, once the store no longer holds them."""
        with self._lock:
            for number in numbers:
                self._recent.pop(number, None)

    # Running: called by TaskRunner -------------------------------------------------------------------------------

    def take(self) -> Job | None:
        """Wait for a job that still wants to run and start it; None when the runner shall end."""
        while (job := self.job_queue.get()) is not None:
            with self._lock:
                self._depth -= 1
                if job.state is not JobState.QUEUED:
                    continue  # cancelled while it waited
                job.move_to(JobState.RUNNING)
                job.attempt += 1
                job.started_at = self._now(job)
                job.runner = threading.current_thread()
                if self._time_limit_s is not None:
                    job.overdue_at = self._monotonic() + self._time_limit_s + STUCK_GRACE_S
                is_readmitted = job.number in self._readmitted
            worked_for.set((job.request_id, job.number))
            # A job that outlived one process is written down before it runs again: should it end this
            # process too, the attempt counts.
            self._record(job, at_once=is_readmitted)
            return job
        return None

    def run(self, job: Job) -> EncodedResult:
        """Run a job's task and publish its result."""
        result = self._perform(job.task, self._checkpoint_for(job))
        if job.cancel_requested:
            raise JobCancelledError("the job was cancelled")
        self._results.publish(job.number, result)
        return result

    def _checkpoint_for(self, job: Job) -> Checkpoint:
        return Checkpoint(lambda: job.cancel_requested, self._time_limit_s, self._monotonic)

    def finish(self, job: Job, result: EncodedResult) -> bool:
        """Record that a job is done; return whether it was still this runner's to end."""
        if self._end(job, JobState.DONE, result=result):
            return True
        self._results.withdraw(job.number, None)
        return False

    def fail(self, job: Job, error: BaseException) -> bool:
        """Record why a job has no result; return whether it was still this runner's to end."""
        if isinstance(error, JobCancelledError):
            return self._end(job, JobState.CANCELLED, reason=str(error))
        if isinstance(error, MeantimeError):
            return self._end(job, JobState.FAILED, reason=str(error))
        if isinstance(error, MemoryError):
            traceback.clear_frames(error.__traceback__)  # what the job has allocated goes, so that the rest can be done
        _log.error("job %d (%s) raised %s", job.number, job.task.name, type(error).__name__, exc_info=error)
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return self._end(job, JobState.FAILED, reason=reason)

    def _end(
        self, job: Job, state: JobState, *, result: EncodedResult | None = None, reason: str | None = None
    ) -> bool:
        """Give a job its final state and wake those who wait for it; return False if it has one already."""
        with self._lock:
            if job.state.is_final:
                return False
            if result is not None:
                job.result_sha256, job.result_size = result.sha256, len(result.content)
            job.reason = reason
            job.finished_at = self._now(job)
            job.runner = None
            job.move_to(state)
            self.job_id_dict.pop(job.number, None)
            was_readmitted = job.number in self._readmitted
            self._readmitted.discard(job.number)
            self._recent[job.number] = job
            if len(self._recent) > RECENT_COUNT:
                self._recent.popitem(last=False)
            self._notify_if_all_finished()
        job.finished.open()
        # Its start was written at once, so its end is, too: else three quick restarts would look like its doing.
        self._record_end(job, at_once=was_readmitted)
        return True

    def _inspect(self) -> None:
        """Have what was recorded written, also when no new job comes to carry it along, and look after the runners."""
        self.replace_stuck_runners()
        self._store.flush()

    def replace_stuck_runners(self) -> int:
        """Fail each job whose runner has died or can't be stopped, put another runner in its place; return how many.

        What such a runner still gives is refused, and it ends then.
        """
        now = self._monotonic()
        dead = self._runners.dead()
        with self._lock:
            if self._closed:
                return 0
            running = [(job, job.runner) for job in self.job_id_dict.values() if job.runner is not None]
        count = 0
        for job, runner in running:
            if runner in dead:
                reason = "its runner has died; see the server's log"
            elif job.overdue_at is not None and now > job.overdue_at:
                reason = f"timeout: the job ran longer than {self._time_limit_s:g} s and could not be stopped"
            else:
                continue
            job.cancel_requested = True
            if self._end(job, JobState.FAILED, reason=reason):
                _log.error("job %d (%s) failed and cost a runner: %s", job.number, job.task.name, reason)
                self._runners.replace(runner)
                count += 1
        for runner in dead:
            self._runners.replace(runner)
        return count

    def _now(self, job: Job) -> float:
        """Return the time, but never one before the job's last step: the clock may have been set back."""
        return max(self._clock(), job.started_at or job.submitted_at)

    def _record_end(self, job: Job, *, at_once: bool = False) -> None:
        """Write and tell that a job has ended."""
        self._record(job, at_once=at_once)
        if self._on_end is not None:
            self._on_end(job)

    def _record(self, job: Job, *, at_once: bool) -> None:
        """Write how a job stands; if that fails the job runs again at the next start."""
        try:
            self._store.record(job, at_once=at_once)
        except StoreError as error:
            _log.error("job %d is %s, but that can't be recorded: %s", job.number, job.state, error)

    # Cancelling --------------------------------------------------------------------------------------------------

    def cancel(self, number: int) -> Job:
        """End a queued job at once; ask a running one to end at its next checkpoint.

        Raises
        ------
        UnknownJobError
            There is no such job.
        IllegalTransitionError
            The job has ended already.
        """
        with self._lock:
            job = self.job_id_dict.get(number)
            if job is not None:
                job.cancel_requested = True
            is_queued = job is not None and job.state is JobState.QUEUED
            if job is not None and is_queued:
                job.move_to(JobState.CANCELLED)
                job.finished_at = self._now(job)
                job.reason = "cancelled before it ran"
                del self.job_id_dict[number]
                self._recent[number] = job
                self._notify_if_all_finished()
        if job is None:
            ended = self.find(number)
            raise IllegalTransitionError(f"job {number} is {ended.state} already; it can't be cancelled")
        if is_queued:
            job.finished.open()
            self._record_end(job)
        return job

    # Ending ------------------------------------------------------------------------------------------------------

    @property
    def is_draining(self) -> bool:
        """Whether new tasks are refused."""
        with self._lock:
            return self._draining

    def begin_drain(self) -> None:
        """Refuse new tasks from now on; accepted jobs go on. Never blocks; calling it again changes nothing."""
        with self._lock:
            self._draining = True
            self._notify_if_all_finished()

    def drain(self, timeout_s: float | None = None) -> bool:
        """Refuse new tasks, wait until every accepted job has ended, and return whether they all have.

        Parameters
        ----------
        timeout_s
            Seconds to wait at most; None waits as long as it takes.
        """
        self.begin_drain()
        with self._all_finished:
            return self._all_finished.wait_for(self._is_idle, timeout_s)

    def close(self, timeout_s: float | None = None) -> bool:
        """Refuse new tasks, let each runner end after the job it has, and return whether they all did.

        Jobs that still wait in the queue stay unfinished in the store; they run at the next start.
        """
        self.begin_drain()
        with self._lock:
            if not self._closed:
                self._closed = True
                self._empty_queue()
                for _ in range(len(self._runners)):
                    self.job_queue.put(None)
        self._inspector.stop()
        return self._runners.join(timeout_s)

    def _empty_queue(self) -> None:
        """Take every waiting job out of the queue. Holds self._lock."""
        try:
            while True:
                self.job_queue.get_nowait()
        except queue.Empty:
            return

    def _is_idle(self) -> bool:
        """Whether no accepted job is left. Holds self._lock."""
        return not self.job_id_dict and not self._accepting

    def _notify_if_all_finished(self) -> None:
        """Wake those who drain once nothing is left. Holds self._lock."""
        if self._draining and self._is_idle():
            self._all_finished.notify_all()
