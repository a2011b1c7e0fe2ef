"""Rolled-up cells as an engine hands them over -> a SurveyCube: codes, order, what names mean.

Rows without question, location or year are dropped here; how many is for the ingest report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

import numpy as np

from meantime.survey.cube import BoolArray, Cells, IntArray, SurveyCube
from meantime.survey.engines import Arrays
from meantime.survey.profile import Profile
from meantime.survey.rollup import EXTREMES, SUMS

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
    year = arrays.numbers["year"]
    _check_numbers(arrays)
    kept = (year > 0) & ~_blank(arrays, "question") & ~_blank(arrays, "location")
    question, questions = _compact(arrays, "question", kept)
    location, locations = _compact(arrays, "location", kept)
    segment, segments = _segments(arrays, kept)
    kept_year = year[kept].astype(np.int32)
    order = np.lexsort((segment, kept_year, location, question))
    keys = {"question": question, "location": location, "year": kept_year, "segment": segment}
    names = [column.name for column in fields(Cells)]
    columns = {name: keys[name] if name in keys else arrays.numbers[name][kept] for name in names}
    cube = SurveyCube(
        version=version,
        questions=tuple(profile.question(text, *_trimmed(question_attributes[text])) for text in questions),
        locations=tuple(profile.location(name, *_trimmed(location_attributes[name])) for name in locations),
        segments=tuple(profile.segment(*names) for names in segments),
        cells=Cells(**{name: column[order] for name, column in columns.items()}),  # type: ignore[arg-type]  # the names decide
    )
    return BuiltCube(cube, int(arrays.numbers["row_count"][~kept].sum()))


def _check_numbers(arrays: Arrays) -> None:
    year = arrays.numbers["year"]
    if not (np.all(np.floor(year) == year) and np.all((year >= 0) & (year <= 9999))):
        raise UnreadableNumberError("a year is no whole number from 1 to 9999")
    if not all(np.isfinite(arrays.numbers[name]).all() for name in SUMS):
        raise UnreadableNumberError("a number is not finite or too large")
    if any(np.isinf(arrays.numbers[name]).any() for name in EXTREMES):
        raise UnreadableNumberError("a number is not finite")


def _blank(arrays: Arrays, name: str) -> BoolArray:
    """Where a text is empty: the empty text comes first in a dictionary, if it's there at all."""
    codes = arrays.codes[name]
    return codes == 0 if arrays.dictionaries[name][:1] == ("",) else np.zeros(len(codes), dtype=np.bool_)


def _compact(arrays: Arrays, name: str, kept: BoolArray) -> tuple[IntArray, tuple[str, ...]]:
    """Return the codes of the kept cells, renumbered from 0 without gaps, and their texts."""
    used, codes = np.unique(arrays.codes[name][kept], return_inverse=True)
    return codes.astype(np.int32), tuple(arrays.dictionaries[name][code] for code in used)


def _segments(arrays: Arrays, kept: BoolArray) -> tuple[IntArray, tuple[tuple[str, str], ...]]:
    strata = arrays.dictionaries["stratum"]
    pairs = arrays.codes["category"][kept].astype(np.int64) * len(strata) + arrays.codes["stratum"][kept]
    used, codes = np.unique(pairs, return_inverse=True)
    names = (divmod(int(pair), len(strata)) for pair in used)
    texts = tuple((arrays.dictionaries["category"][category], strata[stratum]) for category, stratum in names)
    return codes.astype(np.int32), texts


def _trimmed(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(text.strip() for text in texts)
