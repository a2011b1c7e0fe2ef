"""The statistic ``trend``: the slope of yearly estimates, and the change between first and last year.

Which estimates form a line, how it is fitted and what it lacks is in ``estimation/series``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Self

import numpy as np

from meantime.errors import InvalidParameterError, StatisticError
from meantime.fields.fields import Default, Example
from meantime.fields.kinds import Choice
from meantime.statistics.estimation.breaks import Breaks, BreaksOption, Stretches, cautions_of_breaks, stretches
from meantime.statistics.estimation.cautions import cautions_of, listed
from meantime.statistics.estimation.comparisons.contrasts import Contrasts, contrasts
from meantime.statistics.estimation.comparisons.matching import unshared_cells
from meantime.statistics.estimation.comparisons.multiplicity import AdjustOption
from meantime.statistics.estimation.comparisons.verdicts import Verdict, cautions_of_direction
from meantime.statistics.estimation.explanation import explain
from meantime.statistics.estimation.filters import Filters, Places, YearsFilter, years_with_values
from meantime.statistics.estimation.grouping import CATEGORY, LOCATION, STRATUM, YEAR, group, sum_by
from meantime.statistics.estimation.nation import (
    PANEL_NAME,
    cautions_of_lacking_states,
    check_panel,
    fixed_panel,
)
from meantime.statistics.estimation.options import (
    AnyWeightsOption,
    ExplainOption,
    LevelOption,
    Panel,
    PanelOption,
    PopulationOption,
    ScaleOption,
    Weights,
    check_scale,
)
from meantime.statistics.estimation.pooling import Estimates, counted_cells, pool
from meantime.statistics.estimation.populations import cautions_of_population, check_population, population_of
from meantime.statistics.estimation.selection import IndexArray, Selection
from meantime.statistics.estimation.series.panels import (
    cautions_of_absences,
    cautions_of_matching,
    panel_columns,
    years_asked,
)
from meantime.statistics.estimation.series.points import Points, cautions_of_misfit, points_of
from meantime.statistics.estimation.uncertainty import Reliability, interval
from meantime.statistics.kinds import OneOrMore
from meantime.statistics.result import Column, Result, records_of, whole
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.limits import Scale
from meantime.survey.cube.survey_cube import BoolArray, FloatArray, SurveyCube


@dataclass(frozen=True, kw_only=True)
class Trend(Filters):
    """The slope per year of each series of yearly estimates, and the change from its first to its last year."""

    name = "trend"
    title = "Trend over the years"
    summary = "The slope per year of yearly estimates and the change from the first to the last year."
    unit = "percentage points per year"
    method = "trend/2: weighted least squares of yearly estimates on the year"
    example: ClassVar = {"question": "Q036", "locations": ["Ohio", "National"]}
    documentation = "methods/trend.md"

    years: Annotated[YearsFilter, Default("all years in which the question has a value")] = None
    by: Annotated[
        tuple[str, ...],
        OneOrMore(Choice((LOCATION, CATEGORY, STRATUM), any_case=True), minimum=0),
        "Dimensions that have a trend each; the others are pooled within each year.",
        Example([LOCATION]),
    ] = (LOCATION,)
    breaks: BreaksOption = Breaks.APART.value
    panel: PanelOption = Panel.PUBLISHED.value
    adjust: AdjustOption = "bh"
    weights: AnyWeightsOption = "none"
    population: PopulationOption = None
    scale: ScaleOption = "auto"
    level: LevelOption = 0.95
    explain: ExplainOption = False

    def default_years(self, cube: SurveyCube) -> tuple[int, ...]:
        """Return all years in which the question has a value."""
        return years_with_values(cube, self.question) or cube.years[-1:]

    def settled(self, cube: SurveyCube) -> Self:
        """Fill the defaults of the filters: for a fixed panel the nation."""
        if self.panel == Panel.FIXED and self.locations is None and self.include is None:
            return replace(self, include=("nation",)).settled(cube)
        return super().settled(cube)

    def check(self, places: Places) -> None:
        """Check scale, panel, number of years and population."""
        check_scale(places.cube, self.question, self.scale)
        check_panel(places.cube, self.panel, places.locations)
        if self.panel == Panel.FIXED and self.weights != Weights.NONE:
            raise InvalidParameterError(
                "weights: a fixed panel weighs its states by their sample sizes; leave weights out", field="weights"
            )
        if len(places.years) < 2:
            raise InvalidParameterError(
                f"years: a trend needs at least two years, and {len(places.years)} is selected", field="years"
            )
        check_population(self.weights, self.population, places, self.question, strata_apart=STRATUM in self.by)

    def compute(self, data: StatisticData) -> Result:
        """Return one record per series and stretch of years between known breaks, in the order of ``grouping.py``.

        ``value`` is the slope in percentage points per year, None with fewer than two usable years; a stretch in which
        nothing has two is left out. ``missing_years`` are years in which the question has a value somewhere in the
        selection but the series has no usable estimate; ``panel_complete`` tells whether the same locations and strata
        have a value in every year, those within a nation too. ``jump_year`` is the year of the largest step that the
        line doesn't explain, where the points are on no line. ``reliability`` is the worst of the yearly estimates'.

        Raises
        ------
        StatisticError
            The dataset has no row there, or no series has two usable years between two breaks.

        Notes
        -----
        See ``series.fit_lines`` and ``contrasts.contrasts``. Years are taken as independent samples; weights,
        population and scale are about pooling within a year, over the cells that all years of a stretch have.
        """
        if self.panel == Panel.FIXED:
            return self._of_states(data)
        selection = self.select(data.cube)
        asked = stretches(years_asked(selection), self._cuts(selection))
        if not asked.count:
            raise StatisticError(_nothing(asked))
        series, left_out = group(selection, self.by), self._left_out(selection, asked)
        yearly = pool(
            group(selection, [*self.by, YEAR]),
            weights=self.weights,
            population=population_of(self.weights, self.population, selection),
            scale=self.scale,
            level=self.level,
            left_out=left_out,
        )
        points = points_of(yearly, series, asked)
        if not points.lines.year_count.any():
            raise StatisticError(_nothing(asked))
        lines, zero = points.lines, np.zeros(len(points.lines.slope))
        slopes = contrasts(
            lines.slope,
            lines.standard_error,
            zero,
            zero,
            level=self.level,
            direction=selection.question.direction,
            adjust=self.adjust,
        )
        dimensions = {name: column for name, column in series.dimension_columns().items() if name != YEAR}
        columns = {
            **{name: [column[place] for place in points.series] for name, column in dimensions.items()},
            "value": slopes.difference,
            "standard_error": slopes.standard_error,
            "low": slopes.low,
            "high": slopes.high,
            **_pooled_columns(yearly, points),
            **_words(slopes),
            "residual_ratio": lines.residual_ratio,
            "misfit_p": lines.misfit_p,
            "widened_by": np.where(np.isnan(lines.slope), np.nan, lines.widened_by),
            "jump_year": whole(np.where(lines.is_misfit, points.year[lines.jump], np.nan)),
            **_change_columns(yearly, points, self.level),
            **panel_columns(selection, points, asked, left_out),
        }
        return Result(
            records=records_of(columns),
            unit=_unit(selection.question.unit),
            method=f"{yearly.method(self.versioned_method())}; slope by weighted least squares on the year,"
            " w = 1 / SE^2, SE = sqrt(1 / sum(w (x - xbar)^2)), times the Birge ratio sqrt(residual_ratio) where that"
            f" is above 1; {slopes.method()}",
            cautions=tuple(self._cautions(yearly, points, asked, left_out, slopes)),
            explanation=explain(yearly, [_PITFALL]) if self.explain else None,
        )

    def _of_states(self, data: StatisticData) -> Result:
        """Return the trends of the states that have a value in all the years, pooled with weights that never change."""
        nation = self.select(data.cube)
        panel = fixed_panel([nation.elsewhere(years=(year,)) for year in years_asked(nation).tolist()])
        request = replace(
            self,
            panel=Panel.PUBLISHED.value,
            locations=panel.states,
            include=("states",),
            by=tuple(name for name in self.by if name != LOCATION),
            weights=Weights.POPULATION.value,
            population=panel.weights,
        )
        found = request.compute(data)
        return replace(
            found,
            records=[{"location": PANEL_NAME, **record} for record in found.records],
            method=f"{found.method}; P is a state's sample size in all the years together",
            cautions=(*panel.cautions(), *found.cautions),
        )

    def _cuts(self, selection: Selection) -> list[int]:
        return [] if self.breaks == Breaks.CROSS else [each.year for each in selection.question.breaks]

    def _left_out(self, selection: Selection, asked: Stretches) -> BoolArray:
        """Return the cells that some year of their stretch lacks in their series."""
        population = population_of(self.weights, self.population, selection)
        counted = counted_cells(selection, weights=self.weights, population=population)
        of_cell = asked.of(selection.cube.cells.year[selection.cells])
        left_out = np.zeros(len(counted), dtype=np.bool_)
        for number in range(asked.count):
            left_out |= unshared_cells(selection, counted & (of_cell == number), apart=[YEAR], within=self.by)
        return left_out

    def _cautions(
        self, yearly: Estimates, points: Points, asked: Stretches, left_out: BoolArray, slopes: Contrasts
    ) -> list[str]:
        selection, years = yearly.groups.selection, asked.years.tolist()
        crossing = "and the slope mixes that with the change in people"
        so = crossing if self.breaks == Breaks.CROSS else "so that no trend crosses it"
        cautions = [*cautions_of(yearly), *cautions_of_direction(selection)]
        cautions += cautions_of_breaks(selection.question, years, so)
        lone = asked.years[~np.isin(asked.number, points.stretch)].tolist()
        if lone:
            cautions.append(f"between breaks too few years for a trend, so left out: {listed(list(map(str, lone)))}")
        cautions += cautions_of_absences(selection, years) + cautions_of_lacking_states([selection])
        cautions += cautions_of_matching(selection, left_out) + cautions_of_misfit(points)
        cautions += cautions_of_population(self.weights, self.population, selection)
        return [*cautions, *slopes.cautions(), "the samples of different years are taken as independent"]


def _nothing(asked: Stretches) -> str:
    if asked.count > 1:
        return (
            "nothing has two years with a value and a standard error on one side of a known break; select more years,"
            f" or ask for breaks `{Breaks.CROSS}`"
        )
    return "nothing has two years with a value and a standard error; select more years"


_PITFALL = (
    "A slope is the average change per year over all years. It says nothing about when the change came,"
    " nor that it will go on; a small misfit_p says that a straight line doesn't describe it."
)


def _unit(unit: str) -> str:
    return "percentage points per year" if unit == "percent" else f"{unit} per year"


def _pooled_columns(yearly: Estimates, points: Points) -> dict[str, Column]:
    """Return sample size, cells and reliability of each line: sums over the usable years, and the worst flag."""
    slope, usable = points.lines.slope, points.usable

    def total(column: FloatArray | IndexArray | BoolArray, which: BoolArray) -> FloatArray:
        return sum_by(points.line[which], column[which], len(slope))

    sized = usable & ~np.isnan(yearly.sample_size)
    worst = np.where(total(~yearly.is_reliable, usable) > 0, Reliability.CAUTION.value, Reliability.OK.value)
    return {
        "sample_size": whole(np.where(total(sized, sized) > 0, total(yearly.sample_size, sized), np.nan)),
        "cells_used": whole(total(yearly.cells_used, usable)),
        "cells_suppressed": whole(total(yearly.cells_suppressed, points.line >= 0)),
        "reliability": np.where(np.isnan(slope), Reliability.SUPPRESSED.value, worst).tolist(),
    }


_OF_TRENDS = {
    Verdict.HIGHER: Verdict.RISING,
    Verdict.LOWER: Verdict.FALLING,
    Verdict.UNCLEAR: Verdict.STEADY,
}


def _words(slopes: Contrasts) -> dict[str, Column]:
    """Return p-values, the verdict in a trend's words, and the course: whether it goes up or down, good or bad."""
    columns = slopes.verdict_columns()
    verdicts = [None if word is None else Verdict(word) for word in slopes.verdict]
    courses = [
        own if own in {None, Verdict.UNCLEAR} else Verdict.HIGHER if slope > 0 else Verdict.LOWER
        for own, slope in zip(verdicts, slopes.difference.tolist(), strict=True)
    ]

    def said(words: Sequence[Verdict | None]) -> list[str | None]:
        return [None if word is None else _OF_TRENDS.get(word, word).value for word in words]

    return {**columns, "verdict": said(verdicts), "course": said(courses)}


def _change_columns(yearly: Estimates, points: Points, level: float) -> dict[str, Column]:
    """Return first and last usable year with their estimates, and the change between them."""
    lines = points.lines
    enough = lines.year_count >= 2
    first, last = (np.where(enough, yearly.value[ends], np.nan) for ends in (lines.first, lines.last))
    change = last - first
    error = np.where(enough, np.hypot(yearly.standard_error[lines.first], yearly.standard_error[lines.last]), np.nan)
    low, high = interval(change, error, level=level, scale=Scale.LINEAR)
    return {
        "year_count": lines.year_count,
        "first_year": whole(np.where(enough, points.year[lines.first], np.nan)),
        "last_year": whole(np.where(enough, points.year[lines.last], np.nan)),
        "first_value": first,
        "last_value": last,
        "change": change,
        "change_standard_error": error,
        "change_low": low,
        "change_high": high,
    }
