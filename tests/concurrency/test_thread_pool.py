"""The pool under many threads: nothing is lost, nothing runs twice, no job kills a runner, a drain ends."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from meantime.errors import (
    IdempotencyConflictError,
    IllegalTransitionError,
    QueueFullError,
    ShuttingDownError,
    UnknownJobError,
)
from meantime.jobs import live_jobs
from meantime.jobs.job import Checkpoint, EncodedResult, Job, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import Receipt, Submission
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.jobs.thread_pool import MAX_ATTEMPTS, ThreadPool
from tests.concurrency.conftest import LIMIT_S, Bench, Gate, echo, number_task
from tests.killed_store import open_as_killed


def test_a_job_goes_from_queued_to_done_and_its_result_is_published(bench: Bench) -> None:
    pool = bench.open(echo)
    job = pool.wait(pool.add_task(number_task(1)).number, LIMIT_S)
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
            job = pool.wait(pool.add_task(task).number, LIMIT_S)
            if job.state is not JobState.DONE or bench.results.path_of(job.number).read_text() != task.arguments:
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
        numbers = [pool.add_task(number_task(i)).number for i in range(50)]
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
    accepted = [pool.add_task(Task("explode", "{}", "v1")) for _ in range(6)]
    after = pool.wait(pool.add_task(number_task(1)).number, LIMIT_S)
    jobs = [pool.wait(job.number, LIMIT_S) for job in accepted]
    assert {job.state for job in jobs} == {JobState.FAILED}
    assert all((job.reason or "").startswith(type(error).__name__) for job in jobs)
    assert after.state is JobState.DONE
    assert pool.figures().runner_count == 2


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
    accepted = [pool.add_task(number_task(i)) for i in range(4)]
    assert gate.entered.acquire(timeout=LIMIT_S)
    pool.begin_drain()
    assert pool.is_draining
    with pytest.raises(ShuttingDownError):
        pool.add_task(number_task(9))
    assert not pool.drain(0.0)
    gate.may_go_on.set()
    assert pool.drain(LIMIT_S)
    assert [pool.find(job.number).state for job in accepted] == [JobState.DONE] * 4


def test_an_idle_pool_drains_at_once(bench: Bench) -> None:
    assert bench.open(echo).drain(0.0)


def test_every_job_accepted_while_the_drain_begins_is_finished(bench: Bench) -> None:
    pool = bench.open(echo, threads=2)
    start = threading.Barrier(9)
    accepted: list[int] = []

    def submit() -> None:
        start.wait(LIMIT_S)
        try:
            accepted.extend(pool.add_task(number_task(i)).number for i in range(1000))
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
    job = pool.cancel(pool.add_task(number_task(1)).number)
    assert job.state is JobState.CANCELLED
    assert pool.wait(job.number, LIMIT_S) == job
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
    number = pool.add_task(number_task(0)).number
    assert gate.entered.acquire(timeout=LIMIT_S)
    assert pool.cancel(number).state is JobState.RUNNING
    gate.may_go_on.set()
    job = pool.wait(number, LIMIT_S)
    assert (job.state, job.reason) == (JobState.CANCELLED, "the job was cancelled")
    assert not bench.results.is_published(number)


def test_a_job_that_has_ended_cant_be_cancelled(bench: Bench) -> None:
    pool = bench.open(echo)
    job = pool.wait(pool.add_task(number_task(0)).number, LIMIT_S)
    with pytest.raises(IllegalTransitionError, match="done already"):
        pool.cancel(job.number)
    with pytest.raises(UnknownJobError):
        pool.cancel(99)


def test_what_close_leaves_in_the_queue_runs_at_the_next_start(bench: Bench) -> None:
    gate = Gate()
    pool = bench.open(gate, threads=1)
    numbers = [pool.add_task(number_task(i)).number for i in range(5)]
    assert gate.entered.acquire(timeout=LIMIT_S)
    gate.may_go_on.set()
    bench.close()
    pool = bench.open(echo)
    assert pool.drain(LIMIT_S)
    assert [pool.find(number).state for number in numbers] == [JobState.DONE] * 5


def test_a_job_that_seems_to_end_the_server_fails_after_its_attempts(bench: Bench) -> None:
    pool = bench.open(echo, start=False)
    job = pool.add_task(number_task(0))
    for attempt in range(1, MAX_ATTEMPTS + 1):
        # Each process takes the job, writes that down, and ends without another word.
        assert bench.store is not None
        bench.store.record(job.evolve(state=JobState.RUNNING, attempt=attempt), at_once=True)
        bench.store.close()
        pool = bench.open(echo, start=False)
    pool.start()
    job = pool.find(job.number)
    assert job.state is JobState.FAILED
    assert job.reason == "crashed: the server ended 3 times while this job ran"


def test_a_job_found_running_at_start_runs_again_and_its_attempt_is_written_first(bench: Bench) -> None:
    job = bench.open(echo, start=False).add_task(number_task(0))
    assert bench.store is not None
    bench.store.record(job.evolve(state=JobState.RUNNING, attempt=1), at_once=True)
    bench.close()

    seen: list[tuple[JobState, int]] = []

    def look(task: Task, checkpoint: Checkpoint) -> EncodedResult:
        assert bench.store is not None
        recorded = bench.store.get(job.number)
        assert recorded is not None
        seen.append((recorded.state, recorded.attempt))
        return echo(task, checkpoint)

    pool = bench.open(look)
    assert pool.drain(LIMIT_S)
    assert seen == [(JobState.RUNNING, 2)]
    assert pool.find(job.number).state is JobState.DONE


def test_a_job_of_an_earlier_process_is_recorded_as_ended_at_once(bench: Bench, tmp_path: Path) -> None:
    bench.open(echo, start=False).add_task(number_task(0))
    pool = bench.open(echo)
    assert pool.wait(1, LIMIT_S).state is JobState.DONE
    # What a kill would leave now: nothing is left for a later commit.
    with closing(open_as_killed(bench.directory / "state", tmp_path / "killed")) as left:
        recorded = left.get(1)
    assert recorded is not None
    assert recorded.state is JobState.DONE


def test_jobs_that_were_cancelled_while_they_waited_give_their_places_back(bench: Bench) -> None:
    gate = Gate()
    pool = bench.open(gate, threads=1, capacity=3)
    pool.add_task(number_task(0))
    assert gate.entered.acquire(timeout=LIMIT_S)
    for i in range(9):
        pool.cancel(pool.add_task(number_task(i)).number)
    assert pool.queue_depth() == 0
    last = pool.add_task(number_task(9))
    gate.may_go_on.set()
    assert pool.wait(last.number, LIMIT_S).state is JobState.DONE


def test_ended_jobs_in_memory_are_bounded_however_they_ended(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_jobs, "RECENT_COUNT", 2)
    pool = bench.open(echo, start=False)
    numbers = [pool.cancel(pool.add_task(number_task(i)).number).number for i in range(5)]
    assert set(pool.current_states(numbers)) == set(numbers[-2:])
    assert [pool.find(number).state for number in numbers] == [JobState.CANCELLED] * 5


def test_owners_take_turns(bench: Bench) -> None:
    gate = Gate()
    order: list[str] = []

    def note(task: Task, checkpoint: Checkpoint) -> EncodedResult:
        order.append(task.name)
        return gate(task, checkpoint)

    pool = bench.open(note, threads=1)
    pool.add_task(Task("first", "{}", "v1"), owner="greedy")
    assert gate.entered.acquire(timeout=LIMIT_S)
    for _ in range(5):
        pool.add_task(Task("greedy", "{}", "v1"), owner="greedy")
    for owner in ("ann", "bob"):
        pool.add_task(Task(owner, "{}", "v1"), owner=owner)
    gate.may_go_on.set()
    assert pool.drain(LIMIT_S)
    assert order == ["first", "greedy", "ann", "bob", "greedy", "greedy", "greedy", "greedy"]


def test_every_end_is_told_and_counted_however_it_came(bench: Bench) -> None:
    told: list[tuple[int, JobState]] = []
    jobs = bench.open(echo, start=False)
    crashed, queued, done = (jobs.add_task(number_task(i)) for i in range(3))
    assert bench.store is not None
    bench.store.record(crashed.evolve(state=JobState.RUNNING, attempt=MAX_ATTEMPTS), at_once=True)
    pool = bench.open(echo, threads=1, start=False, on_end=lambda job: told.append((job.number, job.state)))
    pool.cancel(queued.number)
    pool.start()
    assert pool.drain(LIMIT_S)
    assert pool.wait(done.number, LIMIT_S).state is JobState.DONE
    assert pool.close(LIMIT_S)
    ends = {crashed.number: JobState.FAILED, queued.number: JobState.CANCELLED, done.number: JobState.DONE}
    assert dict(told) == ends
    assert len(told) == 3
    counted = {state: seen.count for (_, state), seen in pool.figures().runs.distributions().items()}
    assert counted == {"failed": 1, "cancelled": 1, "done": 1}


def test_a_second_sender_of_a_key_can_wait_for_its_job_and_cancel_it_before_the_first_one_knows(
    bench: Bench, tmp_path: Path
) -> None:
    seen: list[Job] = []

    class Slow(SqliteJobStore):
        """A store that, when a job is durable, lets others go on before its sender does."""

        def add(self, submission: Submission, on_durable: Callable[[Job], None] = lambda _: None) -> Receipt:
            receipt = super().add(submission, on_durable)
            if receipt.is_new:
                other = threading.Thread(target=send_again)
                other.start()
                other.join(LIMIT_S)
            return receipt

    store = Slow(tmp_path / "slow")
    pool = ThreadPool(echo, store, bench.results, thread_count=0)

    def send_again() -> None:
        with pytest.raises(IdempotencyConflictError) as known:
            pool.add_task(number_task(1), idempotency_key="monday")
        seen.append(pool.cancel(known.value.job_number))
        seen.append(pool.wait(known.value.job_number, LIMIT_S))

    try:
        assert pool.add_task(number_task(1), idempotency_key="monday").number == 1
        assert [(job.number, job.state) for job in seen] == [(1, JobState.CANCELLED)] * 2
    finally:
        assert pool.close(LIMIT_S)
        store.close()


def test_what_raises_in_the_inspection_is_counted_and_the_next_round_comes(bench: Bench) -> None:
    rounds = threading.Semaphore(0)

    class Failing(SqliteJobStore):
        """A store whose writing fails in a way that nobody thought of."""

        has_started = False

        def flush(self) -> None:
            if self.has_started:
                rounds.release()
                raise ValueError("out of luck")
            super().flush()

    store = Failing(bench.directory / "failing")
    pool = ThreadPool(echo, store, bench.results, thread_count=1)
    pool.start()
    store.has_started = True
    try:
        assert all(rounds.acquire(timeout=LIMIT_S) for _ in range(2))
        assert pool.figures().housekeeping_failures["pool-inspector"] >= 1
    finally:
        assert pool.close(LIMIT_S)
        store.has_started = False
        store.close()
