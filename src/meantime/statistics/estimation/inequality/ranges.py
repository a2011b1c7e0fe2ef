"""The largest of several differences: its interval and its p-value, though it was chosen because it is large.

Of strata that don't differ the highest and the lowest are still apart. So the limits are those of all differences at
once: each as wide as the largest of them, in standard errors, is with the level's probability by chance. What
chance gives is in ``chance.py``: for all pairs the studentised range, for differences from one reference seeded draws,
so the same request has the same answer. Numbers are given to six digits, below which computers differ.

Sources: J. W. Tukey, The problem of multiple comparisons, 1953, and C. Y. Kramer, Extension of multiple range tests to
group means with unequal numbers of replications, Biometrics 12, 1956 (all pairs); C. W. Dunnett, A multiple comparison
procedure for comparing several treatments with a control, JASA 50, 1955 (one reference); D. Edwards and J. J. Berry,
The efficiency of simulation-based multiple comparisons, Biometrics 43, 1987 (the quantile by simulation).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from meantime.statistics.estimation.inequality.chance import (
    DRAWS,
    Chance,
    Draws,
    RangeChance,
    SimulatedChance,
    noise,
)
from meantime.statistics.estimation.selection import IndexArray
from meantime.survey.cube.survey_cube import FloatArray

Real = TypeVar("Real", bound=np.floating)


@dataclass(frozen=True, slots=True, eq=False)
class LargestDifferences:
    """The largest of some differences in each location; ``standard_error`` and ``by_chance`` are simulated.

    ``by_chance`` is how large it would be on average if nothing differed, ``p_value`` the probability that it would be
    as large as it is, in standard errors.
    """

    standard_error: FloatArray
    low: FloatArray
    high: FloatArray
    by_chance: FloatArray
    p_value: FloatArray


class Differences(ABC):
    """Some differences of a number of estimates. Arrays have one row an estimate, one column a location or a draw."""

    @abstractmethod
    def of(self, values: npt.NDArray[Real]) -> npt.NDArray[Real]:
        """Return the differences of the values in each column, one row each."""

    @abstractmethod
    def errors(self, standard_error: FloatArray) -> FloatArray:
        """Return the standard errors of the differences of independent estimates."""

    def largest(self, values: Draws) -> Draws:
        """Return the largest absolute difference in each column."""
        found: Draws = np.abs(self.of(values)).max(axis=0)
        return found

    def chance(self, standard_error: FloatArray) -> Chance:
        """Return how large the largest difference of each column is by chance, in its standard errors."""
        errors = self.errors(standard_error)
        weight = np.divide(1.0, errors, out=np.zeros_like(errors), where=errors > 0).astype(np.float32)
        found = np.empty((standard_error.shape[1], DRAWS), dtype=np.float32)
        for place, own in enumerate(found):
            drawn = self.of(noise(standard_error[:, place]))
            np.abs(drawn, out=drawn)
            drawn *= weight[:, place, None]
            drawn.max(axis=0, out=own)
        return SimulatedChance(found)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs(Differences):
    """The differences of pairs of estimates, by their places."""

    first: IndexArray
    second: IndexArray

    def of(self, values: npt.NDArray[Real]) -> npt.NDArray[Real]:
        """Return the first of each pair minus the second."""
        return values[self.first] - values[self.second]

    def errors(self, standard_error: FloatArray) -> FloatArray:
        """Return sqrt(SE_a^2 + SE_b^2)."""
        return np.hypot(standard_error[self.first], standard_error[self.second])


@dataclass(frozen=True, slots=True, eq=False)
class AllPairs(Pairs):
    """The differences of each two of some estimates; they are judged by the studentised range, without draws."""

    def largest(self, values: Draws) -> Draws:
        """Return the range of each column."""
        found: Draws = values.max(axis=0)
        found -= values.min(axis=0)
        return found

    def chance(self, standard_error: FloatArray) -> Chance:
        """Return the chance that the studentised range gives, which is right or errs on the safe side."""
        return RangeChance(*standard_error.shape)


@dataclass(frozen=True, slots=True, eq=False)
class FromTheOthers(Differences):
    """The differences of each estimate from the plain mean of all others."""

    def of(self, values: npt.NDArray[Real]) -> npt.NDArray[Real]:
        """Return each minus the mean of the others."""
        count = len(values)
        found: npt.NDArray[Real] = (values * count - values.sum(axis=0)) / (count - 1)
        return found

    def errors(self, standard_error: FloatArray) -> FloatArray:
        """Return sqrt(SE^2 + sum of the others' SE^2 / (k - 1)^2)."""
        variance = standard_error**2
        found: FloatArray = np.sqrt(variance + (variance.sum(axis=0) - variance) / (len(variance) - 1) ** 2)
        return found


@lru_cache(maxsize=64)
def all_pairs(count: int) -> AllPairs:
    """Return the differences of each two of some estimates."""
    return AllPairs(*np.triu_indices(count, 1))


@lru_cache(maxsize=1)
def from_the_others() -> FromTheOthers:
    """Return the differences of each estimate from the mean of all others."""
    return FromTheOthers()


@lru_cache(maxsize=256)
def pairs_with(count: int, reference: int) -> Pairs:
    """Return the differences of each estimate from one of them."""
    others = np.delete(np.arange(count), reference)
    return Pairs(others, np.full(len(others), reference))


def largest_differences(
    value: FloatArray, standard_error: FloatArray, differences: Differences, level: float
) -> LargestDifferences:
    """Return the uncertainty of the largest of some differences of independent estimates, in each location.

    Parameters
    ----------
    value, standard_error
        Estimates and their standard errors, in one unit, all known: one row an estimate, one column a location.
    differences
        Which ones.
    level
        The probability that the interval covers the largest true difference, or more.
    """
    chance = differences.chance(standard_error)
    low, high = _limits(value, standard_error, differences, chance.critical(level))
    alike, around = np.empty((2, value.shape[1], DRAWS))
    for place in range(value.shape[1]):
        drawn = noise(standard_error[:, place])
        alike[place] = differences.largest(drawn)
        drawn += value[:, place, None].astype(np.float32)
        around[place] = differences.largest(drawn)
    around -= around.mean(axis=1, keepdims=True)
    return LargestDifferences(
        standard_error=six_digits(np.sqrt(np.einsum("ld,ld->l", around, around) / DRAWS)),
        low=low,
        high=high,
        by_chance=six_digits(alike.mean(axis=1)),
        p_value=chance.p_values(most_errors_apart(value, standard_error, differences)),
    )


def most_errors_apart(value: FloatArray, standard_error: FloatArray, differences: Differences) -> FloatArray:
    """Return the largest |d| / SE(d) of each column; infinite where estimates without an error differ."""
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = np.abs(differences.of(value)) / differences.errors(standard_error)
    found: FloatArray = np.nan_to_num(observed, posinf=math.inf).max(axis=0)
    return found


def largest_intervals(
    value: FloatArray, standard_error: FloatArray, differences: Differences, level: float
) -> tuple[FloatArray, FloatArray]:
    """Return the limits of the largest of some differences, with the parameters of ``largest_differences``.

    Notes
    -----
    The largest of |d| - q SE(d), but not below 0, and the largest of |d| + q SE(d), where q is what the largest
    |d| / SE(d) stays within without any true difference: of all pairs by the studentised range, else of 4,000 draws.
    """
    return _limits(value, standard_error, differences, differences.chance(standard_error).critical(level))


def _limits(
    value: FloatArray, standard_error: FloatArray, differences: Differences, critical: FloatArray
) -> tuple[FloatArray, FloatArray]:
    observed, half = np.abs(differences.of(value)), critical * differences.errors(standard_error)
    low, high = np.maximum(0.0, (observed - half).max(axis=0)), (observed + half).max(axis=0)
    return six_digits(low), six_digits(high)


def six_digits(numbers: FloatArray) -> FloatArray:
    """Return numbers rounded to six digits."""
    return np.array([float(f"{number:.6g}") for number in numbers.tolist()], dtype=np.float64)
