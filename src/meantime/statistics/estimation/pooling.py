"""Pooling published estimates into one estimate per group, with its standard error and interval.

Every pooled value is sum(w v) / sum(w) with SE = sqrt(sum(w^2 SE^2)) / sum(w) over single estimates, whatever the
weights; cells hold those sums, so that it doesn't matter how estimates are spread over cells. Which cells form a group
is in ``grouping.py``; what is done with the estimates (ranking, differences, trends) is in its own module.

Sources
-------
W. G. Cochran, Sampling Techniques, 3rd ed., Wiley 1977, chapter 5 (means of independent strata, weighted).
W. G. Cochran, The combination of estimates from different experiments, Biometrics 10, 1954 (inverse variance).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from meantime.statistics.estimation.grouping import Groups
from meantime.statistics.estimation.options import Weights, resolved_scale
from meantime.statistics.estimation.published_limits import PublishedLimits, odd_cells
from meantime.statistics.estimation.selection import IndexArray, Selection
from meantime.statistics.estimation.uncertainty import Reliability, flags, interval, is_reliable
from meantime.statistics.estimation.weighting import WeightedCells, estimate_counts, weighted_cells
from meantime.statistics.kinds import PopulationRow
from meantime.statistics.result import Column, whole
from meantime.survey.cube.limits import Scale, highest_value
from meantime.survey.cube.survey_cube import BoolArray, FloatArray

FORMULAS = {
    Weights.NONE: "unweighted mean sum(v) / k, SE = sqrt(sum(SE^2)) / k",
    Weights.SAMPLE_SIZE: "mean weighted by sample size n, sum(n v) / sum(n), SE = sqrt(sum(n^2 SE^2)) / sum(n)",
    Weights.INVERSE_VARIANCE: "inverse-variance mean sum(v / SE^2) / sum(1 / SE^2), SE = sqrt(1 / sum(1 / SE^2))",
    Weights.POPULATION: "mean weighted by population P, sum(P v) / sum(P), SE = sqrt(sum(P^2 SE^2)) / sum(P)",
}


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """One pooled estimate per group; arrays of one length, NaN where a number is unknown.

    ``sample_size`` are the persons behind the estimates that entered the value, as far as they are known.
    ``cells_used`` counts those estimates, ``cells_suppressed`` those without a value, ``cells_unweighted`` those with a
    value but no weight. ``is_reliable`` tells whether a value passes CDC's rule and no single estimate in it has a
    standard error of 0 or lies outside its own limits. ``scale_reason`` says why the scale was chosen, where nobody
    asked for it. ``sums`` are the intermediate sums by name. ``cell_weight`` has the weight of one estimate in each
    cell of the selection.
    """

    groups: Groups
    weights: Weights
    scale: Scale
    scale_reason: str
    level: float
    value: FloatArray
    standard_error: FloatArray
    low: FloatArray
    high: FloatArray
    sample_size: FloatArray
    cells_used: IndexArray
    cells_suppressed: IndexArray
    cells_unweighted: IndexArray
    is_reliable: BoolArray
    sums: Mapping[str, FloatArray]
    cell_weight: FloatArray

    def __len__(self) -> int:
        return len(self.value)

    def common_columns(self) -> dict[str, Column]:
        """Return the fields that every record has, by name."""
        return {
            "value": self.value,
            "standard_error": self.standard_error,
            "low": self.low,
            "high": self.high,
            "sample_size": whole(self.sample_size),
            "cells_used": self.cells_used,
            "cells_suppressed": self.cells_suppressed,
            "reliability": self.reliability(),
        }

    def reliability(self) -> list[str]:
        """Return the flag of each estimate; see ``Reliability``."""
        without = np.where(self.cells_unweighted > 0, Reliability.UNWEIGHTED.value, Reliability.SUPPRESSED.value)
        return flags(self.value, self.is_reliable, without)

    def method(self, name: str) -> str:
        """Return how the values were made, in words."""
        computed = f"{100 * self.level:g} % normal interval on the {self.scale} scale"
        reason = f"; {self.scale_reason}" if self.scale_reason else ""
        if (self.cells_used <= 1).all():
            limits = "their published limits"
            if self.level != 0.95:
                limits += f", each moved to {100 * self.level:g} % on the {self.scale} scale"
            return f"{name}: single estimates with {limits}; standard errors read on the {self.scale} scale{reason}"
        return f"{name}: {FORMULAS[self.weights]}; {computed}; standard errors read on it too{reason}"


def worse_reliability(first: Estimates, second: Estimates) -> list[str]:
    """Return the flags of the first estimates, no better than those of what they are compared with."""
    doubtful = ~np.isnan(second.value) & ~second.is_reliable
    return [
        Reliability.CAUTION.value if doubt and own == Reliability.OK else own
        for own, doubt in zip(first.reliability(), doubtful.tolist(), strict=True)
    ]


def pool(
    groups: Groups,
    *,
    weights: str = Weights.NONE,
    population: Sequence[PopulationRow] | None = None,
    scale: str = Scale.LINEAR,
    level: float = 0.95,
    left_out: BoolArray | None = None,
) -> Estimates:
    """Pool the estimates of each group.

    Parameters
    ----------
    groups
        The cells that belong together.
    weights
        One of ``Weights``.
    population
        The population table, for the weights ``population``.
    scale
        One of ``Scale``, or ``auto`` for the one on which the table's limits are symmetric. On it a standard error is
        read off the limits where a cell holds a single estimate; else on the linear scale.
    level
        The probability that an interval covers the truth.
    left_out
        Cells of the groups' selection that don't enter the values, such as those of ``matching.py``. They still count
        among what is suppressed.

    Returns
    -------
    Estimates
        In the order of the groups; value and limits in the question's unit.

    Notes
    -----
    Estimates without a value never count. Without weights, an estimate without limits counts in the value but not
    in a standard error, which is then unknown for the group; an estimate without the weight that was
    asked for doesn't count at all. Estimates are taken as independent, which is nearly so for different
    locations, and not so for overlapping strata or for a location and the nation. The interval of a single estimate
    is the published one, moved to the level.
    """
    selection = groups.selection
    weights, (resolved, reason) = Weights(weights), resolved_scale(selection.cube, selection.question, scale)
    highest = highest_value(selection.question.unit)
    cells = weighted_cells(selection, weights, population, resolved)
    if left_out is not None and left_out.any():
        cells = cells.without(left_out)
    else:
        left_out = None
    used, known = groups.total(cells.count), groups.total(cells.error_count)
    weight, value_sum = groups.total(cells.weight), groups.total(cells.weighted_value)
    variance = groups.total(cells.weighted_variance)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(weight > 0, value_sum / weight, np.nan)
        standard_error = np.where((weight > 0) & (known == used), np.sqrt(variance) / weight, np.nan)
        low, high = _published(groups, cells, used, highest).at_level(level, resolved)
        if np.isnan(low[weight > 0]).any():
            computed = interval(value, standard_error, level=level, scale=resolved, highest=highest)
            low, high = (np.where(np.isnan(low), own, limit) for limit, own in zip((low, high), computed, strict=True))
    take, source, counted = selection.cells, selection.cube.cells, cells.count > 0
    value_count, row_count = groups.total(source.value_count[take]), groups.total(source.row_count[take])
    left_count = 0.0 if left_out is None else groups.total(source.value_count[take] * left_out)
    sized = counted & (source.sample_count[take] > 0)
    size = groups.total(np.where(sized, cells.sample_size, 0.0))
    sample_size = np.where(groups.total(sized) > 0, size, np.nan)
    has_odd = groups.total(counted & odd_cells(selection.cube)[take]) > 0
    return Estimates(
        groups=groups,
        weights=weights,
        scale=resolved,
        scale_reason=reason,
        level=level,
        value=value,
        standard_error=standard_error,
        low=low,
        high=high,
        sample_size=sample_size,
        cells_used=used.astype(np.intp),
        cells_suppressed=(row_count - value_count).astype(np.intp),
        cells_unweighted=(value_count - left_count - used).astype(np.intp),
        is_reliable=is_reliable(value, standard_error, sample_size) & ~has_odd,
        sums={"weight_sum": weight, "weighted_value_sum": value_sum, "weighted_variance_sum": variance},
        cell_weight=np.divide(cells.weight, cells.count, out=np.full(len(take), np.nan), where=counted),
    )


def counted_cells(
    selection: Selection, *, weights: str = Weights.NONE, population: Sequence[PopulationRow] | None = None
) -> BoolArray:
    """Return whether each cell of a selection counts in ``pool``: it has a value, and the weight that is asked for."""
    counted: BoolArray = estimate_counts(selection, Weights(weights), population) > 0
    return counted


def _published(groups: Groups, cells: WeightedCells, used: FloatArray, highest: float) -> PublishedLimits:
    """Return the published limits of each group that is one estimate with both limits, NaN for the others."""
    source, take = groups.selection.cube.cells, groups.selection.cells
    single = used == 1
    if not single.any():
        unknown = np.full(len(groups), np.nan)
        return PublishedLimits(unknown, unknown, unknown, highest)
    place = groups.total(np.where(cells.count > 0, np.arange(len(take)), 0))
    cell = take[np.where(single, place, 0).astype(np.intp)]
    low, high = source.low[cell], source.high[cell]
    # Limits in the wrong order are kept in a cell, but give it no standard error; then they are no interval either.
    single &= (source.variance_count[cell] == 1) & ~np.isnan(low) & ~np.isnan(high)
    value, low, high = (np.where(single, column, np.nan) for column in (source.value_sum[cell], low, high))
    return PublishedLimits(value, low, high, highest)
