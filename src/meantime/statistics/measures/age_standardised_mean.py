"""The statistic ``age_standardised_mean``: what a location's value would be if its adults had the standard's ages.

The standard population and the arithmetic, with their sources, are in ``age_standardisation.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.estimation.absences import possible_segments
from meantime.statistics.estimation.age_standardisation import (
    AGES_IN_WORDS,
    FORMULA,
    shares_in_words,
    standard_shares,
    standardised,
)
from meantime.statistics.estimation.cautions import cautions_of_gaps, cautions_of_limits
from meantime.statistics.estimation.explanation import explain
from meantime.statistics.estimation.filters import Filters, Places, overall_segments
from meantime.statistics.estimation.grouping import LOCATION, STRATUM, YEAR, Groups, codes_of, group
from meantime.statistics.estimation.nation import cautions_of_lacking_states
from meantime.statistics.estimation.options import ExplainOption, LevelOption, ScaleOption, check_scale
from meantime.statistics.estimation.pooling import Estimates, pool
from meantime.statistics.result import Result, records_of
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.survey_cube import FloatArray, SurveyCube


@dataclass(frozen=True, kw_only=True)
class AgeStandardisedMean(Filters):
    """Each location's and year's estimates of six ages, weighed by the standard population, beside the crude value."""

    name = "age_standardised_mean"
    title = "Age-standardised mean"
    summary = "What each location's value would be with the ages of the year-2000 US standard population."
    unit = "percent"
    method = "age_standardised_mean/1: direct standardisation of six ages to the year-2000 US standard population"
    example: ClassVar = {"question": "Q036", "years": [2023], "locations": ["New Mexico", "Utah", "West Virginia"]}
    documentation = "methods/age_standardised_mean.md"

    scale: ScaleOption = "auto"
    level: LevelOption = 0.95
    explain: ExplainOption = False

    def default_segments(self, cube: SurveyCube) -> tuple[int, ...]:
        """Return the six ages.

        Raises
        ------
        InvalidParameterError
            The dataset doesn't have them.
        """
        found = tuple(standard_shares(cube))
        if not found:
            raise InvalidParameterError(
                f"categories: the dataset has no category with the ages {AGES_IN_WORDS}, so nothing can be"
                " age-standardised",
                field="categories",
                accepted=sorted({segment.category for segment in cube.segments} - {""}),
            )
        return found

    def check(self, places: Places) -> None:
        """Check the scale, and that everybody is asked for, and that the question has all six ages."""
        cube = places.cube
        check_scale(cube, self.question, self.scale)
        ages = self.default_segments(cube)
        if set(places.segments) != set(ages):
            field = "categories" if self.strata is None else "strata"
            raise InvalidParameterError(
                f"{field}: the table has ages of everybody, not ages within another stratum, so only everybody can be"
                f" age-standardised; leave {field} out",
                field=field,
                accepted=[cube.segments[index].category for index in ages[:1]],
            )
        possible = possible_segments(cube, cube.question_index[self.question])
        lacking = [cube.segments[index].stratum for index in ages if index not in possible]
        if lacking:
            raise InvalidParameterError(
                f"question: the dataset has no estimates of it for the ages {', '.join(lacking)}; choose another",
                field="question",
            )

    def compute(self, data: StatisticData) -> Result:
        """Return one record per location and year that has a row, by name, then year.

        ``value`` is None where an age has no value; ``strata_missing`` counts and ``missing_strata`` names these.
        ``crude_value``, ``crude_low`` and ``crude_high`` are the published estimate of everybody. Unit: the question's.

        Raises
        ------
        StatisticError
            The dataset has no row there, or no location has a value for all six ages.

        Notes
        -----
        sum(w v) with SE = sqrt(sum(w^2 SE^2)), w the standard's shares (Klein and Schoenborn 2001); its normal interval
        on the scale. Ages are taken as independent samples.
        """
        selection = self.select(data.cube)
        strata = pool(group(selection, [LOCATION, YEAR, STRATUM]), scale=self.scale, level=self.level)
        units = group(selection, [LOCATION, YEAR])
        found = standardised(strata, units)
        if np.isnan(found.value).all():
            raise StatisticError(
                f"no location has a value for all the ages {AGES_IN_WORDS} there; choose another year or location"
            )
        crude, crude_low, crude_high = self._crude(units)
        columns = units.dimension_columns() | found.columns()
        columns |= {"crude_value": crude, "crude_low": crude_low, "crude_high": crude_high}
        columns |= {"difference_from_crude": found.value - crude}
        reason = f"; {strata.scale_reason}" if strata.scale_reason else ""
        return Result(
            records=records_of(columns),
            unit=selection.question.unit,
            method=f"{self.versioned_method()}: {FORMULA} ({shares_in_words(selection.cube)});"
            f" {100 * self.level:g} % normal interval on the {strata.scale} scale; standard errors read on it"
            f" too{reason}",
            cautions=(
                *cautions_of_gaps(strata),
                *cautions_of_limits(strata),
                *found.cautions(units),
                *cautions_of_lacking_states([selection]),
                "a standardised value is for comparing; the share of people is the crude one",
                "ages are taken as independent samples",
            ),
            explanation=_explanation(strata) if self.explain else None,
        )

    def _crude(self, units: Groups) -> list[FloatArray]:
        """Return value and limits of the published estimate of everybody, NaN where there is none."""
        try:
            selection = units.selection.elsewhere(segments=overall_segments(units.selection.cube))
        except StatisticError:
            return [np.full(len(units), np.nan)] * 3
        everybody = pool(group(selection, [LOCATION, YEAR]), scale=self.scale, level=self.level)
        own, other = (codes_of(each.selection, [LOCATION, YEAR])[each.first_cell] for each in (units, everybody.groups))
        place = np.minimum(np.searchsorted(other, own), len(other) - 1)
        return [
            np.where(other[place] == own, column[place], np.nan)
            for column in (everybody.value, everybody.low, everybody.high)
        ]


def _explanation(strata: Estimates) -> dict[str, object]:
    cube = strata.groups.selection.cube
    shares = standard_shares(cube)
    own = [shares[index] for index in cube.cells.segment[strata.groups.selection.cells].tolist()]
    weighed = replace(strata, cell_weight=np.where(np.isnan(strata.cell_weight), np.nan, own))
    pitfall = (
        "A standardised value depends on the standard: it says who is higher at the same ages, not how many people are"
        " affected. For that take the crude value."
    )
    return explain(weighed, [pitfall]) | {"formula": FORMULA}
