"""Buckets of durations."""

from __future__ import annotations

import threading

import pytest

from meantime.jobs.durations import Durations


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
