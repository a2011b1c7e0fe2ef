"""The life of jobs as a state machine: pool, store and results against a model, with faults, crashes and restarts.

Runners are not threads here: the machine plays the runner step by step, so that every interleaving it finds
can be replayed.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from meantime.errors import (
    IdempotencyConflictError,
    IllegalTransitionError,
    QueueFullError,
    ShuttingDownError,
    StorageFullError,
    StoreUnavailableError,
)
from meantime.jobs.job import EncodedResult, Job, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.results.results_directory import ResultsDirectory
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.jobs.thread_pool import MAX_ATTEMPTS, STUCK_GRACE_S, ThreadPool
from tests.concurrency.conftest import echo
from tests.fault_table import Record
from tests.faulty_store import FaultyStore
from tests.killed_store import open_as_killed

CAPACITY = 4
OWNER_PERCENT = 75
TIME_LIMIT_S = 60.0
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # thousands of syncs take their time on a disk
OWNERS = st.sampled_from(["", "ann", "bob"])
KEYS = st.none() | st.sampled_from(["monday", "tuesday"])


@dataclass
class Expected:
    """What the model knows of one job."""

    task: Task
    owner: str
    state: JobState = JobState.QUEUED
    attempt: int = 0
    is_cancel_requested: bool = False
    is_ending: bool = False  # how it ends can't be recorded, so it stays what it was
    overdue_at: float = 0.0  # monotonic seconds; of a running job
    # What the store may say after a crash: what was written last for sure, and what came since.
    may_be_recorded: list[tuple[JobState, int]] = field(default_factory=lambda: [(JobState.QUEUED, 0)])

    def become(self, state: JobState, *, is_recordable: bool = True) -> None:
        if state.is_final and not is_recordable:
            self.is_ending = True
            return
        self.attempt += state is JobState.RUNNING
        self.state = state
        if state in (JobState.FAILED, JobState.CANCELLED):
            self.may_be_recorded.clear()  # it is written before anybody hears of it
        self.may_be_recorded.append((state, self.attempt))


class JobsMachine(RuleBasedStateMachine):
    """Submit, run, fail, cancel, drain, fill the disk, break the store, crash and restart in any order."""

    jobs = Bundle("jobs")

    @initialize()
    def open_first(self) -> None:
        self.directory = Path(tempfile.mkdtemp(dir=IN_MEMORY))
        self.state_count = 0
        self.model: dict[int, Expected] = {}
        self.keys: dict[tuple[str, str], int] = {}
        self.running: list[Job] = []
        self.ended: list[tuple[int, JobState]] = []
        self.last_number = 0
        self.now_s = 1000.0
        self.monotonic_s = 500.0
        self.open(SqliteJobStore(self.state))

    @property
    def state(self) -> Path:
        return self.directory / f"state-{self.state_count}"

    def open(self, store: SqliteJobStore) -> None:
        self.store = FaultyStore(store)
        self.results = ResultsDirectory(self.directory / "results", self.state / "stored")
        self.pool = ThreadPool(
            echo,
            self.store,
            self.results,
            thread_count=0,
            capacity=CAPACITY,
            owner_percent=OWNER_PERCENT,
            time_limit_s=TIME_LIMIT_S,
            clock=lambda: self.now_s,
            monotonic=lambda: self.monotonic_s,
            on_end=lambda job: self.ended.append((job.number, job.state)),
        )
        self.draining = False
        self.ended.clear()
        left = self.pool.start()
        unfinished = [e for e in self.model.values() if not e.state.is_final]
        assert left == len(unfinished)
        for expected in unfinished:
            expected.is_cancel_requested = expected.is_ending = False
            if expected.state is JobState.RUNNING:
                expected.become(JobState.FAILED if expected.attempt >= MAX_ATTEMPTS else JobState.QUEUED)

    def queued(self) -> list[int]:
        return [n for n, e in self.model.items() if e.state is JobState.QUEUED and not e.is_ending]

    def has_its_share(self, owner: str) -> bool:
        own = sum(self.model[number].owner == owner for number in self.queued())
        others = len(self.queued()) - own
        return own >= max(1, (CAPACITY - others) * OWNER_PERCENT // 100)

    # Submitting ----------------------------------------------------------------------------------------------------

    @rule(target=jobs, text=st.text(max_size=3), owner=OWNERS, key=KEYS, seconds=st.floats(-1e5, 1e5))
    def submit(self, text: str, owner: str, key: str | None, seconds: float) -> int:
        self.now_s += seconds  # the wall clock may jump
        task = Task("echo", text.encode("utf-8", "replace").decode("utf-8"), "v1")
        refusal: type[Exception] | None = None
        if self.draining:
            refusal = ShuttingDownError
        elif len(self.queued()) >= CAPACITY or (owner and self.has_its_share(owner)):
            refusal = QueueFullError
        elif self.store.is_broken:
            refusal = StoreUnavailableError
        elif self.store.is_full:
            refusal = StorageFullError
        elif key is not None and (owner, key) in self.keys:
            refusal = IdempotencyConflictError
        if refusal is not None:
            with pytest.raises(refusal) as refused:
                self.pool.add_task(task, owner=owner, idempotency_key=key)
            if isinstance(refused.value, IdempotencyConflictError):
                assert refused.value.job_number == self.keys[owner, key or ""]
            return 0
        number = self.pool.add_task(task, owner=owner, idempotency_key=key).number
        assert number == self.last_number + 1
        self.last_number = number
        self.model[number] = Expected(task, owner)
        if key is not None:
            self.keys[owner, key] = number
        return number

    # Running -------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.queued())
    @rule()
    def take(self) -> None:
        job = self.pool.take()
        assert job is not None
        expected = self.model[job.number]
        assert expected.state is JobState.QUEUED
        assert job.number == min(n for n in self.queued() if self.model[n].owner == job.owner)
        expected.become(JobState.RUNNING)
        assert job.attempt == expected.attempt
        expected.overdue_at = self.monotonic_s + TIME_LIMIT_S + STUCK_GRACE_S
        self.running.append(job)

    @precondition(lambda self: self.running)
    @rule(index=st.integers(0, 10), fails=st.booleans())
    def end_one(self, index: int, fails: bool) -> None:
        job = self.running.pop(index % len(self.running))
        expected = self.model[job.number]
        if expected.state is JobState.FAILED or expected.is_ending:
            self.end_too_late(job, fails)
            return
        if fails:
            assert self.pool.fail(job, SystemExit("boom"))
            expected.become(JobState.FAILED, is_recordable=not self.store.is_broken)
            return
        try:
            result: EncodedResult = self.pool.run(job)
        except BaseException as error:  # noqa: BLE001  # as TaskRunner does
            assert self.pool.fail(job, error)  # noqa: PT017  # the call is the step
            expected.become(JobState.CANCELLED, is_recordable=not self.store.is_broken)
            assert expected.is_cancel_requested
        else:
            assert self.pool.finish(job, result)
            expected.become(JobState.DONE, is_recordable=not self.store.is_broken)
        assert self.pool.wait(job.number, 0.0).state is expected.state

    def end_too_late(self, job: Job, fails: bool) -> None:
        """Have a runner that was given up come back: nothing it brings counts, and it is told to end."""
        if fails:
            assert not self.pool.fail(job, SystemExit("boom"))
        else:
            assert not self.pool.finish(job, EncodedResult.of(b"late"))
        assert not self.results.is_published(job.number)

    @rule(seconds=st.floats(0.0, 2 * TIME_LIMIT_S))
    def let_time_pass(self, seconds: float) -> None:
        self.monotonic_s += seconds
        self.pool.replace_stuck_runners()
        for expected in self.model.values():
            if expected.state is JobState.RUNNING and self.monotonic_s > expected.overdue_at:
                expected.become(JobState.FAILED, is_recordable=not self.store.is_broken)

    @rule(number=jobs)
    def cancel(self, number: int) -> None:
        expected = self.model.get(number)
        if expected is None:
            return
        if expected.state.is_final:
            with pytest.raises(IllegalTransitionError):
                self.pool.cancel(number)
            return
        is_queued = expected.state is JobState.QUEUED
        if expected.is_ending or (is_queued and self.store.is_broken):
            expected.is_ending = True
            with pytest.raises(StoreUnavailableError):
                self.pool.cancel(number)
            return
        job = self.pool.cancel(number)
        expected.is_cancel_requested = True
        if expected.state is JobState.QUEUED:
            expected.become(JobState.CANCELLED, is_recordable=not self.store.is_broken)
        assert job.state is expected.state

    # Faults --------------------------------------------------------------------------------------------------------

    @rule()
    def begin_drain(self) -> None:
        self.draining = True
        self.pool.begin_drain()

    @rule()
    def empty_the_results_folder(self) -> None:
        shutil.rmtree(self.directory / "results", ignore_errors=True)

    @rule(is_full=st.booleans())
    def fill_or_free_the_disk(self, is_full: bool) -> None:
        self.store.is_full = is_full

    @rule()
    def break_the_store(self) -> None:
        self.store.is_broken = True

    @rule()
    def list_jobs(self) -> None:
        assert [number for number, _ in self.store.states_after(0, 10_000)] == sorted(self.model)
        if not self.store.is_broken:
            self.all_is_recorded()

    def all_is_recorded(self) -> None:
        for expected in self.model.values():
            expected.may_be_recorded = [(expected.state, expected.attempt)]

    @rule(is_crash=st.booleans())
    def restart(self, is_crash: bool) -> None:
        if is_crash or self.store.is_broken:
            # A broken store writes nothing more, so closing it is no better than a crash.
            before, left = self.state, self.state_count + 1
            store = open_as_killed(before, self.directory / f"state-{left}")
            self.pool.close(0.0)
            self.store.close()
            shutil.rmtree(before)
            self.state_count = left
        else:
            self.pool.close(0.0)
            self.store.close()
            self.all_is_recorded()
            store = SqliteJobStore(self.state)
        self.running.clear()
        for number, expected in self.model.items():
            recorded = store.get(number)
            assert recorded is not None
            assert (recorded.state, recorded.attempt) in expected.may_be_recorded
            expected.state, expected.attempt = recorded.state, recorded.attempt
            expected.may_be_recorded = [(recorded.state, recorded.attempt)]
        self.open(store)

    # What always holds ---------------------------------------------------------------------------------------------

    @invariant()
    def the_pool_agrees_with_the_model(self) -> None:
        states = {number: self.pool.find(number).state for number in self.model}
        assert states == {number: expected.state for number, expected in self.model.items()}
        assert self.pool.unfinished_count() == sum(not state.is_final for state in states.values())
        assert self.pool.queue_depth() == len(self.queued())
        if self.draining:
            assert self.pool.drain(0.0) is (self.pool.unfinished_count() == 0)

    @invariant()
    def every_done_job_has_its_own_result(self) -> None:
        for number, expected in self.model.items():
            if expected.state is JobState.DONE:
                job = self.pool.find(number)
                assert job.result_sha256 is not None
                assert self.results.read(number, job.result_sha256) == expected.task.arguments.encode("utf-8")

    @invariant()
    def each_end_is_told_once(self) -> None:
        assert len({number for number, _ in self.ended}) == len(self.ended)
        assert all(self.model[number].state is state for number, state in self.ended)

    def teardown(self) -> None:
        if hasattr(self, "pool"):
            self.pool.close(0.0)
            self.store.close()
            shutil.rmtree(self.directory)


def _hold_to_the_model(examples: int, steps: int, record: Record) -> None:
    settings = hypothesis.settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    run_state_machine_as_test(JobsMachine, settings=settings)
    record(
        "crashes, faults and restarts, any order", "no divergence from the model", f"none in {examples} x {steps} steps"
    )


def test_pool_and_store_agree_with_the_model(record: Record) -> None:
    _hold_to_the_model(200, 50, record)


@pytest.mark.soak
def test_pool_and_store_agree_with_the_model_for_long(record: Record) -> None:
    _hold_to_the_model(5_000, 100, record)
