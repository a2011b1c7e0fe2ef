"""Measures of how far apart the strata of one category are: pure arithmetic on a few numbers.

Which strata, locations and years are meant is in ``measures/disparity.py``, whose shares count in ``shares.py``, how
certain a measure is in ``summary_intervals.py``. Each is None where a number that it needs is unknown.

Sources
-------
K. Keppel et al., Methodological issues in measuring health disparities, Vital and Health Statistics series 2, no.
141, 2005: difference and relative difference from the most favourable group, summary measures, between-group variance.
J. N. Pearcy and K. G. Keppel, A summary measure of health disparity, Public Health Reports 117, 2002: the index of
disparity.
E. R. Pamuk, Social class inequality in mortality from 1921 to 1972 in England and Wales, Population Studies 39, 1985;
J. P. Mackenbach and A. E. Kunst, Measuring the magnitude of socio-economic inequalities in health, Social Science
and Medicine 44, 1997: slope and relative index of inequality.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from meantime.statistics.estimation.inequality.gaps import StratumEstimate


def index_of_disparity(values: Sequence[float], reference: float | None) -> float | None:
    """Return the mean distance of the strata from the reference, as a percentage of the reference.

    Parameters
    ----------
    values
        The strata's estimates, percent.
    reference
        The estimate for everybody, percent.

    Notes
    -----
    (sum |r_i - R| / n) / R x 100 (Pearcy and Keppel 2002).

    Examples
    --------
    >>> index_of_disparity([20.0, 30.0, 40.0], 30.0)
    22.22222222222222
    """
    if reference is None or reference <= 0:
        return None
    return 100 * math.fsum(abs(value - reference) for value in values) / len(values) / reference


def between_group_variance(strata: Sequence[StratumEstimate], shares: Sequence[float] | None) -> float | None:
    """Return the variance between strata, weighted by their shares, in squared percentage points.

    Notes
    -----
    sum p_i (y_i - mu)^2 with mu = sum p_i y_i (Keppel et al. 2005); None without shares.
    """
    if shares is None:
        return None
    mean = weighted_mean(strata, shares)
    return math.fsum(share * (own.value - mean) ** 2 for share, own in zip(shares, strata, strict=True))


def weighted_mean(strata: Sequence[StratumEstimate], shares: Sequence[float]) -> float:
    """Return the mean of the strata by their shares."""
    return math.fsum(share * own.value for share, own in zip(shares, strata, strict=True))


@dataclass(frozen=True, slots=True)
class SlopeIndex:
    """Slope index of inequality (percentage points), its standard error, and the relative index (a ratio).

    ``factors`` are what each stratum's estimate is multiplied by, to be summed up to the slope.
    """

    slope: float
    standard_error: float | None
    relative: float | None
    factors: list[float]


def slope_index(strata: Sequence[StratumEstimate], shares: Sequence[float] | None) -> SlopeIndex | None:
    """Return how far the top of the scale is from its bottom, by a line through all strata.

    Parameters
    ----------
    strata
        The strata from the lowest place on the scale to the highest; at least two.
    shares
        Their shares, 1 together; None where they aren't known.

    Returns
    -------
    SlopeIndex or None
        Positive where the value is higher at the top of the scale (oldest, most schooling, highest income). None
        without shares, or when a single stratum has them all.

    Notes
    -----
    Each stratum stands at the middle of its span of the cumulated shares, x_i = sum of shares before + p_i / 2; the
    slope is that of the line fitted with weights p_i (Pamuk 1985, Mackenbach and Kunst 1997). It is linear in
    the estimates, sum a_i y_i with a_i = p_i (x_i - xbar) / sum p (x - xbar)^2, so SE = sqrt(sum a_i^2 SE_i^2). The
    relative index is slope / mean (Pamuk 1985).
    """
    if shares is None:
        return None
    places = [math.fsum(shares[:index]) + share / 2 for index, share in enumerate(shares)]
    centre = math.fsum(share * place for share, place in zip(shares, places, strict=True))
    spread = math.fsum(share * (place - centre) ** 2 for share, place in zip(shares, places, strict=True))
    if spread <= 0:
        return None
    factors = [share * (place - centre) / spread for share, place in zip(shares, places, strict=True)]
    slope = math.fsum(factor * own.value for factor, own in zip(factors, strata, strict=True))
    errors = [own.standard_error for own in strata if own.standard_error is not None]
    error = None
    if len(errors) == len(strata):
        error = math.hypot(*(factor * own for factor, own in zip(factors, errors, strict=True)))
    mean = weighted_mean(strata, shares)
    return SlopeIndex(slope, error, slope / mean if mean > 0 else None, factors)
