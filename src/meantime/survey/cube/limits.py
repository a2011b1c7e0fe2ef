"""On which scale the published limits of a table are symmetric: a property of a whole table, decided once.

CDC's BRFSS estimates have limits that are symmetric in logits, its WIC estimates limits that are symmetric in
percentage points. What is read off limits is in ``statistics/estimation/uncertainty.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from meantime.survey.cube.survey_cube import BoolArray, FloatArray, SurveyCube, kept_per_cube
from meantime.survey.questions import PERCENT, SCALES

_MOST_DECIMALS = 6


class Scale(StrEnum):
    """The scale on which standard errors are read off limits, and on which intervals of proportions are symmetric."""

    LINEAR = "linear"
    LOGIT = "logit"


@dataclass(frozen=True, slots=True)
class LimitSymmetry:
    """How many of a table's percentages with limits lie in the middle of them on each scale, but for rounding.

    ``scale`` is the one on which more do; linear where as many do.
    """

    scale: Scale
    limit_count: int
    linear_count: int
    logit_count: int

    @property
    def in_words(self) -> str:
        """The counts for a reader."""
        return (
            f"of {self.limit_count:,} intervals {self.logit_count:,} are symmetric on the logit scale,"
            f" {self.linear_count:,} on the linear one"
        )


def logit(percent: FloatArray) -> FloatArray:
    """Return ln(p / (100 - p)); NaN at 0 and 100 and outside."""
    inside = np.where((percent > 0) & (percent < 100), percent, np.nan)
    logits: FloatArray = np.log(inside / (100 - inside))
    return logits


@kept_per_cube
def limit_symmetry(cube: SurveyCube) -> LimitSymmetry:
    """Return which symmetry the limits of the table have.

    Returns
    -------
    LimitSymmetry
        Counts cells with one percentage and limits in order. One counts on a scale where numbers that round to the
        three that are printed are symmetric on it.
    """
    cells = cube.cells
    is_percent = np.array([question.unit == PERCENT for question in cube.questions], dtype=np.bool_)
    single = (cells.value_count == 1) & (cells.variance_count == 1) & is_percent[cells.question]
    single &= ~np.isnan(cells.low) & ~np.isnan(cells.high)
    value, low, high = cells.value_sum[single], cells.low[single], cells.high[single]
    half = _half_unit(value, low, high)
    linear_count = int((np.abs(low + high - 2 * value) <= 4 * half + 1e-9).sum())
    logit_count = int(_is_symmetric_in_logits(value, low, high, half).sum())
    scale = Scale.LOGIT if logit_count > linear_count else Scale.LINEAR
    return LimitSymmetry(scale, len(value), linear_count, logit_count)


def _half_unit(*columns: FloatArray) -> float:
    """Return half a unit of the last decimal that any number has: what rounding may have changed."""
    for decimals in range(_MOST_DECIMALS):
        if all(np.abs(np.round(column, decimals) - column).max(initial=0.0) < 1e-9 for column in columns):
            return float(0.5 * 10.0**-decimals)
    return float(0.5 * 10.0**-_MOST_DECIMALS)


def _is_symmetric_in_logits(value: FloatArray, low: FloatArray, high: FloatArray, half: float) -> BoolArray:
    """Return where low + high can be twice the value in logits, each number being anywhere within its rounding."""
    least = np.nan_to_num(logit(low - half), nan=-np.inf) + logit(high - half)
    most = logit(low + half) + np.nan_to_num(logit(high + half), nan=np.inf)
    symmetric: BoolArray = (least <= 2 * logit(value + half)) & (most >= 2 * logit(value - half))
    return symmetric


def highest_value(unit: str) -> float:
    """Return the highest value that a unit allows, infinity where it isn't known.

    >>> highest_value("percent"), highest_value("deaths")
    (100.0, inf)
    """
    return SCALES.get(unit, float("inf"))
