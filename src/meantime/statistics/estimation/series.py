"""Series of yearly estimates: lines through them by weighted least squares, which years and places they lack.

Which estimates form a series is in ``measures/trend.py``.

Sources: N. R. Draper and H. Smith, Applied Regression Analysis, 3rd ed., Wiley 1998, chapter 9 (weighted least
squares); the variances of the estimates are taken as known. C. Pierannunzi et al., Methodologic changes in the
Behavioral Risk Factor Surveillance System in 2011 and potential effects on prevalence estimates, MMWR 61(22), 2012:
estimates before 2011 are not comparable with later ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meantime.statistics.estimation.cautions import listed
from meantime.statistics.estimation.grouping import Groups, sum_by
from meantime.statistics.estimation.selection import IndexArray, Selection
from meantime.statistics.result import Column
from meantime.survey.cube.survey_cube import BoolArray, FloatArray

BREAK_YEAR = 2011
"""BRFSS changed weighting and added mobile telephones in this year."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Weighted least-squares lines, one per series; NaN where a series has fewer than two usable years.

    ``first`` and ``last`` are the places of the first and last usable estimate (meaningless where there is none).
    """

    slope: FloatArray
    standard_error: FloatArray
    residual_ratio: FloatArray
    year_count: IndexArray
    first: IndexArray
    last: IndexArray


def fit_lines(series: IndexArray, year: FloatArray, value: FloatArray, standard_error: FloatArray, count: int) -> Lines:
    """Fit a line through the estimates of each series by weighted least squares.

    Parameters
    ----------
    series
        The number, below ``count``, of the series of each estimate.
    year, value, standard_error
        One per estimate. Those without a value or with a standard error that is unknown or 0 are left out.
    count
        How many series there are.

    Returns
    -------
    Lines
        ``slope`` in units of value per year; ``residual_ratio`` is sum(w r^2) / (n - 2), about 1 where a straight
        line fits, NaN below three years.

    Notes
    -----
    Weights w = 1 / SE^2; slope = sum(w (x - xbar) y) / sum(w (x - xbar)^2) with the weighted mean xbar;
    SE = sqrt(1 / sum(w (x - xbar)^2)), as the variances are known (Draper and Smith 1998, chapter 9).
    """
    usable = ~np.isnan(value) & (standard_error > 0)
    places = np.flatnonzero(usable)
    places = places[np.lexsort((year[places], series[places]))]
    owner, x, y = series[places], year[places], value[places]
    weight = 1 / standard_error[places] ** 2

    def total(terms: FloatArray) -> FloatArray:
        return sum_by(owner, terms, count)

    year_count = np.bincount(owner, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = total(weight)
        x_centred = x - (total(weight * x) / weights)[owner]
        y_centred = y - (total(weight * y) / weights)[owner]
        spread = np.where(year_count >= 2, total(weight * x_centred**2), np.nan)
        slope = total(weight * x_centred * y_centred) / spread
        residual = total(weight * (y_centred - slope[owner] * x_centred) ** 2)
        ratio = np.where(year_count > 2, residual / (year_count - 2), np.nan)
    ends = np.cumsum(year_count)
    with_place_0 = np.append(places, 0)  # so that a series without a usable year, even the last, points somewhere
    first, last = with_place_0[ends - year_count], with_place_0[ends - 1]
    return Lines(slope, np.sqrt(1 / spread), ratio, year_count, first, last)


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
