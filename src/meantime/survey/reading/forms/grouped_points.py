"""Whether numbers that an engine has read plainly may be thousands with points between them: 1.201 beside 950.

Numbers alone can't tell that; they tell cheaply that it isn't so. Texts decide, in ``number_forms.py``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_SMALL_TABLE = 10_000
"""How many numbers may all be rounded thousands, such as 1.200 and 30.000; there are tens among more."""


def may_be_grouped(numbers: npt.NDArray[np.float64]) -> bool:
    """Whether fractions are all of thousandths and lie between 1 and 1000; NaN is no number.

    >>> [may_be_grouped(np.array(numbers)) for numbers in ([1.201, 950], [1.201, 20.8125], [0.305, 1.2])]
    [True, False, False]
    """
    finite = numbers[np.isfinite(numbers)]
    fractions = finite[finite % 1 != 0]
    if fractions.size == 0 or fractions.min() < 1 or fractions.max() >= 1000:
        return False
    return _are_multiples(fractions, 1000) and (finite.size <= _SMALL_TABLE or not _are_multiples(fractions, 100))


def _are_multiples(fractions: npt.NDArray[np.float64], parts: int) -> bool:
    return bool(np.all(np.abs(fractions * parts - np.rint(fractions * parts)) < 1e-6))
