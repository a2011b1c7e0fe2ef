"""The nine statistics of the contract: plain means over rows, in the contract's exact shapes.

A mean here is the plain mean of every published estimate of the question, whatever its year, stratum or kind of
location, as ``CONTRACT.md`` has it. Rows without a value don't count; rows without a category count in
location and global means but give no key. Statistics that keep the nation, the strata and the years apart
are in the other modules. The parameter ``state`` is the contract's name for a location.

Means that are mathematically equal may differ in the last bits, so they are compared after rounding to nine decimals;
ties are in order of the location's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.measures.question_layout import QuestionLayout, question_layout
from meantime.survey.cube.survey_cube import FloatArray, SurveyCube
from meantime.survey.questions import Direction

TIE_DECIMALS = 9
EXTREME_COUNT = 5

Totals = npt.NDArray[np.floating] | npt.NDArray[np.integer]


def states_mean(cube: SurveyCube, *, question: str) -> dict[str, float]:
    """Return the mean of each location, ascending by mean, ties by name.

    Parameters
    ----------
    cube
        The dataset.
    question
        The question's text.

    Returns
    -------
    dict
        Location name to mean, in the question's unit (percent). A location without any value is left out.

    Raises
    ------
    StatisticError
        The question has no value at all.

    Notes
    -----
    mean = sum of values / number of values, over rows (Cochran, Sampling Techniques, 3rd ed., 1977, chapter 2).
    """
    return _ranked(*_location_means(cube, question))


def state_mean(cube: SurveyCube, *, question: str, state: str) -> dict[str, float | None]:
    """Return the mean of one location; None when it has no value for the question."""
    return {state: _location_mean(cube, question, state)}


def best5(cube: SurveyCube, *, question: str) -> dict[str, float]:
    """Return the five locations with the best means, best first, ties by name.

    Raises
    ------
    InvalidParameterError
        Nobody has said which end of the question's scale is better.
    StatisticError
        The question has no value at all.
    """
    return _extremes(cube, question, best=True)


def worst5(cube: SurveyCube, *, question: str) -> dict[str, float]:
    """Return the five locations with the worst means, worst first, ties by name; errors as for ``best5``."""
    return _extremes(cube, question, best=False)


def global_mean(cube: SurveyCube, *, question: str) -> dict[str, float]:
    """Return the mean over all rows of the question (not over the locations' means).

    Raises
    ------
    StatisticError
        The question has no value at all.
    """
    return {"global_mean": _global_mean(cube, question)}


def diff_from_mean(cube: SurveyCube, *, question: str) -> dict[str, float]:
    """Return global mean minus location mean for each location, in the order of ``states_mean``."""
    overall = _global_mean(cube, question)
    return {name: overall - mean for name, mean in states_mean(cube, question=question).items()}


def state_diff_from_mean(cube: SurveyCube, *, question: str, state: str) -> dict[str, float | None]:
    """Return global mean minus the mean of one location; None when it has no value for the question."""
    mean = _location_mean(cube, question, state)
    return {state: None if mean is None else _global_mean(cube, question) - mean}


def mean_by_category(cube: SurveyCube, *, question: str) -> dict[str, float]:
    """Return the mean of each (location, category, stratum) that has a value.

    Returns
    -------
    dict
        The text of the tuple, such as ``"('Alabama', 'Age (years)', '18 - 24')"``, to the mean in the question's
        unit; in order of location, category, stratum.

    Raises
    ------
    StatisticError
        The question has no value at all.
    """
    index = _index(cube, question)
    layout = question_layout(cube, index)
    cells = cube.cells_of(index)
    if not cube.cells.value_count[cells].any():
        raise _no_value(question)
    # Cells without a key go to place 0, which is dropped.
    places = layout.key_of_cell + 1
    counts = np.bincount(places, cube.cells.value_count[cells], len(layout.key_texts) + 1)[1:]
    sums = np.bincount(places, cube.cells.value_sum[cells], len(layout.key_texts) + 1)[1:]
    return _means(layout.key_texts, sums, counts)


def state_mean_by_category(cube: SurveyCube, *, question: str, state: str) -> dict[str, dict[str, float] | None]:
    """Return the mean of each (category, stratum) of one location that has a value.

    None stands for the whole when the location has no value for the question.
    """
    index = _index(cube, question)
    layout = question_layout(cube, index)
    span = _location_span(cube, index, layout, state)
    if span is None or not cube.cells.value_count[span].any():
        return {state: None}
    place = layout.location_names.index(state)
    first, last = layout.key_bounds[place], layout.key_bounds[place + 1]
    offset = cube.cells_of(index).start
    keys = layout.key_of_cell[span.start - offset : span.stop - offset]
    places = np.where(keys < 0, 0, keys - first + 1)
    counts = np.bincount(places, cube.cells.value_count[span], last - first + 1)[1:]
    sums = np.bincount(places, cube.cells.value_sum[span], last - first + 1)[1:]
    return {state: _means(layout.key_tails[first:last], sums, counts)}


def require_direction(cube: SurveyCube, arguments: dict[str, object]) -> dict[str, object]:
    """Return the arguments unchanged, or raise when the question's better end is unknown.

    Raises
    ------
    InvalidParameterError
        Nobody has said which end of the question's scale is better.
    """
    _direction(cube, str(arguments["question"]))
    return arguments


def _index(cube: SurveyCube, question: str) -> int:
    return cube.question_index[question]


def _no_value(question: str) -> StatisticError:
    return StatisticError(f"the question {question!r} has no value in this dataset; ask another one")


def _kept(keys: tuple[str, ...], sums: Totals, counts: Totals) -> tuple[Sequence[str], FloatArray]:
    """Return the keys that have a value and their means."""
    with_value = counts > 0
    if with_value.all():
        return keys, sums / counts
    places = np.flatnonzero(with_value)
    return [keys[place] for place in places.tolist()], sums[places] / counts[places]


def _means(keys: tuple[str, ...], sums: Totals, counts: Totals) -> dict[str, float]:
    names, means = _kept(keys, sums, counts)
    return dict(zip(names, means.tolist(), strict=True))


def _location_means(cube: SurveyCube, question: str) -> tuple[Sequence[str], FloatArray]:
    """Return the names of the locations that have a value, ascending, and their means."""
    index = _index(cube, question)
    layout = question_layout(cube, index)
    cells = cube.cells_of(index)
    if cells.start == cells.stop:
        raise _no_value(question)
    counts = np.add.reduceat(cube.cells.value_count[cells], layout.location_starts)
    sums = np.add.reduceat(cube.cells.value_sum[cells], layout.location_starts)
    names, means = _kept(layout.location_names, sums, counts)
    if not len(means):
        raise _no_value(question)
    return names, means


def _ranked(names: Sequence[str], means: FloatArray, *, descending: bool = False) -> dict[str, float]:
    """Return name to mean in order of the mean; the names ascend, so a stable sort puts ties in their order."""
    rounded = np.round(means, TIE_DECIMALS)
    order = np.argsort(-rounded if descending else rounded, kind="stable").tolist()
    values = means.tolist()
    return {names[place]: values[place] for place in order}


def _location_span(cube: SurveyCube, index: int, layout: QuestionLayout, name: str) -> slice | None:
    """Return the slice of the cell arrays that one location has, None when it has no cell."""
    if name not in layout.location_names:
        return None
    place = layout.location_names.index(name)
    cells = cube.cells_of(index)
    is_last = place + 1 == len(layout.location_names)
    stop = cells.stop if is_last else cells.start + int(layout.location_starts[place + 1])
    return slice(cells.start + int(layout.location_starts[place]), stop)


def _location_mean(cube: SurveyCube, question: str, name: str) -> float | None:
    index = _index(cube, question)
    span = _location_span(cube, index, question_layout(cube, index), name)
    return None if span is None else _plain_mean(cube, span)


def _global_mean(cube: SurveyCube, question: str) -> float:
    mean = _plain_mean(cube, cube.cells_of(_index(cube, question)))
    if mean is None:
        raise _no_value(question)
    return mean


def _plain_mean(cube: SurveyCube, span: slice) -> float | None:
    count = int(cube.cells.value_count[span].sum())
    return float(cube.cells.value_sum[span].sum()) / count if count else None


def _direction(cube: SurveyCube, question: str) -> Direction:
    direction = cube.questions[_index(cube, question)].direction
    if direction is None:
        raise InvalidParameterError(
            f"question: nobody has said which end of {question!r} is better;"
            " state its direction in a mapping file, or ask for states_mean",
            field="question",
        )
    return direction


def _extremes(cube: SurveyCube, question: str, *, best: bool) -> dict[str, float]:
    lowest_first = (_direction(cube, question) is Direction.LOWER_IS_BETTER) == best
    ranked = _ranked(*_location_means(cube, question), descending=not lowest_first)
    return dict(islice(ranked.items(), EXTREME_COUNT))
