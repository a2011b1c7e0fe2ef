"""The largest difference between strata in each location, for many questions and categories at once, as columns.

The arithmetic is that of one location's (``ranges.py``, by the studentised range), so that a gap has the limits that
``disparity`` gives it. Which are shown, and what is found among so many, is in ``measures/disparity_scan.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from meantime.statistics.estimation.grouping import Summable
from meantime.statistics.estimation.inequality.disparities import LARGEST_TABLE
from meantime.statistics.estimation.inequality.gaps import StratumEstimate
from meantime.statistics.estimation.inequality.studentised_range import critical_value, largest_p
from meantime.statistics.estimation.pooling import Estimates
from meantime.statistics.estimation.selection import IndexArray
from meantime.statistics.estimation.uncertainty import TIE_DECIMALS
from meantime.survey.cube.survey_cube import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Gaps:
    """One gap per question, category and location with a row: columns, and tables of one row a gap.

    ``question`` and ``location`` are indexes into the cube, ``segments`` those of each stratum that is compared, in
    its order, filled up with -1; ``value`` and ``standard_error`` are the strata's, NaN where unknown or where there is
    none, ``is_reliable`` whether each passes CDC's rule.
    """

    question: IndexArray
    location: IndexArray
    year: IndexArray
    sample_size: FloatArray
    cells_used: IndexArray
    cells_suppressed: IndexArray
    segments: IndexArray
    value: FloatArray
    standard_error: FloatArray
    is_reliable: BoolArray

    def __len__(self) -> int:
        return len(self.question)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the gaps of all parts."""
        return cls(**{own.name: np.concatenate([getattr(part, own.name) for part in parts]) for own in fields(cls)})

    def taken(self, places: IndexArray) -> Self:
        """Return only these gaps, in this order."""
        return type(self)(**{own.name: getattr(self, own.name)[places] for own in fields(self)})

    def strata_missing(self) -> IndexArray:
        """Return how many of the strata that are compared have no value."""
        found: IndexArray = ((self.segments >= 0) & np.isnan(self.value)).sum(axis=1)
        return found

    def has_two(self) -> BoolArray:
        """Return whether two strata have a value."""
        found: BoolArray = np.asarray((~np.isnan(self.value)).sum(axis=1) >= 2)
        return found

    def is_tested(self) -> BoolArray:
        """Return whether two strata have a value, and all that have one a standard error above 0."""
        without = (~np.isnan(self.value) & ~(self.standard_error > 0)).any(axis=1)
        found: BoolArray = self.has_two() & ~without
        return found

    def is_doubtful(self) -> BoolArray:
        """Return whether the highest or the lowest stratum fails CDC's rule; of equal ones the first counts."""
        rounded = np.round(self.value, TIE_DECIMALS)
        sides = (np.where(np.isnan(rounded), -np.inf, own).argmax(axis=1) for own in (rounded, -rounded))
        rows = np.arange(len(self))
        above, below = (self.is_reliable[rows, side] for side in sides)
        found: BoolArray = np.logical_not(above & below)
        return found

    def strata_of(self, place: int, names: Sequence[str]) -> list[StratumEstimate]:
        """Return the strata of one gap that have a value; ``names`` are those of the cube's segments."""
        columns = (self.segments, self.value, self.standard_error)
        return [
            StratumEstimate(names[segment], value, error, None)
            for segment, value, error in zip(*(column[place].tolist() for column in columns), strict=True)
            if not math.isnan(value)
        ]


def gaps_of(estimates: Estimates, categories: Sequence[Sequence[int]], most: int) -> Gaps:
    """Return the gaps of each category's strata, from estimates of one question in one year by location and stratum.

    Parameters
    ----------
    estimates
        By location and stratum.
    categories
        The strata (indexes of segments) of each category that are compared.
    most
        How many strata the tables have room for.
    """
    selection = estimates.groups.selection
    cube = selection.cube
    cells = selection.cells[estimates.groups.first_cell]
    places, row = np.unique(cube.cells.location[cells], return_inverse=True)
    column = cube.cells.segment[cells]
    segments = np.full((len(categories), most), -1)
    for own, strata in zip(segments, categories, strict=True):
        own[: len(strata)] = strata
    shape = len(places) * len(categories)

    def table(numbers: Summable, empty: float) -> FloatArray:
        found = np.full((len(places), len(cube.segments) + 1), empty)  # the last column stays empty: it is -1
        found[row, column] = numbers
        return found[:, segments].reshape(shape, most)

    value, sizes = table(estimates.value, np.nan), table(estimates.sample_size, np.nan)
    return Gaps(
        question=np.full(shape, cube.question_index[selection.question.text]),
        location=np.repeat(places.astype(np.intp), len(categories)),
        year=np.full(shape, selection.years[0]),
        sample_size=np.where(np.isnan(sizes).all(axis=1), np.nan, np.nansum(sizes, axis=1)),
        cells_used=table(estimates.cells_used, 0).sum(axis=1).astype(np.intp),
        cells_suppressed=table(estimates.cells_suppressed, 0).sum(axis=1).astype(np.intp),
        segments=np.tile(segments, (len(places), 1)),
        value=value,
        standard_error=table(estimates.standard_error, np.nan),
        is_reliable=table(estimates.is_reliable, 0) > 0,
    )


@dataclass(frozen=True, slots=True, eq=False)
class GapTests:
    """The size of each gap, its limits, and the p-value of "no stratum differs"; NaN where it isn't tested."""

    value: FloatArray
    low: FloatArray
    high: FloatArray
    p_value: FloatArray


def gap_tests(gaps: Gaps, level: float) -> GapTests:
    """Test the gaps, and give the limits of each at a level.

    Notes
    -----
    As ``ranges.largest_differences`` does for all pairs of strata: limits and p-values are those of all pairs at once.
    """
    is_tested, count = gaps.is_tested(), (~np.isnan(gaps.value)).sum(axis=1)
    value, low, high, p_value = np.full((4, len(gaps)), np.nan)
    for strata in np.unique(count[is_tested]).tolist():
        first, second = np.triu_indices(strata, 1)
        critical = critical_value(strata, level)
        for rows in _batched(np.flatnonzero(is_tested & (count == strata)), LARGEST_TABLE // strata**2):
            kept = ~np.isnan(gaps.value[rows])
            estimate, error = (each[rows][kept].reshape(-1, strata) for each in (gaps.value, gaps.standard_error))
            apart = np.abs(estimate[:, first] - estimate[:, second])
            errors = np.hypot(error[:, first], error[:, second])
            value[rows] = apart.max(axis=1)
            low[rows] = np.maximum(0.0, (apart - critical * errors).max(axis=1))
            high[rows] = (apart + critical * errors).max(axis=1)
            p_value[rows] = largest_p((apart / errors).max(axis=1), strata)
    return GapTests(np.round(value, TIE_DECIMALS), low, high, p_value)


def _batched(rows: IndexArray, size: int) -> Iterator[IndexArray]:
    """Yield so many rows at a time, at least one."""
    step = max(1, size)
    for first in range(0, len(rows), step):
        yield rows[first : first + step]
