"""Figures that can hardly be what a table says they are: a note for each kind, with its count and its first rows.

Found in the cube, where a cell is one estimate; rows are looked at only when there is something to find in them, and
only in tables small enough. Nothing is changed: limits that don't hold their value give no standard error already
(``cube/rollup.py``).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from meantime.survey.cube.survey_cube import BoolArray, Cells, FloatArray, IntArray, SurveyCube
from meantime.survey.ingest.notes import Note
from meantime.survey.questions import SCALES
from meantime.survey.reading.columns import Role
from meantime.survey.reading.profile import normal
from meantime.survey.reading.table_reader import TableReader

_ROWS_LIMIT = 1_000_000
_SHOWN_LINES = 3
_SENTINELS = (-9999.0, -999.0, -99.0, -9.0, -8.0, -7.0, 999.0, 9999.0, 99999.0, 999999.0)
"""Numbers that stand for no number in some surveys' files."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Estimates one by one: parallel arrays, NaN where a number is missing.

    ``question`` is the place of each one's question in the cube, -1 for none of them.
    """

    question: IntArray
    value: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, slots=True)
class _Scales:
    """What the values of each question can be, by its place: the top of its scale (NaN: unknown), and what they are."""

    top: FloatArray
    lowest: FloatArray  # of the values that are no sentinels
    highest: FloatArray


def _outside_limits(figures: Figures, _: _Scales) -> BoolArray:
    in_order = figures.low <= figures.high
    return in_order & ((figures.value < figures.low) | (figures.value > figures.high))


def _limits_reversed(figures: Figures, _: _Scales) -> BoolArray:
    return np.asarray(figures.low > figures.high)


def _no_width(figures: Figures, _: _Scales) -> BoolArray:
    return np.equal(figures.low, figures.high) & np.equal(figures.value, figures.low)


def _sentinel(figures: Figures, scales: _Scales) -> BoolArray:
    """Where a value is a sentinel and apart from all others: below 0 among numbers above, or far above the highest."""
    lowest, highest = scales.lowest[figures.question], scales.highest[figures.question]
    apart = ((figures.value < 0) & (lowest >= 0)) | (figures.value > 5 * np.abs(highest))
    return np.isin(figures.value, _SENTINELS) & apart


def _outside_scale(figures: Figures, scales: _Scales) -> BoolArray:
    outside = (figures.value < 0) | (figures.value > scales.top[figures.question])
    return ~np.isnan(scales.top[figures.question]) & outside & ~_sentinel(figures, scales)


_KINDS: dict[str, tuple[Callable[[Figures, _Scales], BoolArray], str]] = {
    # a note's kind: which figures it's about, and what it says of them
    "outside_limits": (_outside_limits, "values outside their own limits, which are not used"),
    "limits_reversed": (_limits_reversed, "limits in the wrong order, which are not used"),
    "no_width": (_no_width, "values equal to both of their limits, so that their standard error is 0"),
    "sentinels": (
        _sentinel,
        "values that seem to stand for none, such as {value:g} (state `missing` under [names])",
    ),
    "outside_scale": (_outside_scale, "values that can't be what their unit says, such as {value:g}"),
}


def implausible_notes(cube: SurveyCube, table: TableReader) -> tuple[Note, ...]:
    """Return a note for each kind of figure that can hardly be right; answers about such cells carry it.

    Parameters
    ----------
    cube
        The cube that was built.
    table
        What it was built from, which tells the rows.
    """
    cells = cube.cells
    places = np.flatnonzero((cells.row_count == 1) & (cells.value_count == 1))
    figures = Figures(cells.question[places], cells.value_sum[places], cells.low[places], cells.high[places])
    scales = _scales(cube, figures)
    masks = {kind: is_odd(figures, scales) for kind, (is_odd, _) in _KINDS.items()}
    if not any(mask.any() for mask in masks.values()):
        return ()
    lines = _lines(cube, table, scales) if int(cells.row_count.sum()) <= _ROWS_LIMIT else {}
    return tuple(
        _note(kind, cube, places[mask], lines.get(kind, ()), table.place) for kind, mask in masks.items() if mask.any()
    )


def _note(kind: str, cube: SurveyCube, found: npt.NDArray[np.intp], lines: tuple[int, ...], place: str) -> Note:
    cells: Cells = cube.cells
    where = f" ({place}{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))})" if lines else ""
    sentence = _KINDS[kind][1].format(value=float(cells.value_sum[found[0]]))
    return Note(
        kind=kind,
        text=f"{sentence}: {len(found):,}{where}",
        count=len(found),
        lines=lines,
        questions=frozenset(cube.questions[each].text for each in np.unique(cells.question[found]).tolist()),
        locations=frozenset(cube.locations[each].name for each in np.unique(cells.location[found]).tolist()),
        years=frozenset(np.unique(cells.year[found]).tolist()),
    )


def _scales(cube: SurveyCube, figures: Figures) -> _Scales:
    count = len(cube.questions)
    lowest, highest = np.full(count, np.nan), np.full(count, np.nan)
    usual = ~np.isin(figures.value, _SENTINELS)
    np.fmin.at(lowest, figures.question[usual], figures.value[usual])
    np.fmax.at(highest, figures.question[usual], figures.value[usual])
    return _Scales(np.array([SCALES.get(each.unit, np.nan) for each in cube.questions]), lowest, highest)


def _lines(cube: SurveyCube, table: TableReader, scales: _Scales) -> dict[str, tuple[int, ...]]:
    """Return the first rows of each kind, a thousand rows at a time until there are enough."""
    found: dict[str, list[int]] = {kind: [] for kind in _KINDS}
    for lines, figures in _batches(cube, table):
        for kind, (is_odd, _) in _KINDS.items():
            odd = is_odd(figures, scales) & (figures.question >= 0) if len(found[kind]) < _SHOWN_LINES else ()
            found[kind] += [line for line, is_one in zip(lines, odd, strict=False) if is_one]
    return {kind: tuple(lines[:_SHOWN_LINES]) for kind, lines in found.items()}


def _batches(cube: SurveyCube, table: TableReader) -> Iterator[tuple[Sequence[int], Figures]]:
    places = {normal(question.text): place for place, question in enumerate(cube.questions)}
    rows = table.figures((Role.VALUE, Role.LOW, Role.HIGH))
    while batch := list(itertools.islice(rows, 1000)):
        question = np.array([places.get(normal(row.question), -1) for row in batch], dtype=np.int32)
        value, low, high = np.array([row.numbers for row in batch]).T
        yield [row.line for row in batch], Figures(question, value, low, high)
