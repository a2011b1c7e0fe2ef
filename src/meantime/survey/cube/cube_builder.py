"""Rolled-up cells as an engine hands them over -> a SurveyCube: codes, order, what names mean.

Rows without question, location or year are dropped here; how many is for the ingest report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from meantime.survey.cube.rollup import EXTREMES, SUMS
from meantime.survey.cube.survey_cube import BoolArray, Cells, IntArray, SurveyCube
from meantime.survey.questions import FIRST_YEAR, LAST_YEAR
from meantime.survey.reading.engines import Arrays
from meantime.survey.reading.forms.year_forms import are_years
from meantime.survey.reading.profile import Profile

Attributes = Mapping[str, tuple[str, ...]]
"""The attributes of each question or location, such as its id and unit, by its text."""


class UnreadableNumberError(Exception):
    """A number went through the engine that is not finite, or a year that is none."""


@dataclass(frozen=True, slots=True)
class BuiltCube:
    """A cube, and how many rows of the source are not in it."""

    cube: SurveyCube
    left_out_count: int


def build_cube(
    arrays: Arrays, question_attributes: Attributes, location_attributes: Attributes, profile: Profile, version: str
) -> BuiltCube:
    """Make the cube of rolled-up cells.

    Parameters
    ----------
    arrays
        The columns of `rollup`, one place a cell, in any order.
    question_attributes
        Text -> id and unit.
    location_attributes
        Name -> abbreviation and FIPS code.
    profile
        What the names mean.
    version
        The version that the cube gets.

    Raises
    ------
    UnreadableNumberError
        A sum or a year is not a finite number, which the rows must explain.
    """
    check_numbers(arrays)
    blank = blank_cells(arrays)
    kept = np.flatnonzero(~blank)
    question, questions = _compact(arrays.codes["question"][kept], arrays.dictionaries["question"])
    location, locations = _compact(arrays.codes["location"][kept], arrays.dictionaries["location"])
    segment, segments = _segments(arrays, kept)
    year = arrays.numbers["year"][kept].astype(np.int32)
    area = question.astype(np.int64) * len(locations) + location
    order = np.lexsort((year.astype(np.int64) * len(segments) + segment, area))
    source_order = kept[order]
    keys = {"question": question, "location": location, "year": year, "segment": segment}
    columns = {
        column.name: keys[column.name][order] if column.name in keys else arrays.numbers[column.name][source_order]
        for column in fields(Cells)
    }
    cube = SurveyCube(
        version=version,
        questions=tuple(profile.question(text, *_trimmed(question_attributes[text])) for text in questions),
        locations=tuple(profile.location(name, *_trimmed(location_attributes[name])) for name in locations),
        segments=tuple(profile.segment(*names) for names in segments),
        cells=Cells(**columns),  # type: ignore[arg-type]  # which are whole numbers is decided in rollup.py
    )
    return BuiltCube(cube, int(arrays.numbers["row_count"][blank].sum()))


def blank_cells(arrays: Arrays) -> BoolArray:
    """Return which cells have no place in a cube: their rows had no question, location or year."""
    without_year: BoolArray = arrays.numbers["year"] == 0
    return without_year | _blank(arrays, "question") | _blank(arrays, "location")


def check_numbers(arrays: Arrays) -> None:
    """Raise UnreadableNumberError where a sum is not finite, or a year is none."""
    year = arrays.numbers["year"]
    if not are_years(np.unique(year[year != 0]).tolist()):
        raise UnreadableNumberError(f"a year is no whole number from {FIRST_YEAR} to {LAST_YEAR}")
    if not all(np.isfinite(arrays.numbers[name]).all() for name in SUMS):
        raise UnreadableNumberError("a number is not finite or too large")
    if any(np.isinf(arrays.numbers[name]).any() for name in EXTREMES):
        raise UnreadableNumberError("a number is not finite")


def _blank(arrays: Arrays, name: str) -> BoolArray:
    """Where a text is empty: the empty text comes first in a dictionary, if it's there at all."""
    codes = arrays.codes[name]
    return codes == 0 if arrays.dictionaries[name][:1] == ("",) else np.zeros(len(codes), dtype=np.bool_)


def _compact(codes: IntArray, texts: Sequence[str]) -> tuple[IntArray, tuple[str, ...]]:
    """Renumber codes from 0 without gaps, in the same order; return them and the texts that are in use."""
    used = np.bincount(codes, minlength=len(texts)) > 0
    places = np.cumsum(used, dtype=np.int32) - 1
    return places[codes].astype(np.int32), tuple(texts[code] for code in np.flatnonzero(used).tolist())


def _segments(arrays: Arrays, kept: npt.NDArray[np.intp]) -> tuple[IntArray, tuple[tuple[str, str], ...]]:
    categories, strata = arrays.dictionaries["category"], arrays.dictionaries["stratum"]
    pairs = arrays.codes["category"][kept].astype(np.int64) * len(strata) + arrays.codes["stratum"][kept]
    used, codes = np.unique(pairs, return_inverse=True)
    places = (divmod(int(pair), len(strata)) for pair in used)
    return codes.astype(np.int32), tuple((categories[category], strata[stratum]) for category, stratum in places)


def _trimmed(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(text.strip() for text in texts)
