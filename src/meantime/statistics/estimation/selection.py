"""The cells of a cube that a request is about.

How filters choose them is in ``filters.py``, how they are grouped in ``grouping.py``, how pooled in ``pooling.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from meantime.errors import StatisticError
from meantime.survey.cube.survey_cube import SurveyCube, kept_per_cube
from meantime.survey.questions import Question

IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The cells that pass the filters.

    ``years`` are ascending, ``locations`` and ``segments`` are indexes into the cube (locations by name, segments by
    category, place on the scale, name); they list what was asked for, whether there are cells or not. ``cells`` are
    indexes into the cube's cells, ascending.
    """

    cube: SurveyCube
    question: Question
    years: tuple[int, ...]
    locations: tuple[int, ...]
    segments: tuple[int, ...]
    cells: IndexArray

    @property
    def location_names(self) -> tuple[str, ...]:
        """The names of the selected locations, ascending."""
        return tuple(self.cube.locations[index].name for index in self.locations)

    def elsewhere(
        self,
        *,
        question: str | None = None,
        years: tuple[int, ...] | None = None,
        locations: tuple[int, ...] | None = None,
        segments: tuple[int, ...] | None = None,
    ) -> Selection:
        """Return the selection with something else in place of what is given; errors as for ``cells_selected``."""
        return cells_selected(
            self.cube,
            self.question.text if question is None else question,
            self.years if years is None else years,
            self.locations if locations is None else locations,
            self.segments if segments is None else segments,
        )


def cells_selected(
    cube: SurveyCube, question: str, years: tuple[int, ...], locations: tuple[int, ...], segments: tuple[int, ...]
) -> Selection:
    """Return the cells of one question in these years, locations and segments.

    Raises
    ------
    StatisticError
        The dataset has no row there.
    """
    index = cube.question_index[question]
    # Strata first: they leave few cells for the other two to look at.
    if len(segments) == 1:
        found = _cells_of_segment(cube, index, segments[0])
    else:
        span = cube.cells_of(index)
        found = np.flatnonzero(_flags(segments, len(cube.segments))[cube.cells.segment[span]]) + span.start
    found = found[_flags(locations, len(cube.locations))[cube.cells.location[found]]]
    first = cube.years[0]
    in_years = _flags([year - first for year in years], cube.years[-1] - first + 1)
    found = found[in_years[cube.cells.year[found] - first]]
    if not len(found):
        raise StatisticError(
            f"the dataset has no row for {question!r} with these years, locations and strata; widen the filters"
        )
    return Selection(cube, cube.questions[index], years, locations, segments, found)


def years_of(cube: SurveyCube, cells: IndexArray | slice) -> list[int]:
    """Return the years of some cells of a cube, ascending, each once."""
    first = cube.years[0]
    years: list[int] = (np.flatnonzero(np.bincount(cube.cells.year[cells] - first)) + first).tolist()
    return years


@kept_per_cube
def _cells_of_segment(cube: SurveyCube, question: int, segment: int) -> IndexArray:
    """Return the cells of one segment of a question (both indexes): most requests are about one, such as everybody."""
    span = cube.cells_of(question)
    found: IndexArray = np.flatnonzero(cube.cells.segment[span] == segment) + span.start
    found.flags.writeable = False
    return found


def _flags(indexes: Sequence[int], length: int) -> npt.NDArray[np.bool_]:
    flags = np.zeros(length, dtype=np.bool_)
    flags[list(indexes)] = True
    return flags
