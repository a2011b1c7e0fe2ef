"""The statistic ``correlation``: two questions across locations.

Sources
-------
R. A. Fisher, On the probable error of a coefficient of correlation deduced from a small sample, Metron 1, 1921: the z
transformation and its standard error 1 / sqrt(n - 3). C. Spearman, The proof and measurement of association between
two things, American Journal of Psychology 15, 1904: rank correlation; its interval is Fisher's, an approximation.
W. S. Robinson, Ecological correlations and the behavior of individuals, American Sociological Review 15, 1950: why a
correlation of places says nothing about persons.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from meantime.errors import InvalidParameterError, StatisticError
from meantime.fields.fields import Default, Example
from meantime.statistics.estimation.cautions import cautions_of_gaps
from meantime.statistics.estimation.comparisons.matching import shared_on_both_sides
from meantime.statistics.estimation.comparisons.multiplicity import ADJUSTED_BY, Adjustment, AdjustOption, adjusted
from meantime.statistics.estimation.explanation import explain
from meantime.statistics.estimation.filters import Filters, Places, YearsFilter, newest_common_year
from meantime.statistics.estimation.grouping import LOCATION, group
from meantime.statistics.estimation.options import ExplainOption, LevelOption
from meantime.statistics.estimation.pooling import Estimates, counted_cells, pool
from meantime.statistics.estimation.selection import IndexArray
from meantime.statistics.estimation.uncertainty import TIE_DECIMALS, normal_quantile
from meantime.statistics.kinds import QUESTION_NAME
from meantime.statistics.result import Record, Result, plain
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.survey_cube import FloatArray, SurveyCube

MINIMUM_LOCATIONS = 3


def pearson(first: FloatArray, second: FloatArray) -> float:
    """Return the product-moment correlation of two arrays of one length, between -1 and 1.

    NaN where one of them doesn't vary (beyond nine decimals).

    Notes
    -----
    sum(dx dy) / sqrt(sum(dx^2) sum(dy^2)) about the means.
    """
    if not (np.ptp(np.round(first, TIE_DECIMALS)) and np.ptp(np.round(second, TIE_DECIMALS))):
        return math.nan
    x, y = first - first.mean(), second - second.mean()
    return float(np.clip((x * y).sum() / math.sqrt((x * x).sum() * (y * y).sum()), -1.0, 1.0))


def average_ranks(values: FloatArray) -> FloatArray:
    """Return ranks from 1, ascending; values that are equal within nine decimals share the mean of their ranks.

    >>> average_ranks(np.array([10.0, 30.0, 20.0, 20.0])).tolist()
    [1.0, 4.0, 2.5, 2.5]
    """
    _, place, count = np.unique(np.round(values, TIE_DECIMALS), return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks: FloatArray = ((last - count + 1 + last) / 2)[place]
    return ranks


def fisher_interval(coefficient: float, count: int, *, level: float) -> tuple[float | None, float | None]:
    """Return the limits of a correlation coefficient from ``count`` pairs; None below four pairs.

    Notes
    -----
    tanh(atanh(r) -+ z / sqrt(n - 3)) (Fisher 1921). A coefficient of 1 or -1 is its own interval.

    Examples
    --------
    >>> [round(limit, 3) for limit in fisher_interval(0.5, 28, level=0.95)]
    [0.156, 0.736]
    """
    if count <= 3:
        return None, None
    if abs(coefficient) >= 1:
        return coefficient, coefficient
    half = normal_quantile(level) / math.sqrt(count - 3)
    centre = math.atanh(coefficient)
    return math.tanh(centre - half), math.tanh(centre + half)


def fisher_p(coefficient: float, count: int) -> float | None:
    """Return the two-sided p-value of "the true correlation is 0", by Fisher's z; None below four pairs."""
    if count <= 3:
        return None
    if abs(coefficient) >= 1:
        return 0.0
    return math.erfc(abs(math.atanh(coefficient)) * math.sqrt(count - 3) / math.sqrt(2))


@dataclass(frozen=True, kw_only=True)
class Correlation(Filters):
    """Pearson's and Spearman's correlation of two questions across locations."""

    name = "correlation"
    title = "Correlation of two questions"
    summary = "Pearson's and Spearman's correlation of two questions across locations."
    unit = "correlation coefficient"
    method = "correlation/2: Pearson and Spearman, interval by Fisher's z"
    example: ClassVar = {"question": "Q036", "against_question": "Q047", "years": [2023]}
    documentation = "methods/correlation.md"

    years: Annotated[YearsFilter, Default("the newest year in which both questions have a value")] = None
    against_question: Annotated[str, QUESTION_NAME, "The other question, by text or id.", Example("Q047")]
    adjust: AdjustOption = "bh"
    level: LevelOption = 0.95
    explain: ExplainOption = False

    def default_years(self, cube: SurveyCube) -> tuple[int, ...]:
        """Return the newest year in which both questions have a value."""
        return newest_common_year(cube, self.question, self.against_question)

    def check(self, places: Places) -> None:
        """Check that the two questions are not one."""
        if self.question == self.against_question:
            raise InvalidParameterError(
                "against_question: a question has the correlation 1 with itself; choose another",
                field="against_question",
            )

    def compute(self, data: StatisticData) -> Result:
        """Return two records, ``coefficient`` ``pearson`` and ``spearman``.

        ``value`` is between -1 and 1, ``standard_error`` is None (its scale is Fisher's z:
        ``fisher_z_standard_error``), ``location_count`` counts the locations with a value for both. Several years or
        strata are averaged, unweighted, in each location: those that all locations have for both questions.

        Raises
        ------
        StatisticError
            The dataset has no row there, fewer than three locations have both, or one question doesn't vary.

        Notes
        -----
        Interval: Fisher's z with 1 / sqrt(n - 3), for both coefficients; p-value from the same z. The sampling
        errors of the estimates are not taken into account: they pull a correlation towards 0.
        """
        chosen = self.select(data.cube)
        other = chosen.elsewhere(question=self.against_question)
        groups = [group(side, [LOCATION]) for side in (chosen, other)]
        matched = shared_on_both_sides(groups[0], counted_cells(chosen), groups[1], counted_cells(other))
        own, second = (pool(side.groups, level=self.level, left_out=side.left_out) for side in matched)
        places, pairs = _pairs(own, second)
        if len(places) < MINIMUM_LOCATIONS:
            raise StatisticError(
                f"{len(places)} locations have a value for both questions; a correlation needs {MINIMUM_LOCATIONS}"
            )
        first_values, second_values = own.value[places], second.value[pairs]
        coefficients = {
            "pearson": pearson(first_values, second_values),
            "spearman": pearson(average_ranks(first_values), average_ranks(second_values)),
        }
        if math.isnan(coefficients["pearson"]):
            raise StatisticError(
                "one of the questions has the same value in every location, so it correlates with nothing"
            )
        # Every group has the same year, category and stratum, if any: the request has one of each.
        shared = own.groups.dimension_columns().items()
        dimensions: Record = {name: plain(column)[0] for name, column in shared if name != LOCATION}
        used = int(own.cells_used[places].sum() + second.cells_used[pairs].sum())
        suppressed = int(own.cells_suppressed.sum() + second.cells_suppressed.sum())
        records = [
            dimensions
            | _record(name, value, len(places), level=self.level, cells_used=used, cells_suppressed=suppressed)
            for name, value in coefficients.items()
        ]
        p_values = np.array([record["p_value"] for record in records], dtype=np.float64)
        p_adjusted = plain(adjusted(p_values, self.adjust))
        return Result(
            records=[record | {"p_adjusted": p} for record, p in zip(records, p_adjusted, strict=True)],
            unit=self.unit,
            method=f"{self.versioned_method()}: Pearson and Spearman across locations; {100 * self.level:g} % interval"
            f" by Fisher's z with SE 1 / sqrt(n - 3); p_adjusted is {ADJUSTED_BY[Adjustment(self.adjust)]}",
            cautions=(*_cautions(own, second), *matched[0].cautions()),
            explanation=explain(own, [_PITFALL], references={"against": second}) if self.explain else None,
        )


_PITFALL = (
    "Locations are correlated here, not people: that two things are frequent in the same states doesn't say that"
    " the same people have both (Robinson 1950)."
)


def _pairs(own: Estimates, second: Estimates) -> tuple[IndexArray, IndexArray]:
    """Return the places, in each, of the locations that have a value in both."""
    sides = []
    for side in (own, second):
        groups = side.groups
        sides.append(groups.selection.cube.cells.location[groups.selection.cells[groups.first_cell]])
    _, first, other = np.intersect1d(sides[0], sides[1], assume_unique=True, return_indices=True)
    both = ~np.isnan(own.value[first]) & ~np.isnan(second.value[other])
    return first[both], other[both]


def _record(name: str, value: float, count: int, *, level: float, cells_used: int, cells_suppressed: int) -> Record:
    low, high = fisher_interval(value, count, level=level)
    return {
        "coefficient": name,
        "value": value,
        "standard_error": None,
        "low": low,
        "high": high,
        "sample_size": None,
        "cells_used": cells_used,
        "cells_suppressed": cells_suppressed,
        "reliability": None,
        "fisher_z_standard_error": None if count <= 3 else 1 / math.sqrt(count - 3),
        "p_value": fisher_p(value, count),
        "location_count": count,
    }


def _cautions(own: Estimates, second: Estimates) -> list[str]:
    return [
        *dict.fromkeys(cautions_of_gaps(own) + cautions_of_gaps(second)),
        "a correlation of locations says nothing about persons",
        "each location counts alike, and sampling errors, which pull the coefficient towards 0, are not accounted for",
        "both questions were put to the same people, which by itself can make them correlate",
    ]
