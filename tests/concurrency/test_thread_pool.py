"""The pool under many threads: nothing is lost, nothing runs twice, no job kills a runner, a drain ends."""

from __future__ import annotations

import sys
import threading

import pytest

from meantime.errors import IllegalTransitionError, QueueFullError, ShuttingDownError, UnknownJobError
from meantime.jobs.job import Checkpoint, EncodedResult, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.jobs.thread_pool import MAX_ATTEMPTS
from tests.concurrency.conftest import LIMIT_S, Bench, Gate, echo, number_task


def test_a_job_goes_from_queued_to_done_and_its_result_is_published(bench: Bench) -> None:
    pool = bench.open(echo)
    job = pool.find(pool.add_task(number_task(1)))
    assert job.finished.wait(LIMIT_S)
    assert (job.state, job.attempt, job.result_size) == (JobState.DONE, 1, 7)
    assert bench.results.path_of(job.number).read_bytes() == b'{"n":1}'


def test_many_submitters_get_each_their_own_result(bench: Bench) -> None:
    pool = bench.open(echo, threads=4, capacity=10_000)
    start = threading.Barrier(16)
    wrong: list[int] = []

    def submit(client: int) -> None:
        start.wait(LIMIT_S)
        for i in range(20):
            task = number_task(client * 1000 + i)
            job = pool.find(pool.add_task(task))
            if not job.finished.wait(LIMIT_S) or bench.results.path_of(job.number).read_text() != task.arguments:
                wrong.append(job.number)

    threads = [threading.Thread(target=submit, args=(client,)) for client in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_S)
    assert wrong == []
    assert pool.drain(LIMIT_S)
    assert bench.store is not None
    assert [number for number, _ in bench.store.states_after(0, 1000)] == list(range(1, 321))


@pytest.mark.parametrize("switch_interval_s", [1e-6, 0.05])
def test_a_pool_holds_under_rapid_and_rare_thread_switches(bench: Bench, switch_interval_s: float) -> None:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(switch_interval_s)
    try:
        pool = bench.open(echo, threads=3)
        numbers = [pool.add_task(number_task(i)) for i in range(50)]
        assert pool.drain(LIMIT_S)
    finally:
        sys.setswitchinterval(usual)
    assert [pool.find(number).state for number in numbers] == [JobState.DONE] * 50


@pytest.mark.parametrize(
    "error", [ValueError("bad"), SystemExit(3), KeyboardInterrupt(), MemoryError(), RecursionError("deep")]
)
def test_a_job_that_raises_leaves_every_runner_alive(bench: Bench, error: BaseException) -> None:
    def explode(task: Task, checkpoint: Checkpoint) -> EncodedResult:
        if task.name == "explode":
            raise error
        return echo(task, checkpoint)

    pool = bench.open(explode, threads=2)
    jobs = [pool.find(pool.add_task(Task("explode", "{}", "v1"))) for _ in range(6)]
    after = pool.find(pool.add_task(number_task(1)))
    assert all(job.finished.wait(LIMIT_S) for job in [*jobs, after])
    assert {job.state for job in jobs} == {JobState.FAILED}
    assert all((job.reason or "").startswith(type(error).__name__) for job in jobs)
    assert after.state is JobState.DONE
    assert pool.runner_count() == 2


def test_the_queue_has_a_bound_and_a_place_is_free_once_a_job_is_taken(bench: Bench) -> None:
    gate = Gate()
    pool = bench.open(gate, threads=1, capacity=3)
    pool.add_task(number_task(0))
    assert gate.entered.acquire(timeout=LIMIT_S)
    for i in range(3):
        pool.add_task(number_task(i))
    assert pool.queue_depth() == 3
    with pytest.raises(QueueFullError, match="3 jobs wait, 3 may") as caught:
        pool.add_task(number_task(9))
    assert caught.value.retry_after_s == 1
    assert pool.unfinished_count() == 4
    gate.may_go_on.set()
    assert pool.drain(LIMIT_S)
    assert (pool.queue_depth(), pool.unfinished_count()) == (0, 0)


def test_drain_finishes_queued_jobs_and_refuses_new_ones(bench: Bench) -> None:
    gate = Gate()
    pool = bench.open(gate, threads=1)
    jobs = [pool.find(pool.add_task(number_task(i))) for i in range(4)]
    assert gate.entered.acquire(timeout=LIMIT_S)
    pool.begin_drain()
    assert pool.is_draining
    with pytest.raises(ShuttingDownError):
        pool.add_task(number_task(9))
    assert not pool.drain(0.0)
    gate.may_go_on.set()
    assert pool.drain(LIMIT_S)
    assert [job.state for job in jobs] == [JobState.DONE] * 4


def test_an_idle_pool_drains_at_once(bench: Bench) -> None:
    assert bench.open(echo).drain(0.0)


def test_every_job_accepted_while_the_drain_begins_is_finished(bench: Bench) -> None:
    pool = bench.open(echo, threads=2)
    start = threading.Barrier(9)
    accepted: list[int] = []

    def submit() -> None:
        start.wait(LIMIT_S)
        try:
            accepted.extend(pool.add_task(number_task(i)) for i in range(1000))
        except ShuttingDownError:
            return

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    start.wait(LIMIT_S)
    assert pool.drain(LIMIT_S)
    for thread in threads:
        thread.join(LIMIT_S)
    assert pool.drain(0.0)
    assert {pool.find(number).state for number in accepted} <= {JobState.DONE}


def test_a_queued_job_is_cancelled_at_once_and_never_runs(bench: Bench) -> None:
    gate = Gate()
    pool = bench.open(gate, threads=1)
    pool.add_task(number_task(0))
    assert gate.entered.acquire(timeout=LIMIT_S)
    job = pool.cancel(pool.add_task(number_task(1)))
    assert job.state is JobState.CANCELLED
    assert job.finished.is_open()
    gate.may_go_on.set()
    assert pool.drain(LIMIT_S)
    assert not gate.entered.acquire(blocking=False)
    assert bench.store is not None
    recorded = bench.store.get(job.number)
    assert recorded is not None
    assert recorded.state is JobState.CANCELLED


def test_a_running_job_is_cancelled_at_its_next_checkpoint(bench: Bench) -> None:
    gate = Gate()
    pool = bench.open(gate, threads=1)
    number = pool.add_task(number_task(0))
    assert gate.entered.acquire(timeout=LIMIT_S)
    job = pool.cancel(number)
    assert job.state is JobState.RUNNING
    gate.may_go_on.set()
    assert job.finished.wait(LIMIT_S)
    assert (job.state, job.reason) == (JobState.CANCELLED, "the job was cancelled")
    assert not bench.results.is_published(number)


def test_a_job_that_has_ended_cant_be_cancelled(bench: Bench) -> None:
    pool = bench.open(echo)
    job = pool.find(pool.add_task(number_task(0)))
    assert job.finished.wait(LIMIT_S)
    with pytest.raises(IllegalTransitionError, match="done already"):
        pool.cancel(job.number)
    with pytest.raises(UnknownJobError):
        pool.cancel(99)


def test_what_close_leaves_in_the_queue_runs_at_the_next_start(bench: Bench) -> None:
    gate = Gate()
    pool = bench.open(gate, threads=1)
    numbers = [pool.add_task(number_task(i)) for i in range(5)]
    assert gate.entered.acquire(timeout=LIMIT_S)
    gate.may_go_on.set()
    bench.close()
    pool = bench.open(echo)
    assert pool.drain(LIMIT_S)
    assert [pool.find(number).state for number in numbers] == [JobState.DONE] * 5


def test_a_job_that_seems_to_end_the_server_fails_after_its_attempts(bench: Bench) -> None:
    pool = bench.open(echo, start=False)
    number = pool.add_task(number_task(0))
    for attempt in range(1, MAX_ATTEMPTS + 1):
        # Each process takes the job, writes that down, and ends without another word.
        job = pool.find(number)
        job.state, job.attempt = JobState.RUNNING, attempt
        assert bench.store is not None
        bench.store.record(job, at_once=True)
        bench.store.close()
        pool = bench.open(echo, start=False)
    pool.start()
    job = pool.find(number)
    assert job.state is JobState.FAILED
    assert job.reason == "crashed: the server ended 3 times while this job ran"


def test_a_job_found_running_at_start_runs_again_and_its_attempt_is_written_first(bench: Bench) -> None:
    pool = bench.open(echo, start=False)
    number = pool.add_task(number_task(0))
    job = pool.find(number)
    job.state, job.attempt = JobState.RUNNING, 1
    assert bench.store is not None
    bench.store.record(job, at_once=True)
    bench.close()

    seen: list[tuple[JobState, int]] = []

    def look(task: Task, checkpoint: Checkpoint) -> EncodedResult:
        assert bench.store is not None
        recorded = bench.store.get(number)
        assert recorded is not None
        seen.append((recorded.state, recorded.attempt))
        return echo(task, checkpoint)

    pool = bench.open(look)
    assert pool.drain(LIMIT_S)
    assert seen == [(JobState.RUNNING, 2)]
    assert pool.find(number).state is JobState.DONE


def test_a_job_of_an_earlier_process_is_recorded_as_ended_at_once(bench: Bench) -> None:
    bench.open(echo, start=False).add_task(number_task(0))
    pool = bench.open(echo)
    assert pool.find(1).finished.wait(LIMIT_S)
    assert pool.close(LIMIT_S)
    assert isinstance(bench.store, SqliteJobStore)
    assert bench.store._group.take_notes() == []  # nothing is left for a later commit
    recorded = bench.store.get(1)
    assert recorded is not None
    assert recorded.state is JobState.DONE
