"""The grid of places where an estimate is expected, and what is found there.

A place is a question asked in a year, a location and a stratum. What is asked for, and what is said about it, is in
``coverage.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from meantime.statistics.estimation.absences import (
    Absence,
    ReasonArray,
    possible_segments,
    reasons_of_cells,
    reasons_of_places,
)
from meantime.statistics.estimation.grouping import CATEGORY, LOCATION, STRATUM, YEAR
from meantime.statistics.estimation.selection import IndexArray
from meantime.survey.cube.survey_cube import IntArray, SurveyCube

ASKED = "question"
"""The dimension of questions."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The places of one question: what was asked for, in the years in which the question was asked.

    ``locations`` and ``segments`` are indexes into the cube, segments in the order of their categories' scales.
    """

    question: int
    years: tuple[int, ...]
    locations: tuple[int, ...]
    segments: tuple[int, ...]


@dataclass(slots=True)
class Count:
    """Estimates with a value, and rows and places without one, by the reason for it."""

    present: int = 0
    absent: dict[Absence, int] = field(default_factory=dict)

    @property
    def expected(self) -> int:
        """How many there could be: all but what is impossible."""
        return self.present + sum(count for reason, count in self.absent.items() if reason is not Absence.IMPOSSIBLE)


Key = tuple[int, int, int, int]
"""Question, location, year and place of the stratum; -1 for a dimension that is counted together."""


def count_places(cube: SurveyCube, grid: Grid, by: Sequence[str], counts: dict[Key, Count]) -> None:
    """Add the places of one question to the counts."""
    axes = (
        _axis(len(grid.locations), apart=LOCATION in by),
        _axis(len(grid.years), apart=YEAR in by),
        _segment_axis(cube, grid, by),
    )
    shape = tuple(int(axis.max()) + 1 for axis in axes)
    cells, places = _cells_of_grid(cube, grid)
    size = int(np.prod(shape))
    groups = np.ravel_multi_index(tuple(axis[place] for axis, place in zip(axes, places, strict=True)), shape)
    present = np.bincount(groups, cube.cells.value_count[cells], minlength=size).astype(np.intp)
    without = cube.cells.row_count[cells] - cube.cells.value_count[cells]
    absent = _by_reason(groups, reasons_of_cells(cube)[cells], without, size)
    absent += _places_without_a_row(cube, grid, axes, places)
    extents = (np.bincount(axis, minlength=length) for axis, length in zip(axes, shape, strict=True))
    for number in np.flatnonzero(np.einsum("i,j,k->ijk", *extents).ravel()).tolist():
        location, year, segment = np.unravel_index(number, shape)
        key = (
            grid.question if ASKED in by else -1,
            grid.locations[int(location)] if LOCATION in by else -1,
            grid.years[int(year)] if YEAR in by else -1,
            int(segment) if CATEGORY in by or STRATUM in by else -1,
        )
        count = counts.setdefault(key, Count())
        count.present += int(present[number])
        for reason in np.flatnonzero(absent[number]).tolist():
            count.absent[Absence(reason)] = count.absent.get(Absence(reason), 0) + int(absent[number, reason])


def _by_reason(groups: IndexArray, reasons: ReasonArray, weights: IndexArray | IntArray, size: int) -> IndexArray:
    """Return sums of weights: one row a group, one column a reason."""
    count = len(Absence)
    sums = np.bincount(groups * count + reasons, weights, minlength=size * count)
    return sums.astype(np.intp).reshape(size, count)


def _places_without_a_row(
    cube: SurveyCube, grid: Grid, axes: tuple[IndexArray, ...], places: tuple[IndexArray, ...]
) -> IndexArray:
    """Return how many places of the grid no row is about, by group and reason."""
    shape = tuple(int(axis.max()) + 1 for axis in axes)
    has_row = np.zeros([len(axis) for axis in axes], dtype=np.bool_)
    has_row[places] = True
    if has_row.all():
        return np.zeros((1, len(Absence)), dtype=np.intp)
    location, year, segment = np.nonzero(~has_row)
    years = np.searchsorted(cube.years, np.array(grid.years)[year])
    of_places = reasons_of_places(cube, grid.question)[np.array(grid.locations)[location], years]
    possible = np.array([index in possible_segments(cube, grid.question) for index in grid.segments], dtype=np.bool_)
    reasons = np.where(possible[segment], of_places, np.int8(Absence.IMPOSSIBLE))
    groups = np.ravel_multi_index((axes[0][location], axes[1][year], axes[2][segment]), shape)
    return _by_reason(groups, reasons, np.ones(len(groups), dtype=np.intp), int(np.prod(shape)))


def _axis(length: int, *, apart: bool) -> IndexArray:
    """Return the group of each place along a dimension: its own, or one for all."""
    return np.arange(length) if apart else np.zeros(length, dtype=np.intp)


def _segment_axis(cube: SurveyCube, grid: Grid, by: Sequence[str]) -> IndexArray:
    """Return the group of each stratum: its own, that of the first stratum of its category, or one for all."""
    if STRATUM in by or CATEGORY not in by:
        return _axis(len(grid.segments), apart=STRATUM in by)
    categories = [cube.segments[index].category for index in grid.segments]
    return np.array([categories.index(category) for category in categories])


def _cells_of_grid(cube: SurveyCube, grid: Grid) -> tuple[IndexArray, tuple[IndexArray, ...]]:
    """Return the cells of the grid, and the place of each along locations, years and strata."""
    span = cube.cells_of(grid.question)
    first = cube.years[0]
    axes = (
        (grid.locations, cube.cells.location[span]),
        ([year - first for year in grid.years], cube.cells.year[span] - first),
        (grid.segments, cube.cells.segment[span]),
    )
    places, inside = [], np.ones(span.stop - span.start, dtype=np.bool_)
    for wanted, codes in axes:
        place_of = np.full(max(*wanted, codes.max()) + 1, -1)
        place_of[list(wanted)] = np.arange(len(wanted))
        places.append(place_of[codes])
        inside &= places[-1] >= 0
    return np.flatnonzero(inside) + span.start, tuple(place[inside] for place in places)
