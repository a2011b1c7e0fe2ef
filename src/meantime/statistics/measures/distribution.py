"""The statistic ``distribution``: median, quantiles, spread and range of published estimates.

Order statistics can't be merged, so they are taken from the cube only where each cell holds a single estimate;
otherwise they need a source of single estimates.

Sources
-------
R. J. Hyndman and Y. Fan, Sample quantiles in statistical packages, American Statistician 50, 1996: definition 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from meantime.errors import StatisticError
from meantime.fields.fields import Example
from meantime.fields.kinds import Number
from meantime.statistics.estimation.cautions import cautions_of_gaps
from meantime.statistics.estimation.explanation import explain
from meantime.statistics.estimation.filters import Filters
from meantime.statistics.estimation.grouping import ByOption, Groups, group
from meantime.statistics.estimation.options import ExplainOption
from meantime.statistics.estimation.pooling import pool
from meantime.statistics.estimation.selection import IndexArray
from meantime.statistics.estimation.uncertainty import Reliability
from meantime.statistics.kinds import OneOrMore
from meantime.statistics.result import Column, Result, records_of
from meantime.statistics.statistic import EstimateSource, StatisticData
from meantime.survey.cube.survey_cube import FloatArray, IntArray, SurveyCube


def sorted_quantiles(values: FloatArray, starts: IndexArray, counts: IndexArray, fraction: float) -> FloatArray:
    """Return one quantile of each run of values.

    Parameters
    ----------
    values
        Runs one after the other, each ascending.
    starts, counts
        Where each run begins, and its length.
    fraction
        Between 0 and 1.

    Returns
    -------
    array
        In the unit of the values; NaN for an empty run.

    Notes
    -----
    Linear interpolation at 1 + (n - 1) p, definition 7 of Hyndman and Fan 1996 (numpy's and R's default).
    """
    if not len(values):
        return np.full(len(starts), np.nan)
    place = np.maximum(counts - 1, 0) * fraction
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, np.maximum(counts - 1, 0))
    at = np.minimum(starts, len(values) - 1)
    low = values[np.minimum(at + below, len(values) - 1)]
    high = values[np.minimum(at + above, len(values) - 1)]
    return np.where(counts > 0, low + (place - below) * (high - low), np.nan)


@dataclass(frozen=True, kw_only=True)
class Distribution(Filters):
    """How published estimates are spread over locations, years or strata."""

    name = "distribution"
    title = "Median, quantiles and spread"
    summary = "Median, quantiles, standard deviation and range of estimates over locations, years or strata."
    unit = "percent"
    method = "distribution/1: quantiles by linear interpolation (Hyndman and Fan's definition 7)"
    example: ClassVar = {"question": "Q036", "years": {"from": 2019, "to": 2023}, "by": ["year"]}
    documentation = "methods/distribution.md"

    by: ByOption = ()
    quantiles: Annotated[
        tuple[float, ...],
        OneOrMore(Number(0, 1), maximum=50),
        "Fractions of the estimates, between 0 and 1.",
        Example([0.1, 0.5, 0.9]),
    ] = (0.25, 0.5, 0.75)
    explain: ExplainOption = False

    def compute(self, data: StatisticData) -> Result:
        """Return one record per group that has a row, in the order of ``grouping.py``.

        ``value`` is the median; ``standard_deviation`` has n - 1 in the denominator and is None below two estimates;
        ``quantile_0.25`` and so on are as asked for. Unit: the question's.

        Raises
        ------
        StatisticError
            The dataset has no row there, or cells hold several estimates and there is no source of single ones.

        Notes
        -----
        Quantiles by definition 7 of Hyndman and Fan 1996. Each estimate counts once, whatever its sample size or the
        population behind it.
        """
        selection = self.select(data.cube)
        groups = group(selection, self.by)
        owner, values = _single_values(groups, data.estimates)
        order = np.lexsort((values, owner))
        owner, values = owner[order], values[order]
        counts = np.bincount(owner, minlength=len(groups))
        starts = np.searchsorted(owner, np.arange(len(groups)))

        def quantile(fraction: float) -> FloatArray:
            return sorted_quantiles(values, starts, counts, fraction)

        pooled = pool(groups)
        unknown = np.full(len(groups), np.nan)
        columns: dict[str, Column] = {
            **groups.dimension_columns(),
            **pooled.common_columns(),
            "value": quantile(0.5),
            "standard_error": unknown,
            "low": unknown,
            "high": unknown,
            "reliability": [None if count else Reliability.SUPPRESSED.value for count in counts.tolist()],
            "count": counts,
            "mean": pooled.value,
            "standard_deviation": _deviation(owner, values, counts),
            "minimum": quantile(0.0),
            "maximum": quantile(1.0),
        }
        columns |= {f"quantile_{fraction}": quantile(fraction) for fraction in self.quantiles}
        return Result(
            records=records_of(columns),
            unit=selection.question.unit,
            method=f"{self.versioned_method()}: median and quantiles by linear interpolation at 1 + (n - 1) p"
            " (Hyndman and Fan's definition 7), standard deviation with n - 1; each estimate counts once",
            cautions=(*cautions_of_gaps(pooled), _SPREAD),
            explanation=explain(pooled, [_PITFALL]) if self.explain else None,
        )


_SPREAD = "estimates are spread more widely than the true values, because each has a sampling error of its own"
_PITFALL = (
    "A quantile over locations counts locations, not people: half of the states are below the median, not half of the"
    " population."
)


def _deviation(owner: IndexArray, values: FloatArray, counts: IndexArray) -> FloatArray:
    """Return the standard deviation of each group; NaN below two values."""
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.bincount(owner, values, minlength=len(counts)) / counts
        squares = np.bincount(owner, (values - means[owner]) ** 2, minlength=len(counts))
        return np.where(counts > 1, np.sqrt(squares / (counts - 1)), np.nan)


def _single_values(groups: Groups, estimates: EstimateSource | None) -> tuple[IndexArray, FloatArray]:
    """Return every single estimate with a value: the number of its group, and the value."""
    cells, take = groups.selection.cube.cells, groups.selection.cells
    count = cells.value_count[take]
    if (count <= 1).all():
        return groups.group_of_cell[count == 1], cells.value_sum[take][count == 1]
    if estimates is None:
        raise StatisticError(
            "cells of this dataset hold several estimates, and a median can't be taken from their sums;"
            " ask for a mean, or serve the dataset with its source file at hand"
        )
    return _read_values(groups, estimates)


def _read_values(groups: Groups, source: EstimateSource) -> tuple[IndexArray, FloatArray]:
    selection, cube = groups.selection, groups.selection.cube
    segments = [cube.segments[index] for index in selection.segments]
    found = source.single_estimates(
        selection.question.text,
        selection.years,
        selection.location_names,
        [(segment.category, segment.stratum) for segment in segments],
    )
    location = np.array(selection.locations)[found.location]
    segment_places = np.array(selection.segments)[found.segment]
    take = selection.cells
    known = _codes(cube, cube.cells.location[take], cube.cells.year[take], cube.cells.segment[take])
    wanted = _codes(cube, location, found.year, segment_places)
    places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)  # cells are sorted in this order
    if not np.array_equal(known[places], wanted) or len(wanted) != int(cube.cells.value_count[take].sum()):
        raise StatisticError("the source no longer holds the estimates that were loaded; reload the dataset")
    return groups.group_of_cell[places], found.value


def _codes(
    cube: SurveyCube, location: IndexArray | IntArray, year: IntArray, segment: IndexArray | IntArray
) -> IndexArray:
    first, last = cube.years[0], cube.years[-1]
    codes: IndexArray = (location.astype(np.intp) * (last - first + 1) + (year - first)) * len(cube.segments) + segment
    return codes
