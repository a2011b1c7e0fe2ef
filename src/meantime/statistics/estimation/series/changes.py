"""Changes over the years: between two years or along a line, of values or of gaps between two strata.

Which records there are, and what a change is compared with, is up to the statistic. Samples of different years, and of
different strata of one category, are taken as independent.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from meantime.statistics.estimation.grouping import LOCATION
from meantime.statistics.estimation.pooling import Estimates
from meantime.statistics.estimation.selection import IndexArray
from meantime.statistics.estimation.series.lines import Lines, fit_lines
from meantime.statistics.estimation.uncertainty import Reliability, flags, interval
from meantime.statistics.result import Column, whole
from meantime.survey.cube.limits import Scale
from meantime.survey.cube.survey_cube import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Yearly:
    """Yearly estimates in rows, with a column for each year; NaN, 0 or False where there is none.

    ``value`` and ``standard_error`` are in the question's unit, ``sample_size`` are persons as far as they are known,
    ``cells_used`` and ``cells_suppressed`` count published estimates with and without a value.
    """

    value: FloatArray
    standard_error: FloatArray
    sample_size: FloatArray
    cells_used: FloatArray
    cells_suppressed: FloatArray
    is_reliable: BoolArray

    @property
    def has_value(self) -> BoolArray:
        """Which estimates there are."""
        known: BoolArray = ~np.isnan(self.value)
        return known

    @property
    def is_usable(self) -> BoolArray:
        """Which estimates can be weighed by their standard errors."""
        usable: BoolArray = self.has_value & (self.standard_error > 0)
        return usable

    def rows(self, places: IndexArray) -> Yearly:
        """Return these rows, in this order; a row may be there several times."""
        return Yearly(*(getattr(self, column.name)[places] for column in fields(self)))

    def minus(self, other: Yearly) -> Yearly:
        """Return the gap between estimates of separate samples, row by row and year by year."""
        size = np.nansum([self.sample_size, other.sample_size], axis=0)
        unknown = np.isnan(self.sample_size) & np.isnan(other.sample_size)
        return Yearly(
            self.value - other.value,
            np.hypot(self.standard_error, other.standard_error),
            np.where(unknown, np.nan, size),
            self.cells_used + other.cells_used,
            self.cells_suppressed + other.cells_suppressed,
            self.is_reliable & other.is_reliable,
        )

    def steady(self) -> Yearly:
        """Return, for as many rows and years, what is 0 in all years without any error."""
        nothing = np.zeros(self.value.shape)
        return Yearly(nothing, nothing, nothing, nothing, nothing, nothing == 0)


def yearly_of(estimates: Estimates, years: IndexArray) -> Yearly:
    """Lay estimates out by year.

    Parameters
    ----------
    estimates
        By year and stratum, and by location or not.
    years
        The years of the columns, ascending; estimates of other years are left out.

    Returns
    -------
    Yearly
        A row for each segment of the cube; with locations, for each segment of its first location, then of the next.
    """
    groups, cube = estimates.groups, estimates.groups.selection.cube
    cells = groups.selection.cells[groups.first_cell]
    row = cube.cells.segment[cells].astype(np.intp)
    count = len(cube.segments)
    if LOCATION in groups.by:
        row += cube.cells.location[cells].astype(np.intp) * count
        count *= len(cube.locations)
    kept = np.isin(cube.cells.year[cells], years)
    row, column = row[kept], np.searchsorted(years, cube.cells.year[cells][kept])

    def laid_out(numbers: FloatArray | IndexArray | BoolArray, absent: float) -> FloatArray:
        found = np.full((count, len(years)), absent)
        found[row, column] = numbers[kept]
        return found

    return Yearly(
        laid_out(estimates.value, np.nan),
        laid_out(estimates.standard_error, np.nan),
        laid_out(estimates.sample_size, np.nan),
        laid_out(estimates.cells_used, 0.0),
        laid_out(estimates.cells_suppressed, 0.0),
        laid_out(estimates.is_reliable, 0.0) > 0,
    )


@dataclass(frozen=True, slots=True, eq=False)
class SideChange:
    """One change for each row, NaN where unknown; ``used`` tells which years' estimates it is made of."""

    yearly: Yearly
    value: FloatArray
    standard_error: FloatArray
    used: BoolArray

    def limits(self, level: float) -> tuple[FloatArray, FloatArray]:
        """Return the limits of each change."""
        return interval(self.value, self.standard_error, level=level, scale=Scale.LINEAR)

    @property
    def is_doubtful(self) -> BoolArray:
        """Which changes are made of an estimate that isn't reliable."""
        doubtful: BoolArray = np.asarray((self.used & ~self.yearly.is_reliable).any(axis=1))
        return doubtful

    def common_columns(self, level: float, inside: BoolArray, doubtful: BoolArray) -> dict[str, Column]:
        """Return the fields that every record has; ``inside``: which years count among what is suppressed."""
        low, high = self.limits(level)
        own = self.yearly
        sized = self.used & ~np.isnan(own.sample_size)
        size = np.where(sized, own.sample_size, 0.0).sum(axis=1)
        return {
            "value": self.value,
            "standard_error": self.standard_error,
            "low": low,
            "high": high,
            "sample_size": whole(np.where(sized.any(axis=1), size, np.nan)),
            "cells_used": whole((own.cells_used * self.used).sum(axis=1)),
            "cells_suppressed": whole((own.cells_suppressed * inside).sum(axis=1)),
            "reliability": flags(self.value, ~doubtful, Reliability.SUPPRESSED.value),
        }


def between_years(yearly: Yearly) -> SideChange:
    """Return last year minus first, with SE = sqrt(SE_first^2 + SE_last^2)."""
    value, error = yearly.value, yearly.standard_error
    return SideChange(yearly, value[:, -1] - value[:, 0], np.hypot(error[:, 0], error[:, -1]), yearly.has_value)


def along_lines(yearly: Yearly, used: BoolArray, years: IndexArray) -> tuple[SideChange, Lines]:
    """Return the slopes of weighted least-squares lines per year, their errors widened for misfit, and the lines.

    ``used`` tells which years each line goes through, of ``years``; see ``lines.fit_lines``.
    """
    row, column = np.nonzero(used)
    lines = fit_lines(row, years[column].astype(np.float64), yearly.value[used], yearly.standard_error[used], len(used))
    return SideChange(yearly, lines.slope, lines.standard_error, used), lines
