"""What each cell of a selection counts under the weights of a request, before cells are pooled.

The sums are over the estimates that count: those with a value, and the weight that is asked for. How cells become one
estimate is in ``pooling.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from meantime.statistics.estimation.options import Weights
from meantime.statistics.estimation.published_limits import cell_variances
from meantime.statistics.estimation.selection import Selection
from meantime.statistics.kinds import PopulationRow
from meantime.survey.cube.limits import Scale
from meantime.survey.cube.survey_cube import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class WeightedCells:
    """Per cell: how many estimates count, how many of them have an SE and their persons, and sums over them."""

    count: FloatArray
    error_count: FloatArray
    sample_size: FloatArray
    weight: FloatArray
    weighted_value: FloatArray
    weighted_variance: FloatArray

    def without(self, left_out: BoolArray) -> WeightedCells:
        """Return the sums with nothing in some cells."""
        return WeightedCells(*(np.where(left_out, 0.0, getattr(self, column.name)) for column in fields(self)))


def estimate_counts(selection: Selection, weights: Weights, population: Sequence[PopulationRow] | None) -> FloatArray:
    """Return how many estimates of each cell have a value and the weight that is asked for."""
    source, take = selection.cube.cells, selection.cells
    if weights is Weights.SAMPLE_SIZE:
        return source.sample_count[take].astype(np.float64)
    if weights is Weights.INVERSE_VARIANCE:
        return source.precision_count[take].astype(np.float64)
    count = source.value_count[take].astype(np.float64)
    return count if weights is Weights.NONE else count * (_people(selection, population or ()) > 0)


def weighted_cells(
    selection: Selection, weights: Weights, population: Sequence[PopulationRow] | None, scale: Scale
) -> WeightedCells:
    """Return the sums of each cell under the weights."""
    source, take = selection.cube.cells, selection.cells
    count = source.value_count[take].astype(np.float64)
    errors = source.variance_count[take].astype(np.float64)
    values, size = source.value_sum[take], source.sample_size_sum[take]
    variance = cell_variances(selection.cube, scale)[take]
    if weights is Weights.NONE:
        return WeightedCells(count, errors, size, count, values, variance)
    if weights is Weights.SAMPLE_SIZE:
        weighted_variance = np.where(count == 1, size**2 * variance, source.sample_variance_sum[take])
        return WeightedCells(
            source.sample_count[take].astype(np.float64),
            source.sample_variance_count[take].astype(np.float64),
            size,
            size,
            source.sample_value_sum[take],
            weighted_variance,
        )
    if weights is Weights.INVERSE_VARIANCE:
        precise = source.precision_count[take].astype(np.float64)
        single = (count == 1) & (variance > 0)
        precision = np.divide(1.0, variance, out=source.precision_sum[take].copy(), where=single)
        weighted_value = np.where(single, values * precision, source.precision_value_sum[take])
        # Of several estimates in one cell it isn't known whose persons they are.
        size = np.where(precise == count, size, np.nan)
        return WeightedCells(precise, precise, size, precision, weighted_value, precision)
    people = _people(selection, population or ())
    known = people > 0
    return WeightedCells(count * known, errors * known, size, people * count, people * values, people**2 * variance)


def _people(selection: Selection, population: Sequence[PopulationRow]) -> FloatArray:
    """Return the population of each cell's location and year, 0 where the table has none."""
    cube, first = selection.cube, selection.years[0]
    table = np.zeros((len(cube.locations), selection.years[-1] - first + 1))
    for row in population:
        if first <= row.year <= selection.years[-1]:
            table[cube.location_index[row.location], row.year - first] = row.population
    return table[cube.cells.location[selection.cells], cube.cells.year[selection.cells] - first]
