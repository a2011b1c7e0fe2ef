"""What every JobStore must hold, run over each adapter of the table ADAPTERS."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meantime.errors import BackupError, StoreUnavailableError
from meantime.jobs.job import Job, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import HIGHEST_NUMBER, JobFilter, JobStore, Receipt, Submission
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from tests.memory_job_store import MemoryJobStore, Shelf

TASK = Task("states_mean", '{"question":"Q"}', "brfss@1")

OpenStore = Callable[[], JobStore]


def sqlite_store(folder: Path) -> OpenStore:
    return lambda: SqliteJobStore(folder / "state")


def memory_store(_: Path) -> OpenStore:
    shelf = Shelf()
    return lambda: MemoryJobStore(shelf)


ADAPTERS: dict[str, Callable[[Path], OpenStore]] = {"sqlite": sqlite_store, "memory": memory_store}
"""Each gets a folder of its own and returns what opens the store there, again and again."""


@pytest.fixture(params=ADAPTERS)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Open the same store again and again, closing the one before."""
    opened: list[JobStore] = []
    open_adapter = ADAPTERS[request.param](tmp_path)

    def open_again() -> JobStore:
        if opened:
            opened[-1].close()
        opened.append(open_adapter())
        return opened[-1]

    yield open_again
    for store in opened:
        store.close()


def add(store: JobStore, at: float = 1.0, task: Task = TASK, owner: str = "", key: str | None = None) -> int:
    return store.add(Submission(task, at, owner, key)).number


def end(store: JobStore, number: int, state: JobState, at: float = 5.0) -> Job:
    job = Job(number=number, task=TASK, state=state, attempt=1, started_at=2.0, finished_at=at)
    is_done = state is JobState.DONE
    job = job.evolve(result_sha256="ab" * 32, result_size=12) if is_done else job.evolve(reason="why")
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
    store.delete([1])
    assert store.get(1) is None
    assert add(open_store()) == 2


def test_an_accepted_job_is_there_after_a_restart(open_store: OpenStore) -> None:
    number, _ = open_store().add(Submission(TASK, 1.5, "alice", "key"))
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
    running = Job(number=number, task=TASK, state=JobState.RUNNING, attempt=2, started_at=2.0)
    store.record(running, at_once=True)
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


@pytest.mark.parametrize("number", [-1, 0, HIGHEST_NUMBER, HIGHEST_NUMBER + 1, 2**63 - 1, 2**63, 10**30])
def test_any_whole_number_may_be_asked_for(open_store: OpenStore, number: int) -> None:
    store = open_store()
    add(store)
    assert store.get(number) is None
    assert len(store.states_after(number, 10)) == (number <= 0)
    assert len(store.page(JobFilter(), before=number, limit=10)) == (number > 1)


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
    asked = Submission(TASK, 1.0, "alice", "k")
    first = store.add(asked)
    assert first.is_new
    assert store.add(asked) == Receipt(first.number, is_new=False)
    assert open_store().add(asked) == Receipt(first.number, is_new=False)
    store = open_store()
    assert store.add(Submission(TASK, 1.0, "bob", "k")).is_new
    assert store.add(Submission(TASK, 1.0, "alice", None)).is_new
    assert [number for number, _ in store.states_after(0, 10)] == [1, 2, 3]


def test_the_key_of_an_evicted_job_may_be_used_again(open_store: OpenStore) -> None:
    store = open_store()
    end(store, add(store, owner="alice", key="k"), JobState.DONE)
    store.delete([1])
    assert store.add(Submission(TASK, 1.0, "alice", "k")) == Receipt(2, is_new=True)


def test_an_empty_key_is_a_key_and_no_key_is_none(open_store: OpenStore) -> None:
    store = open_store()
    assert [store.add(Submission(TASK, 1.0, "alice", "")).is_new for _ in range(2)] == [True, False]
    assert [store.add(Submission(TASK, 1.0, "alice", None)).is_new for _ in range(2)] == [True, True]


def test_a_new_job_is_told_of_and_a_known_key_is_not(open_store: OpenStore) -> None:
    store = open_store()
    told: list[Job] = []
    store.add(Submission(TASK, 1.5, "alice", "k"), told.append)
    store.add(Submission(TASK, 1.5, "alice", "k"), told.append)
    assert told == [Job(number=1, task=TASK, owner="alice", state=JobState.QUEUED, attempt=0, submitted_at=1.5)]
    assert told == store.unfinished()


def test_nobody_reads_a_job_or_meets_its_key_before_it_was_told_of(open_store: OpenStore) -> None:
    store = open_store()
    heard = threading.Event()
    early: list[bool] = []

    def ask_for_the_key() -> None:
        store.add(Submission(TASK, 1.0, "alice", "k"))
        heard.set()

    def ask_for_the_job() -> None:
        if store.get(1) is not None:
            heard.set()

    others = [threading.Thread(target=each) for each in (ask_for_the_key, ask_for_the_job)]

    def on_durable(_: Job) -> None:
        for other in others:
            other.start()
        early.append(heard.wait(0.3))  # a store that tells too late lets one of them through within this time

    store.add(Submission(TASK, 1.0, "alice", "k"), on_durable)
    for other in others:
        other.join(10.0)
    assert early == [False]
    assert heard.is_set()


def test_jobs_are_told_of_in_the_order_of_their_numbers(open_store: OpenStore) -> None:
    store = open_store()
    start = threading.Barrier(8)
    told: list[int] = []

    def submit() -> None:
        start.wait(10.0)
        for _ in range(25):
            store.add(Submission(TASK, 1.0), lambda job: told.append(job.number))

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    assert told == list(range(1, 201))


def test_many_threads_with_one_key_get_one_job(open_store: OpenStore) -> None:
    store = open_store()
    start = threading.Barrier(8)
    receipts: list[Receipt] = []
    told: list[int] = []

    def submit() -> None:
        start.wait(10.0)
        for i in range(25):
            receipt = store.add(Submission(TASK, 1.0, "alice", f"k{i}"), lambda job: told.append(job.number))
            assert receipt.number in told
            receipts.append(receipt)

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    assert told == list(range(1, 26))
    assert sorted(receipt.number for receipt in receipts if receipt.is_new) == told
    assert len(receipts) == 200


def test_a_backup_never_replaces_a_file(open_store: OpenStore, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("mine")
    with pytest.raises(BackupError, match="exists already"):
        open_store().back_up(target)
    assert target.read_text() == "mine"


def test_only_ended_jobs_are_told_and_deleted(open_store: OpenStore) -> None:
    store = open_store()
    for _ in range(6):
        add(store)
    for number, at in [(1, 10.0), (2, 20.0), (4, 30.0), (6, 30.0)]:
        end(store, number, JobState.DONE, at)
    assert [(job.number, job.finished_at) for job in store.ended_after(1, 2)] == [(2, 20.0), (4, 30.0)]
    totals = store.ended_totals()
    assert (totals.job_count, totals.newest_at) == (4, 30.0)
    assert totals.result_bytes == sum(job.result_bytes for job in store.ended_after(0, 10))
    store.delete([1, 3])
    assert [job.number for job in store.evict(keep_count=2, limit=10)] == [2, 4]
    assert [number for number, _ in store.states_after(0, 10)] == [3, 5, 6]
    assert store.evict(keep_count=2, limit=10) == []


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
