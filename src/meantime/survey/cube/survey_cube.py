"""The SurveyCube: every published estimate of one dataset version, as immutable numpy columns.

One cell is one (question, location, year, segment). A cell holds mergeable aggregates, so the cube of a table is
the same whatever the order of its rows, and the cubes of two halves add up to the cube of the whole.
All threads share a cube without a lock: its arrays are read-only. Reading files is not done here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, fields
from functools import cached_property, wraps
from typing import TypeVar, TypeVarTuple
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from meantime.survey.questions import Location, Question, Segment

IntArray = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The cells of a cube: parallel arrays of length C, sorted by question, location, year, segment.

    "With a value" is written n below; percent is the unit of the values (or the question's own).
    SE is (high - low) / (2 Z_95) of one estimate (``questions.py``), on the percent scale.
    """

    question: IntArray  # index into SurveyCube.questions
    location: IntArray  # index into SurveyCube.locations
    year: IntArray  # the year itself, such as 2023
    segment: IntArray  # index into SurveyCube.segments
    row_count: IntArray  # rows of the source, with a value or without
    value_count: IntArray  # n: rows with a value; row_count - value_count are suppressed
    value_sum: FloatArray  # sum of values, 0.0 where n is 0
    value_m2: FloatArray  # sum of squared deviations from the cell's own mean
    value_min: FloatArray  # NaN where n is 0
    value_max: FloatArray  # NaN where n is 0
    low: FloatArray  # the file's own limits where the cell is one estimate, else NaN
    high: FloatArray
    variance_count: IntArray  # rows with a value and an SE
    variance_sum: FloatArray  # sum SE^2
    precision_count: IntArray  # rows with a value and an SE above 0
    precision_sum: FloatArray  # sum 1/SE^2
    precision_value_sum: FloatArray  # sum v/SE^2
    sample_count: IntArray  # rows with a value and a sample size
    sample_size_sum: FloatArray  # sum n_i, persons
    sample_value_sum: FloatArray  # sum n_i v_i
    sample_variance_count: IntArray  # rows with a value, a sample size and an SE
    sample_variance_sum: FloatArray  # sum n_i^2 SE_i^2

    def __post_init__(self) -> None:
        for column in fields(self):
            array = getattr(self, column.name)
            if len(array) != len(self.question):
                raise ValueError(f"column {column.name} has {len(array)} cells, question has {len(self.question)}")
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.question)


@dataclass(frozen=True, eq=False)
class SurveyCube:
    """All estimates of one dataset version.

    ``version`` identifies the data: the same source bytes read the same way give the same version. What is said of
    their origin is in the dataset's version only.
    Questions are sorted by text, locations by name, segments by category, then stratum.
    """

    version: str
    questions: tuple[Question, ...]
    locations: tuple[Location, ...]
    segments: tuple[Segment, ...]
    cells: Cells
    question_bounds: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        bounds = np.searchsorted(self.cells.question, np.arange(len(self.questions) + 1))
        object.__setattr__(self, "question_bounds", tuple(int(b) for b in bounds))

    def cells_of(self, question: int) -> slice:
        """Return the slice of the cell arrays that belongs to one question (an index)."""
        return slice(self.question_bounds[question], self.question_bounds[question + 1])

    @cached_property
    def question_index(self) -> dict[str, int]:
        """Map a question's text and its id to its index."""
        by_id = {question.question_id: i for i, question in enumerate(self.questions) if question.question_id}
        return by_id | {question.text: i for i, question in enumerate(self.questions)}

    @cached_property
    def location_index(self) -> dict[str, int]:
        """Map a location's name to its index."""
        return {location.name: i for i, location in enumerate(self.locations)}

    @cached_property
    def years(self) -> tuple[int, ...]:
        """All years, ascending."""
        return tuple(int(year) for year in np.unique(self.cells.year))


Places = TypeVarTuple("Places")
Found = TypeVar("Found")


def kept_per_cube(find: Callable[[SurveyCube, *Places], Found]) -> Callable[[SurveyCube, *Places], Found]:
    """Return the function with a memory, for arguments of which a cube has only so many.

    What it finds is shared by all threads, so it has to be immutable; it must not refer to the cube, which then would
    never go.
    """
    # Two threads may find the same at once: both find equal values, and either assignment (one dict operation) may
    # win. A value is complete before it is assigned and never changes, so no lock is needed.
    kept: WeakKeyDictionary[SurveyCube, dict[tuple[Hashable, ...], Found]] = WeakKeyDictionary()

    @wraps(find)
    def found(cube: SurveyCube, *places: *Places) -> Found:
        of_cube = kept.get(cube)
        if of_cube is None:
            of_cube = kept.setdefault(cube, {})
        if places not in of_cube:
            of_cube[places] = find(cube, *places)
        return of_cube[places]

    return found
