"""The statistic ``trend``: the slope of yearly estimates, and the change between first and last year.

The line is fitted, and what a series lacks is found, in ``estimation/series.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from meantime.errors import InvalidParameterError, StatisticError
from meantime.fields.fields import Default, Example
from meantime.fields.kinds import Choice
from meantime.statistics.estimation.cautions import cautions_of
from meantime.statistics.estimation.contrasts import contrasts
from meantime.statistics.estimation.explanation import explain
from meantime.statistics.estimation.filters import Filters, Places, YearsFilter, years_with_values
from meantime.statistics.estimation.grouping import CATEGORY, LOCATION, STRATUM, YEAR, group, sum_by
from meantime.statistics.estimation.options import (
    AnyWeightsOption,
    ExplainOption,
    LevelOption,
    PopulationOption,
    ScaleOption,
    check_population,
    check_scale,
)
from meantime.statistics.estimation.pooling import Estimates, pool
from meantime.statistics.estimation.selection import IndexArray, Selection
from meantime.statistics.estimation.series import (
    BREAK_YEAR,
    Lines,
    cautions_of_absences,
    fit_lines,
    panel_columns,
    years_asked,
)
from meantime.statistics.estimation.uncertainty import Reliability, interval
from meantime.statistics.estimation.verdicts import cautions_of_direction
from meantime.statistics.kinds import OneOrMore
from meantime.statistics.result import Column, Result, records_of, whole
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.limits import Scale
from meantime.survey.cube.survey_cube import BoolArray, SurveyCube

SCATTER_LIMIT = 3.0
"""Residual variance, as a multiple of what the standard errors explain, above which a caution is given."""


@dataclass(frozen=True, kw_only=True)
class Trend(Filters):
    """The slope per year of each series of yearly estimates, and the change from its first to its last year."""

    name = "trend"
    title = "Trend over the years"
    summary = "The slope per year of yearly estimates and the change from the first to the last year."
    unit = "percentage points per year"
    method = "trend/1: weighted least squares of yearly estimates on the year"
    example: ClassVar = {"question": "Q036", "locations": ["Ohio", "National"]}
    documentation = "methods/trend.md"

    years: Annotated[YearsFilter, Default("all years in which the question has a value")] = None
    by: Annotated[
        tuple[str, ...],
        OneOrMore(Choice((LOCATION, CATEGORY, STRATUM), any_case=True), minimum=0),
        "Dimensions that have a trend each; the others are pooled within each year.",
        Example([LOCATION]),
    ] = (LOCATION,)
    weights: AnyWeightsOption = "none"
    population: PopulationOption = None
    scale: ScaleOption = "auto"
    level: LevelOption = 0.95
    explain: ExplainOption = False

    def default_years(self, cube: SurveyCube) -> tuple[int, ...]:
        """Return all years in which the question has a value."""
        return years_with_values(cube, self.question) or cube.years[-1:]

    def check(self, places: Places) -> None:
        """Check scale, number of years and population."""
        check_scale(places.cube, self.question, self.scale)
        if len(places.years) < 2:
            raise InvalidParameterError(
                f"years: a trend needs at least two years, and {len(places.years)} is selected", field="years"
            )
        check_population(
            self.weights, self.population, segment_count=len(places.segments), strata_apart=STRATUM in self.by
        )

    def compute(self, data: StatisticData) -> Result:
        """Return one record per series, in the order of ``grouping.py``.

        ``value`` is the slope in percentage points per year, None with fewer than two usable years.
        ``missing_years`` are years in which the question has a value somewhere in the selection but the series has no
        usable estimate; ``panel_complete`` tells whether the same locations and strata have a value in every year;
        ``crosses_2011`` whether the series starts before BRFSS changed its method in 2011. ``reliability`` is the
        worst of the yearly estimates'.

        Raises
        ------
        StatisticError
            The dataset has no row there, or no series has two usable years.

        Notes
        -----
        See ``regression.fit_lines`` and ``contrasts.contrasts``. Years are taken as independent samples; weights,
        population, scale and level are about pooling within a year.
        """
        selection = self.select(data.cube)
        series = group(selection, self.by)
        yearly = pool(
            group(selection, [*self.by, YEAR]),
            weights=self.weights,
            population=self.population,
            scale=self.scale,
            level=self.level,
        )
        owner = series.group_of_cell[yearly.groups.first_cell]
        year = data.cube.cells.year[selection.cells[yearly.groups.first_cell]].astype(np.intp)
        lines = fit_lines(owner, year.astype(np.float64), yearly.value, yearly.standard_error, len(series))
        if np.isnan(lines.slope).all():
            raise StatisticError("nothing has two years with a value and a standard error; select more years")
        asked = years_asked(selection)
        zero = np.zeros(len(series))
        slopes = contrasts(
            lines.slope, lines.standard_error, zero, zero, level=self.level, direction=selection.question.direction
        )
        usable = ~np.isnan(yearly.value) & (yearly.standard_error > 0)
        columns = {
            **{name: column for name, column in series.dimension_columns().items() if name != YEAR},
            "value": slopes.difference,
            "standard_error": slopes.standard_error,
            "low": slopes.low,
            "high": slopes.high,
            **_pooled_columns(yearly, owner, usable, lines),
            "p_value": slopes.p_value,
            "verdict": slopes.verdict,
            "residual_ratio": lines.residual_ratio,
            **_change_columns(yearly, year, lines, self.level),
            **panel_columns(series, owner, year, usable, asked),
        }
        return Result(
            records=records_of(columns),
            unit=_unit(selection.question.unit),
            method=f"{yearly.method(self.versioned_method())}; slope by weighted least squares on the year,"
            " w = 1 / SE^2, SE = sqrt(1 / sum(w (x - xbar)^2))",
            cautions=tuple(_cautions(yearly, selection, lines, asked.tolist())),
            explanation=explain(yearly, [_PITFALL]) if self.explain else None,
        )


_PITFALL = (
    "A slope is the average change per year over all years. It says nothing about when the change came,"
    " nor that it will go on; residual_ratio far above 1 says that a straight line doesn't describe it."
)


def _unit(unit: str) -> str:
    return "percentage points per year" if unit == "percent" else f"{unit} per year"


def _pooled_columns(yearly: Estimates, owner: IndexArray, usable: BoolArray, lines: Lines) -> dict[str, Column]:
    """Return sample size, cells and reliability of each series: sums over the usable years, and the worst flag."""
    count = len(lines.slope)
    doubtful = sum_by(owner, usable & ~yearly.is_reliable, count) > 0
    sized = usable & ~np.isnan(yearly.sample_size)
    size = sum_by(owner, np.where(sized, yearly.sample_size, 0.0), count)
    worst = np.where(doubtful, Reliability.CAUTION.value, Reliability.OK.value)
    return {
        "sample_size": whole(np.where(sum_by(owner, sized, count) > 0, size, np.nan)),
        "cells_used": whole(sum_by(owner, np.where(usable, yearly.cells_used, 0), count)),
        "cells_suppressed": whole(sum_by(owner, yearly.cells_suppressed, count)),
        "reliability": np.where(np.isnan(lines.slope), Reliability.SUPPRESSED.value, worst).tolist(),
    }


def _change_columns(yearly: Estimates, year: IndexArray, lines: Lines, level: float) -> dict[str, Column]:
    """Return first and last usable year with their estimates, and the change between them."""
    enough = lines.year_count >= 2
    first, last = (np.where(enough, yearly.value[ends], np.nan) for ends in (lines.first, lines.last))
    change = last - first
    error = np.where(enough, np.hypot(yearly.standard_error[lines.first], yearly.standard_error[lines.last]), np.nan)
    low, high = interval(change, error, level=level, scale=Scale.LINEAR)
    return {
        "year_count": lines.year_count,
        "first_year": whole(np.where(enough, year[lines.first], np.nan)),
        "last_year": whole(np.where(enough, year[lines.last], np.nan)),
        "first_value": first,
        "last_value": last,
        "change": change,
        "change_standard_error": error,
        "change_low": low,
        "change_high": high,
    }


def _cautions(yearly: Estimates, selection: Selection, lines: Lines, asked: Sequence[int]) -> list[str]:
    cautions = [*cautions_of(yearly), *cautions_of_direction(selection)]
    cautions += cautions_of_absences(selection, asked)
    if asked[0] < BREAK_YEAR <= asked[-1]:
        cautions.append(
            f"BRFSS changed its method in {BREAK_YEAR}: if these are its estimates, those of earlier years are not"
            " comparable with later ones, and the slope mixes the change of method with the change in people"
        )
    if (lines.residual_ratio > SCATTER_LIMIT).any():
        cautions.append(
            "some series scatter more around their line than their standard errors explain (residual_ratio above"
            f" {SCATTER_LIMIT:g}): a straight line fits them badly, and the interval of the slope is too narrow"
        )
    cautions.append("the samples of different years are taken as independent")
    return cautions
