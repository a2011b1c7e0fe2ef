"""Which column of a source plays which role.

Columns are found by name, whatever the case, blanks and underscores: the aliases below are those of CDC's family of
tables. A mapping file may name them instead. What the *values* of a column mean is in ``profile.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from meantime.errors import DataError
from meantime.fields.refusals import nearest, shown


class Role(StrEnum):
    """What a column of a source says about its row, which is one published estimate."""

    QUESTION = "question"
    QUESTION_ID = "question_id"
    UNIT = "unit"
    YEAR = "year"
    LOCATION = "location"
    ABBREVIATION = "abbreviation"
    FIPS = "fips"
    CATEGORY = "category"
    STRATUM = "stratum"
    VALUE = "value"
    LOW = "low"
    HIGH = "high"
    SAMPLE_SIZE = "sample_size"
    FOOTNOTE = "footnote"
    FOOTNOTE_SYMBOL = "footnote_symbol"


REQUIRED_ROLES = (Role.QUESTION, Role.LOCATION, Role.YEAR, Role.VALUE)
NUMBER_ROLES = (Role.YEAR, Role.VALUE, Role.LOW, Role.HIGH, Role.SAMPLE_SIZE)
TEXT_ROLES = tuple(role for role in Role if role not in NUMBER_ROLES)

ALIASES: dict[Role, tuple[str, ...]] = {
    # role: names in the files of CDC's family, as `folded` gives them; the first that a file has is taken
    Role.QUESTION: ("question",),
    Role.QUESTION_ID: ("questionid",),
    Role.UNIT: ("datavalueunit",),
    Role.YEAR: ("yearstart", "year"),
    Role.LOCATION: ("locationdesc",),
    Role.ABBREVIATION: ("locationabbr",),
    Role.FIPS: ("locationid",),
    Role.CATEGORY: ("stratificationcategory1",),
    Role.STRATUM: ("stratification1",),
    Role.VALUE: ("datavalue",),
    Role.LOW: ("lowconfidencelimit",),
    Role.HIGH: ("highconfidencelimit",),
    Role.SAMPLE_SIZE: ("samplesize",),
    Role.FOOTNOTE: ("datavaluefootnote",),
    Role.FOOTNOTE_SYMBOL: ("datavaluefootnotesymbol",),
}


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Where each role is found: ``position`` counts the file's columns from 0, ``header`` is the name as written."""

    position: Mapping[Role, int]
    header: Mapping[Role, str]
    fixed: Mapping[Role, str]

    @property
    def missing(self) -> tuple[Role, ...]:
        """The roles that the file has no column for and that no mapping has fixed."""
        return tuple(role for role in Role if role not in self.position and role not in self.fixed)


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
    stated: Mapping[Role, str],
    fixed: Mapping[Role, str],
) -> ColumnMap:
    """Find the column of every role.

    Parameters
    ----------
    headers
        The names of the file's columns, as written, in order.
    source_name
        The file's name, for messages.
    stated
        Columns that a mapping names; an empty name says that there is no such column. The others are found by alias.
    fixed
        Values that hold for every row, for roles without a column.

    Returns
    -------
    ColumnMap
        At least the required roles.

    Raises
    ------
    DataError
        A required role has no column, a stated column is not in the file, or two columns would play one role.
    """
    places: dict[str, list[int]] = {}
    for position, header in enumerate(headers):
        places.setdefault(folded(header), []).append(position)
    found: dict[Role, int] = {}
    for role in Role:
        if role in fixed or stated.get(role) == "":
            continue
        wanted = (folded(stated[role]),) if role in stated else ALIASES[role]
        name = next((name for name in wanted if name in places), None)
        if name is None and role in stated:
            nearest = _nearest(stated[role], headers)
            raise DataError(f"{source_name}, line 1: no column is called {stated[role]!r} ({role}){nearest}")
        if name is not None:
            found[role] = _only_place(places[name], headers, source_name)
    columns = ColumnMap(found, {role: headers[place] for role, place in found.items()}, _with_everybody(found, fixed))
    _check_required(columns, headers, source_name)
    return columns


def _only_place(places: list[int], headers: Sequence[str], source_name: str) -> int:
    if len(places) > 1:
        names = ", ".join(f"column {place + 1} {shown_header(headers[place])}" for place in places)
        raise DataError(f"{source_name}, line 1: {names} have the same name; rename all but one")
    return places[0]


def _with_everybody(found: Mapping[Role, int], fixed: Mapping[Role, str]) -> dict[Role, str]:
    """Add the overall stratum for a table without strata: each of its estimates is about everybody."""
    strata = (Role.CATEGORY, Role.STRATUM)
    if any(role in found or role in fixed for role in strata):
        return dict(fixed)
    return dict(fixed) | dict.fromkeys(strata, "Total")


def _check_required(columns: ColumnMap, headers: Sequence[str], source_name: str) -> None:
    lost = [role for role in REQUIRED_ROLES if role in columns.missing]
    pair = {Role.CATEGORY, Role.STRATUM} & set(columns.missing)
    if len(pair) == 1:
        lost += pair
    if not lost:
        return
    usual = {Role.YEAR: "YearStart", Role.LOCATION: "LocationDesc", Role.VALUE: "Data_Value", Role.QUESTION: "Question"}
    wanted = ", ".join(f"{role} ({usual[role]} in CDC's tables)" if role in usual else str(role) for role in lost)
    raise DataError(
        f"{source_name}, line 1: no column for {wanted}; the file has {len(headers)} columns: {_few(headers)}; "
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
