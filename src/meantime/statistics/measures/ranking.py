"""The statistic ``ranking``: locations in order, with what can't be told apart.

Sources
-------
H. Goldstein and D. J. Spiegelhalter, League tables and their limitations, Journal of the Royal Statistical Society
A 159, 1996: why ranks need intervals. M. Klein, T. Wright and J. Wieczorek, A joint confidence region for an overall
ranking of populations, Journal of the Royal Statistical Society C 69, 2020: ranks between 1 + the number
significantly better and n - the number significantly worse (here with one test per pair, uncorrected).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

import numpy as np

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.estimation.cautions import cautions_of, listed
from meantime.statistics.estimation.contrasts import EQUAL_WITHIN
from meantime.statistics.estimation.explanation import explain as explanation_of
from meantime.statistics.estimation.grouping import LOCATION, group
from meantime.statistics.estimation.pooling import pool
from meantime.statistics.estimation.pooling_options import EXPLAIN, LEVEL, SCALE, WEIGHTS, settle_scale
from meantime.statistics.estimation.selection import FILTERS, Filters, IndexArray, select, settle_filters
from meantime.statistics.estimation.uncertainty import normal_quantile
from meantime.statistics.parameters import Parameter, ParameterKind
from meantime.statistics.result import Column, Record, Result, records_of
from meantime.survey.cube.survey_cube import BoolArray, FloatArray, SurveyCube
from meantime.survey.questions import Direction

METHOD = "ranking/1"
BEST, WORST, HIGHEST, LOWEST = "best", "worst", "highest", "lowest"
TIE_DECIMALS = 9

K = Parameter(
    name="k",
    kind=ParameterKind.INTEGER,
    summary="How many locations are asked for; those tied with the last of them come along.",
    default=5,
    minimum=1,
    maximum=1000,
    example=5,
)
END = Parameter(
    name="end",
    kind=ParameterKind.CHOICE,
    summary="Which end comes first; highest and lowest need no direction of the question.",
    choices=(BEST, WORST, HIGHEST, LOWEST),
    default=BEST,
    example=BEST,
)
PARAMETERS = (*FILTERS, K, END, WEIGHTS, SCALE, LEVEL, EXPLAIN)


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """Ranks from 1 in one order of the estimates; ``low`` and ``high`` bound what the data allow."""

    rank: IndexArray
    low: IndexArray
    high: IndexArray
    tied: BoolArray


def settle(cube: SurveyCube, arguments: dict[str, object]) -> dict[str, object]:
    """Fill defaults that depend on the data and check what depends on several parameters.

    Raises
    ------
    InvalidParameterError
        ``end`` is best or worst, and nobody has said which end of the question's scale is better.
    """
    settle_filters(cube, arguments)
    settle_scale(cube, arguments)
    direction = cube.questions[cube.question_index[str(arguments["question"])]].direction
    if direction is None and arguments["end"] in (BEST, WORST):
        raise InvalidParameterError(
            "end: nobody has said which end of this question is better; ask for highest or lowest,"
            " or state the direction in a mapping file",
            field="end",
            accepted=(HIGHEST, LOWEST),
        )
    return arguments


def ranks(value: FloatArray, standard_error: FloatArray, *, level: float) -> Ranks:
    """Return ranks and rank intervals of estimates that are in order, the first rank first.

    Parameters
    ----------
    value, standard_error
        In order, all of one unit; a standard error may be NaN.
    level
        1 - level is the size of each pairwise test.

    Returns
    -------
    Ranks
        rank = 1 + number of estimates before it that are not equal to it within nine decimals, so ties share a
        rank. The interval runs from 1 + number of estimates significantly before it to n - number significantly
        after it; an estimate without a standard error is never significantly different.

    Notes
    -----
    Pairwise two-sided z-tests with SE = sqrt(SE_a^2 + SE_b^2), without correction for their number.
    """
    rounded = np.round(value, TIE_DECIMALS)
    starts = np.r_[True, rounded[1:] != rounded[:-1]]
    rank = np.maximum.accumulate(np.where(starts, np.arange(1, len(value) + 1), 1))
    tied = np.bincount(rank)[rank] > 1
    different = _significant(value, standard_error, level=level)
    places = np.arange(len(value))
    before = (different & (places[None, :] < places[:, None])).sum(axis=1)
    after = (different & (places[None, :] > places[:, None])).sum(axis=1)
    return Ranks(rank, 1 + before, len(value) - after, tied)


def _significant(value: FloatArray, standard_error: FloatArray, *, level: float) -> BoolArray:
    """Return whether each pair of estimates differs significantly (square, symmetric)."""
    gap = np.abs(value[:, None] - value[None, :])
    error = np.sqrt(standard_error[:, None] ** 2 + standard_error[None, :] ** 2)
    return (gap > normal_quantile(level) * error) & (gap >= EQUAL_WITHIN)


def ranking(
    cube: SurveyCube,
    *,
    k: int,
    end: str,
    weights: str,
    scale: str,
    level: float,
    explain: bool,
    **filters: Unpack[Filters],
) -> Result:
    """Return the first ``k`` locations with rank intervals, and those that can't be told from the last of them.

    Parameters
    ----------
    cube
        The dataset.
    k
        How many locations are asked for.
    end
        ``best``, ``worst``, ``highest`` or ``lowest``: which comes first.
    weights, scale, level, explain
        See ``means.mean``.
    **filters
        See ``selection.Filters``.

    Returns
    -------
    Result
        Records in order of rank, ties by name. ``among_k`` is true for ranks up to k (so for more than k where the
        last are tied); every other record is a location that isn't significantly different from the
        ``k``-th. ``rank_low`` to ``rank_high`` are the ranks that the data allow.

    Raises
    ------
    StatisticError
        No location has a value there.

    Notes
    -----
    See ``ranks``. Locations without a value have no rank; a caution names them.
    """
    selection = select(cube, **filters)
    estimates = pool(group(selection, [LOCATION]), weights=weights, scale=scale, level=level)
    direction = selection.question.direction
    descending = end == HIGHEST or (end != LOWEST and (direction is Direction.HIGHER_IS_BETTER) == (end == BEST))
    rounded = np.round(estimates.value, TIE_DECIMALS)
    order = np.argsort(-rounded if descending else rounded, kind="stable")  # groups are by name, NaN goes last
    order = order[: len(order) - int(np.isnan(rounded).sum())]
    if not len(order):
        raise StatisticError("no location has a value there, so there is nothing to rank; widen the filters")
    found = ranks(estimates.value[order], estimates.standard_error[order], level=level)
    among = found.rank <= k
    last = int(among.sum()) - 1
    differs = _significant(estimates.value[order], estimates.standard_error[order], level=level)[last]
    shown = np.flatnonzero(among | ~differs)
    columns = _taken(estimates.groups.dimension_columns() | estimates.common_columns(), order[shown])
    columns |= {
        "rank": found.rank[shown],
        "rank_low": found.low[shown],
        "rank_high": found.high[shown],
        "tied": found.tied[shown],
        "among_k": among[shown],
        "differs_from_k": differs[shown],
        "ranked_count": np.full(len(shown), len(order)),
        "direction": [None if direction is None else direction.value] * len(shown),
    }
    records = records_of(columns)
    return Result(
        records=records,
        unit=selection.question.unit,
        method=f"{estimates.method(METHOD)}; {_order_in_words(end, direction, descending=descending)}; rank interval"
        " from pairwise two-sided z-tests: 1 + number significantly before to n - number significantly after",
        cautions=(*cautions_of(estimates), *_cautions(records, k)),
        explanation=explanation_of(estimates, [_pitfall(records, len(order))]) if explain else None,
    )


def _taken(columns: dict[str, Column], places: IndexArray) -> dict[str, Column]:
    """Return the columns with only the places, in their order."""
    return {
        name: column[places] if isinstance(column, np.ndarray) else [column[place] for place in places.tolist()]
        for name, column in columns.items()
    }


def _order_in_words(end: str, direction: Direction | None, *, descending: bool) -> str:
    first = "highest" if descending else "lowest"
    if end in (HIGHEST, LOWEST) or direction is None:
        return f"{first} first"
    return f"{end} first, which is the {first} ({direction.replace('_', ' ')})"


def _cautions(records: list[Record], k: int) -> list[str]:
    cautions = []
    among = [record for record in records if record["among_k"]]
    alike = [str(record["location"]) for record in records if not record["among_k"]]
    if alike:
        cautions.append(f"not to be told from rank {among[-1]['rank']}: {len(alike)} more locations ({listed(alike)})")
    if len(among) > k:
        cautions.append(f"rank {among[-1]['rank']} is shared, so {len(among)} locations are among the first {k}")
    if any(record["tied"] for record in records):
        cautions.append("locations with equal values share a rank; their order is by name")
    cautions.append("rank intervals come from one test per pair, without correction for the number of tests")
    return cautions


def _pitfall(records: list[Record], count: int) -> str:
    first = records[0]
    return (
        f"A rank looks exact and is not: {first['location']} is first of {count}, and its true rank may be"
        f" {first['rank_low']} to {first['rank_high']}."
    )
