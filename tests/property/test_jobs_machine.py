"""The life of jobs as a state machine: pool, store and results against a model, with crashes and restarts.

Runners are not threads here: the machine plays the runner step by step, so that every interleaving it finds
can be replayed.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
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

from meantime.errors import IllegalTransitionError, QueueFullError, ShuttingDownError
from meantime.jobs.job import EncodedResult, Job, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.results_directory import ResultsDirectory
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.jobs.thread_pool import MAX_ATTEMPTS, STUCK_GRACE_S, ThreadPool
from tests.concurrency.conftest import echo
from tests.fault_table import Record

CAPACITY = 4
TIME_LIMIT_S = 60.0
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # thousands of syncs take their time on a disk


@dataclass
class Expected:
    """What the model knows of one job."""

    text: str
    state: JobState = JobState.QUEUED
    starts_recorded: int = 0
    is_readmitted: bool = False
    overdue_at: float = 0.0  # monotonic seconds; of a running job


class JobsMachine(RuleBasedStateMachine):
    """Submit, run, fail, cancel, drain, crash and restart in any order."""

    jobs = Bundle("jobs")

    @initialize()
    def open_first(self) -> None:
        self.directory = Path(tempfile.mkdtemp(dir=IN_MEMORY))
        self.model: dict[int, Expected] = {}
        self.running: list[Job] = []
        self.last_number = 0
        self.now_s = 1000.0
        self.monotonic_s = 500.0
        self.open()

    def open(self) -> None:
        self.store = SqliteJobStore(self.directory / "state")
        self.results = ResultsDirectory(self.directory / "results", self.directory / "state" / "stored")
        self.pool = ThreadPool(
            echo,
            self.store,
            self.results,
            thread_count=0,
            capacity=CAPACITY,
            time_limit_s=TIME_LIMIT_S,
            clock=lambda: self.now_s,
            monotonic=lambda: self.monotonic_s,
        )
        self.draining = False
        left = self.pool.start()
        unfinished = [e for e in self.model.values() if not e.state.is_final]
        assert left == len(unfinished)
        for expected in unfinished:
            expected.is_readmitted = True
            expected.state = JobState.FAILED if expected.starts_recorded >= MAX_ATTEMPTS else JobState.QUEUED

    def depth(self) -> int:
        return sum(e.state is JobState.QUEUED for e in self.model.values())

    @rule(target=jobs, text=st.text(max_size=20), seconds=st.floats(-1e5, 1e5))
    def submit(self, text: str, seconds: float) -> int:
        self.now_s += seconds  # the wall clock may jump
        task = Task("echo", text.encode("utf-8", "replace").decode("utf-8"), "v1")
        if self.draining:
            with pytest.raises(ShuttingDownError):
                self.pool.add_task(task)
            return 0
        if self.pool.queue_depth() >= CAPACITY:
            with pytest.raises(QueueFullError):
                self.pool.add_task(task)
            return 0
        number = self.pool.add_task(task)
        assert number == self.last_number + 1
        self.last_number = number
        self.model[number] = Expected(task.arguments)
        return number

    @precondition(lambda self: self.pool.job_queue.qsize() > 0)
    @rule()
    def take(self) -> None:
        # With nothing else to take, the sentinel ends the wait.
        self.pool.job_queue.put(None)
        job = self.pool.take()
        if job is None:
            return
        self.drop_sentinel()
        expected = self.model[job.number]
        assert expected.state is JobState.QUEUED
        expected.state = JobState.RUNNING
        expected.overdue_at = self.monotonic_s + TIME_LIMIT_S + STUCK_GRACE_S
        if expected.is_readmitted:
            expected.starts_recorded = job.attempt
        self.running.append(job)

    def drop_sentinel(self) -> None:
        """Rotate the queue until the sentinel is out, keeping the order."""
        kept: list[Job] = []
        while self.pool.job_queue.qsize():
            item = self.pool.job_queue.get()
            if item is not None:
                kept.append(item)
        for item in kept:
            self.pool.job_queue.put(item)

    @precondition(lambda self: self.running)
    @rule(index=st.integers(0, 10), fails=st.booleans())
    def end_one(self, index: int, fails: bool) -> None:
        job = self.running.pop(index % len(self.running))
        if self.model[job.number].state is JobState.FAILED:
            self.end_too_late(job, fails)
            return
        if fails:
            self.pool.fail(job, SystemExit("boom"))
            self.model[job.number].state = JobState.FAILED
            return
        try:
            result: EncodedResult = self.pool.run(job)
        except BaseException as error:  # noqa: BLE001  # as TaskRunner does
            self.pool.fail(job, error)
            self.model[job.number].state = JobState.CANCELLED
            assert job.cancel_requested
        else:
            self.pool.finish(job, result)
            self.model[job.number].state = JobState.DONE
        assert job.finished.is_open()

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
                expected.state = JobState.FAILED

    @rule(number=jobs)
    def cancel(self, number: int) -> None:
        expected = self.model.get(number)
        if expected is None:
            return
        if expected.state.is_final:
            with pytest.raises(IllegalTransitionError):
                self.pool.cancel(number)
            return
        self.pool.cancel(number)
        if expected.state is JobState.QUEUED:
            expected.state = JobState.CANCELLED

    @rule()
    def begin_drain(self) -> None:
        self.draining = True
        self.pool.begin_drain()

    @rule()
    def empty_the_results_folder(self) -> None:
        shutil.rmtree(self.directory / "results", ignore_errors=True)

    @rule(is_crash=st.booleans())
    def restart(self, is_crash: bool) -> None:
        if is_crash:
            # What a killed process leaves: committed transactions, nothing else.
            self.store._group.take_notes()
        self.pool.close(0.0)
        self.store.close()
        self.running.clear()
        self.open()

    @invariant()
    def the_pool_agrees_with_the_model(self) -> None:
        states = {number: self.pool.find(number).state for number in self.model}
        assert states == {number: expected.state for number, expected in self.model.items()}
        assert self.pool.unfinished_count() == sum(not state.is_final for state in states.values())
        if self.draining:
            assert self.pool.drain(0.0) is (self.pool.unfinished_count() == 0)

    @invariant()
    def every_done_job_has_its_own_result(self) -> None:
        for number, expected in self.model.items():
            if expected.state is JobState.DONE:
                job = self.pool.find(number)
                assert job.result_sha256 is not None
                assert self.results.read(number, job.result_sha256) == expected.text.encode("utf-8")

    @invariant()
    def the_store_lists_every_accepted_number_once(self) -> None:
        assert [number for number, _ in self.store.states_after(0, 10_000)] == sorted(self.model)

    def teardown(self) -> None:
        if hasattr(self, "pool"):
            self.pool.close(0.0)
            self.store.close()
            shutil.rmtree(self.directory)


def _hold_to_the_model(examples: int, steps: int, record: Record) -> None:
    settings = hypothesis.settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    run_state_machine_as_test(JobsMachine, settings=settings)
    record("crashes and restarts, any order", "no divergence from the model", f"none in {examples} x {steps} steps")


def test_pool_and_store_agree_with_the_model(record: Record) -> None:
    _hold_to_the_model(200, 50, record)


@pytest.mark.soak
def test_pool_and_store_agree_with_the_model_for_long(record: Record) -> None:
    _hold_to_the_model(5_000, 100, record)
