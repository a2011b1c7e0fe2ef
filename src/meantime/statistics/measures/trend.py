"""The statistic ``trend``: the slope of yearly estimates, and the change between first and last year.

Which estimates form a line, how it is fitted and what it lacks is in ``estimation/series``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Self

import numpy as np

from meantime.errors import InvalidParameterError, StatisticError
from meantime.fields.fields import Default, Example
from meantime.fields.kinds import Choice, WholeNumber
from meantime.statistics.estimation.breaks import (
    Breaks,
    BreaksOption,
    BreakYearsOption,
    Stretches,
    breaks_between,
    check_break_years,
    stretches,
)
from meantime.statistics.estimation.comparisons.matching import unshared_cells
from meantime.statistics.estimation.comparisons.multiplicity import AdjustOption
from meantime.statistics.estimation.explanation import explain
from meantime.statistics.estimation.filters import Filters, Places, YearsFilter, years_with_values
from meantime.statistics.estimation.grouping import CATEGORY, LOCATION, STRATUM, YEAR, group
from meantime.statistics.estimation.nation import (
    PANEL_NAME,
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
from meantime.statistics.estimation.pooling import counted_cells, pool
from meantime.statistics.estimation.populations import cautions_of_population, check_population, population_of
from meantime.statistics.estimation.selection import Selection
from meantime.statistics.estimation.series.joinpoints import MOST_JOINPOINTS
from meantime.statistics.estimation.series.panels import years_asked
from meantime.statistics.estimation.series.trends import no_line, trends_of
from meantime.statistics.kinds import OneOrMore
from meantime.statistics.result import Result, records_of
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.survey_cube import BoolArray, SurveyCube


@dataclass(frozen=True, kw_only=True)
class Trend(Filters):
    """The slope per year of each series of yearly estimates, and the change from its first to its last year."""

    name = "trend"
    title = "Trend over the years"
    summary = "The slope per year of yearly estimates and the change from the first to the last year."
    unit = "percentage points per year"
    method = "trend/2: weighted least squares of yearly estimates on the year"
    example: ClassVar = {"question": "Q036", "locations": ["Ohio", "National"]}
    is_drawn_explained = True
    documentation = "methods/trend.md"

    years: Annotated[YearsFilter, Default("all years in which the question has a value")] = None
    by: Annotated[
        tuple[str, ...],
        OneOrMore(Choice((LOCATION, CATEGORY, STRATUM), any_case=True), minimum=0),
        "Dimensions that have a trend each; the others are pooled within each year.",
        Example([LOCATION]),
    ] = (LOCATION,)
    breaks: BreaksOption = Breaks.APART.value
    break_years: BreakYearsOption = ()
    joinpoints: Annotated[
        int,
        WholeNumber(0, MOST_JOINPOINTS),
        "How many bends a line may have, at years that are found by its estimates; 0 is a straight line.",
        Example(1),
    ] = 0
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
        """Check scale, panel, number of years, breaks and population."""
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
        check_break_years(self.break_years, places.years)
        question = places.cube.questions[places.cube.question_index[self.question]]
        if self.joinpoints and self.breaks == Breaks.CROSS and breaks_between(question, places.years):
            raise InvalidParameterError(
                "joinpoints: a bend can't be told from a known break that the line crosses; leave breaks `apart`",
                field="joinpoints",
            )
        check_population(self.weights, self.population, places, self.question, strata_apart=STRATUM in self.by)

    def compute(self, data: StatisticData) -> Result:
        """Return one record per series, stretch of years between breaks and segment between joinpoints, in this order.

        Series are in the order of ``grouping.py``. ``value`` is the slope in percentage points per year, None with
        fewer than two usable years; a stretch in which nothing has two is left out. ``missing_years`` are years in
        which the question has a value somewhere in the selection but the series has no usable estimate;
        ``panel_complete`` tells whether the same locations and strata have a value in every year, those within a nation
        too. ``jump_year`` is the year of the largest step that the line doesn't explain, where the points are on no
        line. ``reliability`` is the worst of the yearly estimates'. Of segments of one line only what is named by
        ``year_count``, first and last year, change, slope and verdict differs.

        Raises
        ------
        StatisticError
            The dataset has no row there, or no series has two usable years between two breaks.

        Notes
        -----
        See ``series.fit_lines``, ``series.find_joinpoints`` and ``contrasts.contrasts``. Years are taken as independent
        samples; weights, population and scale are about pooling within a year, over the cells that all years of a
        stretch have.
        """
        if self.panel == Panel.FIXED:
            return self._of_states(data)
        selection = self.select(data.cube)
        asked = stretches(years_asked(selection), self._cuts(selection))
        if not asked.count:
            raise StatisticError(no_line(asked))
        left_out = self._left_out(selection, asked)
        yearly = pool(
            group(selection, [*self.by, YEAR]),
            weights=self.weights,
            population=population_of(self.weights, self.population, selection),
            scale=self.scale,
            level=self.level,
            left_out=left_out,
        )
        trends = trends_of(
            yearly,
            group(selection, self.by),
            asked,
            left_out,
            adjust=self.adjust,
            joinpoints=self.joinpoints,
            checkpoint=data.checkpoint,
        )
        return Result(
            records=records_of(trends.columns()),
            unit=_unit(selection.question.unit),
            method=f"{yearly.method(self.versioned_method())}; {trends.method()}",
            cautions=(
                *trends.cautions(crossing=self.breaks == Breaks.CROSS),
                *cautions_of_population(self.weights, self.population, selection),
            ),
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
        known = [] if self.breaks == Breaks.CROSS else [each.year for each in selection.question.breaks]
        return [*known, *self.break_years]

    def _left_out(self, selection: Selection, asked: Stretches) -> BoolArray:
        """Return the cells that some year of their stretch lacks in their series."""
        population = population_of(self.weights, self.population, selection)
        counted = counted_cells(selection, weights=self.weights, population=population)
        of_cell = asked.of(selection.cube.cells.year[selection.cells])
        left_out = np.zeros(len(counted), dtype=np.bool_)
        for number in range(asked.count):
            left_out |= unshared_cells(selection, counted & (of_cell == number), apart=[YEAR], within=self.by)
        return left_out


_PITFALL = (
    "A slope is the average change per year over all years. It says nothing about when the change came,"
    " nor that it will go on; a small misfit_p says that a straight line doesn't describe it."
)


def _unit(unit: str) -> str:
    return "percentage points per year" if unit == "percent" else f"{unit} per year"
