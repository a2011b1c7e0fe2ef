"""The largest difference between one location's strata and a reference, absolute and as a ratio.

Which strata these are is in ``location_strata.py``; intervals are in ``ranges.py``. Source: K. Keppel et
al., Methodological issues in measuring health disparities, Vital and Health Statistics series 2, no. 141, 2005.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meantime.statistics.estimation.inequality.ranges import (
    Differences,
    FromTheOthers,
    all_pairs,
    from_the_others,
    largest_differences,
    largest_intervals,
    pairs_with,
)
from meantime.statistics.estimation.uncertainty import TIE_DECIMALS
from meantime.statistics.result import Column, Record, records_of
from meantime.survey.cube.survey_cube import BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class StratumEstimate:
    """One stratum's estimate: value and standard error in percent, sample size in persons; None where unknown."""

    stratum: str
    value: float
    standard_error: float | None
    sample_size: float | None


@dataclass(frozen=True, slots=True)
class Reference:
    """What the strata are compared with: the most favourable of them, one of them by name, or all others together."""

    kind: str
    stratum: str = ""


BEST, OTHERS = "best", "others"
ALL_OTHERS = "all others"
"""How the mean of all other strata is called where a stratum's name would stand."""


def gap_of(strata: Sequence[StratumEstimate], reference: Reference) -> tuple[StratumEstimate, StratumEstimate] | None:
    """Return the two sides of the largest difference from the reference, the higher one first.

    Returns
    -------
    tuple or None
        None if the reference isn't among the strata. Of strata with equal differences (within nine decimals) the first
        is named; which one doesn't change any number.
    """
    values = [round(own.value, TIE_DECIMALS) for own in strata]
    if reference.kind == BEST:
        return strata[values.index(max(values))], strata[values.index(min(values))]
    if reference.kind == OTHERS:
        total = math.fsum(own.value for own in strata)
        sides = [
            (own, StratumEstimate(ALL_OTHERS, (total - own.value) / (len(strata) - 1), None, None)) for own in strata
        ]
    else:
        names = [own.stratum for own in strata]
        if reference.stratum not in names:
            return None
        fixed = strata[names.index(reference.stratum)]
        sides = [(own, fixed) for own in strata if own is not fixed]
    distances = [round(abs(own.value - other.value), TIE_DECIMALS) for own, other in sides]
    first, second = sides[distances.index(max(distances))]
    return (second, first) if round(first.value - second.value, TIE_DECIMALS) < 0 else (first, second)


def gap_values(strata: Sequence[StratumEstimate], reference: Reference, *, higher_is_better: bool) -> Record:
    """Return the largest difference from the reference, absolute and as a ratio; empty without the reference."""
    sides = gap_of(strata, reference)
    if sides is None:
        return {}
    highest, lowest = sides
    favourable = highest if higher_is_better else lowest
    gap = max(0.0, highest.value - lowest.value)
    return {
        "value": gap,
        "highest_stratum": highest.stratum,
        "highest_value": highest.value,
        "lowest_stratum": lowest.stratum,
        "lowest_value": lowest.value,
        "ratio": highest.value / lowest.value if lowest.value > 0 else None,
        "relative_difference_percent": 100 * gap / favourable.value if favourable.value > 0 else None,
    }


def gap_intervals(value: FloatArray, error: FloatArray, differences: Differences, level: float) -> list[Record]:
    """Return how certain the largest difference of each location is: one row a stratum, one column a location.

    Notes
    -----
    Intervals are those of all differences at once (``ranges.py``), the ratio's on the logarithmic scale, with
    SE(ln v) = SE / v by the delta method (Keppel et al. 2005). Strata are taken as independent.
    """
    found = largest_differences(value, error, differences, level)
    columns: dict[str, Column] = {
        "standard_error": found.standard_error,
        "low": found.low,
        "high": found.high,
        "value_by_chance": found.by_chance,
        "p_value": found.p_value,
    }
    has_ratio: BoolArray = np.asarray((value > 0).all(axis=0))
    if has_ratio.any() and not isinstance(differences, FromTheOthers):
        limits = np.full((2, value.shape[1]), np.nan)
        positive = value[:, has_ratio]
        relative = error[:, has_ratio] / positive
        limits[:, has_ratio] = np.exp(largest_intervals(np.log(positive), relative, differences, level))
        columns |= {"ratio_low": limits[0], "ratio_high": limits[1]}
    return records_of(columns)


def differences_of(strata: Sequence[StratumEstimate], reference: Reference) -> Differences | None:
    """Return which differences the reference means; None if it isn't among the strata."""
    if reference.kind == BEST:
        return all_pairs(len(strata))
    if reference.kind == OTHERS:
        return from_the_others()
    names = [own.stratum for own in strata]
    return pairs_with(len(strata), names.index(reference.stratum)) if reference.stratum in names else None
