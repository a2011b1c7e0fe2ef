"""The grid of places where an estimate is expected, and what is found there.

A place is a question asked in a year, a location and a stratum. What is asked for, and what is said about it, is in
``coverage.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meantime.statistics.estimation.grouping import CATEGORY, LOCATION, STRATUM, YEAR
from meantime.statistics.estimation.selection import IndexArray
from meantime.survey.cube.survey_cube import SurveyCube

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
    """Estimates with and without a value, and places without a row."""

    present: int = 0
    suppressed: int = 0
    missing: int = 0


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
    groups = np.ravel_multi_index(
        tuple(axis[place] for axis, place in zip(axes, places, strict=True)), shape
    )  # fmt: skip
    size = int(np.prod(shape))
    present = np.bincount(groups, cube.cells.value_count[cells], minlength=size).astype(np.intp)
    rows = np.bincount(groups, cube.cells.row_count[cells], minlength=size).astype(np.intp)
    extents = (np.bincount(axis, minlength=length) for axis, length in zip(axes, shape, strict=True))
    expected = np.einsum("i,j,k->ijk", *extents).ravel()
    missing = expected - np.bincount(groups, minlength=size)
    for number in np.flatnonzero(expected).tolist():
        location, year, segment = np.unravel_index(number, shape)
        key = (
            grid.question if ASKED in by else -1,
            grid.locations[int(location)] if LOCATION in by else -1,
            grid.years[int(year)] if YEAR in by else -1,
            int(segment) if CATEGORY in by or STRATUM in by else -1,
        )
        count = counts.setdefault(key, Count())
        count.present += int(present[number])
        count.suppressed += int(rows[number] - present[number])
        count.missing += int(missing[number])


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
    codes = (cube.cells.location[span], cube.cells.year[span], cube.cells.segment[span])
    places, inside = [], np.ones(span.stop - span.start, dtype=np.bool_)
    for wanted, code in zip((grid.locations, grid.years, grid.segments), codes, strict=True):
        order = np.argsort(wanted)
        ascending = np.array(wanted)[order]
        place = np.searchsorted(ascending, code).clip(max=len(wanted) - 1)
        inside &= ascending[place] == code
        places.append(order[place])
    return np.flatnonzero(inside) + span.start, tuple(place[inside] for place in places)
