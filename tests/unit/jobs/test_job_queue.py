"""Who is next: owners take turns, and nobody's own order is changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from meantime.jobs.job import Job, Task
from meantime.jobs.job_queue import JobEntry, JobQueue

OWNERS = st.sampled_from(["ann", "bob", "cid", ""])


def entry(number: int, owner: str = "") -> JobEntry:
    return JobEntry(Job(number=number, task=Task("t", "{}", "v"), owner=owner))


def popped(jobs: JobQueue) -> list[JobEntry]:
    found = []
    while (each := jobs.pop()) is not None:
        found.append(each)
    return found


@given(st.lists(OWNERS))
def test_the_jobs_of_one_owner_keep_their_order(owners: list[str]) -> None:
    jobs = JobQueue()
    entries = [entry(number, owner) for number, owner in enumerate(owners)]
    for each in entries:
        jobs.put(each)
    assert len(jobs) == len(owners)
    found = popped(jobs)
    for owner in set(owners):
        assert [e for e in found if e.job.owner == owner] == [e for e in entries if e.job.owner == owner]
    assert (len(found), len(jobs)) == (len(owners), 0)


@given(st.lists(OWNERS))
def test_nobody_is_served_twice_while_another_waits_for_a_turn(owners: list[str]) -> None:
    jobs = JobQueue()
    for number, owner in enumerate(owners):
        jobs.put(entry(number, owner))
    served = [each.job.owner for each in popped(jobs)]
    for i, owner in enumerate(served[:-1]):
        if served[i + 1] == owner:
            assert set(served[i + 1 :]) == {owner}


@given(st.lists(OWNERS, max_size=8), st.sets(st.integers(0, 7)))
def test_a_removed_job_is_never_popped_and_frees_its_place(owners: list[str], gone: set[int]) -> None:
    jobs = JobQueue()
    entries = [entry(number, owner) for number, owner in enumerate(owners)]
    for each in entries:
        jobs.put(each)
    for number in gone & set(range(len(entries))):
        jobs.remove(entries[number])
        jobs.remove(entries[number])
    left = [each for number, each in enumerate(entries) if number not in gone]
    assert len(jobs) == len(left)
    assert {e.job.number for e in popped(jobs)} == {e.job.number for e in left}


def test_each_call_has_one_runner_come_and_each_end_ends_one() -> None:
    jobs = JobQueue()
    jobs.call_runner()
    jobs.end_one_runner()
    assert [jobs.wait(), jobs.wait()] == [True, False]


def test_a_runner_that_was_called_for_a_removed_job_finds_none() -> None:
    jobs = JobQueue()
    jobs.put(waiting := entry(1))
    jobs.call_runner()
    jobs.remove(waiting)
    assert jobs.wait()
    assert jobs.pop() is None
