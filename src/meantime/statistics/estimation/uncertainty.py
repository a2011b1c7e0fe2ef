"""Standard errors, intervals, tests and the reliability flag, for arrays of estimates in percent.

An unknown number is NaN here. Which estimates are pooled, and with which weights, is in ``pooling.py``.

Sources
-------
W. G. Cochran, Sampling Techniques, 3rd ed., Wiley 1977, chapter 2: the normal approximation.
E. L. Korn and B. I. Graubard, Confidence intervals for proportions with small expected number of positive counts
estimated from survey data, Survey Methodology 24, 1998: intervals on the logit scale.
CDC, BRFSS data: an estimate from fewer than 50 persons, or with a relative standard error of 30 % or more, is not
reliable. The newer standard of the National Center for Health Statistics (J. D. Parker et al., Vital and Health
Statistics 2(175), 2017) goes by the width of intervals and needs effective sample sizes, which estimates don't carry.
"""

from __future__ import annotations

import math
from enum import StrEnum
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from meantime.survey.cube.limits import Scale, logit
from meantime.survey.cube.survey_cube import BoolArray, FloatArray
from meantime.survey.questions import Z_95

RELIABLE_SAMPLE_SIZE = 50
"""CDC: an estimate from fewer persons is not reliable."""

UNRELIABLE_RSE_PERCENT = 30.0
"""CDC: an estimate whose relative standard error is this large or larger is not reliable."""

TIE_DECIMALS = 9
"""Values that are equal after rounding to so many decimals are ties: sums differ in the last bits by their order."""

EQUAL_WITHIN = 5e-10
"""The same tolerance for a difference: a smaller one is noise of floating-point sums."""


class Reliability(StrEnum):
    """Whether an estimate can be relied on, from the best to the worst."""

    OK = "ok"
    CAUTION = "caution"
    UNWEIGHTED = "unweighted"
    SUPPRESSED = "suppressed"


def normal_quantile(level: float) -> float:
    """Return z such that a normal variable is within z standard errors with probability ``level``.

    At 0.95 it is 1.959964, the constant with which standard errors are read off published limits, so that a symmetric
    published interval comes back as it was.

    >>> normal_quantile(0.95)
    1.959964
    """
    return Z_95 if level == 0.95 else NormalDist().inv_cdf((1 + level) / 2)


def expit(logits: FloatArray) -> FloatArray:
    """Return the percentage whose logit this is: the inverse of ``logit``."""
    return 100 / (1 + np.exp(-logits))


def interval(
    value: FloatArray, standard_error: FloatArray, *, level: float, scale: Scale, highest: float = math.inf
) -> tuple[FloatArray, FloatArray]:
    """Return the lower and upper limits of estimates.

    Parameters
    ----------
    value, standard_error
        Estimates and standard errors, in the same unit; percent for the logit scale.
    level
        The probability that the interval covers the truth, such as 0.95.
    scale
        Linear: value -+ z SE. Logit: expit(logit(p) -+ z SE x 100 / (p (100 - p))), which never leaves 0 to 100; where
        the estimate is 0 or 100 itself, the linear interval.
    highest
        The highest value of the unit: limits are cut off at 0 and at it. Infinity, as for differences: nowhere.

    Returns
    -------
    tuple of arrays
        Limits in the estimates' unit; NaN where the estimate or its standard error is unknown.

    Notes
    -----
    Normal approximation (Cochran 1977, chapter 2); logit: Korn and Graubard 1998.
    """
    half = normal_quantile(level) * standard_error
    low, high = value - half, value + half
    if scale is Scale.LOGIT:
        centre = logit(value)
        inside = ~np.isnan(centre)
        spread = np.where(inside, value * (100 - value) / 100, 1.0)
        low = np.where(inside, expit(centre - half / spread), low)
        high = np.where(inside, expit(centre + half / spread), high)
    return (low, high) if math.isinf(highest) else (np.clip(low, 0.0, highest), np.clip(high, 0.0, highest))


def within_range(limits: FloatArray, highest: float | FloatArray) -> FloatArray:
    """Return limits cut off at 0 and the highest value; as they are where that is infinity."""
    return np.clip(limits, np.where(np.isinf(highest), -np.inf, 0.0), highest)


def two_sided_p(estimate: FloatArray, standard_error: FloatArray) -> FloatArray:
    """Return the p-values of z-tests of "the true value is 0".

    Parameters
    ----------
    estimate, standard_error
        In the same unit, of one length.

    Returns
    -------
    array
        p = erfc(|z| / sqrt(2)) with z = estimate / SE, between 0 and 1. NaN where either is unknown; with a standard
        error of 0 it is 0, or 1 if the estimate is 0 too.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = np.where((estimate == 0) & (standard_error == 0), 0.0, np.abs(estimate / standard_error))
    return np.array([math.erfc(each) for each in (distance / math.sqrt(2)).tolist()], dtype=np.float64)


def one_sided_p(excess: FloatArray, standard_error: FloatArray) -> FloatArray:
    """Return the p-values of z-tests of "the true value is 0 or more", against "below 0".

    p = erfc(-excess / (SE sqrt(2))) / 2; NaN where either is unknown; with a standard error of 0 it is 0 or 1.
    """
    two_sided = two_sided_p(excess, standard_error)
    return np.where(excess < 0, two_sided / 2, 1 - two_sided / 2)


def is_reliable(value: FloatArray, standard_error: FloatArray, sample_size: FloatArray) -> BoolArray:
    """Return whether each estimate passes CDC's rule.

    Parameters
    ----------
    value, standard_error
        In the same unit.
    sample_size
        Persons.

    Returns
    -------
    array of bool
        True where the estimate rests on 50 persons or more and its relative standard error SE / value is above 0 and
        below 30 %: no sample gives a standard error of 0, so such limits are no measure of what is uncertain.
        What can't be checked, because a number is unknown, is not called reliable.

    Notes
    -----
    CDC's rule for BRFSS: not below 50 persons, nor with an RSE of 30 % or more.
    """
    precise = (standard_error > 0) & (100 * standard_error < UNRELIABLE_RSE_PERCENT * value)
    reliable: BoolArray = (sample_size >= RELIABLE_SAMPLE_SIZE) & (value > 0) & precise
    return reliable


def flags(value: FloatArray, reliable: BoolArray, without: str | npt.NDArray[np.str_]) -> list[str]:
    """Return a ``Reliability`` of each estimate: by whether it is reliable, or ``without`` where there is no value."""
    with_value = np.where(reliable, Reliability.OK.value, Reliability.CAUTION.value)
    return list(np.where(np.isnan(value), without, with_value).tolist())
