"""Points and lines: which yearly estimates form a series, cut at known breaks, and the lines through them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meantime.statistics.estimation.breaks import Stretches
from meantime.statistics.estimation.grouping import Groups
from meantime.statistics.estimation.pooling import Estimates
from meantime.statistics.estimation.selection import IndexArray
from meantime.statistics.estimation.series.lines import Lines, fit_lines
from meantime.survey.cube.survey_cube import BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """The yearly estimates and the lines through them, one line for each series and stretch that has any.

    ``year``, ``line`` and ``usable`` are of each yearly estimate (line -1: of a stretch that is left out); ``series``
    and ``stretch`` of each line.
    """

    year: IndexArray
    line: IndexArray
    usable: BoolArray
    series: IndexArray
    stretch: IndexArray
    line_of_cell: IndexArray
    lines: Lines


def points_of(yearly: Estimates, series: Groups, asked: Stretches) -> Points:
    """Return the points and lines of yearly estimates: stretches in which no series has two usable years are left out.

    Parameters
    ----------
    yearly
        Grouped by what ``series`` is, and by year.
    series
        Groups of the same selection.
    asked
        The years, cut at breaks.
    """
    selection, first_cell = yearly.groups.selection, yearly.groups.first_cell
    year_of_cell = selection.cube.cells.year[selection.cells].astype(np.intp)
    stretch_of_cell = asked.of(year_of_cell)
    usable = ~np.isnan(yearly.value) & (yearly.standard_error > 0)
    own_stretch = (series.group_of_cell * asked.count + stretch_of_cell)[first_cell[usable]]
    year_counts = np.bincount(own_stretch, minlength=len(series) * asked.count)
    kept = np.flatnonzero((year_counts.reshape(len(series), asked.count) >= 2).any(axis=0))
    place = np.full(asked.count, -1, dtype=np.intp)
    place[kept] = np.arange(len(kept))
    own_place = place[stretch_of_cell]
    line_of_cell = np.where(own_place < 0, -1, series.group_of_cell * len(kept) + own_place)
    year, line = year_of_cell[first_cell], line_of_cell[first_cell]
    usable &= line >= 0
    count = len(series) * len(kept)
    return Points(
        year=year,
        line=line,
        usable=usable,
        series=np.repeat(np.arange(len(series)), len(kept)),
        stretch=np.tile(kept, len(series)),
        line_of_cell=line_of_cell,
        lines=fit_lines(
            line, year.astype(np.float64), np.where(usable, yearly.value, np.nan), yearly.standard_error, count
        ),
    )
