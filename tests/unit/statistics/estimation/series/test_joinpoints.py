"""How often joinpoints are found where there are none, and where there is one; how often intervals cover the slope."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from meantime.statistics.estimation.series.joinpoints import (
    DRAWS,
    FEWEST_YEARS,
    SIGNIFICANCE,
    find_joinpoints,
    permutations,
)
from meantime.statistics.estimation.series.lines import fit_lines
from meantime.statistics.estimation.series.segments import fit_bent
from meantime.survey.cube.survey_cube import FloatArray
from tests.conftest import PROJECT
from tests.reference_joinpoints import best

SERIES = 1000
PAGE = PROJECT / "docs" / "methods" / "trend.md"


def drawn_series(
    rng: np.random.Generator, years: int, bend: float, scatter: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return year, value and error of a series that rises by 0.6 a year, by ``bend`` more from its middle year on."""
    year, error = np.arange(years, dtype=np.float64), rng.uniform(0.4, 0.8, years)
    line = 20 + 0.6 * year + bend * np.maximum(year - years // 2, 0)
    return year, line + scatter * error * rng.standard_normal(years), error


def shares(years: int, most: int, bend: float, scatter: float) -> tuple[float, float, float, float]:
    """Return the shares of series with some joinpoint, with exactly one, with one at most a year off, and coverage.

    Coverage is of the slopes of both segments, over the series with one joinpoint.
    """
    rng = np.random.default_rng(2000)
    some = one = near = covered = 0
    for _ in range(SERIES):
        year, value, error = drawn_series(rng, years, bend, scatter)
        found = find_joinpoints(year, value, error, most)
        some += bool(found)
        if len(found) != 1:
            continue
        one += 1
        near += abs(found[0] - years // 2) <= 1
        bent = fit_bent(year, value, error, found)
        for own, half, slope in zip(bent.slopes, bent.errors, (0.6, 0.6 + bend), strict=True):
            covered += abs(own - slope) <= 1.959964 * half
    return some / SERIES, one / SERIES, near / SERIES, covered / (2 * one)


SIMULATED = re.findall(
    r"^\| (\d+) \| (\d) \| (-?[\d.]+) \| ([\d.]+) \| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) % \|$",
    PAGE.read_text(encoding="utf-8"),
    re.MULTILINE,
)


def test_the_page_has_series_without_a_joinpoint_and_with_one() -> None:
    assert {bend == "0" for _, _, bend, *_ in SIMULATED} == {True, False}
    assert f"{SERIES:,} series" in PAGE.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("row", SIMULATED, ids="-".join)
def test_joinpoints_are_found_as_often_as_the_page_says(row: tuple[str, ...]) -> None:
    years, most, bend, scatter = int(row[0]), int(row[1]), float(row[2]), float(row[3])
    some, one, near, covered = shares(years, most, bend, scatter)
    assert [some, one, near, covered] == pytest.approx([float(each) / 100 for each in row[4:]], abs=0.0051)
    if not bend:  # within three standard errors of a share
        assert some <= SIGNIFICANCE + 3 * (SIGNIFICANCE * (1 - SIGNIFICANCE) / SERIES) ** 0.5


@pytest.mark.slow
def test_bic_finds_joinpoints_as_often_where_there_is_none_as_the_page_says() -> None:
    rng, found, years = np.random.default_rng(2000), 0, 13
    for _ in range(SERIES // 2):
        year, value, error = drawn_series(rng, years, 0.0, 1.0)
        line = fit_lines(np.zeros(years, dtype=np.intp), year, value, error, 1)
        straight = float(line.residual_ratio[0]) * (years - 2)
        bent = min((years - 4) * fit_bent(year, value, error, (place,)).residual_ratio for place in range(2, years - 2))
        found += years * math.log(straight / bent) > 2 * math.log(years)
    share = re.search(r"BIC .* gives (\d+) %", " ".join(PAGE.read_text(encoding="utf-8").split()))
    assert share is not None
    assert found / (SERIES // 2) == pytest.approx(int(share[1]) / 100, abs=0.0051)


def test_permutations_are_those_of_the_seed_and_can_not_be_changed() -> None:
    drawn = permutations(7)
    assert drawn.shape == (DRAWS, 7)
    assert (np.sort(drawn, axis=1) == np.arange(7)).all()
    assert len({tuple(row) for row in drawn.tolist()}) > 0.8 * DRAWS
    with pytest.raises(ValueError, match="read-only"):
        drawn[0, 0] = 3


@pytest.mark.parametrize(("number", "fewest"), [*enumerate(FEWEST_YEARS)][1:])
def test_a_series_with_a_year_too_few_has_a_joinpoint_less(number: int, fewest: int) -> None:
    year = np.arange(fewest, dtype=np.float64)
    bent = 8 * np.maximum(year - 4, 0) + (8 * np.maximum(year - 8, 0) if number == 2 else 0)
    value, error = 20 + bent + 0.01 * (-1.0) ** (year * year // 3), np.ones(fewest)
    assert len(find_joinpoints(year, value, error, number)) == number
    assert len(find_joinpoints(year[1:], value[1:], error[1:], number)) == number - 1


def test_joinpoints_come_between_checkpoints() -> None:
    class Cancelled(Exception):  # noqa: N818  # what a checkpoint raises is no error
        pass

    def cancel() -> None:
        raise Cancelled

    year, value, error = drawn_series(np.random.default_rng(1), 13, 0.0, 1.0)
    with pytest.raises(Cancelled):
        find_joinpoints(year, value, error, 2, cancel)


def test_two_years_lie_between_joinpoints_however_near_the_bends_are() -> None:
    year, error = np.arange(13, dtype=np.float64), np.ones(13)
    value = 20 * np.maximum(year - 5, 0) - 20 * np.maximum(year - 7, 0) + 0.1 * (-1.0) ** (year * year // 3)
    points = [(int(x), float(y), 1.0) for x, y in zip(year, value, strict=True)]
    found = find_joinpoints(year, value, error, 2)
    assert found == best(points, 2)
    assert found[1] - found[0] == 3
