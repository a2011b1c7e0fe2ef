"""Why an estimate isn't there: told apart by what else the table has of the place, the year and the question.

CDC's tables give all empty cells the same footnote, that the sample is too small, even those of a state that took no
part in a year's survey.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from meantime.statistics.estimation.selection import IndexArray, Selection
from meantime.survey.cube.survey_cube import BoolArray, SurveyCube, kept_per_cube

ReasonArray = npt.NDArray[np.int8]


class Absence(IntEnum):
    """Why there is no value; the numbers stand in arrays."""

    NONE = 0
    SUPPRESSED = 1
    """The location has other estimates of the question in that year."""
    NOT_SURVEYED = 2
    """The location has no estimate of any question in that year."""
    NOT_ASKED = 3
    """The location has estimates of other questions in that year, but none of this one."""
    MISSING = 4
    """There is no row, though the location has other estimates of the question in that year."""
    IMPOSSIBLE = 5
    """There is no row of the question and the stratum anywhere, such as schoolchildren among infants."""


@kept_per_cube
def answers(cube: SurveyCube) -> BoolArray:
    """Return whether there is any value, by question, location and place of the year among ``cube.years``."""
    cells = cube.cells
    found = np.zeros((len(cube.questions), len(cube.locations), len(cube.years)), dtype=np.bool_)
    valued = cells.value_count > 0
    years = np.searchsorted(cube.years, cells.year[valued])
    found[cells.question[valued], cells.location[valued], years] = True
    found.flags.writeable = False
    return found


@kept_per_cube
def surveyed(cube: SurveyCube) -> BoolArray:
    """Return whether there is a value of any question, by location and place of the year."""
    found: BoolArray = np.asarray(answers(cube).any(axis=0))
    found.flags.writeable = False
    return found


def reasons_of_places(cube: SurveyCube, question: int) -> ReasonArray:
    """Return why a place without a row is empty, by location and place of the year, whatever the stratum."""
    reasons = np.where(answers(cube)[question], Absence.MISSING, Absence.NOT_ASKED)
    return np.where(surveyed(cube), reasons, Absence.NOT_SURVEYED).astype(np.int8)


@kept_per_cube
def reasons_of_cells(cube: SurveyCube) -> ReasonArray:
    """Return why each cell has no value, or no value for some of its rows; ``NONE`` where all rows have one."""
    cells = cube.cells
    years = np.searchsorted(cube.years, cells.year)
    is_asked = answers(cube)[cells.question, cells.location, years]
    is_surveyed = surveyed(cube)[cells.location, years]
    reasons = np.select(
        [cells.value_count == cells.row_count, ~is_surveyed, ~is_asked],
        [Absence.NONE, Absence.NOT_SURVEYED, Absence.NOT_ASKED],
        Absence.SUPPRESSED,
    ).astype(np.int8)
    reasons.flags.writeable = False
    return reasons


@kept_per_cube
def possible_segments(cube: SurveyCube, question: int) -> frozenset[int]:
    """Return the segments (indexes) of which there is a row for a question (an index), anywhere and in any year."""
    return frozenset(np.unique(cube.cells.segment[cube.cells_of(question)]).tolist())


def absent_estimates(selection: Selection) -> dict[Absence, IndexArray]:
    """Return the selected cells that lack values, by reason."""
    reasons = reasons_of_cells(selection.cube)[selection.cells]
    found = [Absence(number) for number in np.flatnonzero(np.bincount(reasons)).tolist()]
    return {reason: selection.cells[reasons == reason] for reason in found if reason is not Absence.NONE}


def places_and_years(cube: SurveyCube, cells: IndexArray) -> list[str]:
    """Return locations and years of cells in words, each once: ``Kentucky 2023``."""
    first, length = cube.years[0], cube.years[-1] - cube.years[0] + 1
    codes = cube.cells.location[cells].astype(np.intp) * length + (cube.cells.year[cells] - first)
    pairs = [divmod(code, length) for code in np.flatnonzero(np.bincount(codes)).tolist()]
    return [f"{cube.locations[place].name} {first + year}" for place, year in pairs]
