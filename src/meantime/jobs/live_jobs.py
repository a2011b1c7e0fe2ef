"""LiveJobs: the accepted jobs in memory, and the one writer of them. Threads and what they run are the pool's.

A job is accepted in two steps: ``reserve`` takes one of the queue's places, ``hold`` takes the durable job in. From
then on ``move`` alone changes it, along the table in ``job_state.py``, with all that belongs to the step. One lock
guards it all. It may be taken while the store holds its own, so nothing here calls the store while it holds the lock.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from meantime.errors import QueueFullError, ShuttingDownError, StoreError, UnknownJobError
from meantime.jobs.durations import Durations
from meantime.jobs.job import Job
from meantime.jobs.job_queue import JobEntry, JobQueue
from meantime.jobs.job_state import JobState, check_transition
from meantime.jobs.job_store import JobStore

_log = logging.getLogger(__name__)

RECENT_COUNT = 4096
"""How many finished jobs stay in memory, so that those who poll need no look into the store."""


class LiveJobs:
    """Every accepted job that has not ended, and the latest that have.

    Parameters
    ----------
    store
        Where each step is recorded.
    capacity
        How many jobs may wait in the queue.
    owner_percent
        How many of the places that other owners' jobs leave the waiting jobs of one owner may take, in percent. A
        server without access keys has no owners, whose name is empty then: such jobs may take every place.
    clock
        Gives the time in seconds since the epoch. It may jump: no job ends before it started.
    on_end
        Told of each job that has ended, by the thread that ended it; must neither raise nor block.

    Attributes
    ----------
    queue
        The jobs that wait for a runner. Guarded by the lock, but for waiting and calling.
    by_number
        The jobs that have not ended. Guarded by the lock.
    runs, waits
        How long jobs ran, by (task's name, final state), 0 s for one that never ran; and how long they waited for a
        runner, by (task's name,). From the jobs' own times of day, so a clock that is set meanwhile falsifies them.
    """

    def __init__(
        self,
        store: JobStore,
        *,
        capacity: int,
        owner_percent: int = 100,
        clock: Callable[[], float] = time.time,
        on_end: Callable[[Job], None] | None = None,
    ) -> None:
        self._store = store
        self._capacity = capacity
        self._owner_percent = owner_percent
        self._clock = clock
        self._on_end = on_end
        self._lock = threading.Lock()
        self._is_idle = threading.Condition(self._lock)
        self.queue = JobQueue()  # guarded by self._lock, but for waiting and calling
        self.by_number: dict[int, JobEntry] = {}  # guarded by self._lock
        self._recent: OrderedDict[int, JobEntry] = OrderedDict()  # guarded by self._lock; ended jobs, oldest first
        self._reserved: dict[str, int] = {}  # guarded by self._lock; places no job has come to take, by owner
        self._reserved_count = 0  # guarded by self._lock; their sum
        self._draining = False  # guarded by self._lock
        self.fault: StoreError | None = None  # written by the pool alone: why nothing can be kept just now
        self.runs = Durations()
        self.waits = Durations()

    # Accepting ---------------------------------------------------------------------------------------------------

    def reserve(self, owner: str) -> None:
        """Take one of the queue's places for an owner's job that is about to be accepted.

        Raises
        ------
        ShuttingDownError
            The drain has begun.
        QueueFullError
            As many jobs wait as may, of all owners or of this one.
        """
        with self._lock:
            if self._draining:
                raise ShuttingDownError("shutting down")
            if self._depth() >= self._capacity:
                raise QueueFullError(
                    f"the queue is full: {self._depth()} jobs wait, {self._capacity} may; try again in a second"
                )
            if owner:
                self._check_share(owner)
            self._reserved[owner] = self._reserved.get(owner, 0) + 1
            self._reserved_count += 1

    def _check_share(self, owner: str) -> None:
        """Raise when an owner has its share of the places, so that whoever comes next finds one. Holds self._lock."""
        own = self.queue.waiting_of(owner) + self._reserved.get(owner, 0)
        share = max(1, (self._capacity - self._depth() + own) * self._owner_percent // 100)
        if own >= share:
            raise QueueFullError(
                f"your share of the queue is full: {own} jobs of {owner} wait, and {share} may while"
                f" {self._depth() - own} of others do; try again in a second"
            )

    def free(self, owner: str) -> None:
        """Give a reserved place back: no job comes to take it."""
        with self._lock:
            self._give_back(owner)
            self._notify_if_idle()

    def _give_back(self, owner: str) -> None:
        """Forget a reserved place. Holds self._lock."""
        self._reserved_count -= 1
        if self._reserved[owner] == 1:
            del self._reserved[owner]
        else:
            self._reserved[owner] -= 1

    def hold(self, entry: JobEntry, *, is_reserved: bool) -> None:
        """Take an accepted job in, and let it wait if it is queued; the caller then calls a runner for it."""
        with self._lock:
            if is_reserved:
                self._give_back(entry.job.owner)
            self.by_number[entry.job.number] = entry
            if entry.job.state is JobState.QUEUED:
                self.queue.put(entry)

    def take_waiting(self) -> JobEntry | None:
        """Wait for the next job in the queue and take it out; None when the runner that asks shall end."""
        while self.queue.wait():
            with self._lock:
                entry = self.queue.pop()
            if entry is not None:
                return entry
        return None

    def abandon_queue(self, runner_count: int) -> None:
        """Let no job wait any longer, and have the runners end; the jobs run at the next start."""
        with self._lock:
            self.queue.clear()
            for _ in range(runner_count):
                self.queue.end_one_runner()

    # Asking ------------------------------------------------------------------------------------------------------

    def look_up(self, number: int) -> JobEntry:
        """Return the entry of a job, or one made from what the store says of it.

        Raises
        ------
        UnknownJobError
            There is no such job.
        """
        entry = self.held(number)
        if entry is None:
            stored = self._store.get(number)
            if stored is None:
                raise UnknownJobError(f"no job has the number {number}")
            # It may have been accepted while the store was asked; the store tells of it only when it is held here.
            entry = self.held(number) or JobEntry(stored)
        return entry

    def held(self, number: int) -> JobEntry | None:
        """Return the entry of a job that is in memory."""
        with self._lock:
            return self.by_number.get(number) or self._recent.get(number)

    def states_of(self, numbers: Iterable[int]) -> dict[int, JobState]:
        """Return the states of those of the jobs that are in memory; the store may lag behind these."""
        with self._lock:
            found = ((n, self.by_number.get(n) or self._recent.get(n)) for n in numbers)
            return {number: entry.job.state for number, entry in found if entry is not None}

    def unfinished(self) -> list[JobEntry]:
        """Return the jobs that have not ended, in no order."""
        with self._lock:
            return list(self.by_number.values())

    def unfinished_count(self) -> int:
        """Return how many accepted jobs have not ended; one that is just being accepted counts."""
        with self._lock:
            return len(self.by_number) + self._reserved_count

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many jobs have not ended, by (state, task's name)."""
        return dict(Counter((entry.job.state.value, entry.job.task.name) for entry in self.unfinished()))

    def queue_depth(self) -> int:
        """Return how many accepted jobs no runner has taken yet; one that is just being accepted counts."""
        with self._lock:
            return self._depth()

    def most_waiting_of_one_owner(self) -> int:
        """Return how many jobs wait of the owner of whom most do."""
        with self._lock:
            return self.queue.most_of_one()

    def _depth(self) -> int:
        """Return the queue's depth. Holds self._lock."""
        return len(self.queue) + self._reserved_count

    # The one place where a job changes ---------------------------------------------------------------------------

    def move(
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
            changed. An end that can't be recorded is returned, but not told to anybody: until ``record_ends`` succeeds
            the job stays what it was, and nothing else becomes of it.

        Raises
        ------
        IllegalTransitionError
            The table has no such step; nothing was changed.
        """
        with self._lock:
            before = entry.job
            if before.state.is_final or entry.end is not None or only_from not in (None, before.state):
                return None
            check_transition(before.state, state)
            now = max(self._clock(), before.started_at or before.submitted_at)  # the clock may have been set back
            if state.is_final:
                job = entry.end = before.evolve(state=state, finished_at=now, **changes)
                self.queue.remove(entry)
            elif state is JobState.RUNNING:
                job = entry.job = before.evolve(state=state, attempt=before.attempt + 1, started_at=now, **changes)
            else:
                job = entry.job = before.evolve(state=state, finished_at=None, **changes)
                self.queue.put(entry)
        if state.is_final:
            self._finish_end(entry, job)
            return job
        self._record(entry, job)
        if state is JobState.QUEUED:
            self.queue.call_runner()
        return job

    def _finish_end(self, entry: JobEntry, job: Job) -> None:
        """Record how a job ended, then tell of it; where it can't be recorded, ``record_ends`` tries again."""
        if not self._record(entry, job):
            return
        with self._lock:
            entry.job, entry.end = job, None
            self._retire(entry)
        entry.wake_all()
        self._tell_end(job)

    def record_ends(self) -> int:
        """Try again to record the ends that could not be; return how many still can't. One thread at a time."""
        ends = [(entry, entry.end) for entry in self.unfinished() if entry.is_unrecorded]
        for entry, job in ends:
            if job is not None:
                self._finish_end(entry, job)
        return sum(entry.is_unrecorded for entry, _ in ends)

    def _retire(self, entry: JobEntry) -> None:
        """Put a job that has ended among the recent ones. Holds self._lock."""
        self.by_number.pop(entry.job.number, None)
        self._recent[entry.job.number] = entry
        if len(self._recent) > RECENT_COUNT:
            self._recent.popitem(last=False)
        self._notify_if_idle()

    def _record(self, entry: JobEntry, job: Job) -> bool:
        """Write how a job stands, and return whether that succeeded.

        An end without a result is written before it is told: run again, the job might end otherwise. One with a result
        would give the same, so it may wait for the next commit, unless writing fails just now. What an earlier process
        left is written at once when it runs and when it has ended. Should it end this process too, the attempt counts;
        and once it has ended, quick restarts are not its doing.
        """
        may_end_otherwise = job.state.is_final and (job.state is not JobState.DONE or self.fault is not None)
        at_once = may_end_otherwise or (entry.is_readmitted and job.state is not JobState.QUEUED)
        try:
            self._store.record(job, at_once=at_once)
        except StoreError as error:
            if not entry.is_unrecorded:  # otherwise it has been said
                _log.error("job %d is %s, but that can't be recorded: %s", job.number, job.state, error)
            entry.is_unrecorded = job.state.is_final
            return False
        entry.is_unrecorded = False
        return True

    def _tell_end(self, job: Job) -> None:
        """Count a job that has ended, and tell of it."""
        name, started_at, finished_at = job.task.name, job.started_at, job.finished_at or 0.0
        if started_at is not None:
            self.waits.add((name,), max(0.0, started_at - job.submitted_at))
        self.runs.add((name, job.state.value), 0.0 if started_at is None else finished_at - started_at)
        if self._on_end is not None:
            self._on_end(job)

    def forget(self, numbers: Iterable[int]) -> None:
        """Drop ended jobs from memory, once the store no longer holds them."""
        with self._lock:
            for number in numbers:
                self._recent.pop(number, None)

    # Draining ----------------------------------------------------------------------------------------------------

    @property
    def is_draining(self) -> bool:
        """Whether new jobs are refused."""
        with self._lock:
            return self._draining

    def begin_drain(self) -> None:
        """Refuse new jobs from now on; calling it again changes nothing."""
        with self._lock:
            self._draining = True
            self._notify_if_idle()

    def wait_idle(self, timeout_s: float | None) -> bool:
        """Wait until no accepted job is left, at most ``timeout_s`` seconds if given; return whether none is."""
        with self._is_idle:
            return self._is_idle.wait_for(self._nothing_is_left, timeout_s)

    def _nothing_is_left(self) -> bool:
        """Whether no accepted job is left. Holds self._lock."""
        return not self.by_number and not self._reserved_count

    def _notify_if_idle(self) -> None:
        """Wake those who wait for the end of a drain once nothing is left. Holds self._lock."""
        if self._draining and self._nothing_is_left():
            self._is_idle.notify_all()
