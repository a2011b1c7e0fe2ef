"""The naive reference of joinpoints: every set of years, each solved by its normal equations; plain Python.

Fits are in exact fractions, permutation tests in floats. Nothing of Meantime.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, pairwise
from typing import NamedTuple, TypeVar

from tests.reference_trends import line_through

Points = Sequence[tuple[int, float, float]]
"""(year, value, standard error), by year."""

N = TypeVar("N", float, Fraction)


class Bent(NamedTuple):
    """A bent line: the slopes of its segments, their errors before widening, and chi-square."""

    slopes: list[float]
    errors: list[float]
    chi_square: float
    fitted: list[float]


def fit(points: Points, bends: Sequence[int]) -> Bent:
    """Fit a line that bends at these places, exactly."""
    exact = [(Fraction(year), Fraction(value), 1 / Fraction(error) ** 2) for year, value, error in points]
    slopes, chi_square, fitted = _least_squares(exact, bends, Fraction(0))
    edges = [-1, *bends, len(points)]
    own = [points[first + 1 : last] for first, last in pairwise(edges)]
    return Bent(slopes, [line_through(part).error for part in own], chi_square, fitted)


def sets(count: int, number: int) -> Iterator[tuple[int, ...]]:
    """Yield each set of so many places with at least two others before, between and after them."""
    for bends in combinations(range(2, count - 2), number):
        if all(second - first > 2 for first, second in pairwise(bends)):
            yield bends


def best(points: Points, number: int) -> tuple[int, ...]:
    """Return the set of so many places with the least chi-square."""
    return min(sets(len(points), number), key=lambda bends: fit(points, bends).chi_square)


def joinpoints(points: Points, most: int, permutations: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Return the joinpoints by the sequence of permutation tests of Kim et al. (2000), at 5 % in all."""
    most = max(number for number in range(most + 1) if len(points) >= (0, 7, 12)[number])
    fewest, at_most = 0, most
    while fewest < at_most:
        fitted = fit(points, best(points, fewest)).fitted
        if all(abs(value - own) < 5e-10 for (_, value, _), own in zip(points, fitted, strict=True)):
            break
        errors = [error for _, _, error in points]
        residuals = [(point[1] - own) / point[2] for point, own in zip(points, fitted, strict=True)]
        observed, as_large = _fall(points, fewest, at_most), 1
        for order in permutations:
            moved = [own + residuals[place] * error for own, place, error in zip(fitted, order, errors, strict=True)]
            drawn = [(year, value, error) for (year, _, error), value in zip(points, moved, strict=True)]
            as_large += _fall(drawn, fewest, at_most) >= observed * (1 - 1e-9)
        if as_large / (len(permutations) + 1) <= 0.05 / (most - fewest):
            fewest += 1
        else:
            at_most -= 1
    return best(points, fewest)


def _fall(points: Points, fewer: int, more: int) -> float:
    """Return the part by which chi-square falls."""
    middle = math.fsum(value for _, value, _ in points) / len(points)
    rough = [(float(year - points[0][0]), value - middle, error**-2) for year, value, error in points]
    least = [
        min(_least_squares(rough, bends, 0.0)[1] for bends in sets(len(points), number)) for number in (fewer, more)
    ]
    return 1 - least[1] / least[0]


def _least_squares(
    points: Sequence[tuple[N, N, N]], bends: Sequence[int], zero: N
) -> tuple[list[float], float, list[float]]:
    """Return the slopes, chi-square and fitted values of (year, value, weight): normal equations by elimination."""
    rows: list[list[N]] = []
    for year, _, _ in points:
        after: list[N] = [max(year - points[place][0], zero) for place in bends]
        rows.append([zero + 1, year - points[0][0]])
        rows[-1].extend(after)
    size = len(rows[0])
    weights = [w for _, _, w in points]
    matrix = [
        [sum((w * row[i] * row[j] for row, w in zip(rows, weights, strict=True)), zero) for j in range(size)]
        + [sum((w * row[i] * y for row, (_, y, w) in zip(rows, points, strict=True)), zero)]
        for i in range(size)
    ]
    for i in range(size):
        pivot = max(range(i, size), key=lambda place: abs(matrix[place][i]))
        matrix[i], matrix[pivot] = matrix[pivot], matrix[i]
        for j in range(size):
            if j != i:
                factor = matrix[j][i] / matrix[i][i]
                matrix[j] = [own - factor * other for own, other in zip(matrix[j], matrix[i], strict=True)]
    coefficients = [matrix[i][size] / matrix[i][i] for i in range(size)]
    fitted = [sum((c * own for c, own in zip(coefficients, row, strict=True)), zero) for row in rows]
    chi_square = sum((w * (y - own) ** 2 for (_, y, w), own in zip(points, fitted, strict=True)), zero)
    slopes = [float(sum(coefficients[1 : place + 2], zero)) for place in range(size - 1)]
    return slopes, float(chi_square), [float(own) for own in fitted]
