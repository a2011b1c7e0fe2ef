"""How certain index of disparity, between-group variance and relative index are: by hand, and by their coverage."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from meantime.statistics.estimation.inequality.ranges import all_pairs, largest_intervals
from meantime.statistics.estimation.inequality.summary_intervals import (
    Uncertainty,
    index_uncertainty,
    ratio_uncertainty,
    variance_uncertainty,
)
from meantime.survey.cube.survey_cube import FloatArray
from tests.asking import records_in
from tests.bundled import bundled_cube
from tests.conftest import PROJECT


def column(*numbers: float) -> FloatArray:
    return np.array(numbers, dtype=np.float64)[:, None]


def test_of_two_strata_the_variance_is_that_of_their_difference() -> None:
    """The variance is p (1 - p) d^2, and d is normal with SE 5: all limits follow from those of |d|."""
    found = variance_uncertainty(column(30.0, 50.0), column(3.0, 4.0), column(0.25, 0.75), 0.95)
    factor, beyond = 0.25 * 0.75, 2.2414  # P(|Z| > 2.2414) = 0.025
    assert found.by_chance[0] == pytest.approx(factor * 25)
    assert found.low[0] == pytest.approx(factor * (20 - beyond * 5) ** 2, rel=0.08)
    assert found.high[0] == pytest.approx(factor * (20 + 1.959964 * 5) ** 2)
    assert found.standard_error[0] == pytest.approx(factor * math.sqrt(4 * 400 * 25 + 2 * 25**2))


def test_the_index_of_equal_strata_is_the_mean_of_folded_normals() -> None:
    found = index_uncertainty(column(30.0, 30.0), column(1.0, 1.0), np.array([30.0]), 0.95)
    assert found.by_chance[0] == pytest.approx(100 / 30 * math.sqrt(2 / math.pi))
    assert found.standard_error[0] == pytest.approx(100 / 30 * math.sqrt((1 - 2 / math.pi) / 2))
    assert (found.low[0], found.high[0]) == (0.0, pytest.approx(100 / 30 * 1.959964 / math.sqrt(2)))


def test_strata_without_error_are_known() -> None:
    value, error = column(20.0, 40.0), column(0.0, 0.0)
    for found, expected in (
        (index_uncertainty(value, error, np.array([30.0]), 0.95), 100 / 3),
        (variance_uncertainty(value, error, column(0.5, 0.5), 0.95), 100.0),
    ):
        assert [found.low[0], found.high[0]] == pytest.approx([expected, expected], rel=1e-5)
        assert (found.standard_error[0], found.by_chance[0]) == (0.0, 0.0)


@pytest.mark.parametrize("measure", ["index", "variance"])
def test_a_higher_level_is_wider_even_where_draws_no_longer_tell(measure: str) -> None:
    of = {"index": index_at, "variance": variance_at}[measure]
    found = [of(level) for level in (0.5, 0.9, 0.95, 0.99, 0.994, 0.996, 0.999, 0.9999)]
    assert [float(own.low[0]) for own in found] == sorted((float(own.low[0]) for own in found), reverse=True)
    assert [float(own.high[0]) for own in found] == sorted(float(own.high[0]) for own in found)


def index_at(level: float) -> Uncertainty:
    return index_uncertainty(column(20.0, 30.0, 45.0), column(1.0, 2.0, 3.0), np.array([31.0]), level)


def variance_at(level: float) -> Uncertainty:
    return variance_uncertainty(column(20.0, 30.0, 45.0), column(1.0, 2.0, 3.0), column(0.2, 0.3, 0.5), level)


def test_a_ratio_to_what_may_be_0_has_no_limits() -> None:
    assert ratio_uncertainty([-1.0, 1.0], [0.5, 0.5], [2.0, 3.0], [3.0, 3.0], 0.95) is None
    assert ratio_uncertainty([-1.0, 1.0], [0.5, 0.5], [-2.0, -3.0], [0.1, 0.1], 0.95) is None


# ---- coverage over real strata ---------------------------------------------------------------------------------------

RUNS, CASES = 300, 40
TRUTHS = {"none": 0.0, "a third": 1 / 3, "two thirds": 2 / 3, "as estimated": 1.0}
"""How far apart the strata truly are, as a share of how far apart their estimates are."""


class Case(NamedTuple):
    """The strata of a category in one location: estimates, standard errors, shares of the sample, 1 together."""

    value: FloatArray
    error: FloatArray
    shares: FloatArray


@cache
def cases() -> list[Case]:
    """Return strata of real locations, drawn with a seed."""
    found: dict[tuple[str, str, str], list[tuple[float, float, float]]] = {}
    for question in ("Q036", "Q047", "Q046"):
        for category in ("Age (years)", "Education", "Income", "Race/Ethnicity"):
            asked = {"question": question, "years": [2023], "categories": [category], "by": ["location", "stratum"]}
            for record in records_in("mean", bundled_cube(), asked):
                numbers = [record[name] for name in ("value", "standard_error", "sample_size")]
                if all(isinstance(number, float | int) for number in numbers) and numbers[1]:
                    own = found.setdefault((question, category, str(record["location"])), [])
                    own.append(tuple(float(str(number)) for number in numbers))  # type: ignore[arg-type]  # three
    drawn = random.Random(20260101).sample([found[key] for key in sorted(found) if len(found[key]) > 2], CASES)
    columns = [np.array(own).T for own in drawn]
    return [Case(value[:, None], error[:, None], (size / size.sum())[:, None]) for value, error, size in columns]


def simulated(share: float) -> Iterator[tuple[Case, FloatArray, FloatArray]]:
    """Yield each case with its truth, which is so far apart, and columns of estimates that are drawn around it."""
    drawn = np.random.default_rng(20260101)
    for case in cases():
        centre = (case.shares * case.value).sum()
        truth = centre + share * (case.value - centre)
        yield case, truth, truth + drawn.standard_normal((len(truth), RUNS)) * case.error


def _index(case: Case, value: FloatArray) -> FloatArray:
    overall = (case.shares * value).sum(axis=0)
    return np.asarray(100 * np.abs(value - overall).mean(axis=0) / overall)


def _variance(case: Case, value: FloatArray) -> FloatArray:
    return np.asarray((case.shares * (value - (case.shares * value).sum(axis=0)) ** 2).sum(axis=0))


def _range(case: Case, value: FloatArray) -> FloatArray:
    del case
    return np.asarray(np.ptp(value, axis=0))


def _relative(case: Case, value: FloatArray) -> FloatArray:
    return _slope(case, value)[1]


def _slope(case: Case, value: FloatArray) -> tuple[FloatArray, FloatArray]:
    place = np.cumsum(case.shares, axis=0) - case.shares / 2
    factors = case.shares * (place - 0.5) / (case.shares * (place - 0.5) ** 2).sum()
    return factors, np.asarray((factors * value).sum(axis=0) / (case.shares * value).sum(axis=0))


def _widened(case: Case, value: FloatArray) -> FloatArray:
    return np.broadcast_to(case.error, value.shape)


def index_limits(case: Case, value: FloatArray) -> tuple[FloatArray, FloatArray]:
    found = index_uncertainty(value, _widened(case, value), (case.shares * value).sum(axis=0), 0.95)
    return found.low, found.high


def variance_limits(case: Case, value: FloatArray) -> tuple[FloatArray, FloatArray]:
    shares = np.broadcast_to(case.shares, value.shape)
    found = variance_uncertainty(value, _widened(case, value), shares, 0.95)
    return found.low, found.high


def range_limits(case: Case, value: FloatArray) -> tuple[FloatArray, FloatArray]:
    return largest_intervals(value, _widened(case, value), all_pairs(len(value)), 0.95)


def relative_limits(case: Case, value: FloatArray) -> tuple[FloatArray, FloatArray]:
    factors, _ = _slope(case, value)
    found = [
        ratio_uncertainty(factors[:, 0].tolist(), case.shares[:, 0].tolist(), own, case.error[:, 0].tolist(), 0.95)
        for own in value.T.tolist()
    ]
    assert all(found)
    return np.array([own[1] for own in found if own]), np.array([own[2] for own in found if own])


MEASURES: dict[str, tuple[Callable[[Case, FloatArray], FloatArray], Callable[..., tuple[FloatArray, FloatArray]]]] = {
    "`value`": (_range, range_limits),
    "`index_of_disparity_percent`": (_index, index_limits),
    "`between_group_variance`": (_variance, variance_limits),
    "`relative_index`": (_relative, relative_limits),
}


def percentile_limits(
    case: Case, value: FloatArray, measure: Callable[..., FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Return the percentiles of draws around each column: what isn't done, and why."""
    drawn = np.random.default_rng(1).standard_normal((len(value), 400)) * case.error
    around = [measure(case, value[:, place, None] + drawn) for place in range(50)]
    low, high = np.quantile(np.array(around), [0.025, 0.975], axis=1)
    return low, high


def covered(limits: tuple[FloatArray, FloatArray], truth: float) -> float:
    low, high = limits
    return float(((low <= truth + 1e-9) & (truth <= high + 1e-9)).mean())


def coverage_row(name: str) -> str:
    """Return the row of the page's table: mean coverage for each truth, the lowest of a case, that of percentiles."""
    measure, limits = MEASURES[name]
    shares, lowest, naive = [], 1.0, []
    for share in TRUTHS.values():
        own = [
            (covered(limits(case, value), true := float(measure(case, truth)[0])), case, value, true)
            for case, truth, value in simulated(share)
        ]
        shares.append(sum(each[0] for each in own) / len(own))
        lowest = min(lowest, *(each[0] for each in own))
        naive.append(
            sum(covered(percentile_limits(case, value, measure), true) for _, case, value, true in own) / len(own)
        )
    numbers = [f"{100 * number:.1f}" for number in (*shares, lowest, naive[0], naive[-1])]
    return f"| {name} | {' | '.join(numbers)} |"


@pytest.mark.slow
@pytest.mark.parametrize("name", MEASURES)
def test_intervals_cover_the_truth_as_often_as_the_page_says(name: str) -> None:
    page = (PROJECT / "docs" / "methods" / "disparity.md").read_text(encoding="utf-8")
    row = coverage_row(name)
    assert row in page
    assert all(float(cell) >= 94.4 for cell in row.split("|")[2:6])  # 95 less three standard errors of 12,000 runs
