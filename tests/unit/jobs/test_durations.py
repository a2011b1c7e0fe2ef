"""Buckets of durations, and what is counted of jobs that end."""

from __future__ import annotations

import threading

import pytest

from meantime.jobs.durations import Durations
from meantime.jobs.job import Job, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.job_tally import JobTally


@pytest.mark.parametrize(("duration_s", "bucket"), [(0.0, 0), (0.1, 0), (0.11, 1), (1.0, 1), (1.01, 2), (1e9, 2)])
def test_a_duration_is_in_the_first_bucket_whose_bound_it_does_not_exceed(duration_s: float, bucket: int) -> None:
    durations = Durations([0.1, 1.0])
    durations.add(("GET",), duration_s)
    (seen,) = durations.distributions().values()
    assert seen.counts.index(1) == bucket
    assert (seen.count, seen.sum_s) == (1, duration_s)


def test_no_duration_is_lost_when_many_threads_count_at_once() -> None:
    durations = Durations()
    start = threading.Barrier(8)

    def count() -> None:
        start.wait()
        for i in range(2000):
            durations.add((str(i % 3),), 0.25)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = durations.distributions()
    assert sum(each.count for each in seen.values()) == 16_000
    assert sum(each.sum_s for each in seen.values()) == 4000.0


def _job(state: JobState, *, submitted_at: float, started_at: float | None, finished_at: float) -> Job:
    job = Job(1, Task("states_mean", "{}", "v"), state=state, submitted_at=submitted_at, started_at=started_at)
    job.finished_at = finished_at
    return job


def test_a_tally_tells_waiting_from_running_by_name_and_final_state() -> None:
    tally = JobTally()
    tally.count(_job(JobState.DONE, submitted_at=10.0, started_at=10.5, finished_at=12.5))
    tally.count(_job(JobState.CANCELLED, submitted_at=10.0, started_at=None, finished_at=99.0))
    runs, waits = tally.runs.distributions(), tally.waits.distributions()
    assert {label: (seen.count, seen.sum_s) for label, seen in runs.items()} == {
        ("states_mean", "done"): (1, 2.0),
        ("states_mean", "cancelled"): (1, 0.0),
    }
    assert waits[("states_mean",)].sum_s == 0.5


def test_a_clock_that_is_set_back_gives_no_negative_duration() -> None:
    tally = JobTally()
    tally.count(_job(JobState.DONE, submitted_at=1000.0, started_at=500.0, finished_at=100.0))
    assert tally.runs.distributions()["states_mean", "done"].sum_s == 0.0
    assert tally.waits.distributions()["states_mean",].sum_s == 0.0
