"""The straight segments of lines: a line is one, unless it bends at joinpoints.

Which years are joinpoints is found in ``joinpoints.py``.

Sources: P. I. Feder, On asymptotic distribution theory in segmented regression problems, Annals of Statistics 3, 1975,
and P. M. Lerman, Fitting segmented regression models by grid search, Applied Statistics 29, 1980: since the joinpoints
are estimated, the error of a segment's slope is that of a line through its own estimates, without the joinpoints.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from meantime.statistics.estimation.cautions import listed
from meantime.statistics.estimation.pooling import Estimates
from meantime.statistics.estimation.selection import IndexArray
from meantime.statistics.estimation.series.joinpoints import DRAWS, FEWEST_YEARS, SIGNIFICANCE, find_joinpoints
from meantime.statistics.estimation.series.lines import MISFIT_P, Lines, chi_square_p, largest_jump
from meantime.statistics.estimation.series.points import Points
from meantime.survey.cube.survey_cube import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """The segments of lines, in the order of the lines and of years.

    ``line`` to ``last`` are of each segment: the number of its line, the slope with its widened error, and the first
    and last of its usable estimates; a joinpoint is the last of one segment and the first of the next. ``lines`` and
    ``joinpoints`` (years) are of each line; how a bent one fits is how the bent one does.
    """

    line: IndexArray
    slope: FloatArray
    standard_error: FloatArray
    year_count: IndexArray
    first: IndexArray
    last: IndexArray
    lines: Lines
    joinpoints: tuple[tuple[int, ...], ...] = ()

    def method(self) -> str:
        """Return how joinpoints were found, in words; nothing where they weren't looked for."""
        if not self.joinpoints:
            return ""
        tests = f"by {DRAWS} seeded permutations, at {100 * SIGNIFICANCE:g} % in all"
        error = "SE of a segment's slope from its own years, without the joinpoints"
        return f"; joinpoints by grid search, their number {tests}; {error}"

    def cautions(self) -> list[str]:
        """Return what must be known of joinpoints, where they were looked for."""
        if not self.joinpoints:
            return []
        found, bent = [], sum(map(bool, self.joinpoints))
        counts = self.lines.year_count[self.lines.year_count >= 2]
        for number, fewest in enumerate(FEWEST_YEARS[1:], start=1):
            if short := int((counts < fewest).sum()):
                at_most = f"more than {number - 1} joinpoint" if number > 1 else "a joinpoint"
                found.append(f"with fewer than {fewest} years, too few for {at_most}: {short} of {len(counts)} series")
        if (by_chance := SIGNIFICANCE * int((counts >= FEWEST_YEARS[1]).sum())) >= 0.5:
            found.append(
                f"of {len(counts)} series {bent} have a joinpoint; tested at {100 * SIGNIFICANCE:g} % each, about"
                f" {by_chance:.0f} would by chance alone; that isn't corrected"
            )
        if bent:
            found.append(
                "the data chose the joinpoints, and test the slopes around them, too: so those p-values are too small,"
                " and the true year may lie some years off; for a year that is known beforehand, give break_years"
            )
        return found


def whole_lines(points: Points) -> Segments:
    """Return each line as one segment."""
    lines = points.lines
    every = np.arange(len(lines.slope))
    return Segments(every, lines.slope, lines.standard_error, lines.year_count, lines.first, lines.last, lines)


def bent_lines(points: Points, yearly: Estimates, most: int, checkpoint: Callable[[], None]) -> Segments:
    """Return the segments of each line, with as many joinpoints as the tests find and ``most`` allows.

    The points are those of the yearly estimates; ``checkpoint`` is called now and then, and may raise.
    """
    lines = points.lines
    places = np.flatnonzero(points.usable)
    places = places[np.lexsort((points.year[places], points.line[places]))]
    fit = replace(
        lines,
        residual_ratio=lines.residual_ratio.copy(),
        misfit_p=lines.misfit_p.copy(),
        widened_by=lines.widened_by.copy(),
        jump=lines.jump.copy(),
    )
    rows: list[tuple[int, float, float, int, int, int]] = []
    joinpoints = []
    for number, own in enumerate(np.split(places, np.cumsum(lines.year_count)[:-1])):
        year = points.year[own].astype(np.float64)
        value, error = yearly.value[own], yearly.standard_error[own]
        bends = find_joinpoints(year, value, error, most, checkpoint)
        joinpoints.append(tuple(points.year[own[list(bends)]].tolist()))
        if not bends:
            ends = int(lines.first[number]), int(lines.last[number])
            slope, standard_error = float(lines.slope[number]), float(lines.standard_error[number])
            rows.append((number, slope, standard_error, len(own), *ends))
            continue
        bent = fit_bent(year, value, error, bends)
        fit.residual_ratio[number], fit.misfit_p[number] = bent.residual_ratio, bent.misfit_p
        fit.widened_by[number], fit.jump[number] = bent.widened_by, own[bent.jump]
        edges = (0, *bends, len(own) - 1)
        for slope, standard_error, first, last in zip(bent.slopes, bent.errors, edges[:-1], edges[1:], strict=True):
            rows.append((number, slope, standard_error, last - first + 1, int(own[first]), int(own[last])))
    line, slopes, errors, year_count, firsts, lasts = zip(*rows, strict=True)
    return Segments(
        np.array(line, dtype=np.intp),
        np.array(slopes),
        np.array(errors),
        np.array(year_count, dtype=np.intp),
        np.array(firsts, dtype=np.intp),
        np.array(lasts, dtype=np.intp),
        fit,
        tuple(joinpoints),
    )


@dataclass(frozen=True, slots=True)
class BentLine:
    """A line with given joinpoints; slopes and their widened errors are of its segments, ``jump`` is a place."""

    slopes: list[float]
    errors: list[float]
    residual_ratio: float
    misfit_p: float
    widened_by: float
    jump: int


def fit_bent(year: FloatArray, value: FloatArray, standard_error: FloatArray, bends: Sequence[int]) -> BentLine:
    """Fit a continuous line that bends at given places by weighted least squares.

    Parameters
    ----------
    year, value, standard_error
        One per estimate, by year; none unknown, errors above 0.
    bends
        The places of the joinpoints, ascending, with ``YEARS_BESIDE`` others on each side of each.

    Notes
    -----
    Value on 1, year and max(0, year - joinpoint), weights 1 / SE^2. Chi-square has n - 2 (k + 1) degrees of freedom
    with k joinpoints, as each costs its year and its slope. The error of a slope is sqrt(1 / sum(w (x - xbar)^2)) over
    the years of its segment without the joinpoints (Feder 1975, Lerman 1980), times the Birge ratio where that is
    above 1.
    """
    x, weight = year - year[0], 1 / standard_error**2
    columns = np.stack([np.ones(len(x)), x, *(np.maximum(x - x[place], 0) for place in bends)], axis=1)
    coefficients = np.linalg.lstsq(columns / standard_error[:, None], value / standard_error, rcond=None)[0]
    residual = value - columns @ coefficients
    chi_square, freedom = float((weight * residual**2).sum()), len(x) - 2 * (len(bends) + 1)
    ratio = chi_square / freedom
    widened_by = max(1.0, math.sqrt(ratio))
    inside = [slice(first + 1, last) for first, last in zip((-1, *bends), (*bends, len(x)), strict=True)]
    return BentLine(
        np.cumsum(coefficients[1:]).tolist(),
        [widened_by / math.sqrt(_spread(x[own], weight[own])) for own in inside],
        ratio,
        float(chi_square_p(np.array([chi_square]), np.array([freedom]))[0]),
        widened_by,
        int(largest_jump(np.zeros(len(x), dtype=np.intp), residual, standard_error, 1)[0]),
    )


def _spread(x: FloatArray, weight: FloatArray) -> float:
    centre = (weight * x).sum() / weight.sum()
    return float((weight * (x - centre) ** 2).sum())


def cautions_of_misfit(points: Points, lines: Lines) -> list[str]:
    """Return a caution about series that are on no line, and in which years they jump."""
    misfits = np.flatnonzero(lines.is_misfit)
    if not len(misfits):
        return []
    counts = Counter(points.year[lines.jump[misfits]].tolist())
    jumps = [f"{year} ({number})" for year, number in sorted(counts.items())]
    scattering = f"{len(misfits)} of {len(lines.slope)} series scatter more around their line than their errors explain"
    widened = f"(chi-square, p at most {MISFIT_P:g}); the intervals of their slopes are widened for it"
    return [f"{scattering} {widened}, and their largest jumps come in {listed(jumps)}"]
