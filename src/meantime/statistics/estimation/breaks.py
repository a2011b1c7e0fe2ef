"""Breaks: years from which on estimates can't be compared with earlier ones, or that somebody wants to begin anew.

The known ones are in the question (from ``survey/reading/known_breaks.py`` or a mapping file); jumps that nobody has
explained are found in ``series/lines.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import numpy as np

from meantime.errors import InvalidParameterError
from meantime.fields.fields import Default, Example
from meantime.fields.kinds import Choice, WholeNumber
from meantime.statistics.estimation.selection import IndexArray
from meantime.statistics.kinds import MAXIMUM_YEAR, OneOrMore
from meantime.survey.cube.survey_cube import IntArray
from meantime.survey.questions import Break, Question


class Breaks(StrEnum):
    """What a trend does at a known break."""

    APART = "apart"
    CROSS = "cross"


BreaksOption = Annotated[
    str,
    Choice(tuple(Breaks), any_case=True),
    "What a trend does at a known break of the question: `apart` is one before it and one after, `cross` one line.",
    Example("apart"),
]
BreakYearsOption = Annotated[
    tuple[int, ...],
    OneOrMore(WholeNumber(1, MAXIMUM_YEAR), minimum=0),
    "Years that each begin a trend of its own, besides the known breaks, whatever `breaks` says.",
    Default("none"),
    Example([2020]),
]


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """The years of a series, cut at breaks: ``number`` is the stretch of each of ``years``, from 0, ascending."""

    years: IndexArray
    number: IndexArray

    @property
    def count(self) -> int:
        """How many stretches there are."""
        return int(self.number[-1]) + 1 if len(self.number) else 0

    def of(self, year: IndexArray | IntArray) -> IndexArray:
        """Return the stretch of each year; one that isn't among ``years`` counts to that of the next."""
        places = np.minimum(np.searchsorted(self.years, year), len(self.years) - 1)
        return self.number[places]


def stretches(years: IndexArray, cuts: Sequence[int]) -> Stretches:
    """Cut years (ascending) before each of some others; a stretch without a year is none.

    >>> stretches(np.array([2015, 2017, 2019, 2023]), [2011, 2016, 2023]).number.tolist()
    [0, 1, 1, 2]
    """
    between = np.searchsorted(np.array(sorted(cuts), dtype=np.intp), years, side="right")
    return Stretches(years, np.cumsum(np.diff(between, prepend=between[:1]) > 0))


def check_break_years(break_years: Sequence[int], years: Sequence[int]) -> None:
    """Check that each of some years lies after the first of the years asked, and not after the last.

    Raises
    ------
    InvalidParameterError
        One begins nothing: no selected year is before it, or none from it on.
    """
    for year in break_years:
        if not min(years) < year <= max(years):
            raise InvalidParameterError(
                f"break_years: {year} parts none of the selected years, {min(years)} to {max(years)}; give years after"
                " the first of them and up to the last",
                field="break_years",
            )


def breaks_between(question: Question, years: Sequence[int]) -> list[Break]:
    """Return the breaks that lie between the first and the last of some years."""
    return [each for each in question.breaks if years and min(years) < each.year <= max(years)]


def cautions_of_breaks(question: Question, years: Sequence[int], so: str) -> list[str]:
    """Return a caution for each break between some years; ``so`` is what follows from it."""
    return [
        f"estimates from {each.year} on can't be compared with earlier ones, {so}: {each.reason} ({each.source})"
        for each in breaks_between(question, years)
    ]
