"""Standardising estimates of six ages to the year-2000 US standard population of adults.

Which estimates are standardised is in ``measures/age_standardised_mean.py``.

Sources
-------
R. J. Klein and C. A. Schoenborn, Age adjustment using the 2000 projected U.S. population, Healthy People Statistical
Notes 20, National Center for Health Statistics, 2001: the method, and the projected population in thousands. R. N.
Anderson and H. M. Rosenberg, Age standardization of death rates: implementation of the year 2000 standard, National
Vital Statistics Reports 47(3), 1998, have the same figures from the age of 25 on. W. G. Cochran, Sampling Techniques,
3rd ed., Wiley 1977, chapter 5: the variance of a weighted mean of independent strata.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from meantime.statistics.estimation.cautions import listed
from meantime.statistics.estimation.grouping import Groups, sum_by
from meantime.statistics.estimation.pooling import Estimates
from meantime.statistics.estimation.selection import IndexArray
from meantime.statistics.estimation.uncertainty import Reliability, flags, interval, is_reliable
from meantime.statistics.result import Column, whole
from meantime.survey.cube.limits import highest_value
from meantime.survey.cube.survey_cube import BoolArray, FloatArray, SurveyCube, kept_per_cube

STANDARD_THOUSANDS = {
    (18, 24): 26_258,
    (25, 34): 37_233,
    (35, 44): 44_659,
    (45, 54): 37_030,
    (55, 64): 23_961,
    (65,): 34_710,
}
"""Thousands of people by first and last year of age; the last age is open."""

FORMULA = "sum(w v), SE = sqrt(sum(w^2 SE^2)), w the age's share of the year-2000 US standard population"
AGES_IN_WORDS = "18 to 24, 25 to 34, 35 to 44, 45 to 54, 55 to 64, 65 or older"


@kept_per_cube
def standard_shares(cube: SurveyCube) -> dict[int, float]:
    """Return the share of each age among all adults, by the cube's segment (an index), youngest first.

    The segments are of one category; empty where no category has all six ages. A segment's ages are the numbers in its
    name, so ``65+`` is ``65 or older``.
    """
    total = sum(STANDARD_THOUSANDS.values())
    for category in sorted({segment.category for segment in cube.segments}):
        ages = {
            tuple(map(int, re.findall("[0-9]+", segment.stratum))): index
            for index, segment in enumerate(cube.segments)
            if segment.category == category
        }
        if ages.keys() >= STANDARD_THOUSANDS.keys():
            return {ages[age]: thousands / total for age, thousands in STANDARD_THOUSANDS.items()}
    return {}


def shares_in_words(cube: SurveyCube) -> str:
    """Return the share of each age."""
    return ", ".join(f"{cube.segments[index].stratum}: {share:.6f}" for index, share in standard_shares(cube).items())


@dataclass(frozen=True, slots=True, eq=False)
class Standardised:
    """The standardised estimate of each location and year; NaN, and no cells used, where an age has no value.

    ``missing`` are these ages by name.
    """

    value: FloatArray
    standard_error: FloatArray
    low: FloatArray
    high: FloatArray
    sample_size: FloatArray
    cells_used: IndexArray
    cells_suppressed: IndexArray
    is_reliable: BoolArray
    missing: list[list[str]]

    def columns(self) -> dict[str, Column]:
        """Return the common fields, and those that say which ages have no value."""
        return {
            "value": self.value,
            "standard_error": self.standard_error,
            "low": self.low,
            "high": self.high,
            "sample_size": whole(self.sample_size),
            "cells_used": self.cells_used,
            "cells_suppressed": self.cells_suppressed,
            "reliability": flags(self.value, self.is_reliable, Reliability.SUPPRESSED.value),
            "strata_missing": [len(names) for names in self.missing],
            "missing_strata": [", ".join(names) for names in self.missing],
        }

    def cautions(self, units: Groups) -> list[str]:
        """Return a caution that names where an age has no value."""
        years = units.selection.cube.cells.year[units.selection.cells[units.first_cell]].tolist()
        lacking = [
            f"{name} {year}" + (f" without {', '.join(ages)}" if len(ages) < len(STANDARD_THOUSANDS) else "")
            for name, year, ages in zip(units.location_names(), years, self.missing, strict=True)
            if ages
        ]
        if not lacking:
            return []
        return [f"not standardised, because an age has no value: {len(lacking)} of {len(units)} ({listed(lacking)})"]


def standardised(strata: Estimates, units: Groups) -> Standardised:
    """Return the standardised estimates of some groups.

    Parameters
    ----------
    strata
        Estimates by location, year and stratum, of the ages of ``standard_shares`` alone.
    units
        The same cells by location and year.

    Notes
    -----
    sum(w v) with SE = sqrt(sum(w^2 SE^2)), w the age's share (Klein and Schoenborn 2001; Cochran 1977, chapter 5), and
    the normal interval on the estimates' scale. Where an age has no value, there is none; where one has no standard
    error, there is no interval. An estimate is as reliable as its least reliable age.
    """
    cube, count = units.selection.cube, len(units)
    shares = standard_shares(cube)
    first = strata.groups.first_cell
    segment, unit = cube.cells.segment[strata.groups.selection.cells[first]], units.group_of_cell[first]
    share = np.array([shares[index] for index in segment.tolist()])
    has_value = ~np.isnan(strata.value)
    present = np.zeros((count, len(shares)), dtype=np.bool_)
    ages = list(shares)
    place_of_age = {index: place for place, index in enumerate(ages)}
    present[unit[has_value], [place_of_age[index] for index in segment[has_value].tolist()]] = True
    is_whole: BoolArray = np.asarray(present.all(axis=1))
    value = np.where(is_whole, sum_by(unit, share * strata.value, count), np.nan)
    error = np.where(is_whole, np.sqrt(sum_by(unit, (share * strata.standard_error) ** 2, count)), np.nan)
    highest = highest_value(units.selection.question.unit)
    low, high = interval(value, error, level=strata.level, scale=strata.scale, highest=highest)
    has_size = has_value & ~np.isnan(strata.sample_size)
    size = sum_by(unit, np.where(has_size, strata.sample_size, 0.0), count)
    size = np.where(is_whole & (sum_by(unit, has_size, count) > 0), size, np.nan)
    missing: list[list[str]] = [[] for _ in range(count)]
    for row, place in np.argwhere(~present).tolist():
        missing[row].append(cube.segments[ages[place]].stratum)
    return Standardised(
        value,
        error,
        low,
        high,
        size,
        np.where(is_whole, sum_by(unit, strata.cells_used, count), 0).astype(np.intp),
        sum_by(unit, strata.cells_suppressed, count).astype(np.intp),
        is_reliable(value, error, size) & (sum_by(unit, ~strata.is_reliable, count) == 0),
        missing,
    )
