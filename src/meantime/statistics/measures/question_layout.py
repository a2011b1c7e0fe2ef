"""What is constant per cube and question, so that a contract statistic is two sums and a division.

Where each location begins among a question's cells, which cells share a (location, category, stratum), and the texts
that the contract has for those keys. Statistics themselves are in ``contract.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from meantime.survey.cube.survey_cube import SurveyCube

IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class QuestionLayout:
    """The places of one question's cells; arrays are read-only.

    ``location_names[i]`` owns the cells from ``location_starts[i]`` on, up to the next start (indexes count from the
    first cell of the question; only locations with cells appear). ``key_of_cell`` numbers each cell's
    (location, category, stratum), -1 for a cell without category or stratum; ``key_texts`` has the wire form of
    each number, ``key_tails`` the form without the location, and the keys of ``location_names[i]`` are
    ``key_bounds[i]`` to ``key_bounds[i + 1]``.
    """

    location_names: tuple[str, ...]
    location_starts: IndexArray
    key_of_cell: IndexArray
    key_texts: tuple[str, ...]
    key_tails: tuple[str, ...]
    key_bounds: tuple[int, ...]


# Two threads may build the same layout at once: both build equal values, and either assignment (one dict operation)
# may win. A layout is complete before it is assigned and never changes, so no lock is needed.
_LAYOUTS: WeakKeyDictionary[SurveyCube, dict[int, QuestionLayout]] = WeakKeyDictionary()


def question_layout(cube: SurveyCube, question: int) -> QuestionLayout:
    """Return the layout of one question (an index), built on first use and kept as long as the cube lives."""
    layouts = _LAYOUTS.get(cube)
    if layouts is None:
        layouts = _LAYOUTS.setdefault(cube, {})
    layout = layouts.get(question)
    if layout is None:
        layout = layouts[question] = _build(cube, question)
    return layout


def _build(cube: SurveyCube, question: int) -> QuestionLayout:
    cells = cube.cells_of(question)
    locations, starts = np.unique(cube.cells.location[cells], return_index=True)
    blank = np.array([segment.is_blank for segment in cube.segments], dtype=np.bool_)
    segment_of_cell = cube.cells.segment[cells]
    codes = cube.cells.location[cells].astype(np.int64) * len(cube.segments) + segment_of_cell
    keyed = ~blank[segment_of_cell]
    keys, inverse = np.unique(codes[keyed], return_inverse=True)
    key_of_cell = np.full(len(codes), -1, dtype=np.intp)
    key_of_cell[keyed] = inverse
    key_locations, key_segments = np.divmod(keys, len(cube.segments))
    texts, tails = [], []
    for location, segment_index in zip(key_locations.tolist(), key_segments.tolist(), strict=True):
        segment = cube.segments[segment_index]
        texts.append(str((cube.locations[location].name, segment.category, segment.stratum)))
        tails.append(str((segment.category, segment.stratum)))
    bounds = [*np.searchsorted(key_locations, locations).tolist(), len(keys)]
    starts.flags.writeable = key_of_cell.flags.writeable = False
    return QuestionLayout(
        location_names=tuple(cube.locations[index].name for index in locations.tolist()),
        location_starts=starts,
        key_of_cell=key_of_cell,
        key_texts=tuple(texts),
        key_tails=tuple(tails),
        key_bounds=tuple(bounds),
    )
