"""Lines through series of yearly estimates by weighted least squares, and how well they fit.

Which estimates form a series is in ``points.py``.

Sources: N. R. Draper and H. Smith, Applied Regression Analysis, 3rd ed., Wiley 1998, chapter 9 (weighted least
squares); the variances of the estimates are taken as known. R. T. Birge, The calculation of errors by the method of
least squares, Physical Review 40, 1932: errors are widened by the square root of chi-square over its degrees of
freedom where that is above 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meantime.statistics.estimation.grouping import sum_by
from meantime.statistics.estimation.selection import IndexArray
from meantime.statistics.estimation.uncertainty import TIE_DECIMALS
from meantime.survey.cube.survey_cube import BoolArray, FloatArray

MISFIT_P = 0.05
"""Points that scatter around a line as much with this probability, or a smaller one, are not on a line."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Weighted least-squares lines, one per series; NaN where a series has fewer than two usable years.

    ``standard_error`` is widened by ``widened_by``, at least 1. ``residual_ratio`` is chi-square over its degrees of
    freedom, about 1 where a straight line fits, and ``misfit_p`` the probability of one as large by chance; both NaN
    below three years. ``first`` and ``last`` are the places of the first and last usable estimate, ``jump`` that of the
    estimate that is furthest from where the one before it and the slope put it (meaningless where there is none).
    """

    slope: FloatArray
    standard_error: FloatArray
    widened_by: FloatArray
    residual_ratio: FloatArray
    misfit_p: FloatArray
    year_count: IndexArray
    first: IndexArray
    last: IndexArray
    jump: IndexArray

    @property
    def is_misfit(self) -> BoolArray:
        """Which series scatter more around their line than their standard errors explain."""
        misfit: BoolArray = self.misfit_p <= MISFIT_P
        return misfit


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
        ``slope`` in units of value per year.

    Notes
    -----
    Weights w = 1 / SE^2; slope = sum(w (x - xbar) y) / sum(w (x - xbar)^2) with the weighted mean xbar;
    SE = sqrt(1 / sum(w (x - xbar)^2)), as the variances are known (Draper and Smith 1998, chapter 9), times the Birge
    ratio sqrt(sum(w r^2) / (n - 2)) where that is above 1.
    """
    usable = ~np.isnan(value) & (standard_error > 0)
    places = np.flatnonzero(usable)
    places = places[np.lexsort((year[places], series[places]))]
    owner, x, y = series[places], year[places], value[places]
    own_error = standard_error[places]
    weight = 1 / own_error**2

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
        widened_by = np.fmax(np.sqrt(ratio), 1.0)
        error = np.sqrt(1 / spread) * widened_by
    ends = np.cumsum(year_count)
    with_place_0 = np.append(places, 0)  # so that a series without a usable year, even the last, points somewhere
    first, last = with_place_0[ends - year_count], with_place_0[ends - 1]
    misfit_p = chi_square_p(residual, year_count - 2)
    jump = with_place_0[largest_jump(owner, y - slope[owner] * x, own_error, count)]
    return Lines(slope, error, widened_by, ratio, misfit_p, year_count, first, last, jump)


def largest_jump(owner: IndexArray, level: FloatArray, standard_error: FloatArray, count: int) -> IndexArray:
    """Return which estimate of each series differs most from the one before, in its errors, the last of ties; or -1."""
    size = np.full(len(owner), -1.0)
    if len(owner) > 1:
        with np.errstate(invalid="ignore"):
            steps = np.abs(level[1:] - level[:-1]) / np.hypot(standard_error[1:], standard_error[:-1])
        size[1:] = np.where(owner[1:] == owner[:-1], np.round(steps, TIE_DECIMALS), -1.0)
    order = np.lexsort((size, owner))
    found = np.full(count, -1, dtype=np.intp)
    found[owner[order]] = order  # the last one written, the largest of its series, stays
    return found


def chi_square_p(chi_square: FloatArray, freedom: IndexArray) -> FloatArray:
    """Return the probability that a chi-square is as large or larger; NaN with no degree of freedom.

    Notes
    -----
    Q(k / 2, x / 2) by the recurrence Q(a + 1, y) = Q(a, y) + y^a exp(-y) / Gamma(a + 1) from Q(1/2, y) =
    erfc(sqrt(y)) and Q(1, y) = exp(-y) (Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, 26.4).

    >>> chi_square_p(np.array([3.841459, 5.991465]), np.array([1, 2])).round(6).tolist()
    [0.05, 0.05]
    """
    found = []
    for own, degrees in zip(chi_square.tolist(), freedom.tolist(), strict=True):
        y, a = own / 2, 0.5 if degrees % 2 else 1.0
        p = math.nan if degrees < 1 else math.erfc(math.sqrt(y)) if degrees % 2 else math.exp(-y)
        while a < degrees / 2:
            p += math.exp(a * math.log(y) - y - math.lgamma(a + 1)) if y > 0 else 0.0
            a += 1
        found.append(p)
    return np.array(found, dtype=np.float64)
