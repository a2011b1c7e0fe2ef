"""The largest difference between one location's strata and a reference, absolute and as a ratio.

Which strata these are is in ``location_strata.py``; the intervals are simulated in ``ranges.py``. Source: K. Keppel et
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
    largest_difference,
    largest_interval,
    pairs_with,
)
from meantime.statistics.estimation.uncertainty import TIE_DECIMALS
from meantime.statistics.result import Record


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
    return (first, second) if first.value >= second.value else (second, first)


def gap_measures(
    strata: Sequence[StratumEstimate], reference: Reference, level: float, *, higher_is_better: bool
) -> Record:
    """Return the largest difference from the reference, absolute and as a ratio, with intervals.

    Notes
    -----
    Intervals are those of all differences at once (``ranges.py``), the ratio's on the logarithmic scale, with
    SE(ln v) = SE / v by the delta method (Keppel et al. 2005). Strata are taken as independent.
    """
    sides = gap_of(strata, reference)
    if sides is None:
        return {}
    highest, lowest = sides
    favourable = highest if higher_is_better else lowest
    gap = highest.value - lowest.value
    measures: Record = {
        "value": gap,
        "highest_stratum": highest.stratum,
        "highest_value": highest.value,
        "lowest_stratum": lowest.stratum,
        "lowest_value": lowest.value,
        "ratio": highest.value / lowest.value if lowest.value > 0 else None,
        "relative_difference_percent": 100 * gap / favourable.value if favourable.value > 0 else None,
    }
    value = np.array([own.value for own in strata])
    error = np.array([math.nan if own.standard_error is None else own.standard_error for own in strata])
    if np.isnan(error).any():
        return measures
    found = largest_difference(value, error, _differences(strata, reference), level)
    measures |= {
        "standard_error": found.standard_error,
        "low": found.low,
        "high": found.high,
        "value_by_chance": found.by_chance,
        "p_value": found.p_value,
    }
    if reference.kind != OTHERS and (value > 0).all():
        low, high = largest_interval(np.log(value), error / value, _differences(strata, reference), level)
        measures |= {"ratio_low": math.exp(low), "ratio_high": math.exp(high)}
    return measures


def _differences(strata: Sequence[StratumEstimate], reference: Reference) -> Differences:
    if reference.kind == BEST:
        return all_pairs(len(strata))
    if reference.kind == OTHERS:
        return FromTheOthers()
    return pairs_with(len(strata), [own.stratum for own in strata].index(reference.stratum))
