"""Lines through yearly estimates by weighted least squares; pure arithmetic on arrays.

Which estimates form a series is in ``trend.py``.

Source: N. R. Draper and H. Smith, Applied Regression Analysis, 3rd ed., Wiley 1998, chapter 9 (weighted least
squares); the variances of the estimates are taken as known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meantime.statistics.estimation.grouping import sum_by
from meantime.statistics.estimation.selection import IndexArray
from meantime.survey.cube.survey_cube import FloatArray


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
