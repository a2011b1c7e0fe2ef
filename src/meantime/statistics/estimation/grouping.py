"""Which cells of a selection are pooled together, and the dimensions of the groups they make.

Groups are in order of location (by name), year, category and stratum (by place on the category's scale, strata
without one last, by name). That is the order of records, unless a statistic says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt

from meantime.errors import StatisticError
from meantime.fields.fields import Default, Example
from meantime.fields.kinds import Choice
from meantime.statistics.estimation.selection import IndexArray, Selection
from meantime.statistics.kinds import OneOrMore
from meantime.statistics.result import Column
from meantime.survey.cube.survey_cube import BoolArray, FloatArray

LOCATION, YEAR, CATEGORY, STRATUM = "location", "year", "category", "stratum"
DIMENSIONS = (LOCATION, YEAR, CATEGORY, STRATUM)

MAXIMUM_RECORDS = 25_000
"""A request that would give more records is refused; CDC's largest question has 20,020 cells."""

ByOption = Annotated[
    tuple[str, ...],
    OneOrMore(Choice(DIMENSIONS, any_case=True), minimum=0),
    "Dimensions that are kept apart; the others are pooled. A stratum always comes with its category.",
    Default("none: one record"),
    Example(["location"]),
]

Summable = FloatArray | npt.NDArray[np.integer] | BoolArray


def sum_by(owner: IndexArray, column: Summable, count: int) -> FloatArray:
    """Return, for each of ``count`` owners, the sum of the column's numbers that belong to it."""
    return np.bincount(owner, column, minlength=count).astype(np.float64, copy=False)


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Groups of a selection's cells.

    ``group_of_cell`` has one number per cell of ``selection.cells``; ``first_cell`` is the place, in
    ``selection.cells``, of one cell of each group.
    """

    selection: Selection
    by: tuple[str, ...]
    group_of_cell: IndexArray
    first_cell: IndexArray

    def __len__(self) -> int:
        return len(self.first_cell)

    def total(self, column: Summable) -> FloatArray:
        """Return the sum of one number per cell over each group."""
        return sum_by(self.group_of_cell, column, len(self))

    def location_names(self) -> list[str]:
        """Return the location of each group's first cell."""
        cube, cells = self.selection.cube, self.selection.cells[self.first_cell]
        return [cube.locations[index].name for index in cube.cells.location[cells].tolist()]

    def dimension_columns(self) -> dict[str, Column]:
        """Return the dimensions that apply, one entry per group.

        These are the dimensions that groups are kept apart by, and those of which the request has a single member.
        """
        selection, cube = self.selection, self.selection.cube
        cells = selection.cells[self.first_cell]
        columns: dict[str, Column] = {}
        if LOCATION in self.by or len(selection.locations) == 1:
            columns[LOCATION] = self.location_names()
        if YEAR in self.by or len(selection.years) == 1:
            columns[YEAR] = cube.cells.year[cells]
        segments = [cube.segments[index] for index in cube.cells.segment[cells].tolist()]
        categories = {cube.segments[index].category for index in selection.segments}
        if {CATEGORY, STRATUM} & set(self.by) or len(categories) == 1:
            columns[CATEGORY] = [segment.category for segment in segments]
        if STRATUM in self.by or len(selection.segments) == 1:
            columns[STRATUM] = [segment.stratum for segment in segments]
        return columns


def group(selection: Selection, by: Sequence[str]) -> Groups:
    """Group a selection's cells by some of ``DIMENSIONS``.

    Raises
    ------
    StatisticError
        There would be more than ``MAXIMUM_RECORDS`` groups.
    """
    codes = codes_of(selection, by)
    if (codes[1:] >= codes[:-1]).all():  # as where groups are by location, since cells are
        is_first = np.ones(len(codes), dtype=np.bool_)
        np.not_equal(codes[1:], codes[:-1], out=is_first[1:])
        first_cell, group_of_cell = np.flatnonzero(is_first), np.cumsum(is_first) - 1
    else:
        _, first_cell, group_of_cell = np.unique(codes, return_index=True, return_inverse=True)
    if len(first_cell) > MAXIMUM_RECORDS:
        raise StatisticError(
            f"{len(first_cell)} records are more than the {MAXIMUM_RECORDS} that one answer may have;"
            " narrow the filters or keep fewer dimensions apart"
        )
    return Groups(selection, tuple(by), group_of_cell, first_cell)


def codes_of(selection: Selection, by: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return one number per cell, equal where cells agree in these of ``DIMENSIONS``, in the order of groups."""
    cells, cube = selection.cells, selection.cube
    codes = np.zeros(len(cells), dtype=np.int64)
    if LOCATION in by:
        codes += cube.cells.location[cells]
    if YEAR in by:
        first = selection.years[0]
        codes = codes * (selection.years[-1] - first + 1) + (cube.cells.year[cells] - first)
    if CATEGORY in by or STRATUM in by:
        places = _segment_places(selection, whole_category=STRATUM not in by)
        codes = codes * len(cube.segments) + places[cube.cells.segment[cells]]
    return codes


def _segment_places(selection: Selection, *, whole_category: bool) -> IndexArray:
    """Return the place of each segment of the cube in the order of strata, or of its category's first stratum."""
    cube = selection.cube
    places = np.zeros(len(cube.segments), dtype=np.intp)
    first_of_category: dict[str, int] = {}
    for place, index in enumerate(selection.segments):
        first = first_of_category.setdefault(cube.segments[index].category, place)
        places[index] = first if whole_category else place
    return places
