"""What a request says about which cells it means: filters, their defaults, and what they name in a cube.

By default one question in its newest year, everybody (the overall stratum) and the states without nation and
territories. The cells themselves are in ``selection.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar, Self

import numpy as np

from meantime.errors import InvalidParameterError
from meantime.fields.fields import Default, Example
from meantime.fields.kinds import Choice
from meantime.statistics.estimation.selection import Selection, cells_selected
from meantime.statistics.kinds import (
    CATEGORY_NAME,
    PLACE_NAME,
    PLACE_NAMES,
    QUESTION_NAME,
    STRATUM_NAME,
    OneOrMore,
    Year,
    Years,
)
from meantime.statistics.names import INCLUDED_KINDS
from meantime.statistics.statistic import Statistic
from meantime.survey.cube.survey_cube import SurveyCube, kept_per_cube
from meantime.survey.ingest.notes import Note


@dataclass(frozen=True, slots=True)
class Places:
    """What filters name, found in a cube; locations and segments as in ``Selection``."""

    cube: SurveyCube
    years: tuple[int, ...]
    include: tuple[str, ...]
    locations: tuple[int, ...]
    segments: tuple[int, ...]


YearsFilter = Annotated[
    tuple[int, ...] | None,
    Years(),
    'Years: a list such as [2015, 2017] or a range such as {"from": 2015, "to": 2020}.',
    Example([2023]),
]
LocationsFilter = Annotated[
    tuple[str, ...] | None,
    PLACE_NAMES,
    "Locations by name, abbreviation or FIPS code; or `states`, `territories`, `nation` for all of a kind.",
    Default("all that `include` lets in"),
    Example(["Colorado", "Ohio", "West Virginia"]),
]
IncludeFilter = Annotated[
    tuple[str, ...] | None,
    OneOrMore(Choice(tuple(INCLUDED_KINDS), any_case=True)),
    "Kinds of locations; the District of Columbia counts among the states.",
    Example(["states"]),
]
CategoriesFilter = Annotated[
    tuple[str, ...] | None, OneOrMore(CATEGORY_NAME), "Categories whose strata are taken.", Example(["Education"])
]
StrataFilter = Annotated[
    tuple[str, ...] | None,
    OneOrMore(STRATUM_NAME),
    "Strata, of the named categories if there are any.",
    Example(["College graduate"]),
]


@dataclass(frozen=True, kw_only=True)
class PlaceFilters(Statistic):
    """Filters of which each may be left out, even the question."""

    default_include: ClassVar[tuple[str, ...]] = ("states",)
    """The kinds of locations that are meant where neither kinds nor locations are named."""

    question: Annotated[
        str | None, QUESTION_NAME, "The question's text or its id.", Default("all questions"), Example("Q036")
    ] = None
    years: Annotated[YearsFilter, Default("the newest year in which the question has a value")] = None
    locations: LocationsFilter = None
    include: Annotated[IncludeFilter, Default("states, or the kinds of the locations that are named")] = None
    categories: Annotated[CategoriesFilter, Default("only the overall stratum")] = None
    strata: Annotated[StrataFilter, Default("all strata of the named categories, else only the overall stratum")] = None

    def settled(self, cube: SurveyCube) -> Self:
        """Fill ``years`` and ``include``, and check what depends on several fields.

        All locations of the kinds that are included, named one by one, are the kinds: ``locations`` is then None.

        Raises
        ------
        InvalidParameterError
            A named location is of a kind that ``include`` leaves out, the strata are not of the categories, or
            ``check`` refuses.
        """
        places = self.places(cube)
        self.check(places)
        locations = None if places.locations == locations_of_kinds(cube, places.include) else self.locations
        if (places.years, places.include, locations) == (self.years, self.include, self.locations):
            return self
        return replace(self, years=places.years, include=places.include, locations=locations)

    def touches(self, note: Note, cube: SurveyCube) -> bool:
        """Whether the filters, or what the request compares with, name what a note is about."""
        places = self.places(cube)
        named = [(each.kind, getattr(self, each.name)) for each in self.parameters()]
        questions = {value for kind, value in named if kind is QUESTION_NAME and value is not None}
        compared = {value for kind, value in named if kind is PLACE_NAME and value is not None}
        years = {value for kind, value in named if isinstance(kind, Year) and value is not None}
        return note.touches(
            questions or {question.text for question in cube.questions},
            compared | {cube.locations[index].name for index in places.locations},
            years | set(places.years),
        )

    def check(self, places: Places) -> None:
        """Raise InvalidParameterError where a statistic's own fields don't fit the filters or each other."""

    def places(self, cube: SurveyCube) -> Places:
        """Find what the filters name; errors as for ``settled``."""
        include, locations = named_places(cube, self.locations, self.include or (), self.default_include)
        return Places(cube, self.years or self.default_years(cube), include, locations, self._segments(cube))

    def default_years(self, cube: SurveyCube) -> tuple[int, ...]:
        """Return the years that are meant where none are named."""
        return cube.years

    def default_segments(self, cube: SurveyCube) -> tuple[int, ...]:
        """Return the strata that are meant where neither categories nor strata are named."""
        return overall_segments(cube)

    def _segments(self, cube: SurveyCube) -> tuple[int, ...]:
        categories, strata = self.categories, self.strata
        if categories is None and strata is None:
            found = self.default_segments(cube)
            hint = "categories: the dataset has no overall stratum; name categories or strata"
        else:
            named = [index for index in segments_by_scale(cube) if not cube.segments[index].is_blank]
            if categories is not None:
                named = [index for index in named if cube.segments[index].category in categories]
            if strata is not None:
                named = [index for index in named if cube.segments[index].stratum in strata]
            found = tuple(named)
            hint = f"{'categories' if strata is None else 'strata'}: no such stratum in these categories"
        if not found:
            of_categories = [each for each in cube.segments if categories is None or each.category in categories]
            raise InvalidParameterError(
                hint,
                field=hint.partition(":")[0],
                accepted=sorted({segment.stratum for segment in of_categories} - {""}),
            )
        return found


@dataclass(frozen=True, kw_only=True)
class Filters(PlaceFilters):
    """The filters of a statistic of one question."""

    question: Annotated[str, QUESTION_NAME, "The question's text or its id.", Example("Q036")] = field()  # required

    def default_years(self, cube: SurveyCube) -> tuple[int, ...]:
        """Return the newest year in which the question has a value; if there is none, the dataset's newest."""
        return (years_with_values(cube, self.question) or cube.years)[-1:]

    def select(self, cube: SurveyCube) -> Selection:
        """Return the cells that pass the filters; errors as for ``cells_selected``."""
        places = self.places(cube)
        return cells_selected(cube, self.question, places.years, places.locations, places.segments)


@kept_per_cube
def years_with_values(cube: SurveyCube, question: str) -> tuple[int, ...]:
    """Return the years in which the question has a value anywhere, ascending."""
    cells = cube.cells_of(cube.question_index[question])
    return tuple(np.unique(cube.cells.year[cells][cube.cells.value_count[cells] > 0]).tolist())


def newest_common_year(cube: SurveyCube, question: str, against_question: str) -> tuple[int, ...]:
    """Return the newest year in which both questions have a value.

    Raises
    ------
    InvalidParameterError
        There is none.
    """
    both = set(years_with_values(cube, question)) & set(years_with_values(cube, against_question))
    if not both:
        raise InvalidParameterError(
            "against_question: the two questions have no year in common; choose another question",
            field="against_question",
        )
    return (max(both),)


def named_places(
    cube: SurveyCube, names: tuple[str, ...] | None, include: tuple[str, ...], default_include: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the kinds of locations that are meant, and the locations (indexes, ascending).

    Raises
    ------
    InvalidParameterError
        A named location is of a kind that ``include`` leaves out.
    """
    if names is None:
        include = include or default_include
        return include, locations_of_kinds(cube, include)
    kinds = {name: cube.locations[cube.location_index[name]].kind for name in names}
    include = include or tuple([word for word, kind in INCLUDED_KINDS.items() if kind in kinds.values()])
    included = {INCLUDED_KINDS[word] for word in include}
    for name, kind in kinds.items():
        if kind not in included:
            raise InvalidParameterError(
                f"include: {name} is a {kind}, which include leaves out; name its kind too, or leave include out",
                field="include",
                accepted=tuple(INCLUDED_KINDS),
            )
    return include, tuple(sorted([cube.location_index[name] for name in names]))


@kept_per_cube
def locations_of_kinds(cube: SurveyCube, include: tuple[str, ...]) -> tuple[int, ...]:
    """Return the locations of the included kinds, ascending."""
    kinds = {INCLUDED_KINDS[word] for word in include}
    return tuple(index for index, place in enumerate(cube.locations) if place.kind in kinds)


@kept_per_cube
def segments_by_scale(cube: SurveyCube) -> tuple[int, ...]:
    """Return all segments by category, place on the category's scale (those without one last) and stratum."""

    def place(index: int) -> tuple[str, bool, int, str]:
        segment = cube.segments[index]
        return segment.category, segment.order is None, segment.order or 0, segment.stratum

    return tuple(sorted(range(len(cube.segments)), key=place))


@kept_per_cube
def overall_segments(cube: SurveyCube) -> tuple[int, ...]:
    """Return the segments that hold everybody."""
    return tuple(index for index in segments_by_scale(cube) if cube.segments[index].is_overall)
