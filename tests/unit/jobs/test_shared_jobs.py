"""Which unfinished job an equal request joins."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from meantime.errors import QueueFullError
from meantime.jobs.job import Job, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.shared_jobs import SharedJobs

LIMIT_S = 30.0
TASK = Task("mean", "{}", "survey@1")


class Pool:
    """Makes jobs without running them."""

    def __init__(self) -> None:
        self.jobs: dict[int, Job] = {}

    def adder(self, task: Task = TASK) -> Callable[[], int]:
        def add() -> int:
            number = len(self.jobs) + 1
            self.jobs[number] = Job(number, task)
            return number

        return add

    def find(self, number: int) -> Job:
        return self.jobs[number]


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def shared(pool: Pool) -> SharedJobs:
    return SharedJobs(pool.find)


def refuse() -> int:
    raise QueueFullError("full")


def test_an_equal_request_joins_the_unfinished_job(pool: Pool, shared: SharedJobs) -> None:
    assert shared.join_or_add(TASK, "", pool.adder()) == 1
    assert shared.join_or_add(TASK, "", pool.adder()) == 1
    pool.jobs[1].state = JobState.RUNNING
    assert shared.join_or_add(TASK, "", pool.adder()) == 1


@pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED, JobState.CANCELLED])
def test_an_ended_job_is_not_joined(pool: Pool, shared: SharedJobs, state: JobState) -> None:
    shared.join_or_add(TASK, "", pool.adder())
    pool.jobs[1].state = state
    assert shared.join_or_add(TASK, "", pool.adder()) == 2


def test_a_job_that_somebody_wants_to_stop_is_not_joined(pool: Pool, shared: SharedJobs) -> None:
    shared.join_or_add(TASK, "", pool.adder())
    pool.jobs[1].cancel_requested = True
    assert shared.join_or_add(TASK, "", pool.adder()) == 2


def test_another_task_version_or_owner_gets_a_job_of_its_own(pool: Pool, shared: SharedJobs) -> None:
    others = [(Task("mean", "[]", "survey@1"), ""), (Task("mean", "{}", "survey@2"), ""), (TASK, "bob")]
    assert shared.join_or_add(TASK, "", pool.adder()) == 1
    assert [shared.join_or_add(task, owner, pool.adder(task)) for task, owner in others] == [2, 3, 4]


def test_a_request_that_was_refused_leaves_nothing_to_join(pool: Pool, shared: SharedJobs) -> None:
    with pytest.raises(QueueFullError):
        shared.join_or_add(TASK, "", refuse)
    assert shared.join_or_add(TASK, "", pool.adder()) == 1


def test_requests_that_come_at_once_share_one_job(pool: Pool, shared: SharedJobs) -> None:
    arrived = threading.Barrier(9)
    numbers: list[int] = []

    def slow() -> int:
        arrived.wait(LIMIT_S)  # all others are about to ask, or wait for this one
        return pool.adder()()

    def ask() -> None:
        arrived.wait(LIMIT_S)
        numbers.append(shared.join_or_add(TASK, "", pool.adder()))

    first = threading.Thread(target=lambda: numbers.append(shared.join_or_add(TASK, "", slow)))
    others = [threading.Thread(target=ask) for _ in range(8)]
    for thread in (first, *others):
        thread.start()
    for thread in (first, *others):
        thread.join(LIMIT_S)
    assert numbers == [1] * 9


def test_those_who_wait_for_a_refused_request_ask_themselves(pool: Pool, shared: SharedJobs) -> None:
    is_adding, may_fail = threading.Event(), threading.Event()
    outcomes: list[object] = []

    def fail() -> int:
        is_adding.set()
        may_fail.wait(LIMIT_S)
        return refuse()

    def ask_first() -> None:
        with pytest.raises(QueueFullError):
            shared.join_or_add(TASK, "", fail)

    first = threading.Thread(target=ask_first)
    first.start()
    assert is_adding.wait(LIMIT_S)
    second = threading.Thread(target=lambda: outcomes.append(shared.join_or_add(TASK, "", pool.adder())))
    second.start()
    may_fail.set()
    first.join(LIMIT_S)
    second.join(LIMIT_S)
    assert outcomes == [1]


def test_ended_jobs_are_forgotten(pool: Pool, shared: SharedJobs) -> None:
    for i in range(2000):
        task = Task("mean", str(i), "survey@1")
        pool.jobs[shared.join_or_add(task, "", pool.adder(task))].state = JobState.DONE
    assert len(shared) < 1000
