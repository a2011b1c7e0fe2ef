"""The strata of each location that are compared: their estimates, the overall one, and what is missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meantime.errors import StatisticError
from meantime.statistics.estimation.absences import possible_segments
from meantime.statistics.estimation.filters import overall_segments
from meantime.statistics.estimation.grouping import LOCATION, group
from meantime.statistics.estimation.inequality.gaps import StratumEstimate
from meantime.statistics.estimation.pooling import Estimates, pool
from meantime.statistics.estimation.selection import IndexArray, Selection
from meantime.statistics.estimation.uncertainty import Reliability
from meantime.survey.cube.survey_cube import BoolArray, FloatArray, SurveyCube


@dataclass(frozen=True, slots=True)
class LocationStrata:
    """One location's strata that have a value, on the category's scale if it has one, and what is missing."""

    name: str
    strata: list[StratumEstimate]
    overall: float | None
    cells_used: int
    cells_suppressed: int
    is_doubtful: bool
    strata_missing: int
    cells_left_out: int


def comparable_segments(cube: SurveyCube, question: str, segments: Sequence[int]) -> tuple[int, ...]:
    """Return the strata to compare: those that the question has, and that have a place on the category's scale."""
    categories = {cube.segments[index].category for index in segments}
    scales = {each.category for each in cube.segments if each.category in categories and each.order is not None}
    possible = possible_segments(cube, cube.question_index[question])
    return tuple(
        index
        for index in segments
        if index in possible and (cube.segments[index].category not in scales or cube.segments[index].order is not None)
    )


def locations_of(estimates: Estimates, overall: dict[int, float], left_out: BoolArray) -> list[LocationStrata]:
    """Return the strata of each location, in the order of the groups."""
    selection = estimates.groups.selection
    cube = selection.cube
    cells = selection.cells[estimates.groups.first_cell]
    is_doubtful = np.array(estimates.reliability()) == Reliability.CAUTION
    not_used = estimates.groups.total(left_out)
    members: dict[int, list[int]] = {}
    for place, location in enumerate(cube.cells.location[cells].tolist()):
        members.setdefault(location, []).append(place)
    segments = cube.cells.segment[cells].tolist()
    strata = [
        None if value is None else StratumEstimate(cube.segments[segment].stratum, value, error, size)
        for segment, value, error, size in zip(
            segments,
            _known(estimates.value),
            _known(estimates.standard_error),
            _known(estimates.sample_size),
            strict=True,
        )
    ]
    found = []
    for location, places in members.items():
        valued = [own for own in (strata[place] for place in places) if own is not None]
        with_value = [place for place in places if strata[place] is not None]
        found.append(
            LocationStrata(
                name=cube.locations[location].name,
                strata=valued,
                overall=overall.get(location),
                cells_used=int(estimates.cells_used[with_value].sum()),
                cells_suppressed=int(estimates.cells_suppressed[places].sum()),
                is_doubtful=bool(is_doubtful[with_value].any()),
                strata_missing=len(selection.segments) - len(valued),
                cells_left_out=int(not_used[places].sum()),
            )
        )
    return found


def _known(column: FloatArray) -> list[float | None]:
    """Return numbers, with None for NaN."""
    return [None if math.isnan(number) else number for number in column.tolist()]


def overall_values(selection: Selection, left_out: BoolArray) -> dict[int, float]:
    """Return the overall stratum's value of each location (an index), over the years that its strata have."""
    cube = selection.cube
    everybody = overall_segments(cube)
    if not everybody:
        return {}
    try:
        cells = selection.elsewhere(segments=everybody)
    except StatisticError:  # no row there
        return {}
    kept, places = selection.cells[~left_out & (cube.cells.value_count[selection.cells] > 0)], cube.cells.location
    unmatched = ~np.isin(_place_and_year(cube, cells.cells), _place_and_year(cube, kept))
    unmatched &= np.isin(places[cells.cells], places[kept])
    overall = pool(group(cells, [LOCATION]), left_out=unmatched)
    values = zip(places[cells.cells[overall.groups.first_cell]].tolist(), overall.value.tolist(), strict=True)
    return {place: value for place, value in values if not math.isnan(value)}


def _place_and_year(cube: SurveyCube, cells: IndexArray) -> IndexArray:
    return cube.cells.location[cells].astype(np.intp) * (cube.years[-1] + 1) + cube.cells.year[cells]
