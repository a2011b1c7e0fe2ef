"""ThreadPool: accepts tasks durably, queues them, and owns the threads that run them. The heart of the server.

A job goes one way: ``add_task`` makes it durable and puts it into ``job_queue``; a runner takes it, runs it and hands
in how it ended; whoever waits for it wakes. Each step is made by ``LiveJobs.move``. Whoever asks gets an immutable
``Job``, how it stands just now, and may ask again.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from meantime.errors import (
    IdempotencyConflictError,
    IllegalTransitionError,
    JobCancelledError,
    MeantimeError,
    StoreError,
    StoreUnavailableError,
)
from meantime.fields.refusals import encodable
from meantime.jobs.durations import Durations
from meantime.jobs.job import Checkpoint, EncodedResult, Job, Perform, Task
from meantime.jobs.job_queue import JobEntry, JobQueue
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import JobStore, Submission
from meantime.jobs.live_jobs import LiveJobs
from meantime.jobs.log_context import worked_for
from meantime.jobs.results.results_directory import ResultsDirectory
from meantime.jobs.task_runner import TaskRunner
from meantime.supervisor import Housekeeper, KeptThread

_log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
"""How often a job may be found running at start before it is held to be what ended the server."""

STUCK_GRACE_S = 1.0
"""How long past its time limit a job may go on before its runner is given up."""

_INSPECTION_INTERVAL_S = 0.5


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """One reading of a pool.

    ``unfinished`` counts jobs that have not ended by (state, task's name); ``runs`` and ``waits`` are those of
    LiveJobs; ``housekeeping_failures`` counts rounds that raised, by thread.
    """

    unfinished: dict[tuple[str, str], int]
    queue_depth: int
    most_waiting_of_one_owner: int
    runner_count: int
    replaced_runner_count: int
    runs: Durations
    waits: Durations
    housekeeping_failures: dict[str, int]


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
    owner_percent
        How much of what other owners leave of the queue one owner may take; see LiveJobs.
    time_limit_s
        Seconds a task may run before its next checkpoint raises, or None. A task that reaches no checkpoint fails all
        the same a second later; its thread is given up and replaced.
    clock
        Gives the time in seconds since the epoch; may jump.
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
        owner_percent: int = 100,
        time_limit_s: float | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        on_end: Callable[[Job], None] | None = None,
    ) -> None:
        self._perform = perform
        self._store = store
        self._results = results
        self._time_limit_s = time_limit_s
        self._clock = clock
        self._monotonic = monotonic
        self._on_end = on_end
        self._jobs = LiveJobs(store, capacity=capacity, owner_percent=owner_percent, clock=clock, on_end=self._note_end)
        self._lock = threading.Lock()
        self._closed = False  # guarded by self._lock
        self._made_runner_count = 0  # guarded by self._lock
        self._replaced_runner_count = 0  # guarded by self._lock
        self._runners = [self._make_runner() for _ in range(thread_count)]  # guarded by self._lock
        self._inspector = Housekeeper(self.inspect, name="pool-inspector", interval_s=_INSPECTION_INTERVAL_S)

    @property
    def job_queue(self) -> JobQueue:
        """The jobs that wait for a runner."""
        return self._jobs.queue

    @property
    def job_id_dict(self) -> dict[int, Job]:
        """The accepted jobs that have not ended, by number, as they stand now."""
        return {entry.job.number: entry.job for entry in self._jobs.unfinished()}

    # Accepting ---------------------------------------------------------------------------------------------------

    def start(self) -> int:
        """Queue what an earlier process left unfinished, start the runners, and return how many jobs were left."""
        accepted = self.job_id_dict  # by this process already; the runners will find them
        left = [job for job in self._store.unfinished() if job.number not in accepted]
        for job in left:
            self._readmit(job)
        with self._lock:
            for runner in self._runners:
                runner.start()
            if self._runners:
                self._inspector.start()
        return len(left)

    def _readmit(self, job: Job) -> None:
        """Queue a job that an earlier process accepted, unless it seems to have ended that process."""
        entry = JobEntry(job, is_readmitted=True)
        self._jobs.hold(entry, is_reserved=False)
        if job.state is JobState.QUEUED:
            self.job_queue.call_runner()
        elif job.attempt < MAX_ATTEMPTS:
            self._jobs.move(entry, JobState.QUEUED)
        else:
            reason = f"crashed: the server ended {job.attempt} times while this job ran"
            self._jobs.move(entry, JobState.FAILED, reason=reason)

    def add_task(self, task: Task, *, owner: str = "", idempotency_key: str | None = None) -> Job:
        """Accept a task: make it durable, queue it, and return its job.

        Raises
        ------
        ShuttingDownError
            The drain has begun.
        QueueFullError
            As many jobs wait as may, of all owners or of this one.
        IdempotencyConflictError
            The owner has used this key before.
        StoreError
            The job can't be made durable, or its result could not be stored; it is not accepted.
        """
        fault = self._jobs.fault
        if fault is not None and not self.is_draining:
            raise type(fault)(str(fault))
        accepted: list[Job] = []

        def accept(durable: Job) -> None:
            """Take the job in before anybody can read it from the store."""
            accepted.append(durable)
            self._jobs.hold(JobEntry(durable), is_reserved=True)

        self._jobs.reserve(owner)
        request_id, _ = worked_for.get()
        try:
            receipt = self._store.add(Submission(task, self._clock(), owner, idempotency_key, request_id), accept)
        finally:
            if not accepted:
                self._jobs.free(owner)
        if not receipt.is_new:
            raise IdempotencyConflictError(
                f"the idempotency key belongs to job {receipt.number} already", job_number=receipt.number
            )
        self.job_queue.call_runner()
        return accepted[0]

    # Asking ------------------------------------------------------------------------------------------------------

    def find(self, number: int) -> Job:
        """Return how a job stands.

        Raises
        ------
        UnknownJobError
            There is no such job.
        """
        return self._jobs.look_up(number).job

    def wait(self, number: int, timeout_s: float) -> Job:
        """Wait for a job's end, at most ``timeout_s`` seconds; return how it then stands. Errors as for ``find``."""
        return self._jobs.look_up(number).wait(timeout_s)

    def current_states(self, numbers: Iterable[int]) -> dict[int, JobState]:
        """Return the states of those of the jobs that are in memory; the store may lag behind these."""
        return self._jobs.states_of(numbers)

    def may_be_joined(self, number: int) -> bool:
        """Whether a job has not ended, and nobody wants it to stop."""
        entry = self._jobs.held(number)
        return entry is not None and not entry.job.state.is_final and not entry.cancel_requested

    def unfinished_count(self, *, owner: str | None = None) -> int:
        """Return how many accepted jobs have not ended; all of them, or an owner's."""
        if owner is None:
            return self._jobs.unfinished_count()
        return sum(entry.job.owner == owner for entry in self._jobs.unfinished())

    def unfinished_before(self, number: int) -> int:
        """Return how many accepted jobs with a smaller number have not ended."""
        return sum(entry.job.number < number for entry in self._jobs.unfinished())

    def versions_in_use(self) -> set[str]:
        """Return the versions of data that unfinished jobs are about."""
        return {entry.job.task.version for entry in self._jobs.unfinished()}

    def queue_depth(self) -> int:
        """Return how many accepted jobs no runner has taken yet; one that is just being accepted counts."""
        return self._jobs.queue_depth()

    def figures(self) -> PoolFigures:
        """Return one reading of jobs and runners."""
        with self._lock:
            runner_count = sum(runner.is_alive() for runner in self._runners)
            replaced_count = self._replaced_runner_count
        return PoolFigures(
            unfinished=self._jobs.counts(),
            queue_depth=self._jobs.queue_depth(),
            most_waiting_of_one_owner=self._jobs.most_waiting_of_one_owner(),
            runner_count=runner_count,
            replaced_runner_count=replaced_count,
            runs=self._jobs.runs,
            waits=self._jobs.waits,
            housekeeping_failures={self._inspector.name: self._inspector.failure_count},
        )

    def forget(self, numbers: Iterable[int]) -> None:
        """Drop ended jobs from memory, once the store no longer holds them."""
        self._jobs.forget(numbers)

    # Running: called by TaskRunner -------------------------------------------------------------------------------

    def take(self) -> Job | None:
        """Wait for a job that still wants to run and start it; None when the runner shall end."""
        while (entry := self._jobs.take_waiting()) is not None:
            job = self._jobs.move(entry, JobState.RUNNING)
            if job is None:
                continue  # cancelled just now
            if self._time_limit_s is not None:
                entry.overdue_at = self._monotonic() + self._time_limit_s + STUCK_GRACE_S
            entry.runner = threading.current_thread()
            worked_for.set((job.request_id, job.number))
            return job
        return None

    def run(self, job: Job) -> EncodedResult:
        """Run a job's task and store its result; may raise anything."""
        entry = self._jobs.look_up(job.number)
        checkpoint = Checkpoint(lambda: entry.cancel_requested, self._time_limit_s, self._monotonic)
        result = self._perform(job.task, checkpoint)
        if entry.cancel_requested:
            raise JobCancelledError("the job was cancelled")
        try:
            self._results.publish(job.number, result)
        except StoreError as error:
            self._jobs.fault = error  # the jobs that come now would fail as this one does
            raise
        return result

    def finish(self, job: Job, result: EncodedResult) -> bool:
        """Record that a job is done; return whether it was still its runner's to end. Never raises."""
        if self._end(job, JobState.DONE, result_sha256=result.sha256, result_size=len(result.content)):
            return True
        self._results.withdraw(job.number, None)
        return False

    def fail(self, job: Job, error: BaseException) -> bool:
        """Record why a job has no result; return whether it was still its runner's to end. Never raises."""
        state = JobState.CANCELLED if isinstance(error, JobCancelledError) else JobState.FAILED
        reason = str(error)
        if isinstance(error, MemoryError):
            traceback.clear_frames(error.__traceback__)  # what the job has allocated goes, so that the rest can be done
        if not isinstance(error, MeantimeError):
            _log.error("job %d (%s) raised %s", job.number, job.task.name, type(error).__name__, exc_info=error)
            reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return self._end(job, state, reason=encodable(reason))

    def _end(self, job: Job, state: JobState, **changes: Any) -> bool:  # noqa: ANN401  # see Job.evolve
        entry = self._jobs.held(job.number)
        return entry is not None and self._jobs.move(entry, state, **changes) is not None

    def _note_end(self, job: Job) -> None:
        """Tell that a job has ended; one without a result keeps no file of an earlier attempt, whose end was lost."""
        if job.state is not JobState.DONE:
            self._results.withdraw(job.number, None)
        if self._on_end is not None:
            self._on_end(job)

    # Cancelling --------------------------------------------------------------------------------------------------

    def cancel(self, number: int) -> Job:
        """End a queued job at once; ask a running one to end at its next checkpoint. Return how it then stands.

        Raises
        ------
        UnknownJobError
            There is no such job.
        IllegalTransitionError
            The job has ended already.
        StoreUnavailableError
            That it is cancelled can't be recorded just now; it is tried again, and the job doesn't run meanwhile.
        """
        entry = self._jobs.look_up(number)
        has_ended = entry.job.state.is_final
        entry.cancel_requested = True
        reason = "cancelled before it ran"
        job = self._jobs.move(entry, JobState.CANCELLED, only_from=JobState.QUEUED, reason=reason) or entry.job
        if has_ended or job.state in (JobState.DONE, JobState.FAILED):
            raise IllegalTransitionError(f"job {number} is {job.state} already; it can't be cancelled")
        if entry.is_unrecorded:
            raise StoreUnavailableError(f"how job {number} ends can't be recorded; look at it again later")
        return job

    # The runners -------------------------------------------------------------------------------------------------

    def _make_runner(self) -> threading.Thread:
        """Return another runner's thread. Holds self._lock, except in the constructor."""
        self._made_runner_count += 1
        name = f"runner-{self._made_runner_count}"
        return threading.Thread(target=TaskRunner(self).run, name=name, daemon=True)

    def inspect(self) -> None:
        """Look after the runners, and after what they stand on.

        What was recorded is written also when no new job comes to carry it along, and what could not be is tried again.
        """
        self.replace_stuck_runners()
        fault, known = self._find_fault(), self._jobs.fault
        self._jobs.fault = fault
        if fault is not None and str(fault) != str(known):
            _log.error("no job is accepted: %s", fault)
        if fault is None and known is not None:
            _log.warning("jobs are accepted again: what they need can be written")
        self._jobs.record_ends()
        self._results.publish_missing()

    def _find_fault(self) -> StoreError | None:
        """Return why jobs, how they end or their results can't be kept just now, if so."""
        try:
            self._store.flush()
            self._results.check_room()
        except StoreError as error:
            return error
        return None

    @property
    def fault(self) -> StoreError | None:
        """Why no job can be accepted just now, as far as the last inspection or job found; None when one can be."""
        return self._jobs.fault

    def replace_stuck_runners(self) -> int:
        """Fail each job whose runner has died or can't be stopped, put another runner in its place; return how many.

        What such a runner still gives is refused, and it ends then.
        """
        now = self._monotonic()
        with self._lock:
            if self._closed:
                return 0
            dead = {runner for runner in self._runners if runner.ident is not None and not runner.is_alive()}
        lost, count = set(dead), 0
        for entry in self._jobs.unfinished():
            if entry.runner is None:
                continue
            if entry.runner in dead:
                reason = "its runner has died; see the server's log"
            elif entry.overdue_at is not None and now > entry.overdue_at:
                reason = f"timeout: the job ran longer than {self._time_limit_s:g} s and could not be stopped"
            else:
                continue
            entry.cancel_requested = True
            job = self._jobs.move(entry, JobState.FAILED, reason=reason)
            if job is not None:
                _log.error("job %d (%s) failed and cost a runner: %s", job.number, job.task.name, reason)
                lost.add(entry.runner)
                count += 1
        self._replace(lost)
        return count

    def _replace(self, lost: set[threading.Thread]) -> None:
        """Start another runner in the place of each that is lost."""
        with self._lock:
            for place, runner in enumerate(self._runners):
                if runner in lost and not self._closed:
                    self._runners[place] = self._make_runner()
                    self._replaced_runner_count += 1
                    self._runners[place].start()

    # Ending ------------------------------------------------------------------------------------------------------

    @property
    def inspector_thread(self) -> KeptThread:
        """The thread that looks after the runners."""
        return self._inspector.thread

    @property
    def is_draining(self) -> bool:
        """Whether new tasks are refused."""
        return self._jobs.is_draining

    def begin_drain(self) -> None:
        """Refuse new tasks from now on; accepted jobs go on. Never blocks; calling it again changes nothing."""
        self._jobs.begin_drain()

    def drain(self, timeout_s: float | None = None) -> bool:
        """Refuse new tasks, wait until every accepted job has ended, and return whether they all have.

        Parameters
        ----------
        timeout_s
            Seconds to wait at most; None waits as long as it takes.
        """
        self.begin_drain()
        return self._jobs.wait_idle(timeout_s)

    def close(self, timeout_s: float | None = None) -> bool:
        """Refuse new tasks, let each runner end after the job it has, and return whether they all did.

        Jobs that still wait in the queue stay unfinished in the store; they run at the next start.
        """
        self.begin_drain()
        with self._lock:
            if not self._closed:
                self._closed = True
                self._jobs.abandon_queue(len(self._runners))
            started = [runner for runner in self._runners if runner.ident is not None]
        self._inspector.stop()
        give_up_at = None if timeout_s is None else time.monotonic() + timeout_s
        for runner in started:
            runner.join(None if give_up_at is None else max(0.0, give_up_at - time.monotonic()))
        return not any(runner.is_alive() for runner in started)
