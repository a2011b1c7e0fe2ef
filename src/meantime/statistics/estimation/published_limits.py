"""What published 95 % limits say about an estimate: its standard error, and its limits at other levels.

Each limit is read by itself, since CDC's aren't at equal distances. On which scale they are is a property of the whole
table (``survey/cube/limits.py``); intervals that are computed from standard errors are in ``uncertainty.py``.

Sources: E. L. Korn and B. I. Graubard, Confidence intervals for proportions with small expected number of positive
counts estimated from survey data, Survey Methodology 24, 1998.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meantime.statistics.estimation.uncertainty import expit, normal_quantile, within_range
from meantime.survey.cube.limits import Scale, highest_value, logit
from meantime.survey.cube.survey_cube import BoolArray, FloatArray, SurveyCube, kept_per_cube
from meantime.survey.questions import Z_95


@dataclass(frozen=True, slots=True, eq=False)
class PublishedLimits:
    """Single estimates and their published limits, arrays of one length; NaN where a limit is unknown.

    ``highest`` is the highest value that their unit allows, one for all or one each, infinity where it isn't known.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    highest: float | FloatArray

    @property
    def is_low_cut_off(self) -> BoolArray:
        """Where the lower limit stands at 0 and says nothing about the error, but the upper one does."""
        open_above: BoolArray = (self.value < self.high) & (self.high < self.highest)
        return (self.low <= 0) & open_above & np.isfinite(self.highest)

    @property
    def is_high_cut_off(self) -> BoolArray:
        """Where the upper limit stands at the highest value, but the lower one says something about the error."""
        open_below: BoolArray = (self.value > self.low) & (self.low > 0)
        return (self.high >= self.highest) & open_below

    def distances(self, scale: Scale) -> tuple[FloatArray, FloatArray]:
        """Return how far the limits are below and above the estimate, on a scale; NaN where that can't be read.

        In place of a limit that is cut off stands the distance of the other one.
        """
        value, low, high = (logit(own) if scale is Scale.LOGIT else own for own in (self.value, self.low, self.high))
        below, above = value - low, high - value
        return np.where(self.is_low_cut_off, above, below), np.where(self.is_high_cut_off, below, above)

    def standard_errors(self, scale: Scale) -> FloatArray:
        """Return the standard errors that the limits imply, in the estimates' unit.

        Returns
        -------
        array
            Linear: (below + above) / (2 x 1.959964) with the distances of the two limits. Logit: the same in logits,
            times p (100 - p) / 100, by the delta method; linear where the estimate or both limits are at 0 or 100.
            NaN where a limit is unknown.

        Notes
        -----
        Korn and Graubard 1998. A standard error that is read on the linear scale off limits that are symmetric in
        logits is too large near 0 and 100, by a third and more below 2 %.
        """
        below, above = self.distances(Scale.LINEAR)
        linear = (below + above) / (2 * Z_95)
        if scale is Scale.LINEAR:
            return linear
        below, above = self.distances(Scale.LOGIT)
        in_logits = self.value * (100 - self.value) / 100 * (below + above) / (2 * Z_95)
        return np.where(np.isnan(in_logits), linear, in_logits)

    def at_level(self, level: float, scale: Scale) -> tuple[FloatArray, FloatArray]:
        """Return the limits at a level; at 0.95 the published ones.

        Parameters
        ----------
        level
            The probability that the interval covers the truth.
        scale
            Each limit keeps its side: its distance on this scale is multiplied by z / 1.959964.

        Returns
        -------
        tuple of arrays
            Within the unit's range, and inside those of every higher level; NaN where a limit is unknown.
        """
        if level == 0.95:
            return self.low, self.high
        factor = normal_quantile(level) / Z_95
        below, above = (factor * np.maximum(distance, 0) for distance in self.distances(Scale.LINEAR))
        low, high = self.value - below, self.value + above
        if scale is Scale.LOGIT:
            centre = logit(self.value)
            below, above = (factor * np.maximum(distance, 0) for distance in self.distances(Scale.LOGIT))
            low = np.where(np.isnan(below), low, np.minimum(expit(centre - below), self.value))
            high = np.where(np.isnan(above), high, np.maximum(expit(centre + above), self.value))
        # A limit that is cut off, or rounded, must not end up on the wrong side of the published one.
        outer, inner = (np.minimum, np.maximum) if level > 0.95 else (np.maximum, np.minimum)
        return within_range(outer(low, self.low), self.highest), within_range(inner(high, self.high), self.highest)


@kept_per_cube
def cell_variances(cube: SurveyCube, scale: Scale) -> FloatArray:
    """Return the sum of SE^2 of each cell, read off its limits where it is one estimate that has them in order."""
    cells, limits = cube.cells, _single_limits(cube)
    with np.errstate(invalid="ignore"):
        errors = limits.standard_errors(scale)
    variances = np.where(np.isnan(errors), cells.variance_sum, errors**2)
    variances.flags.writeable = False
    return variances


@kept_per_cube
def cells_cut_off(cube: SurveyCube) -> BoolArray:
    """Return which cells have a limit that says nothing about the error, so that the other one is read alone."""
    limits = _single_limits(cube)
    found = limits.is_low_cut_off | limits.is_high_cut_off
    found.flags.writeable = False
    return found


@kept_per_cube
def odd_cells(cube: SurveyCube) -> BoolArray:
    """Return which cells are one estimate outside its own limits, or with limits that leave it no error."""
    cells = cube.cells
    outside = (cells.value_sum < cells.low) | (cells.value_sum > cells.high)
    found: BoolArray = (cells.value_count == 1) & (outside | (cells.low == cells.high))
    found.flags.writeable = False
    return found


def _single_limits(cube: SurveyCube) -> PublishedLimits:
    """Return the limits of all cells that are one estimate with limits in order, NaN for the others."""
    cells = cube.cells
    single = (cells.value_count == 1) & (cells.variance_count == 1)
    highest = np.array([highest_value(question.unit) for question in cube.questions], dtype=np.float64)
    value, low, high = (np.where(single, column, np.nan) for column in (cells.value_sum, cells.low, cells.high))
    return PublishedLimits(value, low, high, highest[cells.question])
