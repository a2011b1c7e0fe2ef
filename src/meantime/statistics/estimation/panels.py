"""Which years and places a series of yearly estimates lacks, and whether it crosses a change of method.

The series themselves are made in ``trend.py``.

Source: C. Pierannunzi et al., Methodologic changes in the Behavioral Risk Factor Surveillance System in 2011 and
potential effects on prevalence estimates, MMWR 61(22), 2012: estimates before 2011 are not comparable with later ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from meantime.statistics.estimation.cautions import listed
from meantime.statistics.estimation.grouping import Groups
from meantime.statistics.estimation.selection import IndexArray, Selection
from meantime.statistics.result import Column
from meantime.survey.cube.survey_cube import BoolArray

BREAK_YEAR = 2011
"""BRFSS changed weighting and added mobile telephones in this year."""


def panel_columns(
    series: Groups, owner: IndexArray, year: IndexArray, usable: BoolArray, asked: IndexArray
) -> dict[str, Column]:
    """Return which years and places a series lacks, and whether it crosses the break of 2011."""
    has_year = np.zeros((len(series), len(asked)), dtype=np.bool_)
    has_year[owner[usable], np.searchsorted(asked, year[usable])] = True
    lacks = ~has_year
    missing = [""] * len(series)
    for number in np.flatnonzero(lacks.any(axis=1)).tolist():
        missing[number] = ", ".join(map(str, asked[lacks[number]].tolist()))
    before = np.asarray(has_year[:, asked < BREAK_YEAR].any(axis=1))
    since = np.asarray(has_year[:, asked >= BREAK_YEAR].any(axis=1))
    complete: BoolArray = _has_every_place(series, len(asked)) & ~lacks.any(axis=1)
    return {
        "missing_years": missing,
        "panel_complete": complete,
        "crosses_2011": before & since,
    }


def years_asked(selection: Selection) -> IndexArray:
    """Return the years in which anything selected has a value, ascending."""
    cells, take = selection.cube.cells, selection.cells
    return np.unique(cells.year[take][cells.value_count[take] > 0]).astype(np.intp)


def _has_every_place(series: Groups, year_count: int) -> BoolArray:
    """Return whether each series has a value for the same locations and strata in every one of the years."""
    cube, take = series.selection.cube, series.selection.cells
    with_value = cube.cells.value_count[take] > 0
    owner = series.group_of_cell[with_value].astype(np.int64)
    take = take[with_value]
    places = (owner * len(cube.locations) + cube.cells.location[take]) * len(cube.segments) + cube.cells.segment[take]
    _, first = np.unique(places, return_index=True)
    place_count = np.bincount(owner[first], minlength=len(series))
    complete: BoolArray = np.bincount(owner, minlength=len(series)) == place_count * year_count
    return complete


def cautions_of_absences(selection: Selection, asked: Sequence[int]) -> list[str]:
    """Return a caution that names selected locations with a value in some of the years only."""
    cube, take = selection.cube, selection.cells
    take = take[cube.cells.value_count[take] > 0]
    present = np.zeros((len(cube.locations), len(asked)), dtype=np.bool_)
    present[cube.cells.location[take], np.searchsorted(asked, cube.cells.year[take])] = True
    ever = np.flatnonzero(present.any(axis=1))
    gaps = np.argwhere(~present[ever])
    lacking = [f"{cube.locations[ever[row]].name} {asked[place]}" for row, place in gaps.tolist()]
    if not lacking:
        return []
    return [f"the locations are not the same in every year; without a value: {listed(lacking)}"]
