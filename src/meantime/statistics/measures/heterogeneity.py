"""The statistic ``heterogeneity``: how much locations differ beyond the errors of their estimates.

The arithmetic, with its sources, is in ``estimation/heterogeneity.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from meantime.errors import StatisticError
from meantime.fields.fields import Example
from meantime.fields.kinds import Choice
from meantime.statistics.estimation.cautions import cautions_of_gaps, cautions_of_limits
from meantime.statistics.estimation.explanation import explain
from meantime.statistics.estimation.filters import Filters, Places
from meantime.statistics.estimation.grouping import LOCATION, STRATUM, YEAR, Groups, group, sum_by
from meantime.statistics.estimation.heterogeneity import Families, spread_of
from meantime.statistics.estimation.options import ExplainOption, LevelOption, ScaleOption, check_scale
from meantime.statistics.estimation.pooling import Estimates, pool
from meantime.statistics.estimation.selection import IndexArray
from meantime.statistics.estimation.series.lines import chi_square_p
from meantime.statistics.estimation.uncertainty import Reliability, interval
from meantime.statistics.result import Column, Result, records_of, whole
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.limits import highest_value
from meantime.survey.cube.survey_cube import BoolArray, FloatArray
from meantime.survey.questions import LocationKind

PAULE_MANDEL, DERSIMONIAN_LAIRD = "paule_mandel", "dersimonian_laird"


@dataclass(frozen=True, kw_only=True)
class Heterogeneity(Filters):
    """For each year and stratum, how much locations truly differ, and their mean as a sample of such places."""

    name = "heterogeneity"
    title = "Heterogeneity of locations"
    summary = "How much locations differ beyond the errors of their estimates, and their random-effects mean."
    unit = "percent"
    method = "heterogeneity/1: Cochran's Q, I squared, random-effects mean beside the fixed one"
    example: ClassVar = {"question": "Q036", "years": [2023]}
    documentation = "methods/heterogeneity.md"

    between: Annotated[
        str,
        Choice((PAULE_MANDEL, DERSIMONIAN_LAIRD), any_case=True),
        "By which method the variance between locations is found that `value` goes by.",
        Example(DERSIMONIAN_LAIRD),
    ] = PAULE_MANDEL
    scale: ScaleOption = "auto"
    level: LevelOption = 0.95
    explain: ExplainOption = False

    def check(self, places: Places) -> None:
        """Check the scale."""
        check_scale(places.cube, self.question, self.scale)

    def compute(self, data: StatisticData) -> Result:
        """Return one record per year and stratum that has a row, in their order.

        ``value`` is the random-effects mean of the locations, ``fixed_value`` their inverse-variance mean, in the
        question's unit; both count only locations with a standard error above 0. All are None with fewer than two.

        Raises
        ------
        StatisticError
            The dataset has no row there, or nowhere two locations have a value with a standard error above 0.

        Notes
        -----
        See ``heterogeneity.spread_of``. Locations are taken as independent.
        """
        selection = self.select(data.cube)
        estimates = pool(group(selection, [LOCATION, YEAR, STRATUM]), scale=self.scale, level=self.level)
        units = group(selection, [YEAR, STRATUM])
        measures = self._measures(estimates, units)
        if np.isnan(measures["value"]).all():
            raise StatisticError(
                "no two locations have a value with a standard error above 0 in the same year and stratum; widen the"
                " filters"
            )
        reason = f"; {estimates.scale_reason}" if estimates.scale_reason else ""
        return Result(
            records=records_of(units.dimension_columns() | self._columns(estimates, units, measures)),
            unit=selection.question.unit,
            method=f"{self.versioned_method()}: mean with weights 1 / (SE^2 + t), t the variance between locations by"
            f" {self.between}; {100 * self.level:g} % normal interval on the {estimates.scale} scale; standard errors"
            f" read on it too{reason}",
            cautions=(
                *cautions_of_gaps(estimates),
                *cautions_of_limits(estimates),
                *_cautions_of_nation(units),
                "locations count alike however many live there, so no mean of them is a national value",
            ),
            explanation=explain(estimates, [_PITFALL]) if self.explain else None,
        )

    def _measures(self, estimates: Estimates, units: Groups) -> dict[str, FloatArray]:
        """Return the measures of each year and stratum, NaN with fewer than two locations that count."""
        counted, unit = _counted(estimates, units)
        families = Families(estimates.value[counted], estimates.standard_error[counted], unit[counted], len(units))
        spread = spread_of(families)
        by_solving = self.between == PAULE_MANDEL
        fixed, fixed_error = families.mean(np.zeros(len(units)))
        value, error = families.mean(spread.variance_by_solving if by_solving else spread.variance_by_moments)
        highest = highest_value(units.selection.question.unit)
        low, high = interval(value, error, level=self.level, scale=estimates.scale, highest=highest)
        measures = {
            "value": value,
            "standard_error": error,
            "low": low,
            "high": high,
            "fixed_value": fixed,
            "fixed_standard_error": fixed_error,
            "q": spread.q,
            "p_value": chi_square_p(spread.q, spread.degrees_of_freedom),
            "i_squared_percent": spread.i_squared_percent,
            "variance_paule_mandel": spread.variance_by_solving,
            "variance_dersimonian_laird": spread.variance_by_moments,
        }
        return {name: np.where(spread.degrees_of_freedom > 0, own, np.nan) for name, own in measures.items()}

    def _columns(self, estimates: Estimates, units: Groups, measures: dict[str, FloatArray]) -> dict[str, Column]:
        """Return the fields of the records."""
        counted, unit = _counted(estimates, units)
        count = len(units)
        sizes = np.where(counted & ~np.isnan(estimates.sample_size), estimates.sample_size, 0.0)
        doubtful = sum_by(unit, counted & ~estimates.is_reliable, count) > 0
        flags = np.where(doubtful, Reliability.CAUTION.value, Reliability.OK.value)
        size = sum_by(unit, sizes, count)
        common: dict[str, Column] = {
            "sample_size": whole(np.where(size > 0, size, np.nan)),
            "cells_used": sum_by(unit, np.where(counted, estimates.cells_used, 0), count).astype(np.intp),
            "cells_suppressed": sum_by(unit, estimates.cells_suppressed, count).astype(np.intp),
            "reliability": np.where(np.isnan(measures["value"]), Reliability.SUPPRESSED.value, flags).tolist(),
        }
        own = {"location_count": sum_by(unit, counted, count).astype(np.intp)}
        first = ("value", "standard_error", "low", "high")
        return {name: measures[name] for name in first} | common | {**measures, **own}


def _counted(estimates: Estimates, units: Groups) -> tuple[BoolArray, IndexArray]:
    """Return whether each estimate counts, and the number of its year and stratum."""
    counted: BoolArray = estimates.standard_error > 0
    return counted, units.group_of_cell[estimates.groups.first_cell]


_PITFALL = (
    "I squared is the share of what is seen that chance doesn't explain, not how far locations are apart: with large"
    " samples it is near 100 % for any difference. How far they are apart is the root of the variance between them."
)


def _cautions_of_nation(units: Groups) -> list[str]:
    kinds = {units.selection.cube.locations[index].kind for index in units.selection.locations}
    if LocationKind.NATION in kinds and len(units.selection.locations) > 1:
        return ["the nation is counted among locations that are part of it, so they are not independent"]
    return []
