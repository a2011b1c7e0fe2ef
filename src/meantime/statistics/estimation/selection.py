"""Which cells a request is about: filters, their defaults, and the cells of a cube that pass them.

By default one question in its newest year, everybody (the overall stratum) and the states without nation and
territories. How cells are grouped is in ``grouping.py``, how they are pooled in ``means.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.parameters import Parameter, ParameterKind
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.questions import LocationKind, Question

IndexArray = npt.NDArray[np.intp]

INCLUDED_KINDS = {
    "states": LocationKind.STATE,
    "territories": LocationKind.TERRITORY,
    "nation": LocationKind.NATION,
}
"""Value of ``include`` to the kind of location it lets in."""

QUESTION = Parameter(
    name="question",
    kind=ParameterKind.QUESTION,
    summary="The question's text or its id.",
    required=True,
    example="Q036",
)
YEARS = Parameter(
    name="years",
    kind=ParameterKind.YEARS,
    summary='Years: a list such as [2015, 2017] or a range such as {"from": 2015, "to": 2020}.',
    default_summary="the newest year in which the question has a value",
    example=[2023],
)
LOCATIONS = Parameter(
    name="locations",
    kind=ParameterKind.LOCATIONS,
    summary="Names of locations.",
    default_summary="all that `include` lets in",
    example=["Colorado", "Ohio", "West Virginia"],
)
INCLUDE = Parameter(
    name="include",
    kind=ParameterKind.CHOICES,
    summary="Kinds of locations; the District of Columbia counts among the states.",
    choices=tuple(INCLUDED_KINDS),
    default_summary="states, or the kinds of the locations that are named",
    example=["states"],
)
CATEGORIES = Parameter(
    name="categories",
    kind=ParameterKind.CATEGORIES,
    summary="Categories whose strata are taken.",
    default_summary="only the overall stratum",
    example=["Education"],
)
STRATA = Parameter(
    name="strata",
    kind=ParameterKind.STRATA,
    summary="Strata, of the named categories if there are any.",
    default_summary="all strata of the named categories, else only the overall stratum",
    example=["College graduate"],
)
FILTERS = (QUESTION, YEARS, LOCATIONS, INCLUDE, CATEGORIES, STRATA)


class PlaceFilters(TypedDict):
    """The canonical arguments of ``FILTERS``, but for the question."""

    years: Sequence[int]
    locations: Sequence[str] | None
    include: Sequence[str]
    categories: Sequence[str] | None
    strata: Sequence[str] | None


class Filters(PlaceFilters):
    """The canonical arguments of ``FILTERS``."""

    question: str


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


def settle_filters(cube: SurveyCube, arguments: dict[str, object], *, newest_year_only: bool = True) -> None:
    """Fill the defaults of the filters that depend on the data, in place, and check what depends on several.

    Parameters
    ----------
    cube
        The dataset.
    arguments
        Checked arguments; ``years``, ``include`` and the rest of ``FILTERS`` may be None or absent.
    newest_year_only
        Whether the default is the newest year in which the question has a value, or all of its years.

    Raises
    ------
    InvalidParameterError
        A named location is of a kind that ``include`` leaves out, or the strata are not of the categories.
    """
    if arguments["years"] is None:
        years = years_with_values(cube, str(arguments["question"])) or list(cube.years[-1:])
        arguments["years"] = years[-1:] if newest_year_only else years
    settle_locations(cube, arguments)
    chosen_segments(cube, texts(arguments.get("categories")), texts(arguments.get("strata")))


def settle_locations(cube: SurveyCube, arguments: dict[str, object], *, default: Sequence[str] = ("states",)) -> None:
    """Fill and check ``include`` in place; see ``settle_filters``."""
    names, include = texts(arguments["locations"]), texts(arguments["include"])
    kinds = {cube.locations[cube.location_index[name]].kind for name in names or ()}
    if include is None:
        include = [word for word, kind in INCLUDED_KINDS.items() if kind in kinds] or list(default)
    for name in names or ():
        kind = cube.locations[cube.location_index[name]].kind
        if kind not in {INCLUDED_KINDS[word] for word in include}:
            raise InvalidParameterError(
                f"include: {name} is a {kind}, which include leaves out; name its kind too, or leave include out",
                field="include",
                accepted=tuple(INCLUDED_KINDS),
            )
    arguments["include"] = include


def texts(value: object) -> list[str] | None:
    """Return a checked list of texts as such; None stays None."""
    return [str(item) for item in value] if isinstance(value, list) else None


def years_with_values(cube: SurveyCube, question: str) -> list[int]:
    """Return the years in which the question has a value anywhere, ascending."""
    cells = cube.cells_of(cube.question_index[question])
    return [int(year) for year in np.unique(cube.cells.year[cells][cube.cells.value_count[cells] > 0])]


def chosen_locations(cube: SurveyCube, names: Sequence[str] | None, include: Sequence[str]) -> tuple[int, ...]:
    """Return the indexes of the named locations, or of all of the included kinds, ascending."""
    if names is not None:
        return tuple(sorted(cube.location_index[name] for name in names))
    kinds = {INCLUDED_KINDS[word] for word in include}
    return tuple(index for index, location in enumerate(cube.locations) if location.kind in kinds)


def chosen_segments(
    cube: SurveyCube, categories: Sequence[str] | None, strata: Sequence[str] | None
) -> tuple[int, ...]:
    """Return the indexes of segments by category and stratum; only the overall stratum when neither is named.

    Raises
    ------
    InvalidParameterError
        There is none.
    """
    segments = cube.segments
    if categories is None and strata is None:
        found = [index for index, segment in enumerate(segments) if segment.is_overall]
    else:
        found = [
            index
            for index, segment in enumerate(segments)
            if not segment.is_blank
            and (categories is None or segment.category in categories)
            and (strata is None or segment.stratum in strata)
        ]
    if not found:
        field = "strata" if strata is not None else "categories"
        raise InvalidParameterError(
            f"{field}: no such stratum in these categories"
            if categories is not None or strata is not None
            else "categories: the dataset has no overall stratum; name categories or strata",
            field=field,
            accepted=sorted({s.stratum for s in segments if categories is None or s.category in categories} - {""}),
        )
    return tuple(sorted(found, key=lambda index: scale_key(cube, index)))


def scale_key(cube: SurveyCube, index: int) -> tuple[str, bool, int, str]:
    """Return the sort key of a segment: category, place on the scale (those without one last), stratum."""
    segment = cube.segments[index]
    return segment.category, segment.order is None, segment.order or 0, segment.stratum


def select(
    cube: SurveyCube,
    *,
    question: str,
    years: Sequence[int],
    locations: Sequence[str] | None,
    include: Sequence[str],
    categories: Sequence[str] | None,
    strata: Sequence[str] | None,
) -> Selection:
    """Return the cells of one question that pass the filters.

    Raises
    ------
    StatisticError
        The dataset has no row there.
    """
    return cells_selected(
        cube,
        question,
        tuple(sorted(years)),
        chosen_locations(cube, locations, include),
        chosen_segments(cube, categories, strata),
    )


def cells_selected(
    cube: SurveyCube, question: str, years: tuple[int, ...], locations: tuple[int, ...], segments: tuple[int, ...]
) -> Selection:
    """Return the selection of these years, locations and segments; errors as for ``select``."""
    index = cube.question_index[question]
    cells = cube.cells_of(index)
    # Strata first: they leave few cells for the other two to look at.
    found = np.flatnonzero(_flags(segments, len(cube.segments))[cube.cells.segment[cells]]) + cells.start
    found = found[_flags(locations, len(cube.locations))[cube.cells.location[found]]]
    first = cube.years[0]
    in_years = _flags([year - first for year in years], cube.years[-1] - first + 1)
    found = found[in_years[cube.cells.year[found] - first]]
    if not len(found):
        raise StatisticError(
            f"the dataset has no row for {question!r} with these years, locations and strata; widen the filters"
        )
    return Selection(cube, cube.questions[index], years, locations, segments, found)


def _flags(indexes: Sequence[int], length: int) -> npt.NDArray[np.bool_]:
    flags = np.zeros(length, dtype=np.bool_)
    flags[list(indexes)] = True
    return flags
