"""The largest of several differences: printed quantiles, what chance gives, and how often it is wrong."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from meantime.statistics.estimation.inequality.ranges import (
    DRAWS,
    FromTheOthers,
    all_pairs,
    largest_difference,
    pairs_with,
)

STUDENTISED_RANGE = {2: 2.772, 3: 3.314, 4: 3.633, 6: 4.030, 8: 4.286}
"""The 95 % points with infinite degrees of freedom, as tables print them."""

DUNNETT = {3: 2.21, 5: 2.44, 8: 2.61}
"""C. W. Dunnett, 1964: two-sided 95 % points for so many comparisons less one with a control, infinite degrees."""


@pytest.mark.parametrize(("count", "point"), STUDENTISED_RANGE.items())
def test_limits_are_those_of_the_studentised_range(count: int, point: float) -> None:
    value, error = np.array([40.0] + [30.0] * (count - 1)), np.ones(count)
    found = largest_difference(value, error, all_pairs(count), 0.95)
    assert found.low == pytest.approx(10 - point, abs=0.15)
    assert found.high == pytest.approx(10 + point, abs=0.15)


@pytest.mark.parametrize(("count", "point"), DUNNETT.items())
def test_limits_against_one_stratum_are_those_of_dunnett(count: int, point: float) -> None:
    value, error = np.array([30.0] * (count - 1) + [40.0]), np.ones(count)
    found = largest_difference(value, error, pairs_with(count, 0), 0.95)
    assert found.high == pytest.approx(10 + point * math.sqrt(2), abs=0.15)


def test_two_estimates_have_the_p_value_of_the_z_test() -> None:
    found = largest_difference(np.array([30.0, 33.0]), np.array([1.0, 1.0]), all_pairs(2), 0.95)
    assert found.p_value == pytest.approx(math.erfc(3 / math.sqrt(2) / math.sqrt(2)), abs=0.01)
    assert found.by_chance == pytest.approx(2 / math.sqrt(math.pi), abs=0.03)  # the mean of |N(0, 2)|
    assert found.standard_error == pytest.approx(math.sqrt(2), abs=0.06)


def test_the_same_estimates_have_the_same_answer_again() -> None:
    value, error = np.array([30.0, 33.0, 31.0]), np.array([1.0, 2.0, 0.5])
    assert largest_difference(value, error, all_pairs(3), 0.9) == largest_difference(value, error, all_pairs(3), 0.9)


def test_a_higher_level_is_wider() -> None:
    value, error = np.array([30.0, 33.0, 31.0]), np.array([1.0, 2.0, 0.5])
    found = [largest_difference(value, error, FromTheOthers(), level) for level in (0.5, 0.9, 0.95, 0.99)]
    assert [own.high for own in found] == sorted(own.high for own in found)
    assert [own.low for own in found] == sorted((own.low for own in found), reverse=True)


def test_estimates_without_error_are_as_far_apart_as_they_are() -> None:
    found = largest_difference(np.array([30.0, 33.0]), np.zeros(2), all_pairs(2), 0.95)
    assert (found.low, found.high, found.standard_error, found.p_value) == (3.0, 3.0, 0.0, 1 / (1 + DRAWS))


@pytest.mark.slow
@pytest.mark.parametrize(("count", "before"), [(4, 0.20), (6, 0.37), (8, 0.51)])
def test_with_no_true_difference_one_in_twenty_intervals_excludes_0(count: int, before: float) -> None:
    """Highest minus lowest with the error of these two alone excluded 0 in 20, 37 and 51 %."""
    chance, runs = random.Random(20260101), 2000
    as_pair = as_range = 0
    for _ in range(runs):
        value = [chance.gauss(30.0, 1.0) for _ in range(count)]
        as_pair += max(value) - min(value) > 1.959964 * math.sqrt(2)
        as_range += largest_difference(np.array(value), np.ones(count), all_pairs(count), 0.95).low > 0
    assert as_pair / runs == pytest.approx(before, abs=0.03)
    assert as_range / runs <= 0.05 + 0.015  # three standard errors of 2,000 runs


@pytest.mark.slow
@pytest.mark.parametrize("truth", [(30.0, 30.0, 30.0, 31.0), (30.0, 32.0, 34.0, 36.0), (20.0, 30.0, 30.0, 40.0)])
def test_an_interval_covers_the_true_range_in_19_of_20(truth: tuple[float, ...]) -> None:
    chance, runs, covered = random.Random(7), 1500, 0
    errors = np.array([0.5, 1.0, 2.0, 4.0])
    for _ in range(runs):
        value = np.array([chance.gauss(own, error) for own, error in zip(truth, errors.tolist(), strict=True)])
        found = largest_difference(value, errors, all_pairs(4), 0.95)
        covered += found.low <= max(truth) - min(truth) <= found.high
    assert covered / runs >= 0.95 - 0.015
