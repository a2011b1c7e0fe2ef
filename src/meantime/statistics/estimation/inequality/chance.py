"""What chance gives: seeded draws of estimates that don't differ, and the largest of their differences.

Which differences are meant is in ``ranges.py``; the distribution without draws is in ``studentised_range.py``.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from meantime.statistics.estimation.inequality.studentised_range import critical_value, largest_p
from meantime.survey.cube.survey_cube import FloatArray

DRAWS = 4000
"""The level of a 95 % interval is met to within 0.7 points (two standard errors of the simulation)."""

_SEED = 20260101

Draws = npt.NDArray[np.float32]

_SAME = 1e-5
"""Draws are single-precision numbers: what is nearer than this is taken as equal."""


@lru_cache(maxsize=64)
def normal_draws(count: int) -> Draws:
    """Return standard normal numbers: one row an estimate, one column a draw."""
    drawn = np.random.default_rng((_SEED, count)).standard_normal((count, DRAWS), dtype=np.float32)
    drawn.flags.writeable = False
    return drawn


def noise(standard_error: FloatArray) -> Draws:
    """Return what draws of some estimates that don't differ are apart from their common value."""
    found: Draws = normal_draws(len(standard_error)) * standard_error.astype(np.float32)[:, None]
    return found


class Chance(ABC):
    """How large the largest difference of each location is by chance, in its standard errors."""

    @abstractmethod
    def critical(self, level: float) -> FloatArray:
        """Return what it stays within with the level's probability."""

    @abstractmethod
    def p_values(self, largest: FloatArray) -> FloatArray:
        """Return how probable it is that it is so large."""


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedChance(Chance):
    """The largest difference of each draw: one row a location."""

    drawn: Draws

    def critical(self, level: float) -> FloatArray:
        """Return a quantile of the draws."""
        place = min(math.ceil(level * (DRAWS - 1)), DRAWS - 1)
        return np.partition(self.drawn, place, axis=1)[:, place].astype(np.float64)

    def p_values(self, largest: FloatArray) -> FloatArray:
        """Return the share of draws as large, never 0."""
        above = (self.drawn >= largest[:, None] - _SAME).sum(axis=1)
        found: FloatArray = (1.0 + above) / (1.0 + DRAWS)
        return found


@dataclass(frozen=True, slots=True)
class RangeChance(Chance):
    """The studentised range of so many estimates, for so many locations."""

    count: int
    locations: int

    def critical(self, level: float) -> FloatArray:
        """Return the range's point over sqrt(2)."""
        return np.full(self.locations, critical_value(self.count, level))

    def p_values(self, largest: FloatArray) -> FloatArray:
        """Return the range's probability."""
        return largest_p(largest, self.count)
