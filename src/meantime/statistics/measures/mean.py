"""The statistic ``mean``: published estimates pooled over locations, years or strata.

How estimates are pooled is in ``pooling.py``; the contract's plain means over all rows are in ``contract.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from meantime.statistics.estimation.cautions import cautions_of
from meantime.statistics.estimation.explanation import explain as explanation_of
from meantime.statistics.estimation.explanation import national_pitfalls
from meantime.statistics.estimation.grouping import BY, STRATUM, group
from meantime.statistics.estimation.pooling import pool
from meantime.statistics.estimation.pooling_options import (
    EXPLAIN,
    LEVEL,
    POPULATION,
    SCALE,
    WEIGHTS_WITH_POPULATION,
    PopulationRow,
    settle_population,
    settle_scale,
)
from meantime.statistics.estimation.selection import FILTERS, Filters, chosen_segments, select, settle_filters, texts
from meantime.statistics.result import Result, records_of
from meantime.survey.cube.survey_cube import SurveyCube

METHOD = "mean/1"
PARAMETERS = (*FILTERS, BY, WEIGHTS_WITH_POPULATION, POPULATION, SCALE, LEVEL, EXPLAIN)


def settle(cube: SurveyCube, arguments: dict[str, object]) -> dict[str, object]:
    """Fill defaults that depend on the data and check what depends on several parameters."""
    settle_filters(cube, arguments)
    settle_scale(cube, arguments)
    segments = chosen_segments(cube, texts(arguments["categories"]), texts(arguments["strata"]))
    apart = STRATUM in (texts(arguments["by"]) or ())
    settle_population(arguments, segment_count=len(segments), strata_apart=apart)
    return arguments


def mean(
    cube: SurveyCube,
    *,
    by: Sequence[str],
    weights: str,
    population: Sequence[PopulationRow] | None,
    scale: str,
    level: float,
    explain: bool,
    **filters: Unpack[Filters],
) -> Result:
    """Return the mean of the selected estimates, for each combination of ``by``.

    Parameters
    ----------
    cube
        The dataset.
    by
        Dimensions that are kept apart.
    weights
        ``none``, ``sample_size``, ``inverse_variance`` or ``population``.
    population
        The population table, for the weights ``population``.
    scale
        ``linear`` or ``logit``.
    level
        The probability that an interval covers the truth.
    explain
        Whether to add rows, sums and pitfalls.
    **filters
        See ``selection.Filters``.

    Returns
    -------
    Result
        One record per group that has a row, in the order of ``grouping.py``; a group whose estimates are all
        suppressed has the value None. Unit: the question's.

    Raises
    ------
    StatisticError
        The dataset has no row there, or there would be too many records.

    Notes
    -----
    Without weights sum(v) / k with SE = sqrt(sum(SE^2)) / k; with weights w, sum(w v) / sum(w) with
    SE = sqrt(sum(w^2 SE^2)) / sum(w) (Cochran 1977, chapter 5), where w is the sample size, 1 / SE^2 (Cochran 1954)
    or the population. Missing values: see ``pooling.pool``.
    """
    groups = group(select(cube, **filters), by)
    estimates = pool(groups, weights=weights, population=population, scale=scale, level=level)
    return Result(
        records=records_of(groups.dimension_columns() | estimates.common_columns()),
        unit=groups.selection.question.unit,
        method=estimates.method(METHOD),
        cautions=cautions_of(estimates),
        explanation=explanation_of(estimates, national_pitfalls(estimates)) if explain else None,
    )
