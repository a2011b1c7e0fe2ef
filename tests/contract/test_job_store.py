"""What every JobStore must hold, run over each adapter."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meantime.errors import IdempotencyConflictError, StoreUnavailableError
from meantime.jobs.job import Job, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import JobFilter, JobStore, Submission
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore

TASK = Task("states_mean", '{"question":"Q"}', "brfss@1")

OpenStore = Callable[[], JobStore]


@pytest.fixture(params=["sqlite"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Open the same store again and again, closing the one before."""
    opened: list[JobStore] = []

    def open_again() -> JobStore:
        if opened:
            opened[-1].close()
        opened.append(SqliteJobStore(tmp_path / "state"))
        return opened[-1]

    yield open_again
    for store in opened:
        store.close()


def add(store: JobStore, at: float = 1.0, task: Task = TASK, owner: str = "", key: str | None = None) -> int:
    return store.add(Submission(task, at, owner, key))


def end(store: JobStore, number: int, state: JobState, at: float = 5.0) -> Job:
    job = Job(number, TASK, state=state, attempt=1, started_at=2.0, finished_at=at)
    if state is JobState.DONE:
        job.result_sha256, job.result_size = "ab" * 32, 12
    else:
        job.reason = "why"
    store.record(job)
    return job


def test_numbers_count_up_from_one(open_store: OpenStore) -> None:
    store = open_store()
    assert [add(store) for _ in range(3)] == [1, 2, 3]


def test_numbers_go_on_counting_after_a_restart(open_store: OpenStore) -> None:
    add(open_store())
    assert add(open_store()) == 2


def test_the_number_of_an_evicted_job_is_never_used_again(open_store: OpenStore) -> None:
    store = open_store()
    end(store, add(store), JobState.DONE)
    assert [job.number for job in store.evict(finished_before=9.0, keep_count=None, limit=10)] == [1]
    assert add(open_store()) == 2


def test_an_accepted_job_is_there_after_a_restart(open_store: OpenStore) -> None:
    number = open_store().add(Submission(TASK, 1.5, "alice", "key"))
    job = open_store().get(number)
    assert job is not None
    assert (job.task, job.owner, job.state, job.attempt, job.submitted_at) == (TASK, "alice", JobState.QUEUED, 0, 1.5)


@pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED, JobState.CANCELLED])
def test_how_a_job_ended_is_there_after_a_restart(open_store: OpenStore, state: JobState) -> None:
    store = open_store()
    job = end(store, add(store), state)
    found = open_store().get(job.number)
    assert found is not None
    assert (found.state, found.attempt, found.started_at, found.finished_at) == (state, 1, 2.0, 5.0)
    assert (found.result_sha256, found.result_size, found.reason) == (job.result_sha256, job.result_size, job.reason)


def test_a_final_state_is_never_overwritten(open_store: OpenStore) -> None:
    store = open_store()
    number = add(store)
    end(store, number, JobState.DONE)
    end(store, number, JobState.FAILED)
    found = store.get(number)
    assert found is not None
    assert found.state is JobState.DONE


def test_a_started_job_recorded_at_once_counts_its_attempt_after_a_restart(open_store: OpenStore) -> None:
    store = open_store()
    number = add(store)
    store.record(Job(number, TASK, state=JobState.RUNNING, attempt=2, started_at=2.0), at_once=True)
    [job] = open_store().unfinished()
    assert (job.number, job.state, job.attempt) == (number, JobState.RUNNING, 2)


def test_unfinished_jobs_come_in_the_order_they_were_accepted(open_store: OpenStore) -> None:
    store = open_store()
    for _ in range(5):
        add(store)
    end(store, 2, JobState.DONE)
    end(store, 4, JobState.FAILED)
    assert [job.number for job in store.unfinished()] == [1, 3, 5]


def test_an_unknown_number_gives_none(open_store: OpenStore) -> None:
    store = open_store()
    assert store.get(1) is None
    assert store.get(10**17) is None


def test_states_are_listed_page_by_page(open_store: OpenStore) -> None:
    store = open_store()
    for _ in range(5):
        add(store)
    end(store, 3, JobState.DONE)
    assert store.states_after(0, 3) == [(1, JobState.QUEUED), (2, JobState.QUEUED), (3, JobState.DONE)]
    assert store.states_after(3, 3) == [(4, JobState.QUEUED), (5, JobState.QUEUED)]
    assert store.states_after(5, 3) == []


def test_a_page_of_jobs_is_newest_first_and_goes_on_before_a_number(open_store: OpenStore) -> None:
    store = open_store()
    for _ in range(5):
        add(store)
    assert [job.number for job in store.page(JobFilter(), before=None, limit=2)] == [5, 4]
    assert [job.number for job in store.page(JobFilter(), before=4, limit=9)] == [3, 2, 1]


def test_a_page_can_be_filtered_by_owner_state_task_and_time(open_store: OpenStore) -> None:
    store = open_store()
    add(store, at=1.0, owner="alice")
    add(store, at=2.0, owner="bob")
    add(store, at=3.0, owner="alice", task=Task("best5", "{}", "v"))
    end(store, 1, JobState.FAILED)

    def numbers(job_filter: JobFilter) -> list[int]:
        return [job.number for job in store.page(job_filter, before=None, limit=10)]

    assert numbers(JobFilter(owner="alice")) == [3, 1]
    assert numbers(JobFilter(state=JobState.FAILED)) == [1]
    assert numbers(JobFilter(state=JobState.QUEUED)) == [3, 2]
    assert numbers(JobFilter(task_name="best5")) == [3]
    assert numbers(JobFilter(submitted_since=2.0)) == [3, 2]
    assert numbers(JobFilter(version_prefix="brfss@")) == [2, 1]
    assert numbers(JobFilter(version_prefix="brfs_@")) == []
    assert numbers(JobFilter(owner="alice", task_name="states_mean", submitted_since=0.5)) == [1]


def test_an_idempotency_key_makes_one_job_for_each_owner(open_store: OpenStore) -> None:
    store = open_store()
    first = add(store, owner="alice", key="k")
    with pytest.raises(IdempotencyConflictError) as caught:
        add(store, owner="alice", key="k")
    assert caught.value.job_number == first
    assert add(store, owner="bob", key="k") != first
    assert add(store, owner="alice", key=None) != first


def test_eviction_takes_ended_jobs_past_the_age_or_the_count_and_no_others(open_store: OpenStore) -> None:
    store = open_store()
    for _ in range(6):
        add(store)
    for number, at in [(1, 10.0), (2, 20.0), (4, 30.0), (6, 30.0)]:
        end(store, number, JobState.DONE, at)
    assert [job.number for job in store.evict(finished_before=15.0, keep_count=None, limit=10)] == [1]
    assert [job.number for job in store.evict(finished_before=None, keep_count=2, limit=10)] == [2, 4]
    assert [number for number, _ in store.states_after(0, 10)] == [3, 5, 6]
    assert store.evict(finished_before=None, keep_count=None, limit=10) == []


def test_many_threads_get_different_numbers(open_store: OpenStore) -> None:
    store = open_store()
    start = threading.Barrier(8)
    numbers: list[list[int]] = [[] for _ in range(8)]

    def submit(mine: list[int]) -> None:
        start.wait(10.0)
        mine.extend(add(store) for _ in range(25))

    threads = [threading.Thread(target=submit, args=(mine,)) for mine in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    assert sorted(number for mine in numbers for number in mine) == list(range(1, 201))
    assert all(mine == sorted(mine) for mine in numbers)


def test_a_closed_store_refuses_instead_of_losing(open_store: OpenStore) -> None:
    store = open_store()
    store.close()
    store.close()
    assert not store.is_sound()
    with pytest.raises(StoreUnavailableError, match="closed"):
        add(store)
