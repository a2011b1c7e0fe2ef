"""Jobs that can't be stopped and runners that die: the pool stays at full strength, and late results are refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from meantime.jobs.job import Checkpoint, EncodedResult, Job, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.results.results_directory import ResultsDirectory
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.jobs.thread_pool import STUCK_GRACE_S, ThreadPool
from tests.concurrency.conftest import LIMIT_S, echo, number_task
from tests.fault_table import Record

TIME_LIMIT_S = 60.0
STUCK = Task("stuck", "{}", "v1")


class StuckBench:
    """A pool whose ``stuck`` tasks wait for the test and never look at their checkpoint; the test moves its clocks."""

    def __init__(self, directory: Path) -> None:
        self.now_s = 1000.0
        self.wall_s = 5000.0
        self.entered = threading.Semaphore(0)
        self.may_go_on = threading.Event()
        self.left: list[threading.Thread] = []
        self.results = ResultsDirectory(directory / "results", directory / "state" / "stored")
        self.store = SqliteJobStore(directory / "state")
        self.pool = ThreadPool(
            self.perform,
            self.store,
            self.results,
            thread_count=2,
            time_limit_s=TIME_LIMIT_S,
            clock=lambda: self.wall_s,
            monotonic=lambda: self.now_s,
        )
        self.pool.start()

    def perform(self, task: Task, checkpoint: Checkpoint) -> EncodedResult:
        if task.name == "stuck":
            self.left.append(threading.current_thread())
            self.entered.release()
            assert self.may_go_on.wait(LIMIT_S)
        if task.name == "patient":
            self.entered.release()
            assert self.may_go_on.wait(LIMIT_S)
            checkpoint()
        return echo(task, checkpoint)

    def begin(self, task: Task) -> Job:
        job = self.pool.add_task(task)
        assert self.entered.acquire(timeout=LIMIT_S)
        return job

    def close(self) -> None:
        self.may_go_on.set()
        assert self.pool.close(LIMIT_S)
        for thread in self.left:
            thread.join(LIMIT_S)
        self.store.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[StuckBench]:
    opened = StuckBench(tmp_path)
    yield opened
    opened.close()


def test_jobs_that_cannot_be_stopped_fail_and_their_runners_are_replaced(bench: StuckBench, record: Record) -> None:
    jobs = [bench.begin(STUCK) for _ in range(2)]
    bench.now_s += TIME_LIMIT_S + STUCK_GRACE_S + 0.1
    bench.pool.replace_stuck_runners()  # if the pool's own inspection was quicker, this one finds nothing
    ended = [bench.pool.wait(job.number, LIMIT_S) for job in jobs]
    assert {(job.state, job.reason) for job in ended} == {
        (JobState.FAILED, "timeout: the job ran longer than 60 s and could not be stopped")
    }
    after = bench.pool.wait(bench.pool.add_task(number_task(1)).number, LIMIT_S)
    figures = bench.pool.figures()
    assert (figures.runner_count, figures.replaced_runner_count) == (2, 2)
    record(
        "job that can't be stopped",
        "failed with a reason, runner replaced and counted",
        f"2 of 2 runners stuck: both jobs failed, {figures.replaced_runner_count} replaced, "
        f"{figures.runner_count} alive, next job {after.state}",
    )


def test_the_late_result_of_a_replaced_runner_is_refused(bench: StuckBench) -> None:
    job = bench.begin(STUCK)
    bench.now_s += TIME_LIMIT_S + STUCK_GRACE_S + 0.1
    bench.pool.replace_stuck_runners()
    job = bench.pool.wait(job.number, LIMIT_S)
    bench.may_go_on.set()
    bench.left[0].join(LIMIT_S)
    assert not bench.left[0].is_alive()
    assert (job.state, job.result_sha256) == (JobState.FAILED, None)
    assert not bench.results.path_of(job.number).exists()
    assert bench.pool.figures().runner_count == 2


def test_a_result_that_comes_in_the_grace_second_counts(bench: StuckBench) -> None:
    job = bench.begin(STUCK)
    bench.now_s += TIME_LIMIT_S + STUCK_GRACE_S - 0.1
    assert bench.pool.replace_stuck_runners() == 0
    bench.may_go_on.set()
    job = bench.pool.wait(job.number, LIMIT_S)
    assert (job.state, bench.pool.figures().replaced_runner_count) == (JobState.DONE, 0)


def test_a_job_that_reaches_a_checkpoint_past_its_limit_fails_and_keeps_its_runner(bench: StuckBench) -> None:
    job = bench.begin(Task("patient", "{}", "v1"))
    bench.now_s += TIME_LIMIT_S + 0.1
    bench.may_go_on.set()
    job = bench.pool.wait(job.number, LIMIT_S)
    assert (job.state, job.reason) == (JobState.FAILED, "timeout: the job ran longer than 60 s")
    assert (bench.pool.figures().runner_count, bench.pool.figures().replaced_runner_count) == (2, 0)


def test_a_late_finish_after_the_job_was_given_up_publishes_nothing(bench: StuckBench) -> None:
    job = bench.begin(STUCK)
    result = EncodedResult.of(b"{}")
    bench.results.publish(job.number, result)
    bench.now_s += TIME_LIMIT_S + STUCK_GRACE_S + 0.1
    bench.pool.replace_stuck_runners()
    job = bench.pool.wait(job.number, LIMIT_S)
    assert not bench.pool.finish(job, result)
    assert not bench.results.path_of(job.number).exists()


def test_no_job_ends_before_it_started_when_the_clock_is_set_back(bench: StuckBench) -> None:
    job = bench.begin(STUCK)
    bench.wall_s -= 86_400
    bench.may_go_on.set()
    job = bench.pool.wait(job.number, LIMIT_S)
    assert (job.submitted_at, job.started_at, job.finished_at) == (5000.0, 5000.0, 5000.0)


def test_a_clock_set_forward_ends_no_job_early(bench: StuckBench) -> None:
    job = bench.begin(STUCK)
    bench.wall_s += 86_400
    assert bench.pool.replace_stuck_runners() == 0
    bench.may_go_on.set()
    job = bench.pool.wait(job.number, LIMIT_S)
    assert job.state is JobState.DONE


def test_waiting_is_counted_apart_from_running(bench: StuckBench) -> None:
    first, second = bench.begin(STUCK), bench.begin(STUCK)
    third = bench.pool.add_task(number_task(1))
    bench.wall_s += 2.0
    bench.may_go_on.set()
    for job in (first, second, third):
        bench.pool.wait(job.number, LIMIT_S)
    assert bench.pool.close(LIMIT_S)
    runs, waits = bench.pool.figures().runs.distributions(), bench.pool.figures().waits.distributions()
    assert {label: (seen.count, seen.sum_s) for label, seen in runs.items()} == {
        ("stuck", "done"): (2, 4.0),
        ("echo", "done"): (1, 0.0),
    }
    assert {label: seen.sum_s for label, seen in waits.items()} == {("stuck",): 0.0, ("echo",): 2.0}
