"""ThreadPool: accepts tasks durably, queues them, and owns the threads that run them. The heart of the server.

A job goes one way: ``add_task`` makes it durable and puts it into ``job_queue``; a runner takes it, runs it and hands
in how it ended; whoever waits for it wakes. ``_move`` alone changes a job's state, along the table in
``job_state.py``, with all that belongs to the step. Whoever asks gets an immutable ``Job`` and may ask again.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

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
from meantime.jobs.durations import Durations
from meantime.jobs.housekeeper import Housekeeper
from meantime.jobs.job import Checkpoint, EncodedResult, Job, Perform, Task
from meantime.jobs.job_entry import JobEntry
from meantime.jobs.job_queue import JobQueue
from meantime.jobs.job_state import JobState, check_transition
from meantime.jobs.job_store import JobStore, Submission
from meantime.jobs.log_context import worked_for
from meantime.jobs.results_directory import ResultsDirectory
from meantime.jobs.task_runner import TaskRunner

_log = logging.getLogger(__name__)

RECENT_COUNT = 4096
"""How many finished jobs stay in memory, so that those who poll need no look into the store."""

MAX_ATTEMPTS = 3
"""How often a job may be found running at start before it is held to be what ended the server."""

STUCK_GRACE_S = 1.0
"""How long past its time limit a job may go on before its runner is given up."""

_INSPECTION_INTERVAL_S = 0.5


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """One reading of the pool. ``unfinished`` counts accepted jobs that have not ended by (state, task's name)."""

    unfinished: dict[tuple[str, str], int]
    queue_depth: int
    runner_count: int
    replaced_runner_count: int
    housekeeping_failures: dict[str, int]  # by thread: rounds that raised


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

    Attributes
    ----------
    job_queue
        The jobs that wait for a runner. Guarded by the pool's lock, but for the waiting.
    job_id_dict
        Every accepted job that has not ended, by number. Guarded by the pool's lock.
    runs, waits
        How long jobs ran, by (task's name, final state), 0 s for one that never ran; and how long they waited for a
        runner, by (task's name,). From the jobs' own times of day, so a clock that is set meanwhile falsifies them.
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
        self.job_queue = JobQueue()  # guarded by self._lock, but for its wait
        self.job_id_dict: dict[int, JobEntry] = {}  # guarded by self._lock
        self._recent: OrderedDict[int, JobEntry] = OrderedDict()  # guarded by self._lock; ended jobs, oldest first
        self._reserved_count = 0  # guarded by self._lock; add_task calls whose job is not durable yet
        self._draining = False  # guarded by self._lock
        self._closed = False  # guarded by self._lock
        self._made_runner_count = 0  # guarded by self._lock
        self._replaced_runner_count = 0  # guarded by self._lock
        self._runners = [self._make_runner() for _ in range(thread_count)]  # guarded by self._lock
        self._inspector = Housekeeper(self.inspect, name="pool-inspector", interval_s=_INSPECTION_INTERVAL_S)
        self.runs = Durations()
        self.waits = Durations()

    # Accepting ---------------------------------------------------------------------------------------------------

    def start(self) -> int:
        """Queue what an earlier process left unfinished, start the runners, and return how many jobs were left."""
        with self._lock:
            accepted = set(self.job_id_dict)  # by this process already; the runners will find them
        left = [job for job in self._store.unfinished() if job.number not in accepted]
        for job in left:
            self._readmit(job)
        with self._lock:
            runners = list(self._runners)
        for runner in runners:
            runner.start()
        if runners:
            self._inspector.start()
        return len(left)

    def _readmit(self, job: Job) -> None:
        """Queue a job that an earlier process accepted, unless it seems to have ended that process."""
        entry = JobEntry(job, is_readmitted=True)
        self._hold(entry)
        if job.state is not JobState.RUNNING:
            return
        if job.attempt < MAX_ATTEMPTS:
            self._move(entry, JobState.QUEUED)
        else:
            self._move(
                entry, JobState.FAILED, reason=f"crashed: the server ended {job.attempt} times while this job ran"
            )

    def add_task(self, task: Task, *, owner: str = "", idempotency_key: str | None = None) -> Job:
        """Accept a task: make it durable, queue it, and return its job.

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
        accepted: list[Job] = []
        request_id, _ = worked_for.get()

        def accept(job: Job) -> None:
            """Take a job that has just become durable; nobody can read it from the store before this returns."""
            job = job.evolve(request_id=request_id)
            accepted.append(job)
            self._hold(JobEntry(job), is_reserved=True)

        try:
            receipt = self._store.add(Submission(task, self._clock(), owner, idempotency_key), accept)
        finally:
            if not accepted:
                self._free_place()
        if not receipt.is_new:
            raise IdempotencyConflictError(
                f"the idempotency key belongs to job {receipt.number} already", job_number=receipt.number
            )
        return accepted[0]

    def _reserve_place(self) -> None:
        """Take one of the queue's places for a job that is about to be accepted."""
        with self._lock:
            if self._draining:
                raise ShuttingDownError("shutting down")
            if self._depth() >= self._capacity:
                raise QueueFullError(
                    f"the queue is full: {self._depth()} jobs wait, {self._capacity} may; try again in a second"
                )
            self._reserved_count += 1

    def _free_place(self) -> None:
        """Give a place back that no job has come to take."""
        with self._lock:
            self._reserved_count -= 1
            self._notify_if_all_finished()

    def _hold(self, entry: JobEntry, *, is_reserved: bool = False) -> None:
        """Take an accepted job into the pool's hands, and let it wait for a runner if it is queued."""
        with self._lock:
            self._reserved_count -= is_reserved
            self.job_id_dict[entry.job.number] = entry
            if entry.job.state is JobState.QUEUED:
                self.job_queue.put(entry)

    # Asking ------------------------------------------------------------------------------------------------------

    def find(self, number: int) -> Job:
        """Return how a job stands.

        Raises
        ------
        UnknownJobError
            There is no such job.
        """
        return self._look_up(number).job

    def wait(self, number: int, timeout_s: float) -> Job:
        """Wait for a job's end, at most ``timeout_s`` seconds; return how it then stands. Errors as for ``find``."""
        return self._look_up(number).wait(timeout_s)

    def _look_up(self, number: int) -> JobEntry:
        """Return the entry of a job, or one made from what the store says of it."""
        entry = self._held(number)
        if entry is None:
            stored = self._store.get(number)
            if stored is None:
                raise UnknownJobError(f"no job has the number {number}")
            # It may have been accepted while the store was asked; the store tells of it only when it is held here.
            entry = self._held(number) or JobEntry(stored)
        return entry

    def _held(self, number: int) -> JobEntry | None:
        with self._lock:
            return self.job_id_dict.get(number) or self._recent.get(number)

    def current_states(self, numbers: Iterable[int]) -> dict[int, JobState]:
        """Return the states of those of the jobs that are in memory; the store may lag behind these."""
        with self._lock:
            found = ((n, self.job_id_dict.get(n) or self._recent.get(n)) for n in numbers)
            return {number: entry.job.state for number, entry in found if entry is not None}

    def may_be_joined(self, number: int) -> bool:
        """Whether a job has not ended, and nobody wants it to stop."""
        with self._lock:
            entry = self.job_id_dict.get(number)
            return entry is not None and not entry.cancel_requested

    def unfinished_count(self, *, owner: str | None = None) -> int:
        """Return how many accepted jobs have not ended; all of them, or an owner's."""
        with self._lock:
            if owner is not None:
                return sum(entry.job.owner == owner for entry in self.job_id_dict.values())
            return len(self.job_id_dict) + self._reserved_count

    def unfinished_before(self, number: int) -> int:
        """Return how many accepted jobs with a smaller number have not ended."""
        with self._lock:
            return sum(other < number for other in self.job_id_dict)

    def versions_in_use(self) -> set[str]:
        """Return the versions of data that unfinished jobs are about."""
        with self._lock:
            return {entry.job.task.version for entry in self.job_id_dict.values()}

    def queue_depth(self) -> int:
        """Return how many accepted jobs no runner has taken yet; one that is just being accepted counts."""
        with self._lock:
            return self._depth()

    def _depth(self) -> int:
        """Return the queue's depth. Holds self._lock."""
        return len(self.job_queue) + self._reserved_count

    def figures(self) -> PoolFigures:
        """Return one reading of jobs and runners."""
        with self._lock:
            jobs = [entry.job for entry in self.job_id_dict.values()]
            return PoolFigures(
                unfinished=dict(Counter((job.state.value, job.task.name) for job in jobs)),
                queue_depth=self._depth(),
                runner_count=sum(runner.is_alive() for runner in self._runners),
                replaced_runner_count=self._replaced_runner_count,
                housekeeping_failures={self._inspector.name: self._inspector.failure_count},
            )

    def forget(self, numbers: Iterable[int]) -> None:
        """Drop ended jobs from memory, once the store no longer holds them."""
        with self._lock:
            for number in numbers:
                self._recent.pop(number, None)

    # Running: called by TaskRunner -------------------------------------------------------------------------------

    def take(self) -> Job | None:
        """Wait for a job that still wants to run and start it; None when the runner shall end."""
        while self.job_queue.wait():
            with self._lock:
                entry = self.job_queue.pop()
            job = entry and self._move(entry, JobState.RUNNING)
            if job:
                worked_for.set((job.request_id, job.number))
                return job
        return None

    def run(self, job: Job) -> EncodedResult:
        """Run a job's task and publish its result; may raise anything."""
        entry = self._look_up(job.number)
        checkpoint = Checkpoint(lambda: entry.cancel_requested, self._time_limit_s, self._monotonic)
        result = self._perform(job.task, checkpoint)
        if entry.cancel_requested:
            raise JobCancelledError("the job was cancelled")
        self._results.publish(job.number, result)
        return result

    def finish(self, job: Job, result: EncodedResult) -> bool:
        """Record that a job is done; return whether it was still its runner's to end. Never raises."""
        if self._end(job, JobState.DONE, result_sha256=result.sha256, result_size=len(result.content)):
            return True
        self._results.withdraw(job.number, None)
        return False

    def fail(self, job: Job, error: BaseException) -> bool:
        """Record why a job has no result; return whether it was still its runner's to end. Never raises."""
        if isinstance(error, JobCancelledError):
            return self._end(job, JobState.CANCELLED, reason=str(error))
        if isinstance(error, MeantimeError):
            return self._end(job, JobState.FAILED, reason=str(error))
        if isinstance(error, MemoryError):
            traceback.clear_frames(error.__traceback__)  # what the job has allocated goes, so that the rest can be done
        _log.error("job %d (%s) raised %s", job.number, job.task.name, type(error).__name__, exc_info=error)
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return self._end(job, JobState.FAILED, reason=reason)

    def _end(self, job: Job, state: JobState, **changes: Any) -> bool:  # noqa: ANN401  # see Job.evolve
        entry = self._held(job.number)
        return entry is not None and self._move(entry, state, **changes) is not None

    # The one place where a job's state changes -------------------------------------------------------------------

    def _move(
        self,
        entry: JobEntry,
        state: JobState,
        *,
        only_from: JobState | None = None,
        **changes: Any,  # noqa: ANN401  # see Job.evolve
    ) -> Job | None:
        """Take a job one step along the table of transitions, with all that belongs to the step.

        Parameters
        ----------
        entry
            The job.
        state
            What it becomes.
        only_from
            The one state that it must have now, if any.
        changes
            What else changes with it.

        Returns
        -------
        Job or None
            How it now stands; None when the job has ended before, or isn't in the state ``only_from``. Then nothing was
            changed.

        Raises
        ------
        IllegalTransitionError
            The table has no such step; nothing was changed.
        """
        with self._lock:
            before = entry.job
            if before.state.is_final or only_from not in (None, before.state):
                return None
            check_transition(before.state, state)
            now = max(self._clock(), before.started_at or before.submitted_at)  # the clock may have been set back
            if state is JobState.RUNNING:
                job = before.evolve(state=state, attempt=before.attempt + 1, started_at=now)
            else:
                job = before.evolve(state=state, finished_at=now if state.is_final else None, **changes)
            entry.job = job
            self._note_runner(entry)
            if state is JobState.QUEUED:
                self.job_queue.put(entry)
            elif state.is_final:
                self.job_queue.remove(entry)
                self._retire(entry)
        try:
            self._record(job, at_once=entry.is_readmitted and state is not JobState.QUEUED)
        finally:
            if state.is_final:
                entry.wake_all()
        if state.is_final:
            self._tell_end(job)
        return job

    def _note_runner(self, entry: JobEntry) -> None:
        """Say who runs a job, and until when it may; nobody, when it doesn't run. Holds self._lock."""
        is_running = entry.job.state is JobState.RUNNING
        entry.runner = threading.current_thread() if is_running else None
        if is_running and self._time_limit_s is not None:
            entry.overdue_at = self._monotonic() + self._time_limit_s + STUCK_GRACE_S

    def _retire(self, entry: JobEntry) -> None:
        """Move a job that has ended among the recent ones. Holds self._lock."""
        self.job_id_dict.pop(entry.job.number, None)
        self._recent[entry.job.number] = entry
        if len(self._recent) > RECENT_COUNT:
            self._recent.popitem(last=False)
        self._notify_if_all_finished()

    def _record(self, job: Job, *, at_once: bool) -> None:
        """Write how a job stands; if that fails the job runs again at the next start.

        What an earlier process left is written at once. Should it end this process too, the attempt counts; and when
        it has ended, quick restarts are not its doing.
        """
        try:
            self._store.record(job, at_once=at_once)
        except StoreError as error:
            _log.error("job %d is %s, but that can't be recorded: %s", job.number, job.state, error)

    def _tell_end(self, job: Job) -> None:
        """Count a job that has ended, and tell of it."""
        name, started_at, finished_at = job.task.name, job.started_at, job.finished_at or 0.0
        if started_at is not None:
            self.waits.add((name,), max(0.0, started_at - job.submitted_at))
        self.runs.add((name, job.state.value), 0.0 if started_at is None else finished_at - started_at)
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
        """
        entry = self._look_up(number)
        with self._lock:
            job = entry.job
            if number in self.job_id_dict:
                entry.cancel_requested = True
        cancelled = self._move(entry, JobState.CANCELLED, only_from=JobState.QUEUED, reason="cancelled before it ran")
        if cancelled is None and job.state.is_final:
            raise IllegalTransitionError(f"job {number} is {job.state} already; it can't be cancelled")
        return cancelled or job

    # The runners -------------------------------------------------------------------------------------------------

    def _make_runner(self) -> threading.Thread:
        """Return another runner's thread. Holds self._lock, except in the constructor."""
        self._made_runner_count += 1
        name = f"runner-{self._made_runner_count}"
        return threading.Thread(target=TaskRunner(self).run, name=name, daemon=True)

    def inspect(self) -> None:
        """Look after the runners, and have what was recorded written also when no new job comes to carry it along."""
        self.replace_stuck_runners()
        self._store.flush()

    def replace_stuck_runners(self) -> int:
        """Fail each job whose runner has died or can't be stopped, put another runner in its place; return how many.

        What such a runner still gives is refused, and it ends then.
        """
        now = self._monotonic()
        with self._lock:
            if self._closed:
                return 0
            dead = {runner for runner in self._runners if runner.ident is not None and not runner.is_alive()}
            running = [(entry, entry.runner) for entry in self.job_id_dict.values() if entry.runner is not None]
        lost, count = set(dead), 0
        for entry, runner in running:
            if runner in dead:
                reason = "its runner has died; see the server's log"
            elif entry.overdue_at is not None and now > entry.overdue_at:
                reason = f"timeout: the job ran longer than {self._time_limit_s:g} s and could not be stopped"
            else:
                continue
            entry.cancel_requested = True
            job = self._move(entry, JobState.FAILED, reason=reason)
            if job is not None:
                _log.error("job %d (%s) failed and cost a runner: %s", job.number, job.task.name, reason)
                lost.add(runner)
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
                self.job_queue.clear()
                for _ in self._runners:
                    self.job_queue.end_one_runner()
            started = [runner for runner in self._runners if runner.ident is not None]
        self._inspector.stop()
        give_up_at = None if timeout_s is None else time.monotonic() + timeout_s
        for runner in started:
            runner.join(None if give_up_at is None else max(0.0, give_up_at - time.monotonic()))
        return not any(runner.is_alive() for runner in started)

    def _is_idle(self) -> bool:
        """Whether no accepted job is left. Holds self._lock."""
        return not self.job_id_dict and not self._reserved_count

    def _notify_if_all_finished(self) -> None:
        """Wake those who drain once nothing is left. Holds self._lock."""
        if self._draining and self._is_idle():
            self._all_finished.notify_all()
