"""Plain means over all rows of a question: two sums and a division each.

What is constant per cube and question is kept: where each location begins among a question's cells, which cells share a
(location, category, stratum), and the texts that the contract has for those keys. What each statistic of the contract
gives is in ``contract.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from meantime.errors import StatisticError
from meantime.statistics.estimation.selection import IndexArray
from meantime.statistics.estimation.uncertainty import TIE_DECIMALS
from meantime.survey.cube.survey_cube import FloatArray, SurveyCube, kept_per_cube

Totals = npt.NDArray[np.floating] | npt.NDArray[np.integer]


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


@kept_per_cube
def question_layout(cube: SurveyCube, question: int) -> QuestionLayout:
    """Return the layout of one question (an index)."""
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


def means_in_order(cube: SurveyCube, question: str, *, descending: bool = False) -> dict[str, float]:
    """Return location name to mean for the locations that have a value, in order of the mean, ties by name.

    Raises
    ------
    StatisticError
        The question has no value at all.
    """
    index = cube.question_index[question]
    layout = question_layout(cube, index)
    cells = cube.cells_of(index)
    if cells.start == cells.stop:
        raise _no_value(question)
    counts = np.add.reduceat(cube.cells.value_count[cells], layout.location_starts)
    sums = np.add.reduceat(cube.cells.value_sum[cells], layout.location_starts)
    names, means = _kept(layout.location_names, sums, counts)
    if not len(means):
        raise _no_value(question)
    rounded = np.round(means, TIE_DECIMALS)
    # The names ascend, so a stable sort puts ties in their order.
    order = np.argsort(-rounded if descending else rounded, kind="stable").tolist()
    values = means.tolist()
    return {names[place]: values[place] for place in order}


def mean_of_location(cube: SurveyCube, question: str, name: str) -> float | None:
    """Return the mean of one location; None when it has no value for the question."""
    index = cube.question_index[question]
    span = _location_span(cube, index, question_layout(cube, index), name)
    return None if span is None else _plain_mean(cube, span)


def mean_of_all(cube: SurveyCube, question: str) -> float:
    """Return the mean over all rows of the question; errors as for ``means_in_order``."""
    mean = _plain_mean(cube, cube.cells_of(cube.question_index[question]))
    if mean is None:
        raise _no_value(question)
    return mean


def means_of_keys(cube: SurveyCube, question: str) -> dict[str, float]:
    """Return the text of each (location, category, stratum) that has a value to its mean, in their order.

    Errors as for ``means_in_order``.
    """
    index = cube.question_index[question]
    layout, cells = question_layout(cube, index), cube.cells_of(index)
    if not cube.cells.value_count[cells].any():
        raise _no_value(question)
    # Cells without a key go to place 0, which is dropped.
    return _means(cube, cells, layout.key_of_cell + 1, layout.key_texts)


def means_of_keys_in(cube: SurveyCube, question: str, name: str) -> dict[str, float] | None:
    """Return the text of each (category, stratum) of one location that has a value to its mean, in their order.

    None when the location has no value for the question.
    """
    index = cube.question_index[question]
    layout = question_layout(cube, index)
    span = _location_span(cube, index, layout, name)
    if span is None or not cube.cells.value_count[span].any():
        return None
    place = layout.location_names.index(name)
    first, last = layout.key_bounds[place], layout.key_bounds[place + 1]
    offset = cube.cells_of(index).start
    keys = layout.key_of_cell[span.start - offset : span.stop - offset]
    return _means(cube, span, np.where(keys < 0, 0, keys - first + 1), layout.key_tails[first:last])


def _no_value(question: str) -> StatisticError:
    return StatisticError(f"the question {question!r} has no value in this dataset; ask another one")


def _plain_mean(cube: SurveyCube, span: slice) -> float | None:
    count = int(cube.cells.value_count[span].sum())
    return float(cube.cells.value_sum[span].sum()) / count if count else None


def _means(cube: SurveyCube, cells: slice, places: IndexArray, keys: tuple[str, ...]) -> dict[str, float]:
    """Return key to mean, for keys that have a value; a cell in place 1 belongs to the first key, in 0 to none."""
    counts = np.bincount(places, cube.cells.value_count[cells], len(keys) + 1)[1:]
    sums = np.bincount(places, cube.cells.value_sum[cells], len(keys) + 1)[1:]
    names, means = _kept(keys, sums, counts)
    return dict(zip(names, means.tolist(), strict=True))


def _kept(keys: tuple[str, ...], sums: Totals, counts: Totals) -> tuple[Sequence[str], FloatArray]:
    """Return the keys that have a value and their means."""
    with_value = counts > 0
    if with_value.all():
        return keys, sums / counts
    places = np.flatnonzero(with_value)
    return [keys[place] for place in places.tolist()], sums[places] / counts[places]


def _location_span(cube: SurveyCube, index: int, layout: QuestionLayout, name: str) -> slice | None:
    """Return the slice of the cell arrays that one location has, None when it has no cell."""
    if name not in layout.location_names:
        return None
    place = layout.location_names.index(name)
    cells = cube.cells_of(index)
    is_last = place + 1 == len(layout.location_names)
    stop = cells.stop if is_last else cells.start + int(layout.location_starts[place + 1])
    return slice(cells.start + int(layout.location_starts[place]), stop)
