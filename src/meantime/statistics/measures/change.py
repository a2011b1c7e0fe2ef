"""The statistic ``change``: the change of each location beside that of the nation or another location.

How a change is computed is in ``estimation/series/changes.py``, what stands beside what in ``changes_beside.py``, the
arithmetic of a difference, with its sources, in ``contrasts.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Self

import numpy as np

from meantime.errors import InvalidParameterError, StatisticError
from meantime.fields.fields import Default, Example
from meantime.fields.kinds import Choice
from meantime.statistics.estimation.breaks import Breaks, BreaksOption
from meantime.statistics.estimation.cautions import cautions_of_gaps, cautions_of_limits
from meantime.statistics.estimation.comparisons.changes_beside import (
    ChangesBeside,
    changes_beside,
)
from meantime.statistics.estimation.comparisons.changing import (
    IN_WORDS,
    Changing,
    cautions_of_crossing,
    check_gap,
    check_panel_of_reference,
    check_years,
    compared_segments,
    unit_of_change,
)
from meantime.statistics.estimation.comparisons.contrasts import TEST_FORMULA, Contrasts, contrasts
from meantime.statistics.estimation.comparisons.multiplicity import AdjustOption
from meantime.statistics.estimation.comparisons.verdicts import cautions_of_direction
from meantime.statistics.estimation.explanation import explain
from meantime.statistics.estimation.filters import Filters, Places, YearsFilter, years_with_values
from meantime.statistics.estimation.grouping import LOCATION, STRATUM, YEAR, Groups, group
from meantime.statistics.estimation.nation import (
    PANEL_NAME,
    FixedPanel,
    cautions_of_lacking_states,
    cautions_of_shared_people,
    states_for_the_nation,
    the_nation,
)
from meantime.statistics.estimation.options import (
    ExplainOption,
    LevelOption,
    MarginOption,
    Panel,
    PanelOption,
    ScaleOption,
    Weights,
    check_margin,
    check_scale,
)
from meantime.statistics.estimation.pooling import Estimates, counted_cells, pool
from meantime.statistics.estimation.selection import Selection
from meantime.statistics.estimation.series.panels import years_asked
from meantime.statistics.kinds import PLACE_NAME, STRATUM_NAME
from meantime.statistics.result import Column, Result, records_of
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.survey_cube import SurveyCube


@dataclass(frozen=True, kw_only=True)
class Change(Filters):
    """How each location and stratum changed, minus how the reference did."""

    name = "change"
    title = "Change beside the nation's or another location's"
    summary = "How much more or less each location changed than the nation or another location, with a verdict."
    unit = "percentage points"
    method = "change/1: change minus the reference's change over the same years and strata, two-sided z-test"
    example: ClassVar = {"question": "Q036", "years": [2013, 2023]}
    documentation = "methods/change.md"

    years: Annotated[
        YearsFilter,
        Default("the first and the last year in which the question has a value; of `trend`, all such years"),
    ] = None
    of: Annotated[
        str,
        Choice(tuple(Changing), any_case=True),
        "What changes: the `value` between two years, the `trend` over all years, or the `disparity`, the gap between a"
        " stratum and `reference`, between two years.",
        Example("value"),
    ] = Changing.VALUE.value
    against: Annotated[
        str | None,
        PLACE_NAME,
        "The location whose change is compared with.",
        Default("the nation; of `disparity` none, and the gap is compared with one that stays as it is"),
        Example("National"),
    ] = None
    reference: Annotated[
        str | None,
        STRATUM_NAME,
        "The stratum of the same category that the gap of each other one is measured from; only of `disparity`.",
        Default("none; of `disparity` it is required"),
        Example("College graduate"),
    ] = None
    breaks: BreaksOption = Breaks.APART.value
    panel: PanelOption = Panel.PUBLISHED.value
    adjust: AdjustOption = "bh"
    margin: MarginOption = None
    scale: ScaleOption = "auto"
    level: LevelOption = 0.95
    explain: ExplainOption = False

    def settled(self, cube: SurveyCube) -> Self:
        """Fill ``against`` too: the nation, unless it is about a disparity."""
        if self.against is None and self.of != Changing.DISPARITY:
            return replace(self, against=the_nation(cube, otherwise="name a location")).settled(cube)
        return super().settled(cube)

    def default_years(self, cube: SurveyCube) -> tuple[int, ...]:
        """Return all years in which the question has a value for a trend, else the first and the last of them."""
        years = years_with_values(cube, self.question) or cube.years
        return years if self.of == Changing.TREND else tuple(dict.fromkeys((years[0], years[-1])))

    def check(self, places: Places) -> None:
        """Check what fits the kind of change: scale, margin, years, reference, breaks, panel."""
        cube = places.cube
        check_scale(cube, self.question, self.scale)
        check_margin(cube, self.question, self.margin)
        check_years(self.of, self.breaks, places)
        if [cube.locations[index].name for index in places.locations] == [self.against]:
            raise InvalidParameterError(
                f"against: {self.against} would be compared with itself; name another location", field="against"
            )
        check_gap(self.of, self.reference, cube.segments)
        compared, _ = compared_segments(places, self.reference)
        if self.panel == Panel.FIXED:
            check_panel_of_reference(places, self.against, len(compared))

    def compute(self, data: StatisticData) -> Result:
        """Return one record per location and stratum that has a row, in the order of ``grouping.py``.

        ``value`` is the location's own change and ``reference`` that of ``against`` in the same stratum, over the same
        years: last minus first in percentage points, or the slope in points per year over the years in which both have
        an estimate with a standard error, a record for each stretch between known breaks. Of a disparity both are
        changes of the gap, stratum minus ``reference``; without ``against`` the reference is 0. ``difference`` is value
        minus reference. What lacks an estimate that its change takes has None there. ``reliability`` is the worst of
        all estimates on both sides. Verdicts: see ``verdicts.py``; better is the change that is further that way.

        Raises
        ------
        StatisticError
            The dataset has no row there, the reference has no value, or nothing has a change.

        Notes
        -----
        SE of a change sqrt(SE_first^2 + SE_last^2), of a slope as in ``series/lines.py``, widened for misfit. See
        ``contrasts.contrasts``.
        """
        compared, gap_from = self._compared(data.cube)
        segments = compared.segments if gap_from is None else (*compared.segments, gap_from)
        own = self._pool(group(compared.elsewhere(segments=segments), [LOCATION, YEAR, STRATUM]))
        panel, reference = self._reference(own.groups.selection)
        found = changes_beside(compared, own, reference, gap_from, of=self.of, breaks=self.breaks)
        if np.isnan(found.own.value).all():
            raise StatisticError("nothing has estimates in the years that a change takes; choose other years or strata")
        tested = self._tested(found, compared)
        return Result(
            records=records_of(self._columns(found, tested, panel)),
            unit=unit_of_change(self.of, compared.question.unit),
            method=f"{own.method(self.versioned_method())}; {IN_WORDS[Changing(self.of)]}; difference = value - that of"
            f" {self.against or 'a gap that stays as it is'}, over the same years and strata, {TEST_FORMULA};"
            f" {tested.method()}",
            cautions=tuple(self._cautions(own, reference, panel, found, tested)),
            explanation=explain(own, [_PITFALL], references={} if reference is None else {"reference": reference})
            if self.explain
            else None,
        )

    def _compared(self, cube: SurveyCube) -> tuple[Selection, int | None]:
        """Return the cells of what has a record, and the segment that gaps are measured from."""
        chosen = self.select(cube)
        locations = tuple(index for index in chosen.locations if cube.locations[index].name != self.against)
        segments, gap_from = compared_segments(self.places(cube), self.reference)
        return chosen.elsewhere(locations=locations, segments=segments), gap_from

    def _pool(self, groups: Groups, panel: FixedPanel | None = None) -> Estimates:
        weights, population = (Weights.NONE, None) if panel is None else (Weights.POPULATION, panel.weights)
        return pool(groups, weights=weights, population=population, scale=self.scale, level=self.level)

    def _reference(self, own: Selection) -> tuple[FixedPanel | None, Estimates | None]:
        """Return the reference's estimates by year and stratum, and the states that stand for it, if some do.

        Raises
        ------
        StatisticError
            It has no value, or no state has one in all the years.
        """
        if self.against is None:
            return None, None
        chosen, panel = own.elsewhere(locations=(own.cube.location_index[self.against],)), None
        if not counted_cells(chosen).any():
            raise StatisticError(
                f"{self.against} has no value there to compare with; choose another location, year or stratum"
            )
        if self.panel == Panel.FIXED:
            panel, chosen = states_for_the_nation(chosen, years_asked(chosen).tolist())
        return panel, self._pool(group(chosen, [YEAR, STRATUM]), panel)

    def _tested(self, found: ChangesBeside, compared: Selection) -> Contrasts:
        return contrasts(
            found.own.value,
            found.own.standard_error,
            found.reference.value,
            found.reference.standard_error,
            level=self.level,
            direction=compared.question.direction,
            adjust=self.adjust,
            margin=self.margin,
        )

    def _columns(self, found: ChangesBeside, tested: Contrasts, panel: FixedPanel | None) -> dict[str, Column]:
        doubtful = found.own.is_doubtful | found.reference.is_doubtful
        against = self.against if panel is None else PANEL_NAME
        ends = found.columns
        if self.against is None:
            ends = {name: column for name, column in ends.items() if not name.startswith("reference_")}
        return {
            **found.sides.dimensions,
            **found.own.common_columns(self.level, found.sides.inside, doubtful),
            **tested.columns(*found.reference.limits(self.level)),
            "against": [against] * len(doubtful),
            **ends,
        }

    def _cautions(
        self,
        own: Estimates,
        reference: Estimates | None,
        panel: FixedPanel | None,
        found: ChangesBeside,
        tested: Contrasts,
    ) -> list[str]:
        compared, years = own.groups.selection, found.sides.years.tolist()
        sides = [own] if reference is None else [own, reference]
        of_both = [each for side in sides for each in cautions_of_gaps(side) + cautions_of_limits(side)]
        cautions = [*dict.fromkeys(of_both), *cautions_of_direction(compared)]
        cautions += cautions_of_crossing(compared.question, years, self.of, self.breaks)
        if self.against is not None:
            against = compared.elsewhere(locations=(compared.cube.location_index[self.against],))
            cautions += cautions_of_shared_people(against, compared)
            cautions += cautions_of_lacking_states([against, compared] if panel is None else [compared])
            cautions += [] if panel is None else panel.cautions()
        else:
            cautions += cautions_of_lacking_states([compared])
        return [*cautions, *found.cautions, *tested.cautions()]


_PITFALL = (
    "The verdict is about the difference of two changes: a location may have got worse and still be better, since the"
    " reference got worse by more. Locations that are picked for an extreme first value move towards the others by"
    " chance alone."
)
