"""Which column of a source plays which role.

Columns are found by name, whatever the case, blanks and underscores: the aliases below are those of CDC's family of
tables. A mapping file may name them instead, or several for one role (``recipes.py``). What the *values* of a column
mean is in ``profile.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from meantime.errors import DataError
from meantime.fields.refusals import nearest, shown
from meantime.survey.reading.recipes import Part, Recipe, columns_in, recipe_of


class Role(StrEnum):
    """What a column of a source says about its row, which is one published estimate."""

    QUESTION = "question"
    QUESTION_ID = "question_id"
    UNIT = "unit"
    VALUE_TYPE = "value_type"
    YEAR = "year"
    LOCATION = "location"
    ABBREVIATION = "abbreviation"
    FIPS = "fips"
    CATEGORY = "category"
    STRATUM = "stratum"
    VALUE = "value"
    LOW = "low"
    HIGH = "high"
    STANDARD_ERROR = "standard_error"
    MARGIN_OF_ERROR = "margin_of_error"
    SAMPLE_SIZE = "sample_size"
    FOOTNOTE = "footnote"
    FOOTNOTE_SYMBOL = "footnote_symbol"


REQUIRED_ROLES = (Role.QUESTION, Role.LOCATION, Role.YEAR, Role.VALUE)
FIGURE_ROLES = (Role.VALUE, Role.LOW, Role.HIGH, Role.STANDARD_ERROR, Role.MARGIN_OF_ERROR, Role.SAMPLE_SIZE)
NUMBER_ROLES = (Role.YEAR, *FIGURE_ROLES)
COUNT_ROLES = (Role.SAMPLE_SIZE,)
STRATA_ROLES = (Role.CATEGORY, Role.STRATUM)
TEXT_ROLES = tuple(role for role in Role if role not in NUMBER_ROLES)

ALIASES: dict[Role, tuple[str, ...]] = {
    # role: names in the files of CDC's family, as `folded` gives them; the first that a file has is taken
    Role.QUESTION: ("question",),
    Role.QUESTION_ID: ("questionid",),
    Role.UNIT: ("datavalueunit",),
    Role.VALUE_TYPE: ("datavaluetype",),
    Role.YEAR: ("yearstart", "year"),
    Role.LOCATION: ("locationdesc",),
    Role.ABBREVIATION: ("locationabbr",),
    Role.FIPS: ("locationid",),
    Role.CATEGORY: ("stratificationcategory1",),
    Role.STRATUM: ("stratification1",),
    Role.VALUE: ("datavalue",),
    Role.LOW: ("lowconfidencelimit",),
    Role.HIGH: ("highconfidencelimit",),
    Role.STANDARD_ERROR: ("standarderror",),
    Role.MARGIN_OF_ERROR: ("marginoferror",),
    Role.SAMPLE_SIZE: ("samplesize",),
    Role.FOOTNOTE: ("datavaluefootnote",),
    Role.FOOTNOTE_SYMBOL: ("datavaluefootnotesymbol",),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file: ``position`` counts from 0, ``header`` is its name as written."""

    position: int
    header: str


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """How the text of each role is found in a row.

    ``recipes`` are the roles that have columns, ``fixed`` the texts of roles that hold for every row. ``strata`` are
    the columns of a table with several strata columns, whose rows have no category of their own; ``keep`` are columns
    and the texts that a row must have there, to be compared as names are.
    """

    recipes: Mapping[Role, Recipe]
    fixed: Mapping[Role, str]
    strata: tuple[Column, ...] = ()
    keep: Mapping[Column, tuple[str, ...]] = field(default_factory=dict)

    @property
    def position(self) -> dict[Role, int]:
        """Where the roles are that are one column."""
        return {role: recipe.column for role, recipe in self.recipes.items() if recipe.column is not None}

    @property
    def header(self) -> dict[Role, str]:
        """What messages call the columns of each role: the header, or the text that is made of several."""
        return {role: recipe.shown for role, recipe in self.recipes.items()}

    @property
    def used(self) -> tuple[int, ...]:
        """The positions of all columns that are needed, ascending."""
        parts = {part.position for recipe in self.recipes.values() for part in recipe.parts}
        return tuple(sorted(parts | {column.position for column in (*self.strata, *self.keep)}))

    @property
    def missing(self) -> tuple[Role, ...]:
        """The roles that the file has no column for and that no mapping has fixed."""
        strata = STRATA_ROLES if self.strata else ()
        return tuple(role for role in Role if role not in {*self.recipes, *self.fixed, *strata})


def folded(header: str) -> str:
    """Return a column's name without case, blanks and punctuation.

    >>> folded("High_Confidence_Limit ")
    'highconfidencelimit'
    """
    return "".join(character for character in header.casefold() if character.isalnum())


def match_columns(
    headers: Sequence[str],
    *,
    source_name: str,
    line: int = 1,
    stated: Mapping[Role, str],
    fixed: Mapping[Role, str],
    strata: Sequence[str] = (),
    keep: Mapping[str, tuple[str, ...]] | None = None,
) -> ColumnMap:
    """Find the columns of every role.

    Parameters
    ----------
    headers
        The names of the file's columns, as written, in order.
    source_name, line
        The file's name and the line of its headers, for messages.
    stated
        Columns that a mapping names, or texts with names in braces; an empty one says that there is no such column.
        The others are found by alias.
    fixed
        Values that hold for every row, for roles without a column.
    strata
        The strata columns that a mapping names, where there are several.
    keep
        Columns and the texts that a row must have there.

    Returns
    -------
    ColumnMap
        At least the required roles.

    Raises
    ------
    DataError
        A required role has no column, a stated column is not in the file, or two columns would play one role.
    """
    place = f"{source_name}, line {line}"
    found = _Headers(headers, place)
    recipes: dict[Role, Recipe] = {}
    for role in Role:
        if role in fixed or stated.get(role) == "" or (strata and role in STRATA_ROLES):
            continue
        recipe = found.recipe(stated[role], str(role)) if role in stated else found.alias(role)
        if recipe is not None and recipe.column is None and role in NUMBER_ROLES:
            raise DataError(f"{source_name}: {role} is {recipe.shown!r}; a number must be one column")
        if recipe is not None:
            recipes[role] = recipe
    columns = ColumnMap(
        recipes,
        fixed if strata else _with_everybody(recipes, fixed),
        tuple(found.column(name, "strata") for name in strata),
        {found.column(name, "keep"): texts for name, texts in (keep or {}).items()},
    )
    _check_required(columns, headers, place)
    return columns


class _Headers:
    """A file's headers, found by name."""

    def __init__(self, headers: Sequence[str], place: str) -> None:
        self._headers = headers
        self._place = place
        self._places: dict[str, list[int]] = {}
        for position, header in enumerate(headers):
            self._places.setdefault(folded(header), []).append(position)

    def alias(self, role: Role) -> Recipe | None:
        """Return the recipe of a role that no mapping states; None where the file has no such column."""
        name = next((name for name in ALIASES[role] if name in self._places), None)
        return None if name is None else self._one_column(self._only_place(self._places[name]))

    def recipe(self, stated: str, use: str) -> Recipe:
        """Return the recipe of a column's name or of a text with names in braces; a header itself comes first."""
        names = columns_in(stated)
        if not names or any(stated.strip() == header.strip() for header in self._headers):
            return self._one_column(self.column(stated, use).position)
        return recipe_of(stated, [self.column(name, use).position for name in names])

    def column(self, name: str, use: str) -> Column:
        """Return the column of a name that a mapping states."""
        places = self._places.get(folded(name), [])
        if not places:
            nearest = _nearest(name, self._headers)
            raise DataError(f"{self._place}: no column is called {name!r} ({use}){nearest}")
        position = self._only_place(places)
        return Column(position, self._headers[position])

    def _one_column(self, position: int) -> Recipe:
        return Recipe(self._headers[position], (Part(position),))

    def _only_place(self, places: list[int]) -> int:
        if len(places) > 1:
            names = ", ".join(f"column {place + 1} {shown_header(self._headers[place])}" for place in places)
            raise DataError(f"{self._place}: {names} have the same name; rename all but one")
        return places[0]


def _with_everybody(found: Mapping[Role, Recipe], fixed: Mapping[Role, str]) -> dict[Role, str]:
    """Add the overall stratum for a table without strata: each of its estimates is about everybody."""
    if any(role in found or role in fixed for role in STRATA_ROLES):
        return dict(fixed)
    return dict(fixed) | dict.fromkeys(STRATA_ROLES, "Total")


def _check_required(columns: ColumnMap, headers: Sequence[str], place: str) -> None:
    lost = [role for role in REQUIRED_ROLES if role in columns.missing]
    pair = set(STRATA_ROLES) & set(columns.missing)
    if len(pair) == 1:
        lost += pair
    if not lost:
        return
    usual = {Role.YEAR: "YearStart", Role.LOCATION: "LocationDesc", Role.VALUE: "Data_Value", Role.QUESTION: "Question"}
    wanted = ", ".join(f"{role} ({usual[role]} in CDC's tables)" if role in usual else str(role) for role in lost)
    raise DataError(
        f"{place}: no column for {wanted}; the file has {len(headers)} columns: {_few(headers)}; "
        "`meantime inspect` proposes a mapping file"
    )


def shown_header(header: str) -> str:
    """Return a header as a message shows it: in quotes, and cut when it is long.

    >>> shown_header("Data_Value"), len(shown_header("x" * 3000))
    ("'Data_Value'", 44)
    """
    return shown(header, limit=44)


def _few(headers: Sequence[str], limit: int = 12) -> str:
    return ", ".join(shown_header(header) for header in headers[:limit]) + (", ..." if len(headers) > limit else "")


def _nearest(name: str, headers: Sequence[str]) -> str:
    close = nearest(name, headers, likeness=0.4)
    return (
        f"; nearest: {', '.join(shown_header(header) for header in close)}" if close else f"; there are {_few(headers)}"
    )
