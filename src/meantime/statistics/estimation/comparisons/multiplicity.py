"""p-values of several tests in one answer, adjusted for their number.

What is tested is up to the caller. A p-value that is unknown (NaN) belongs to no test and stays unknown.

Sources
-------
S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 1979: the chance
of any false finding stays below the level, whatever the tests have in common. Y. Benjamini and Y. Hochberg, Controlling
the false discovery rate, Journal of the Royal Statistical Society B 57, 1995: of the findings, the expected share of
false ones does, for tests that are independent or depend on each other positively (Benjamini and Yekutieli 2001).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import numpy as np

from meantime.fields.fields import Example
from meantime.fields.kinds import Choice
from meantime.survey.cube.survey_cube import FloatArray


class Adjustment(StrEnum):
    """How p-values are adjusted for the number of tests in one answer."""

    NONE = "none"
    HOLM = "holm"
    BH = "bh"


ADJUSTED_BY = {
    Adjustment.NONE: "p as it is, without regard to the number of tests",
    Adjustment.HOLM: "p adjusted by Holm over the tests of this answer",
    Adjustment.BH: "p adjusted by Benjamini and Hochberg over the tests of this answer",
}
"""What a verdict goes by, in words."""

AdjustOption = Annotated[
    str,
    Choice(tuple(Adjustment), any_case=True),
    "How p-values are adjusted for the number of tests in the answer; verdicts go by the adjusted ones.",
    Example("bh"),
]


def adjusted(p_values: FloatArray, adjust: str) -> FloatArray:
    """Return p-values adjusted for their number.

    Parameters
    ----------
    p_values
        One per test, between 0 and 1; NaN is no test.
    adjust
        One of ``Adjustment``.

    Returns
    -------
    array
        In the order of the tests, never below the p-value, at most 1; NaN where there is no test.

    Notes
    -----
    With p(1) <= ... <= p(m): Holm max over j <= i of (m - j + 1) p(j), Benjamini and Hochberg min over j >= i of
    m p(j) / j.

    Examples
    --------
    >>> adjusted(np.array([0.01, 0.04, 0.03]), "bh").tolist(), adjusted(np.array([0.01, 0.04, 0.03]), "holm").tolist()
    ([0.03, 0.04, 0.04], [0.03, 0.06, 0.06])
    """
    tests = np.flatnonzero(~np.isnan(p_values))
    if adjust == Adjustment.NONE or not len(tests):
        return p_values
    order = tests[np.argsort(p_values[tests], kind="stable")]
    ascending, places = p_values[order], np.arange(1, len(order) + 1)
    found = np.full(len(p_values), np.nan)
    if adjust == Adjustment.HOLM:
        found[order] = np.maximum.accumulate((len(order) - places + 1) * ascending)
    else:
        found[order] = np.minimum.accumulate((ascending * len(order) / places)[::-1])[::-1]
    bounded: FloatArray = np.clip(found, p_values, 1.0)  # m p / m may be a bit below p
    return bounded
