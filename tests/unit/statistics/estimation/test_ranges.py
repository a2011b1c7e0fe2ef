"""The largest of several differences: printed quantiles, what chance gives, and how often it is wrong."""

from __future__ import annotations

import math
import random
from typing import NamedTuple

import numpy as np
import pytest

from meantime.statistics.estimation.inequality.chance import DRAWS
from meantime.statistics.estimation.inequality.ranges import (
    Differences,
    FromTheOthers,
    all_pairs,
    largest_differences,
    pairs_with,
)
from meantime.statistics.estimation.inequality.studentised_range import critical_value, largest_p
from meantime.survey.cube.survey_cube import FloatArray
from tests.reference_scans import range_p


class Largest(NamedTuple):
    """The uncertainty of one location's largest difference."""

    standard_error: float
    low: float
    high: float
    by_chance: float
    p_value: float


def largest_difference(value: FloatArray, error: FloatArray, differences: Differences, level: float) -> Largest:
    found = largest_differences(value[:, None], error[:, None], differences, level)
    columns = (found.standard_error, found.low, found.high, found.by_chance, found.p_value)
    return Largest(*(float(column[0]) for column in columns))


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
    assert (found.low, found.high, found.standard_error, found.p_value) == (3.0, 3.0, 0.0, 0.0)
    simulated = largest_difference(np.array([30.0, 33.0]), np.zeros(2), pairs_with(2, 0), 0.95)
    assert (simulated.low, simulated.high, simulated.p_value) == (3.0, 3.0, 1 / (1 + DRAWS))


# ---- the studentised range ------------------------------------------------------------------------------------------

PRINTED_POINTS = {
    0.9: {2: 2.326, 3: 2.902, 4: 3.240, 5: 3.478, 8: 3.931, 10: 4.129, 20: 4.694},
    0.95: {2: 2.772, 3: 3.314, 4: 3.633, 5: 3.858, 8: 4.286, 10: 4.474, 20: 5.012},
    0.99: {2: 3.643, 3: 4.120, 4: 4.403, 5: 4.603, 8: 4.987, 10: 5.157, 20: 5.645},
}
"""H. L. Harter, Tables of range and studentized range, Annals of Mathematical Statistics 31, 1960: infinite degrees."""


@pytest.mark.parametrize("level", PRINTED_POINTS)
def test_the_points_of_the_studentised_range_are_those_that_tables_print(level: float) -> None:
    found = {count: critical_value(count, level) * math.sqrt(2) for count in PRINTED_POINTS[level]}
    assert found == pytest.approx(PRINTED_POINTS[level], abs=0.001)


@pytest.mark.parametrize("count", [2, 3, 5, 8, 30])
@pytest.mark.parametrize("z", [0.0, 0.3, 1.0, 2.5, 4.0, 6.0, 6.7, 6.95, 7.05])
def test_the_probability_of_a_range_is_that_of_plain_numeric_integration(count: int, z: float) -> None:
    """The reference sums over a grid of its own, of the tail alone, so that nothing cancels."""
    pair = math.erfc(z / math.sqrt(2))
    assert float(largest_p(np.array([z]), count)[0]) == pytest.approx(range_p(count, z * math.sqrt(2)), rel=2e-4)
    assert pair * (1 - 1e-9) <= float(largest_p(np.array([z]), count)[0]) <= min(1.0, count * (count - 1) / 2 * pair)


def test_a_p_value_has_no_lowest_value_and_is_unknown_where_its_difference_is() -> None:
    tiny, unknown, endless = largest_p(np.array([20.0, math.nan, math.inf]), 4)
    assert tiny == pytest.approx(6 * math.erfc(20 / math.sqrt(2)))
    assert math.isnan(unknown)
    assert endless == 0


@pytest.mark.parametrize("count", [3, 4, 8])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99, 0.9999])
def test_limits_exclude_0_exactly_where_the_p_value_is_below_the_level(count: int, level: float) -> None:
    critical = critical_value(count, level)
    below, above = largest_p(np.array([critical * 0.9999, critical * 1.0001]), count)
    assert below > 1 - level > above


@pytest.mark.slow
@pytest.mark.parametrize(
    "errors", [(1.0, 1.0, 1.0, 1.0), (0.5, 1.0, 2.0, 4.0), (1.0, 1.0, 1.0, 10.0), (3, 3, 1, 1, 1, 1)]
)
def test_with_unequal_errors_the_p_value_errs_on_the_safe_side(errors: tuple[float, ...]) -> None:
    """Where nothing differs p is at most 0.05 in 5 %, or in less with unequal errors."""
    error = np.array(errors, dtype=np.float64)
    value = np.random.default_rng(5).standard_normal((len(errors), 20000)) * error[:, None]
    first, second = np.triu_indices(len(errors), 1)
    apart = np.abs(value[first] - value[second]) / np.hypot(error[first], error[second])[:, None]
    below = float((largest_p(apart.max(axis=0), len(errors)) <= 0.05).mean())
    assert 0.035 <= below <= 0.05 + 0.0046  # three standard errors of 20,000 runs


def test_locations_together_have_the_answers_that_each_has_alone() -> None:
    value = np.array([[30.0, 33.0, 31.0], [20.0, 21.0, 25.0]]).T
    error = np.array([[1.0, 2.0, 0.5], [1.0, 1.0, 3.0]]).T
    for differences in (all_pairs(3), pairs_with(3, 1), FromTheOthers()):
        together = largest_differences(value, error, differences, 0.9)
        for place in range(2):
            alone = largest_difference(value[:, place], error[:, place], differences, 0.9)
            found = (together.standard_error, together.low, together.high, together.by_chance, together.p_value)
            assert tuple(float(column[place]) for column in found) == alone


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
