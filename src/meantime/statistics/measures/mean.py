"""The statistic ``mean``: published estimates pooled over locations, years or strata.

How estimates are pooled is in ``pooling.py``; the contract's plain means over all rows are in ``contract.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from meantime.statistics.estimation.cautions import cautions_of
from meantime.statistics.estimation.explanation import explain, national_pitfalls
from meantime.statistics.estimation.filters import Filters, Places
from meantime.statistics.estimation.grouping import STRATUM, ByOption, group
from meantime.statistics.estimation.nation import cautions_of_lacking_states
from meantime.statistics.estimation.options import (
    AnyWeightsOption,
    ExplainOption,
    LevelOption,
    PopulationOption,
    ScaleOption,
    check_scale,
)
from meantime.statistics.estimation.pooling import pool
from meantime.statistics.estimation.populations import cautions_of_population, check_population, population_of
from meantime.statistics.result import Result, records_of
from meantime.statistics.statistic import StatisticData


@dataclass(frozen=True, kw_only=True)
class Mean(Filters):
    """The mean of the selected estimates, for each combination of ``by``."""

    name = "mean"
    title = "Mean with interval"
    summary = "The mean of published estimates, by location, year, category or stratum, with its interval."
    unit = "percent"
    method = "mean/2: mean of estimates, its error propagated from their limits"
    example: ClassVar = {"question": "Q036", "years": [2023], "by": ["location"]}
    documentation = "methods/mean.md"

    by: ByOption = ()
    weights: AnyWeightsOption = "none"
    population: PopulationOption = None
    scale: ScaleOption = "auto"
    level: LevelOption = 0.95
    explain: ExplainOption = False

    def check(self, places: Places) -> None:
        """Check scale and population."""
        check_scale(places.cube, self.question, self.scale)
        check_population(self.weights, self.population, places, self.question, strata_apart=STRATUM in self.by)

    def compute(self, data: StatisticData) -> Result:
        """Return one record per group that has a row.

        Records are in the order of ``grouping.py``; a group whose estimates are all suppressed has the value None.
        Unit: the question's.

        Raises
        ------
        StatisticError
            The dataset has no row there, or there would be too many records.

        Notes
        -----
        Without weights sum(v) / k with SE = sqrt(sum(SE^2)) / k; with weights w, sum(w v) / sum(w) with
        SE = sqrt(sum(w^2 SE^2)) / sum(w) (Cochran 1977, chapter 5), where w is the sample size, 1 / SE^2 (Cochran
        1954) or the population. Missing values: see ``pooling.pool``.
        """
        groups = group(self.select(data.cube), self.by)
        population = population_of(self.weights, self.population, groups.selection)
        estimates = pool(groups, weights=self.weights, population=population, scale=self.scale, level=self.level)
        return Result(
            records=records_of(groups.dimension_columns() | estimates.common_columns()),
            unit=groups.selection.question.unit,
            method=estimates.method(self.versioned_method()),
            cautions=(
                *cautions_of(estimates),
                *cautions_of_lacking_states([groups.selection]),
                *cautions_of_population(self.weights, self.population, groups.selection),
            ),
            explanation=explain(estimates, national_pitfalls(estimates)) if self.explain else None,
        )
