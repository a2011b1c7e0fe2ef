"""The statistic ``ranking``: locations in order, with what can't be told apart.

Sources
-------
H. Goldstein and D. J. Spiegelhalter, League tables and their limitations, Journal of the Royal Statistical Society
A 159, 1996: why ranks need intervals. How those come about, with sources, is in
``estimation/comparisons/joint_ranks.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from meantime.errors import InvalidParameterError, StatisticError
from meantime.fields.fields import Example
from meantime.fields.kinds import Choice, WholeNumber
from meantime.statistics.estimation.cautions import cautions_of, listed
from meantime.statistics.estimation.comparisons.joint_ranks import RankIntervals, Ranks, ranks
from meantime.statistics.estimation.comparisons.matching import Shared, cautions_of_own_weights, shared
from meantime.statistics.estimation.comparisons.verdicts import why_undirected
from meantime.statistics.estimation.explanation import explain
from meantime.statistics.estimation.filters import Filters, Places
from meantime.statistics.estimation.grouping import LOCATION, group
from meantime.statistics.estimation.options import (
    ExplainOption,
    LevelOption,
    ScaleOption,
    WeightsOption,
    check_scale,
)
from meantime.statistics.estimation.pooling import Estimates, counted_cells, pool
from meantime.statistics.estimation.selection import IndexArray
from meantime.statistics.estimation.uncertainty import TIE_DECIMALS
from meantime.statistics.result import Record, Result, records_of, taken
from meantime.statistics.statistic import StatisticData
from meantime.survey.questions import Direction

BEST, WORST, HIGHEST, LOWEST = "best", "worst", "highest", "lowest"

LARGEST_K = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """All locations that have a rank: their places among the estimates, the first rank first, and their ranks."""

    matched: Shared
    estimates: Estimates
    order: IndexArray
    ranks: Ranks


@dataclass(frozen=True, kw_only=True)
class Ranking(Filters):
    """The first ``k`` locations with rank intervals, and those that can't be told from the last of them."""

    name = "ranking"
    title = "Ranking with rank intervals"
    summary = "The best or worst locations, with rank intervals and those that can't be told from the last of them."
    unit = "percent"
    method = "ranking/3: order of estimates over the same years and strata, with rank intervals"
    example: ClassVar = {"question": "Q036", "years": [2023], "k": 5, "end": "best"}
    documentation = "methods/ranking.md"

    k: Annotated[
        int,
        WholeNumber(1, LARGEST_K),
        "How many locations are asked for; those tied with the last of them come along.",
        Example(5),
    ] = 5
    end: Annotated[
        str,
        Choice((BEST, WORST, HIGHEST, LOWEST), any_case=True),
        "Which end comes first; highest and lowest need no direction of the question.",
        Example(BEST),
    ] = BEST
    rank_intervals: Annotated[
        str,
        Choice(tuple(RankIntervals), any_case=True),
        "For what the level of rank intervals stands: for all of them at once (`joint`; `non_overlap` is simpler and"
        " wider), or for each pair of locations.",
        Example("joint"),
    ] = RankIntervals.JOINT
    weights: WeightsOption = "none"
    scale: ScaleOption = "auto"
    level: LevelOption = 0.95
    explain: ExplainOption = False

    def check(self, places: Places) -> None:
        """Check the scale, and that somebody has said which end is better if that is asked for."""
        cube = places.cube
        check_scale(cube, self.question, self.scale)
        question = cube.questions[cube.question_index[self.question]]
        if question.direction is None and self.end in (BEST, WORST):
            raise InvalidParameterError(
                f"end: {why_undirected(question)}; ask for highest or lowest, or state the direction in a mapping file",
                field="end",
                accepted=(HIGHEST, LOWEST),
            )

    def compute(self, data: StatisticData) -> Result:
        """Return records in order of rank, ties by name.

        All are ranked over the years and strata that all of them have, so that a missing year doesn't decide a rank;
        see ``matching.unshared_cells``. ``among_k`` is true for ranks up to k (so for more than k where the last are
        tied); every other record is a location that some one at the last of these ranks can't be told from, or whose
        rank interval reaches k. ``rank_low`` to ``rank_high`` are the ranks that the data allow; see ``ranks``. A
        location is surely among k if all of them are up to k, and possibly if one is.
        Locations without a value, or without a year and stratum in common with the others, have no rank; a caution
        names them.

        Raises
        ------
        StatisticError
            The dataset has no row there, no location has a value, or no two have one in the same year and stratum.
        """
        ranked = self.ranked(data)
        matched, estimates, order, found = ranked.matched, ranked.estimates, ranked.order, ranked.ranks
        selection = estimates.groups.selection
        direction = selection.question.direction
        among = found.rank <= self.k
        # Of several that share the last rank, the one that comes last by name decides nothing.
        differs = found.different[found.rank == found.rank[among][-1]].all(axis=0)
        shown = np.flatnonzero(among | ~differs | (found.low <= self.k))
        columns = estimates.groups.dimension_columns() | estimates.common_columns() | matched.columns()
        columns = taken(columns, order[shown])
        columns |= {
            "rank": found.rank[shown],
            "rank_low": found.low[shown],
            "rank_high": found.high[shown],
            "tied": found.tied[shown],
            "among_k": among[shown],
            "surely_among_k": found.high[shown] <= self.k,
            "possibly_among_k": found.low[shown] <= self.k,
            "differs_from_k": differs[shown],
            "ranked_count": np.full(len(shown), len(order)),
            "direction": [None if direction is None else direction.value] * len(shown),
        }
        records = records_of(columns)
        return Result(
            records=records,
            unit=selection.question.unit,
            method=f"{estimates.method(self.versioned_method())}; {self._order_in_words(direction)}; rank interval:"
            f" 1 + number surely before to n - number surely after, by {found.method}",
            cautions=(
                *cautions_of(estimates),
                *cautions_of_own_weights(estimates),
                *matched.cautions(),
                *_cautions(records, self.k, is_pairwise=self.rank_intervals == RankIntervals.PAIRWISE),
            ),
            explanation=explain(estimates, [_pitfall(records, len(order))]) if self.explain else None,
        )

    def ranked(self, data: StatisticData) -> Ranked:
        """Return all locations that have a rank, whatever ``k`` is; errors as for ``compute``."""
        selection = self.select(data.cube)
        counted = counted_cells(selection, weights=self.weights)
        matched = shared(group(selection, [LOCATION]), counted)
        estimates = pool(
            matched.groups, weights=self.weights, scale=self.scale, level=self.level, left_out=matched.left_out
        )
        rounded = np.round(estimates.value, TIE_DECIMALS)
        is_descending = self._is_descending(selection.question.direction)
        order = np.argsort(-rounded if is_descending else rounded, kind="stable")  # groups are by name, NaN goes last
        order = order[: len(order) - int(np.isnan(rounded).sum())]
        if not len(order):
            raise StatisticError(
                "no two locations have a value in the same year and stratum, so nothing can be ranked; choose one year"
                if counted.any()
                else "no location has a value there, so there is nothing to rank; widen the filters"
            )
        found = ranks(
            estimates.value[order],
            estimates.standard_error[order],
            level=self.level,
            kind=self.rank_intervals,
            checkpoint=data.checkpoint,
        )
        return Ranked(matched, estimates, order, found)

    def _is_descending(self, direction: Direction | None) -> bool:
        if self.end in (HIGHEST, LOWEST):
            return self.end == HIGHEST
        return (direction is Direction.HIGHER_IS_BETTER) == (self.end == BEST)

    def _order_in_words(self, direction: Direction | None) -> str:
        first = HIGHEST if self._is_descending(direction) else LOWEST
        if self.end in (HIGHEST, LOWEST) or direction is None:
            return f"{first} first"
        return f"{self.end} first, which is the {first} ({direction.replace('_', ' ')})"


def _cautions(records: list[Record], k: int, *, is_pairwise: bool) -> list[str]:
    cautions = []
    among = [record for record in records if record["among_k"]]
    alike = [str(record["location"]) for record in records if not record["among_k"]]
    if alike:
        cautions.append(
            f"not to be told from rank {among[-1]['rank']}, or perhaps before it: {len(alike)} more locations"
            f" ({listed(alike)})"
        )
    if len(among) > k:
        cautions.append(f"rank {among[-1]['rank']} is shared, so {len(among)} locations are among the first {k}")
    if any(record["tied"] for record in records):
        cautions.append("locations with equal values share a rank; their order is by name")
    surely = [str(record["location"]) for record in records if record["surely_among_k"]]
    possibly = sum(bool(record["possibly_among_k"]) for record in records)
    if len(surely) < len(among):
        names = f"{len(surely)} locations ({listed(surely)})" if surely else "no location"
        cautions.append(f"surely among the first {k}: {names}; possibly: {possibly}")
    if is_pairwise:
        cautions.append(
            "rank intervals come from one test per pair, without correction for the number of tests, so they needn't"
            " hold together; ask for rank_intervals joint"
        )
    return cautions


def _pitfall(records: list[Record], count: int) -> str:
    first = records[0]
    return (
        f"A rank looks exact and is not: {first['location']} is first of {count}, and its true rank may be"
        f" {first['rank_low']} to {first['rank_high']}."
    )
