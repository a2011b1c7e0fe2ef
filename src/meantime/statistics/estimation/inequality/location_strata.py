"""The strata of each location that are compared: their estimates, the overall one, and what is missing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meantime.errors import StatisticError
from meantime.statistics.estimation.filters import overall_segments
from meantime.statistics.estimation.grouping import LOCATION, group
from meantime.statistics.estimation.inequality.gaps import StratumEstimate
from meantime.statistics.estimation.pooling import Estimates, pool
from meantime.statistics.estimation.selection import IndexArray, Selection
from meantime.statistics.estimation.uncertainty import Reliability
from meantime.statistics.result import plain
from meantime.survey.cube.survey_cube import BoolArray, SurveyCube


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


def locations_of(estimates: Estimates, overall: dict[int, float], left_out: BoolArray) -> list[LocationStrata]:
    """Return the strata of each location, in the order of the groups."""
    selection = estimates.groups.selection
    cube = selection.cube
    cells = selection.cells[estimates.groups.first_cell]
    flags = plain(estimates.common_columns()["reliability"])
    not_used = estimates.groups.total(left_out)
    members: dict[int, list[int]] = {}
    for place, location in enumerate(cube.cells.location[cells].tolist()):
        members.setdefault(location, []).append(place)
    found = []
    for location, places in members.items():
        valued = [place for place in places if not math.isnan(estimates.value[place])]
        found.append(
            LocationStrata(
                name=cube.locations[location].name,
                strata=[_stratum(estimates, place, int(cells[place])) for place in valued],
                overall=overall.get(location),
                cells_used=int(estimates.cells_used[valued].sum()),
                cells_suppressed=int(estimates.cells_suppressed[places].sum()),
                is_doubtful=any(flags[place] == Reliability.CAUTION for place in valued),
                strata_missing=len(selection.segments) - len(valued),
                cells_left_out=int(not_used[places].sum()),
            )
        )
    return found


def _stratum(estimates: Estimates, place: int, cell: int) -> StratumEstimate:
    cube = estimates.groups.selection.cube
    error, size = float(estimates.standard_error[place]), float(estimates.sample_size[place])
    return StratumEstimate(
        stratum=cube.segments[cube.cells.segment[cell]].stratum,
        value=float(estimates.value[place]),
        standard_error=None if math.isnan(error) else error,
        sample_size=None if math.isnan(size) else size,
    )


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
