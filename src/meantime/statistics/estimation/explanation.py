"""What ``explain`` adds to an answer: the rows used, the intermediate sums, and the pitfalls in plain words.

Nothing is computed here that an answer rests on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from meantime.errors import StatisticError
from meantime.statistics.estimation.cautions import pools_locations
from meantime.statistics.estimation.grouping import LOCATION, STRATUM, YEAR, Groups, group
from meantime.statistics.estimation.options import Weights
from meantime.statistics.estimation.pooling import FORMULAS, Estimates, pool
from meantime.statistics.estimation.selection import IndexArray, Selection
from meantime.statistics.result import Column, Record, records_of
from meantime.survey.questions import LocationKind

ROW_LIMIT = 1000
"""At most so many rows are shown; ``row_count`` says how many there are."""


def explain(
    estimates: Estimates, pitfalls: Sequence[str], *, references: Mapping[str, Estimates] | None = None
) -> dict[str, object]:
    """Return the explanation of some estimates.

    Parameters
    ----------
    estimates
        What the answer rests on.
    pitfalls
        What is easily misread, in plain words.
    references
        Other estimates that the answer compares with, by name.

    Returns
    -------
    dict
        ``formula``; ``row_count``, ``rows_truncated`` and ``rows`` (the cells with a value); ``sums`` (per group);
        ``pitfalls``; and the same but pitfalls for each of ``references``.
    """
    explanation = _explained(estimates)
    explanation["pitfalls"] = list(pitfalls)
    for name, reference in (references or {}).items():
        explanation[name] = _explained(reference)
    return explanation


def _explained(estimates: Estimates) -> dict[str, object]:
    groups = estimates.groups
    counted = np.flatnonzero(~np.isnan(estimates.cell_weight))
    sums: dict[str, Column] = {**groups.dimension_columns(), **estimates.sums}
    return {
        "formula": FORMULAS[estimates.weights],
        "row_count": len(counted),
        "rows_truncated": len(counted) > ROW_LIMIT,
        "rows": _rows(estimates, counted[:ROW_LIMIT]),
        "sums": records_of(sums),
    }


def _rows(estimates: Estimates, places: IndexArray) -> list[Record]:
    selection = estimates.groups.selection
    cells = selection.cube.cells
    take = selection.cells[places]
    one_each = Groups(selection, (LOCATION, YEAR, STRATUM), np.arange(len(places)), places)
    count = cells.value_count[take]
    with np.errstate(invalid="ignore", divide="ignore"):
        known = cells.variance_count[take] == count
        error = np.where(known, np.sqrt(cells.variance_sum[take]) / count, np.nan)
        size = np.where(cells.sample_count[take] > 0, cells.sample_size_sum[take], np.nan)
    return records_of(
        {
            **one_each.dimension_columns(),
            "value": cells.value_sum[take] / count,
            "standard_error": error,
            "low": cells.low[take],
            "high": cells.high[take],
            "sample_size": size,
            "weight": estimates.cell_weight[places],
        }
    )


def national_pitfalls(estimates: Estimates) -> list[str]:
    """Return the pitfall of averaging locations, with the nation's own value where the dataset has one."""
    groups, selection = estimates.groups, estimates.groups.selection
    if not pools_locations(groups) or estimates.weights is Weights.POPULATION or len(estimates) != 1:
        return []
    text = f"You averaged {estimates.cells_used[0]} estimates of locations of unequal population"
    nation = _nation(selection)
    if nation is None:
        return [f"{text}."]
    name, value, limits = nation
    return [f"{text} and got {estimates.value[0]:.1f}; the table's own value for {name} is {value:.1f}{limits}."]


def _nation(selection: Selection) -> tuple[str, float, str] | None:
    """Return name, published value and limits of the nation in the selected year and stratum, if it has one cell."""
    cube = selection.cube
    for index, location in enumerate(cube.locations):
        if location.kind is not LocationKind.NATION or index in selection.locations:
            continue
        try:
            cells = selection.elsewhere(locations=(index,))
        except StatisticError:
            continue
        own = pool(group(cells, ()))
        if own.cells_used[0] == 1:
            limits = "" if np.isnan(own.low[0]) else f" ({own.low[0]:.1f} to {own.high[0]:.1f})"
            return location.name, float(own.value[0]), limits
    return None
