"""The statistic ``pairwise``: every pair of locations, or one location against all others.

The arithmetic of a difference, with its sources, is in ``contrasts.py``; over which years and strata locations are
compared, in ``matching.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from meantime.errors import InvalidParameterError, StatisticError
from meantime.fields.fields import Default, Example
from meantime.statistics.estimation.cautions import cautions_of
from meantime.statistics.estimation.comparisons.contrasts import TEST_FORMULA, Contrasts, contrasts
from meantime.statistics.estimation.comparisons.matching import cautions_of_own_weights, shared
from meantime.statistics.estimation.comparisons.multiplicity import AdjustOption
from meantime.statistics.estimation.comparisons.verdicts import cautions_of_direction
from meantime.statistics.estimation.explanation import explain
from meantime.statistics.estimation.filters import Filters, Places
from meantime.statistics.estimation.grouping import LOCATION, MAXIMUM_RECORDS, group
from meantime.statistics.estimation.nation import cautions_of_lacking_states, cautions_of_shared_people
from meantime.statistics.estimation.options import (
    ExplainOption,
    LevelOption,
    MarginOption,
    ScaleOption,
    WeightsOption,
    check_margin,
    check_scale,
)
from meantime.statistics.estimation.pooling import Estimates, counted_cells, pool
from meantime.statistics.estimation.selection import IndexArray
from meantime.statistics.estimation.uncertainty import Reliability
from meantime.statistics.kinds import PLACE_NAME
from meantime.statistics.result import Column, Result, records_of, taken
from meantime.statistics.statistic import StatisticData


@dataclass(frozen=True, kw_only=True)
class Pairwise(Filters):
    """All pairs of locations, or those of one ``place``, over the years and strata that all locations have."""

    name = "pairwise"
    title = "Pairs of locations"
    summary = "Which locations differ from each other, or from one of them, with adjusted p-values and verdicts."
    unit = "percent"
    method = "pairwise/1: location minus another over the years and strata that all have, two-sided z-tests"
    example: ClassVar = {"question": "Q036", "years": [2023], "place": "Ohio"}
    documentation = "methods/pairwise.md"

    place: Annotated[
        str | None,
        PLACE_NAME,
        "The location that all others are compared with.",
        Default("none: all pairs"),
        Example("Ohio"),
    ] = None
    adjust: AdjustOption = "bh"
    margin: MarginOption = None
    weights: WeightsOption = "none"
    scale: ScaleOption = "auto"
    level: LevelOption = 0.95
    explain: ExplainOption = False

    def check(self, places: Places) -> None:
        """Check the scale and the margin, that there are two locations, and that ``place`` is one of them."""
        cube = places.cube
        check_scale(cube, self.question, self.scale)
        check_margin(cube, self.question, self.margin)
        if len(places.locations) < 2:
            raise InvalidParameterError(
                "locations: a pair takes two locations; name another, or leave locations out", field="locations"
            )
        names = [cube.locations[index].name for index in places.locations]
        if self.place is not None and self.place not in names:
            raise InvalidParameterError(
                f"place: {self.place} is none of the locations; name it among them, or include its kind",
                field="place",
                accepted=names,
            )

    def compute(self, data: StatisticData) -> Result:
        """Return one record per pair, by the name of ``location``, then of ``against``.

        ``difference`` is location minus ``against``, in the question's unit. Of all pairs each is there once, the name
        that comes first as ``location``; with ``place`` it is ``against`` in all records. All locations are compared
        over the years and strata that all of them have (``matching.unshared_cells``); who has no value there is in no
        pair, and a caution names it.

        Raises
        ------
        StatisticError
            The dataset has no row there, fewer than two locations or not ``place`` have a value in the same years and
            strata, or there are more than ``MAXIMUM_RECORDS`` pairs.

        Notes
        -----
        See ``contrasts.contrasts``; p-values are adjusted over the pairs of the answer.
        """
        selection = self.select(data.cube)
        matched = shared(group(selection, [LOCATION]), counted_cells(selection, weights=self.weights))
        estimates = pool(
            matched.groups, weights=self.weights, scale=self.scale, level=self.level, left_out=matched.left_out
        )
        own, other = self._pairs(estimates)
        found = contrasts(
            estimates.value[own],
            estimates.standard_error[own],
            estimates.value[other],
            estimates.standard_error[other],
            level=self.level,
            direction=selection.question.direction,
            adjust=self.adjust,
            margin=self.margin,
        )
        over = "all pairs" if self.place is None else f"all pairs with {self.place}"
        return Result(
            records=records_of(_columns(estimates, matched.columns(), own, other, found)),
            unit=selection.question.unit,
            method=f"{estimates.method(self.versioned_method())}; {over}, each over the years and strata that all"
            f" locations have; {TEST_FORMULA}; {found.method()}",
            cautions=(
                *cautions_of(estimates),
                *cautions_of_direction(selection),
                *cautions_of_own_weights(estimates),
                *matched.cautions(),
                *cautions_of_shared_people(selection, selection),
                *cautions_of_lacking_states([selection]),
                *found.cautions(),
            ),
            explanation=explain(estimates, [_pitfall(found)]) if self.explain else None,
        )

    def _pairs(self, estimates: Estimates) -> tuple[IndexArray, IndexArray]:
        """Return the two sides of each pair, as places among the estimates; errors as for ``compute``."""
        names = estimates.groups.location_names()
        valued = np.flatnonzero(~np.isnan(estimates.value))
        if len(valued) < 2:
            raise StatisticError(
                "fewer than two locations have a value in the same years and strata, so nothing can be compared;"
                " choose one year, or widen the filters"
            )
        if self.place is not None:
            kept = [names[index] for index in valued.tolist()]
            if self.place not in kept:
                raise StatisticError(
                    f"{self.place} has no value in the years and strata that the others have; choose another location,"
                    " year or stratum"
                )
            place = valued[kept.index(self.place)]
            others = valued[valued != place]
            return others, np.full(len(others), place)
        count = len(valued) * (len(valued) - 1) // 2
        if count > MAXIMUM_RECORDS:
            raise StatisticError(
                f"{count} pairs are more than the {MAXIMUM_RECORDS} records that one answer may have;"
                " name fewer locations, or a place that they are compared with"
            )
        first, second = np.triu_indices(len(valued), 1)
        return valued[first], valued[second]


def _columns(
    estimates: Estimates, matched: dict[str, Column], own: IndexArray, other: IndexArray, found: Contrasts
) -> dict[str, Column]:
    """Return the fields of the pairs."""
    columns = taken(estimates.groups.dimension_columns() | estimates.common_columns(), own)
    is_reliable = estimates.is_reliable[own] & estimates.is_reliable[other]
    columns["reliability"] = np.where(is_reliable, Reliability.OK.value, Reliability.CAUTION.value).tolist()
    columns |= found.columns(estimates.low[other], estimates.high[other])
    against = taken(
        {
            "reference_sample_size": estimates.common_columns()["sample_size"],
            "against": estimates.groups.location_names(),
        },
        other,
    )
    return columns | against | taken({"cells_matched": matched["cells_matched"]}, own)


def _pitfall(found: Contrasts) -> str:
    return (
        f"{found.unclear_count} of {found.test_count} pairs can't be told apart. That doesn't make groups of them: of"
        " three locations the first may differ from the third, and the second from neither."
    )
