"""The statistic ``difference``: each location against the nation, another location or a goal.

The arithmetic, with its sources, is in ``contrasts.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Self

import numpy as np

from meantime.errors import InvalidParameterError, StatisticError
from meantime.fields.fields import Default, Example
from meantime.fields.kinds import Number
from meantime.statistics.estimation.cautions import cautions_of, cautions_of_goal
from meantime.statistics.estimation.comparisons.contrasts import TEST_FORMULA, Contrasts, contrasts
from meantime.statistics.estimation.comparisons.matching import cautions_of_own_weights
from meantime.statistics.estimation.comparisons.multiplicity import AdjustOption
from meantime.statistics.estimation.comparisons.pairs import Pairs, paired
from meantime.statistics.estimation.comparisons.verdicts import cautions_of_direction
from meantime.statistics.estimation.explanation import explain
from meantime.statistics.estimation.filters import Filters, Places
from meantime.statistics.estimation.grouping import LOCATION, Groups, group
from meantime.statistics.estimation.nation import cautions_of_lacking_states, cautions_of_shared_people, the_nation
from meantime.statistics.estimation.options import (
    ExplainOption,
    LevelOption,
    MarginOption,
    ScaleOption,
    WeightsOption,
    check_margin,
    check_scale,
)
from meantime.statistics.estimation.pooling import Estimates, counted_cells, pool, worse_reliability
from meantime.statistics.estimation.selection import Selection
from meantime.statistics.kinds import PLACE_NAME
from meantime.statistics.result import Column, Result, records_of
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.survey_cube import BoolArray, SurveyCube
from meantime.survey.questions import SCALES


@dataclass(frozen=True, kw_only=True)
class Difference(Filters):
    """How each location differs from the nation, another location or a goal."""

    name = "difference"
    title = "Difference from the nation, a location or a goal"
    summary = "How each location differs from the nation, another location or a goal, with a verdict."
    unit = "percent"
    method = "difference/2: location minus reference over the years and strata that both have, two-sided z-test"
    example: ClassVar = {"question": "Q036", "years": [2023], "against": "National"}
    documentation = "methods/difference.md"

    against: Annotated[
        str | None,
        PLACE_NAME,
        "The location that each location is compared with.",
        Default("the nation, unless a goal is given"),
        Example("National"),
    ] = None
    goal: Annotated[
        float | None,
        Number(-1e9, 1e9),
        "A fixed number, in the question's unit, that each location is compared with instead.",
        Default("none"),
        Example(30.0),
    ] = None
    adjust: AdjustOption = "bh"
    margin: MarginOption = None
    weights: WeightsOption = "none"
    scale: ScaleOption = "auto"
    level: LevelOption = 0.95
    explain: ExplainOption = False

    def settled(self, cube: SurveyCube) -> Self:
        """Fill ``against`` too: the nation, unless there is a goal.

        Raises
        ------
        InvalidParameterError
            As for the filters; or ``against`` and ``goal`` are both given; neither is and the dataset has no nation;
            or nothing is left to compare.
        """
        request = super().settled(cube)
        if self.goal is not None:
            if self.against is not None:
                raise InvalidParameterError("goal: give either against or goal, not both", field="goal")
            return request
        against = self.against or the_nation(cube, otherwise="name a location, or give a goal")
        if [cube.locations[index].name for index in request.places(cube).locations] == [against]:
            raise InvalidParameterError(
                f"against: {against} would be compared with itself; name another location", field="against"
            )
        return request if against == self.against else replace(request, against=against)

    def check(self, places: Places) -> None:
        """Check the scale, the margin, and that the goal is on the scale of the values."""
        check_scale(places.cube, self.question, self.scale)
        check_margin(places.cube, self.question, self.margin)
        unit = places.cube.questions[places.cube.question_index[self.question]].unit
        if self.goal is not None and unit in SCALES and not 0.0 <= self.goal <= SCALES[unit]:
            raise InvalidParameterError(
                f"goal: {self.goal:g} is no {unit}; give a number from 0 to {SCALES[unit]:g}", field="goal"
            )

    def compute(self, data: StatisticData) -> Result:
        """Return one record per location that has a row, by name, without ``against`` itself.

        ``difference`` is location minus reference, in percentage points; the reference is a location, over those of
        the years and strata in which both have a value, or the goal. ``value`` and ``reference`` are over these, too;
        where none is common both stay what they are, and there is no difference.
        ``reliability`` is the worse of both sides. Verdicts: see ``verdicts.py``.

        Raises
        ------
        StatisticError
            The dataset has no row there, or the reference has no value.

        Notes
        -----
        See ``contrasts.contrasts`` and ``pairs.paired``.
        """
        cube = data.cube
        chosen = self.select(cube)
        others = tuple(index for index in chosen.locations if cube.locations[index].name != self.against)
        selection = chosen if others == chosen.locations else chosen.elsewhere(locations=others)
        groups, pairs = group(selection, [LOCATION]), None
        if self.against is not None:
            pairs = self._paired(groups, chosen.elsewhere(locations=(cube.location_index[self.against],)))
        estimates = self._pool(groups, None if pairs is None else pairs.left_out)
        reference = None if pairs is None else self._pool(pairs.reference)
        found = self._contrasts(estimates, reference, pairs)
        return Result(
            records=records_of(self._columns(estimates, reference, pairs, found)),
            unit=selection.question.unit,
            method=f"{estimates.method(self.versioned_method())};"
            f" difference = location - {self.against or 'the goal'}, {TEST_FORMULA}; {found.method()}",
            cautions=tuple(self._cautions(estimates, pairs, found)),
            explanation=self._explanation(estimates, pairs, found) if self.explain else None,
        )

    def _pool(self, groups: Groups, left_out: BoolArray | None = None) -> Estimates:
        return pool(groups, weights=self.weights, scale=self.scale, level=self.level, left_out=left_out)

    def _paired(self, groups: Groups, reference: Selection) -> Pairs:
        """Return the locations beside the reference.

        Raises
        ------
        StatisticError
            The reference has no value there.
        """
        counted, other = (counted_cells(each, weights=self.weights) for each in (groups.selection, reference))
        if not other.any():
            raise StatisticError(
                f"{self.against} has no value there to compare with; choose another location, year or stratum"
            )
        return paired(groups, counted, reference, other)

    def _contrasts(self, estimates: Estimates, reference: Estimates | None, pairs: Pairs | None) -> Contrasts:
        value, error = np.full(len(estimates), self.goal or 0.0), np.zeros(len(estimates))
        if reference is not None and pairs is not None:
            value = np.where(pairs.matched_count > 0, reference.value, np.nan)
            error = np.where(pairs.matched_count > 0, reference.standard_error, np.nan)
        return contrasts(
            estimates.value,
            estimates.standard_error,
            value,
            error,
            level=self.level,
            direction=estimates.groups.selection.question.direction,
            adjust=self.adjust,
            margin=self.margin,
        )

    def _columns(
        self, estimates: Estimates, reference: Estimates | None, pairs: Pairs | None, found: Contrasts
    ) -> dict[str, Column]:
        columns = estimates.groups.dimension_columns() | estimates.common_columns()
        if reference is None or pairs is None:
            return columns | found.columns(found.reference, found.reference)
        columns["reliability"] = worse_reliability(estimates, reference)
        columns |= found.columns(reference.low, reference.high)
        # Of what isn't compared, the two values stay.
        columns |= {"reference": reference.value, "reference_standard_error": reference.standard_error}
        return columns | pairs.columns()

    def _cautions(self, estimates: Estimates, pairs: Pairs | None, found: Contrasts) -> list[str]:
        selection = estimates.groups.selection
        cube = selection.cube
        cautions = [*cautions_of(estimates), *cautions_of_direction(selection), *cautions_of_own_weights(estimates)]
        if self.goal is not None:
            cautions += cautions_of_goal(cube, cube.question_index[self.question], self.goal, estimates.value)
        if pairs is not None:
            cautions += pairs.cautions()
            cautions += cautions_of_shared_people(pairs.reference.selection, selection)
            cautions += cautions_of_lacking_states([pairs.reference.selection])
        return cautions + found.cautions()

    def _explanation(self, estimates: Estimates, pairs: Pairs | None, found: Contrasts) -> dict[str, object]:
        pitfall = (
            f"{found.unclear_count} of {found.test_count} locations can't be told from {self.against or 'the goal'}:"
            " their differences may be chance."
            " Two intervals that overlap may still differ; the test is on the difference itself."
        )
        references = {}
        if pairs is not None:
            used = pairs.reference.selection
            references["reference"] = self._pool(group(replace(used, cells=np.unique(used.cells)), ()))
        return explain(estimates, [pitfall], references=references)
