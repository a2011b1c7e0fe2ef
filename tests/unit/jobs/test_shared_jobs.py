"""Which unfinished job an equal request joins."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from meantime.errors import QueueFullError
from meantime.jobs import shared_jobs
from meantime.jobs.job import Job, Task
from meantime.jobs.shared_jobs import SharedJobs

LIMIT_S = 30.0
TASK = Task("mean", "{}", "survey@1")


class Pool:
    """Makes jobs without running them."""

    def __init__(self) -> None:
        self.made_count = 0
        self.ended: set[int] = set()  # or wanted to stop

    def adder(self, task: Task = TASK) -> Callable[[], Job]:
        def add() -> Job:
            self.made_count += 1
            return Job(number=self.made_count, task=task)

        return add

    def may_be_joined(self, number: int) -> bool:
        return number not in self.ended


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def shared(pool: Pool) -> SharedJobs:
    return SharedJobs(pool.may_be_joined)


def refuse() -> Job:
    raise QueueFullError("full")


def test_an_equal_request_joins_the_unfinished_job(pool: Pool, shared: SharedJobs) -> None:
    assert [shared.join_or_add(TASK, "", pool.adder()).number for _ in range(3)] == [1, 1, 1]


def test_a_job_that_has_ended_or_shall_is_not_joined(pool: Pool, shared: SharedJobs) -> None:
    shared.join_or_add(TASK, "", pool.adder())
    pool.ended.add(1)
    assert [shared.join_or_add(TASK, "", pool.adder()).number for _ in range(2)] == [2, 2]


def test_another_task_version_or_owner_gets_a_job_of_its_own(pool: Pool, shared: SharedJobs) -> None:
    others = [(Task("mean", "[]", "survey@1"), ""), (Task("mean", "{}", "survey@2"), ""), (TASK, "bob")]
    assert shared.join_or_add(TASK, "", pool.adder()).number == 1
    assert [shared.join_or_add(task, owner, pool.adder(task)).number for task, owner in others] == [2, 3, 4]


def test_a_request_that_was_refused_leaves_nothing_to_join(pool: Pool, shared: SharedJobs) -> None:
    with pytest.raises(QueueFullError):
        shared.join_or_add(TASK, "", refuse)
    assert shared.join_or_add(TASK, "", pool.adder()).number == 1


def test_requests_that_come_at_once_share_one_job(pool: Pool, shared: SharedJobs) -> None:
    arrived = threading.Barrier(9)
    numbers: list[int] = []

    def slow() -> Job:
        arrived.wait(LIMIT_S)  # all others are about to ask, or wait for this one
        return pool.adder()()

    def ask() -> None:
        arrived.wait(LIMIT_S)
        numbers.append(shared.join_or_add(TASK, "", pool.adder()).number)

    first = threading.Thread(target=lambda: numbers.append(shared.join_or_add(TASK, "", slow).number))
    others = [threading.Thread(target=ask) for _ in range(8)]
    for thread in (first, *others):
        thread.start()
    for thread in (first, *others):
        thread.join(LIMIT_S)
    assert numbers == [1] * 9


def test_those_who_wait_for_a_refused_request_ask_themselves(pool: Pool, shared: SharedJobs) -> None:
    is_adding, may_fail = threading.Event(), threading.Event()
    outcomes: list[object] = []

    def fail() -> Job:
        is_adding.set()
        may_fail.wait(LIMIT_S)
        return refuse()

    def ask_first() -> None:
        with pytest.raises(QueueFullError):
            shared.join_or_add(TASK, "", fail)

    first = threading.Thread(target=ask_first)
    first.start()
    assert is_adding.wait(LIMIT_S)
    second = threading.Thread(target=lambda: outcomes.append(shared.join_or_add(TASK, "", pool.adder()).number))
    second.start()
    may_fail.set()
    first.join(LIMIT_S)
    second.join(LIMIT_S)
    assert outcomes == [1]


def test_only_the_latest_requests_are_remembered(
    pool: Pool, shared: SharedJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_jobs, "REMEMBERED_COUNT", 2)
    tasks = [Task("mean", str(i), "survey@1") for i in range(3)]
    assert [shared.join_or_add(task, "", pool.adder(task)).number for task in tasks] == [1, 2, 3]
    assert [shared.join_or_add(task, "", pool.adder(task)).number for task in reversed(tasks)] == [3, 2, 4]
