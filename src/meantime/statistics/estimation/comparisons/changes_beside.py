"""Changes beside those of a reference, over the same years and strata: rows of both sides, two by two.

A change of one side alone, and its source, is in ``series/changes.py``; whether two differ, in ``contrasts.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meantime.statistics.estimation.breaks import Breaks, Stretches, stretches
from meantime.statistics.estimation.cautions import listed
from meantime.statistics.estimation.comparisons.changing import Changing
from meantime.statistics.estimation.grouping import LOCATION, STRATUM, group
from meantime.statistics.estimation.pooling import Estimates
from meantime.statistics.estimation.selection import IndexArray, Selection
from meantime.statistics.estimation.series.changes import (
    SideChange,
    Yearly,
    along_lines,
    between_years,
    yearly_of,
)
from meantime.statistics.estimation.series.lines import MISFIT_P, Lines
from meantime.statistics.estimation.series.panels import years_asked
from meantime.statistics.result import Column, taken, whole
from meantime.survey.cube.survey_cube import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """Yearly estimates of what is compared and of the reference, row by row.

    ``dimensions`` say what each row is about, ``inside`` which of ``years`` it is about.
    """

    dimensions: dict[str, Column]
    years: IndexArray
    inside: BoolArray
    own: Yearly
    reference: Yearly

    def names(self) -> list[str]:
        """Return location and, where there are several, stratum of each row."""
        places, strata = (list(self.dimensions[name]) for name in (LOCATION, STRATUM))
        if len(set(strata)) == 1:
            return [str(place) for place in places]
        return [f"{place} {stratum}" for place, stratum in zip(places, strata, strict=True)]

    def rows(self, places: IndexArray, inside: BoolArray) -> Sides:
        """Return these rows, about these years."""
        return Sides(
            taken(self.dimensions, places),
            self.years,
            inside,
            self.own.rows(places),
            self.reference.rows(places),
        )


def sides_of(
    compared: Selection, own: Estimates, reference: Estimates | None, gap_from: int | None, years: IndexArray
) -> Sides:
    """Set each location and stratum beside the reference.

    Parameters
    ----------
    compared
        The cells of the locations and strata that have a row each.
    own
        Their estimates by location, year and stratum; ``gap_from``'s are among them.
    reference
        Those of the reference by year and stratum; None where changes are compared with none at all.
    gap_from
        The segment (an index) from which to the compared one the gap is meant; None where values are.
    years
        The years of the columns, ascending.
    """
    series, cube = group(compared, [LOCATION, STRATUM]), compared.cube
    cells = compared.cells[series.first_cell]
    segment = cube.cells.segment[cells].astype(np.intp)
    first_row = cube.cells.location[cells].astype(np.intp) * len(cube.segments)

    def rows_of(estimates: Estimates, first: IndexArray) -> Yearly:
        every = yearly_of(estimates, years)
        found = every.rows(first + segment)
        return found if gap_from is None else found.minus(every.rows(first + gap_from))

    compared_rows = rows_of(own, first_row)
    return Sides(
        series.dimension_columns(),
        years,
        np.ones((len(series), len(years)), dtype=np.bool_),
        compared_rows,
        compared_rows.steady() if reference is None else rows_of(reference, np.zeros_like(first_row)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class ChangesBeside:
    """The changes of both sides of each row, with the fields and cautions that only their kind of change has."""

    sides: Sides
    own: SideChange
    reference: SideChange
    columns: dict[str, Column]
    cautions: list[str]


def changes_beside(
    compared: Selection, own: Estimates, reference: Estimates | None, gap_from: int | None, *, of: str, breaks: str
) -> ChangesBeside:
    """Return the changes of both sides, of one kind (``changing.Changing``); for the other parameters see ``sides_of``.

    A trend that doesn't cross the question's known breaks (``breaks.Breaks``) has a row for each stretch of years.
    """
    if of != Changing.TREND:
        years = np.array(compared.years, dtype=np.intp)
        return changes_between(sides_of(compared, own, reference, gap_from, years))
    both = [own] if reference is None else [own, reference]
    asked = stretches(
        np.unique(np.concatenate([years_asked(each.groups.selection) for each in both])),
        [] if breaks == Breaks.CROSS else [each.year for each in compared.question.breaks],
    )
    return changes_along_lines(sides_of(compared, own, reference, gap_from, asked.years), asked)


def changes_between(sides: Sides) -> ChangesBeside:
    """Return the changes from the first of the years to the last."""
    own, reference, names = between_years(sides.own), between_years(sides.reference), sides.names()
    columns: dict[str, Column] = {
        "first_year": np.repeat(sides.years[0], len(names)),
        "last_year": np.repeat(sides.years[-1], len(names)),
        "first_value": sides.own.value[:, 0],
        "last_value": sides.own.value[:, -1],
        "reference_first_value": sides.reference.value[:, 0],
        "reference_last_value": sides.reference.value[:, -1],
    }
    without = [names[row] for row in np.flatnonzero(np.isnan(own.value - reference.value)).tolist()]
    lacking = f"not compared, because an estimate is lacking on one side: {len(without)} of {len(names)}"
    return ChangesBeside(sides, own, reference, columns, [f"{lacking} ({listed(without)})"] if without else [])


def changes_along_lines(sides: Sides, asked: Stretches) -> ChangesBeside:
    """Return the slopes of both sides over the years that both have, a row for each stretch of years.

    A stretch in which nothing has two such years is left out.
    """
    own, reference = sides.own, sides.reference
    matched = own.is_usable & reference.is_usable
    of_stretch = np.arange(asked.count)[:, None] == asked.number
    kept = ((matched[:, None] & of_stretch).sum(axis=2) >= 2).any(axis=0)
    places = np.repeat(np.arange(len(matched)), kept.sum())
    inside = np.tile(of_stretch[kept], (len(matched), 1))
    found = sides.rows(places, inside)
    used = matched[places] & inside
    own_change, own_lines = along_lines(own.rows(places), used, sides.years)
    reference_change, reference_lines = along_lines(reference.rows(places), used, sides.years)
    unmatched = _unmatched(found, (own.is_usable ^ reference.is_usable)[places] & inside)
    lone = [
        str(year) for year, number in zip(asked.years.tolist(), asked.number.tolist(), strict=True) if not kept[number]
    ]
    said = [f"between breaks too few years for a trend, so left out: {listed(lone)}"] if lone else []
    return ChangesBeside(
        found,
        own_change,
        reference_change,
        _line_columns(found.years, used, own_lines, reference_lines, unmatched),
        said + _cautions_of_lines(found, own_lines, reference_lines, unmatched),
    )


def _unmatched(sides: Sides, one_sided: BoolArray) -> list[list[str]]:
    """Return the years that one side of each row has and the other lacks."""
    return [[str(year) for year in sides.years[lost].tolist()] for lost in one_sided]


def _line_columns(
    years: IndexArray, used: BoolArray, own: Lines, reference: Lines, unmatched: list[list[str]]
) -> dict[str, Column]:
    has_line = own.year_count >= 2
    first, last = years[used.argmax(axis=1)], years[len(years) - 1 - used[:, ::-1].argmax(axis=1)]

    def of_lines(numbers: FloatArray | IndexArray) -> FloatArray:
        return np.where(has_line, numbers, np.nan)

    return {
        "year_count": own.year_count,
        "first_year": whole(of_lines(first)),
        "last_year": whole(of_lines(last)),
        "misfit_p": own.misfit_p,
        "widened_by": of_lines(own.widened_by),
        "reference_misfit_p": reference.misfit_p,
        "reference_widened_by": of_lines(reference.widened_by),
        "cells_left_out": [len(lost) for lost in unmatched],
        "left_out": [listed(lost) for lost in unmatched],
    }


def _cautions_of_lines(sides: Sides, own: Lines, reference: Lines, unmatched: list[list[str]]) -> list[str]:
    names, found = sides.names(), []
    partly: list[str] = []
    without: list[str] = []
    for name, count, lost in zip(names, own.year_count.tolist(), unmatched, strict=True):
        if count < 2:
            without.append(name)
        elif lost:
            partly.append(f"{name} without {listed(lost)}")
    if partly:
        found.append(
            f"lines are only through the years that both sides have: {len(partly)} of {len(names)} ({listed(partly)})"
        )
    if without:
        found.append(
            "without a slope, because fewer than two years have a value and a standard error on both sides:"
            f" {len(without)} of {len(names)} ({listed(without)})"
        )
    for side, lines in (("what is compared", own), ("the reference", reference)):
        misfits = int(lines.is_misfit.sum())
        if misfits:
            found.append(
                f"{misfits} of {len(names)} lines of {side} scatter more than their errors explain (chi-square, p at"
                f" most {MISFIT_P:g}); the intervals of their slopes are widened for it"
            )
    return [*found, "the samples of different years are taken as independent"]
