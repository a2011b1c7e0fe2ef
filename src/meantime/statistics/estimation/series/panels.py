"""Which years, locations and strata a series lacks, and what is left out so that its years can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meantime.statistics.estimation.breaks import Stretches, breaks_between
from meantime.statistics.estimation.cautions import listed
from meantime.statistics.estimation.grouping import sum_by
from meantime.statistics.estimation.nation import is_nation_alone, states_lacking
from meantime.statistics.estimation.selection import IndexArray, Selection
from meantime.statistics.estimation.series.points import Points
from meantime.statistics.result import Column, whole
from meantime.survey.cube.survey_cube import BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Which years each line has and lacks, of those that it could have: rows are lines, columns years asked."""

    years: IndexArray
    has: BoolArray
    could_have: BoolArray

    def missing(self) -> list[str]:
        """Return the years that each line lacks, in words."""
        found = [""] * len(self.has)
        lacks = self.could_have & ~self.has
        for number in np.flatnonzero(lacks.any(axis=1)).tolist():
            found[number] = ", ".join(map(str, self.years[lacks[number]].tolist()))
        return found

    @property
    def is_whole(self) -> BoolArray:
        """Which lines have every year that they could have."""
        whole: BoolArray = np.asarray((self.has | ~self.could_have).all(axis=1))
        return whole


def has_every_place(selection: Selection, line_of_cell: IndexArray, year_counts: IndexArray) -> BoolArray:
    """Return which lines have a value for the same locations and strata in every one of their years.

    ``line_of_cell`` is the line of each cell of the selection, -1 for none; ``year_counts`` has the years of each line.
    """
    cube, take = selection.cube, selection.cells
    with_value = (cube.cells.value_count[take] > 0) & (line_of_cell >= 0)
    owner = line_of_cell[with_value].astype(np.int64)
    take = take[with_value]
    places = (owner * len(cube.locations) + cube.cells.location[take]) * len(cube.segments) + cube.cells.segment[take]
    _, first = np.unique(places, return_index=True)
    count = len(year_counts)
    place_count = np.bincount(owner[first], minlength=count)
    complete: BoolArray = np.bincount(owner, minlength=count) == place_count * year_counts
    return complete


def panel_columns(selection: Selection, points: Points, asked: Stretches, left_out: BoolArray) -> dict[str, Column]:
    """Return the years and places that a line lacks, what was left out for them, and the breaks that it crosses."""
    count = len(points.lines.slope)
    has = np.zeros((count, len(asked.years)), dtype=np.bool_)
    has[points.line[points.usable], np.searchsorted(asked.years, points.year[points.usable])] = True
    panel = Panel(asked.years, has, asked.number == points.stretch[:, None])
    complete = has_every_place(selection, points.line_of_cell, has.sum(axis=1)) & panel.is_whole
    crossed = [""] * count
    if breaks_between(selection.question, asked.years.tolist()):
        years = [asked.years[own].tolist() for own in has]
        crossed = [", ".join(str(each.year) for each in breaks_between(selection.question, own)) for own in years]
    own = points.line_of_cell >= 0
    return {
        "missing_years": panel.missing(),
        "panel_complete": complete & ~_changes_states(selection, points, asked, has),
        "cells_left_out": whole(sum_by(points.line_of_cell[own], left_out[own], count)),
        "breaks_crossed": crossed,
    }


def _changes_states(selection: Selection, points: Points, asked: Stretches, has: BoolArray) -> BoolArray:
    """Return the lines of the nation alone in which it lacks some states in one year and others in another."""
    cube, changes = selection.cube, np.zeros(len(has), dtype=np.bool_)
    if not any(is_nation_alone(cube, [index]) for index in selection.locations):
        return changes
    question = cube.question_index[selection.question.text]
    location_of_line: dict[int, set[int]] = {}
    for line, location in set(
        zip(points.line_of_cell.tolist(), cube.cells.location[selection.cells].tolist(), strict=True)
    ):
        location_of_line.setdefault(line, set()).add(location)
    for line, locations in location_of_line.items():
        if line >= 0 and is_nation_alone(cube, sorted(locations)):
            changes[line] = len({states_lacking(cube, question, year) for year in asked.years[has[line]].tolist()}) > 1
    return changes


def cautions_of_matching(selection: Selection, left_out: BoolArray) -> list[str]:
    """Return a caution that names the locations of which estimates are left out, because other years lack them."""
    if not left_out.any():
        return []
    places = np.unique(selection.cube.cells.location[selection.cells[left_out]]).tolist()
    names = listed([selection.cube.locations[index].name for index in places])
    of_whom = f"{int(left_out.sum())} estimates, of {len(places)} locations ({names})"
    return [f"left out, so that each year has the same locations and strata: {of_whom}"]


def years_asked(selection: Selection) -> IndexArray:
    """Return the years in which anything selected has a value, ascending."""
    cells, take = selection.cube.cells, selection.cells
    return np.array(sorted(set(cells.year[take][cells.value_count[take] > 0].tolist())), dtype=np.intp)


def cautions_of_absences(selection: Selection, asked: Sequence[int]) -> list[str]:
    """Return a caution that names selected locations with a value in some of the years only."""
    cube, take = selection.cube, selection.cells
    take = take[cube.cells.value_count[take] > 0]
    present = np.zeros((len(cube.locations), len(asked)), dtype=np.bool_)
    present[cube.cells.location[take], np.searchsorted(asked, cube.cells.year[take])] = True
    gaps = np.argwhere(present.any(axis=1, keepdims=True) & ~present)
    lacking = [f"{cube.locations[index].name} {asked[place]}" for index, place in gaps.tolist()]
    if not lacking:
        return []
    return [f"the locations are not the same in every year; without a value: {listed(lacking)}"]
