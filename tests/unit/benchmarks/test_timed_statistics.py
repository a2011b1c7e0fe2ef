"""What is timed beside an earlier checkout: each statistic, and the ratio of two processes that take turns."""

from __future__ import annotations

import pytest

from benchmarks.earlier_checkout import measure_against
from benchmarks.timed_statistics import HEAVIER
from meantime.statistics.catalogue import Surface, statistics_of
from tests.conftest import PROJECT


@pytest.mark.slow
def test_each_statistic_and_heavier_requests_are_set_beside_the_same_ones_of_another_checkout() -> None:
    figures = list(measure_against(PROJECT, rounds=1))
    names = sorted([*(row.name for row in statistics_of(Surface.V1)), *HEAVIER])
    assert [figure.name for figure in figures] == [f"{name}, against the earlier" for name in names]
    assert all(figure.value > 0 and figure.goal is not None for figure in figures)
