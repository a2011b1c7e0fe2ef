"""Joinpoints: the years in which a series of yearly estimates bends, found by the series itself.

A bent line is continuous and straight between its joinpoints, which are years of the series. How many there are is
decided by permutation tests, not by BIC: BIC takes too many in short series, and a test keeps its rate of false
joinpoints where estimates scatter more than their errors say, as many series do. What the segments are is in
``segments.py``.

Sources: H.-J. Kim, M. P. Fay, E. J. Feuer and D. N. Midthune, Permutation tests for joinpoint regression with
applications to cancer rates, Statistics in Medicine 19, 2000. P. M. Lerman, Fitting segmented regression models by grid
search, Applied Statistics 29, 1980. National Cancer Institute, Joinpoint Regression Program, statistical notes: the
level of each test of the sequence, and the two years on each side.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import combinations

import numpy as np

from meantime.statistics.estimation.selection import IndexArray
from meantime.statistics.estimation.uncertainty import EQUAL_WITHIN
from meantime.survey.cube.survey_cube import FloatArray

MOST_JOINPOINTS = 2

FEWEST_YEARS = (0, 7, 12)
"""How many years a series has at least, so that 0, 1 or 2 joinpoints are looked for."""

YEARS_BESIDE = 2
"""How many years of a series lie at least between two joinpoints, and before the first and after the last one."""

SIGNIFICANCE = 0.05
"""With this probability, at most, a series gets more joinpoints than it has."""

DRAWS = 999
_CHUNK = 200  # of which most series without a joinpoint need only one
_SEED = 20_000
_NOISE = 1e-9


@lru_cache(maxsize=8)
def permutations(count: int) -> IndexArray:
    """Return the ``DRAWS`` seeded permutations of so many places, one per row; the same for every series."""
    places = np.tile(np.arange(count), (DRAWS, 1))
    drawn: IndexArray = np.random.default_rng((_SEED, count)).permuted(places, axis=1)
    drawn.setflags(write=False)
    return drawn


def find_joinpoints(
    year: FloatArray,
    value: FloatArray,
    standard_error: FloatArray,
    most: int,
    checkpoint: Callable[[], None] = lambda: None,
    drawn: IndexArray | None = None,
) -> tuple[int, ...]:
    """Return the places of the joinpoints of one series, ascending; none where a straight line will do.

    Parameters
    ----------
    year, value, standard_error
        One per estimate, by year; none unknown, errors above 0.
    most
        How many joinpoints there may be, up to ``MOST_JOINPOINTS``; fewer in a short series (``FEWEST_YEARS``).
    checkpoint
        Called now and then; may raise.
    drawn
        The permutations of the residuals, one per row; ``permutations`` unless given.

    Notes
    -----
    For each number of joinpoints the line with the least chi-square sum(w r^2), w = 1 / SE^2, over all sets of years
    (Lerman 1980), the first of ties. Then H0 "a joinpoints" against H1 "b joinpoints", from a = 0 and b = ``most``: if
    p <= ``SIGNIFICANCE`` / (most - a), one more is taken as found, else b is one fewer, until both are equal. p is the
    share of series, among the one at hand and the fitted line with permuted residuals r / SE, of which chi-square falls
    by as large a part from a to b (Kim et al. 2000). A series that lies on the line of H0 has no more joinpoints.
    """
    most = max(number for number in range(most + 1) if len(year) >= FEWEST_YEARS[number])
    if not most:
        return ()
    search = _Search(year, standard_error, most)
    drawn = permutations(len(year)) if drawn is None else drawn
    weighted = search.without_line(value / standard_error)
    fewest, at_most = 0, most
    while fewest < at_most:
        bend = search.bend(weighted, fewest)
        residual = weighted - bend
        if (np.abs(residual) * standard_error < EQUAL_WITHIN).all():
            break
        fall = search.fall(weighted[:, None], fewest, at_most)[0] * (1 - _NOISE)
        allowed = SIGNIFICANCE / (most - fewest) * (len(drawn) + 1)
        as_large = 1
        for start in range(0, len(drawn), _CHUNK):
            checkpoint()
            permuted = bend[:, None] + residual[drawn[start : start + _CHUNK]].T
            as_large += int((search.fall(permuted, fewest, at_most) >= fall).sum())
            if as_large > allowed:
                break
        fewest, at_most = (fewest, at_most - 1) if as_large > allowed else (fewest + 1, at_most)
    return search.best(weighted, fewest)


class _Search:
    """All sets of one and two joinpoints of a series, each as unit vectors: what its bends add to a straight line.

    Values are weighted, v / SE, and where several series are given, each is a column.
    """

    def __init__(self, year: FloatArray, standard_error: FloatArray, most: int) -> None:
        x = year - year.mean()
        self._line = np.linalg.qr(np.stack([1 / standard_error, x / standard_error], axis=1))[0].T
        bends = np.maximum(x - x[YEARS_BESIDE:-YEARS_BESIDE, None], 0) / standard_error
        for _ in range(2):  # rounding leaves a part of the line after the first time
            bends = bends - (bends @ self._line.T) @ self._line
        self._first = _unit(bends)
        pairs = [
            pair for pair in combinations(range(len(bends)), most) if most > 1 and pair[1] - pair[0] > YEARS_BESIDE
        ]
        self._pairs: IndexArray = np.array(pairs, dtype=np.intp).reshape(-1, 2)
        first, second = self._first[self._pairs[:, 0]], self._first[self._pairs[:, 1]]
        self._second = _unit(second - (second * first).sum(axis=1)[:, None] * first)

    def without_line(self, weighted: FloatArray) -> FloatArray:
        """Return what the straight line through a series leaves of it."""
        rest: FloatArray = weighted - self._line.T @ (self._line @ weighted)
        return rest

    def _explained(self, weighted: FloatArray, number: int) -> FloatArray:
        """Return by how much each set of so many joinpoints lowers the chi-square of each series: sets are rows."""
        one: FloatArray = np.square(self._first @ weighted)
        return one if number == 1 else one[self._pairs[:, 0]] + np.square(self._second @ weighted)

    def fall(self, weighted: FloatArray, fewer: int, more: int) -> FloatArray:
        """Return by which part of it the chi-square of each series falls from so many joinpoints to so many."""
        chi_square = np.square(weighted).sum(axis=0) - np.square(self._line @ weighted).sum(axis=0)
        lowered = self._explained(weighted, fewer).max(axis=0) if fewer else 0.0
        with np.errstate(invalid="ignore", divide="ignore"):
            part: FloatArray = (self._explained(weighted, more).max(axis=0) - lowered) / (chi_square - lowered)
        return part

    def best(self, weighted: FloatArray, number: int) -> tuple[int, ...]:
        """Return the places of so many joinpoints with the least chi-square, the first of ties."""
        if not number:
            return ()
        explained = self._explained(weighted, number)
        best = int(np.argmax(explained >= explained.max() * (1 - _NOISE)))
        found = [best] if number == 1 else self._pairs[best].tolist()
        return tuple(place + YEARS_BESIDE for place in found)

    def bend(self, weighted: FloatArray, number: int) -> FloatArray:
        """Return what the best one joinpoint adds to the straight line, or nothing for none."""
        if not number:
            return np.zeros(len(weighted))
        own = self._first[self.best(weighted, 1)[0] - YEARS_BESIDE]
        bend: FloatArray = own * (own @ weighted)
        return bend


def _unit(rows: FloatArray) -> FloatArray:
    found: FloatArray = rows / np.linalg.norm(rows, axis=1)[:, None]
    return found
