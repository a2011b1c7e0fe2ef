"""Measures of how far apart the strata of one category are: pure arithmetic on a few numbers.

Which strata, locations and years are meant is in ``disparity.py``. Each measure is None where a number that it needs
is unknown.

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

from meantime.statistics.estimation.inequality.gaps import Reference, StratumEstimate, gap_measures
from meantime.statistics.estimation.uncertainty import normal_quantile
from meantime.statistics.result import Record


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


def between_group_variance(strata: Sequence[StratumEstimate]) -> float | None:
    """Return the variance between strata, weighted by their shares of the sample, in squared percentage points.

    Notes
    -----
    sum p_i (y_i - mu)^2 with mu = sum p_i y_i (Keppel et al. 2005); p_i is the share of the sample, as the
    cube knows no populations.
    """
    shares = sample_shares(strata)
    if shares is None:
        return None
    mean = weighted_mean(strata, shares)
    return math.fsum(share * (own.value - mean) ** 2 for share, own in zip(shares, strata, strict=True))


def sample_shares(strata: Sequence[StratumEstimate]) -> list[float] | None:
    """Return each stratum's share of the sample; None if a sample size is unknown or they sum to 0."""
    sizes = [own.sample_size for own in strata if own.sample_size is not None]
    total = math.fsum(sizes)
    if len(sizes) < len(strata) or total <= 0:
        return None
    return [size / total for size in sizes]


def weighted_mean(strata: Sequence[StratumEstimate], shares: Sequence[float]) -> float:
    """Return the mean of the strata by their shares."""
    return math.fsum(share * own.value for share, own in zip(shares, strata, strict=True))


@dataclass(frozen=True, slots=True)
class SlopeIndex:
    """Slope index of inequality (percentage points), its standard error, and the relative index (a ratio)."""

    slope: float
    standard_error: float | None
    relative: float | None


def slope_index(strata: Sequence[StratumEstimate]) -> SlopeIndex | None:
    """Return how far the top of the scale is from its bottom, by a line through all strata.

    Parameters
    ----------
    strata
        The strata from the lowest place on the scale to the highest; at least two.

    Returns
    -------
    SlopeIndex or None
        Positive where the value is higher at the top of the scale (oldest, most schooling, highest income). None
        without all sample sizes, or when a single stratum has them all.

    Notes
    -----
    Each stratum stands at the middle of its span of the cumulated shares, x_i = sum of shares before + p_i / 2; the
    slope is that of the line fitted with weights p_i (Pamuk 1985, Mackenbach and Kunst 1997). It is linear in
    the estimates, sum a_i y_i with a_i = p_i (x_i - xbar) / sum p (x - xbar)^2, so SE = sqrt(sum a_i^2 SE_i^2). The
    relative index is slope / mean (Pamuk 1985).
    """
    shares = sample_shares(strata)
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
    return SlopeIndex(slope, error, slope / mean if mean > 0 else None)


def measures_of(
    strata: Sequence[StratumEstimate],
    overall: float | None,
    level: float,
    reference: Reference,
    *,
    higher_is_better: bool,
    has_scale: bool,
) -> Record:
    """Return every measure of one location's strata, by name.

    Parameters
    ----------
    strata
        Those that have a value; from the lowest place on the scale, if the category has one.
    overall
        The estimate for everybody, percent.
    level
        The probability that an interval covers the truth.
    reference
        What the strata are compared with.
    higher_is_better
        Whether the highest stratum is the most favourable one.
    has_scale
        Whether the category has a scale, and with it a slope.

    Returns
    -------
    dict
        Without the measures that can't be had; empty with fewer than two strata.
    """
    if len(strata) < 2:
        return {}
    measures = gap_measures(strata, reference, level, higher_is_better=higher_is_better)
    measures |= {
        "index_of_disparity_percent": index_of_disparity([own.value for own in strata], overall),
        "between_group_variance": between_group_variance(strata),
    }
    index = slope_index(strata) if has_scale else None
    if index is not None:
        half = None if index.standard_error is None else normal_quantile(level) * index.standard_error
        measures |= {
            "slope_index": index.slope,
            "slope_index_standard_error": index.standard_error,
            "slope_index_low": None if half is None else index.slope - half,
            "slope_index_high": None if half is None else index.slope + half,
            "relative_index": index.relative,
        }
    return measures
