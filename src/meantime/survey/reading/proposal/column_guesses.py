"""Which column seems to play which role: by what it holds first, then by its name.

A guess is never more than that; what rows are told apart by is looked at in ``cell_keys.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from meantime.survey.reading.columns import ALIASES, FIGURE_ROLES, ColumnMap, Role
from meantime.survey.reading.forms.unread_texts import is_missing_mark
from meantime.survey.reading.profile import Profile, normal
from meantime.survey.reading.proposal.column_facts import ColumnFacts
from meantime.survey.reading.proposal.column_words import (
    EVERYBODY,
    LIMITS_WORDS,
    RELEASE_WORDS,
    RESPONSE_WORDS,
    ROLE_WORDS,
    STATES,
    STRATA_WORDS,
    partly,
    plain,
)

_YEAR_HEADER = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)")
Matches = Callable[[str, str], bool]
"""Whether a word, as `plain` gives it, is found in a column's name."""

_NEEDED = (Role.YEAR, Role.LOCATION, Role.VALUE)


class Confidence(StrEnum):
    """How sure a guess is, and why."""

    STATED = "known: a table of this kind"
    SURE = "sure: the name says so, and all rows agree"
    LIKELY = "likely: the name says so"
    PARTLY = "likely: the name contains it"
    UNSURE = "unsure: only its content fits"
    NEEDED = "likely: tells apart rows that are alike without it"


@dataclass(frozen=True, slots=True)
class KnownColumns:
    """The columns of a table that is read without a mapping, and how its names are read."""

    columns: ColumnMap
    profile: Profile


@dataclass(slots=True)
class Guesses:
    """What the columns of one table seem to be.

    ``roles`` and ``strata`` are positions; ``parts`` are further columns of a role's text, such as the state of a
    county; ``why`` says of each role how sure it is. ``known`` is how a known table is read.
    """

    facts: Sequence[ColumnFacts]
    roles: dict[Role, int] = field(default_factory=dict)
    strata: list[int] = field(default_factory=list)
    parts: dict[Role, list[int]] = field(default_factory=dict)
    why: dict[Role, Confidence] = field(default_factory=dict)
    year_headers: tuple[int, ...] = ()
    known: KnownColumns | None = None

    def take(self, role: Role, position: int, confidence: Confidence) -> None:
        """Give a column a role."""
        self.roles[role] = position
        self.why[role] = confidence

    def add_part(self, role: Role, position: int) -> None:
        """Make a role's text of one column more."""
        self.parts.setdefault(role, []).append(position)

    @property
    def taken(self) -> set[int]:
        """The columns that play a part already."""
        parts = [position for positions in self.parts.values() for position in positions]
        return {*self.roles.values(), *self.strata, *parts, *self.year_headers}

    @property
    def free(self) -> list[ColumnFacts]:
        """The columns with a text that play no part yet."""
        return [facts for facts in self.facts if facts.stated and facts.position not in self.taken]

    def fact(self, role: Role) -> ColumnFacts | None:
        """Return what is known of a role's column."""
        return self.facts[self.roles[role]] if role in self.roles else None


def guess_columns(facts: Sequence[ColumnFacts], *, is_complete: bool, known: KnownColumns | None = None) -> Guesses:
    """Guess the role of each column; a column plays one part at most, and an empty one none.

    Parameters
    ----------
    facts
        What each column holds.
    is_complete
        Whether all rows were counted: nothing is sure otherwise.
    known
        The columns of a known table, which are taken as they are.
    """
    found = _known_guesses(facts, known) if known else Guesses(facts, year_headers=_year_headers(facts))
    if known and known.profile.layout:
        return found
    for matches, confidence in ((_is_called, Confidence.LIKELY), (partly, Confidence.PARTLY)):
        for role, words in ROLE_WORDS.items():
            if role in found.roles or (role in {Role.YEAR, Role.VALUE} and found.year_headers):
                continue
            column = _named((*ALIASES[role], *words), role, found.free, matches)
            if column is not None:
                is_sure = confidence is Confidence.LIKELY and is_complete and fits_all(role, column)
                found.take(role, column.position, Confidence.SURE if is_sure else confidence)
        if confidence is Confidence.LIKELY:
            _take_strata(found)
    _take_count_as_value(found)
    for role in _NEEDED:
        column = None if role in found.roles else _looking_like(role, found)
        if column is not None:
            found.take(role, column.position, Confidence.UNSURE)
    _mend_strata(found)
    return found


def _take_count_as_value(found: Guesses) -> None:
    """Take a number of persons as the value where nothing else can be it, as of deaths."""
    has_others = any(column.is_numeric and not column.is_years for column in found.free)
    if Role.SAMPLE_SIZE in found.roles and not (Role.VALUE in found.roles or found.year_headers or has_others):
        found.take(Role.VALUE, found.roles.pop(Role.SAMPLE_SIZE), Confidence.UNSURE)


def _known_guesses(facts: Sequence[ColumnFacts], known: KnownColumns) -> Guesses:
    found = Guesses(facts, known=known, strata=[column.position for column in known.columns.strata])
    for role, recipe in known.columns.recipes.items():
        first, *others = (part.position for part in recipe.parts)
        found.take(role, first, Confidence.STATED)
        if others:
            found.parts[role] = others
    return found


def can_hold(role: Role, column: ColumnFacts) -> bool:
    """Whether a column may play a role by what it holds."""
    if role is Role.YEAR:
        return column.is_years
    if role in FIGURE_ROLES:
        return column.is_numeric or (column.number > 0 and all(map(is_missing_mark, column.marks)))
    if role in {Role.CATEGORY, Role.STRATUM}:
        return column.is_strata and not column.is_numeric
    if role in {Role.FIPS, Role.QUESTION_ID, Role.FOOTNOTE, Role.FOOTNOTE_SYMBOL, Role.ABBREVIATION}:
        return not column.decimal or not column.is_numeric
    return not column.is_numeric


def fits_all(role: Role, column: ColumnFacts) -> bool:
    """Whether every text of a column is what its role needs."""
    if role is Role.YEAR:
        return column.year == column.stated
    is_plain = column.is_numeric and not column.odd_numbers and all(map(is_missing_mark, column.marks))
    return role not in FIGURE_ROLES or is_plain


def why_not(column: ColumnFacts, row_count: int) -> str:
    """Return why a column plays no part, for a person who reads the proposal."""
    if not column.stated:
        return "has no text"
    if column.interval >= 0.9 * column.stated and _may_hold_limits(column):
        return f"seems to hold limits, such as {column.texts[0]!r}; make two columns of them for low and high"
    return _misnamed(column) or _undescribed(column, row_count)


def _misnamed(column: ColumnFacts) -> str:
    """Return what a column is called that it doesn't hold."""
    role = next((role for role, words in ROLE_WORDS.items() if plain(column.header) in words), None)
    if role is Role.YEAR and not column.is_years:
        return f"is called a year and holds none, such as {column.texts[0]!r}"
    if role in FIGURE_ROLES and not column.is_numeric:
        odd = next((text for text in column.texts if text in column.marks or not column.number), column.texts[0])
        return f"is called {role} and holds texts that are no numbers, such as {odd[:40]!r}"
    return ""


def _undescribed(column: ColumnFacts, row_count: int) -> str:
    if column.distinct == 1:
        return f"always {column.texts[0][:60]!r}"
    if column.is_numeric:
        return f"numbers, such as {column.texts[0]!r}"
    if column.distinct >= 0.9 * row_count and column.distinct > 5:
        return "nearly all texts are different"
    shown = ", ".join(repr(text[:30]) for text in column.texts[:4])
    return f"no role was found; {column.distinct:,} different texts, such as {shown}"


def candidates(role: Role, found: Guesses) -> list[str]:
    """Return the headers of free columns that might play a role by what they hold."""
    fitting = [column for column in found.free if can_hold(role, column) and column.distinct > 1]
    if role in {Role.QUESTION, Role.LOCATION}:
        fitting = [column for column in fitting if column.is_strata]
    return [column.header.strip() for column in fitting][:5]


def _is_called(word: str, name: str) -> bool:
    return plain(name) == word


def _named(words: Sequence[str], role: Role, free: Sequence[ColumnFacts], matches: Matches) -> ColumnFacts | None:
    for word in words:
        for column in free:
            if matches(word, column.header) and can_hold(role, column):
                return column
    return None


def _take_strata(found: Guesses) -> None:
    """Take the columns whose name is that of strata; a category and its stratum are a pair already."""
    if {Role.CATEGORY, Role.STRATUM} <= found.roles.keys():
        return
    for column in found.free:
        is_named = any(plain(column.header) == word or partly(word, column.header) for word in STRATA_WORDS)
        if is_named and column.is_strata and not column.decimal and (column.distinct > 1 or _is_everybody(column)):
            found.strata.append(column.position)


def _mend_strata(found: Guesses) -> None:
    """Keep a category and its stratum as a pair, and make anything else a list of strata columns."""
    pair = [role for role in (Role.CATEGORY, Role.STRATUM) if role in found.roles]
    if len(pair) == 2 and not found.strata:
        return
    for role in pair:
        position = found.roles.pop(role)
        if role is Role.STRATUM:
            found.strata = [*sorted({*found.strata, position})]
    if Role.VALUE_TYPE in found.roles and found.facts[found.roles[Role.VALUE_TYPE]].distinct == 0:
        del found.roles[Role.VALUE_TYPE]


def _is_everybody(column: ColumnFacts) -> bool:
    return any(normal(text) in EVERYBODY for text in column.texts)


def _looking_like(role: Role, found: Guesses) -> ColumnFacts | None:
    """Find a column by content alone, for the roles that a table can't do without."""
    if role is not Role.LOCATION and found.year_headers:
        return None
    for column in found.free:
        if role is Role.YEAR and column.is_years:
            return column
        if role is Role.VALUE and column.is_numeric and column.decimal:
            return column
        if role is Role.LOCATION and any(normal(text) in STATES for text in column.texts):
            return column
    if role is Role.VALUE:
        numeric = [column for column in found.free if column.is_numeric]
        return numeric[0] if len(numeric) == 1 else None
    return None


def _year_headers(facts: Sequence[ColumnFacts]) -> tuple[int, ...]:
    """Return the columns whose headers are years, where there are several: each is a year's column of values."""
    found = tuple(column.position for column in facts if _year_in(column.header))
    patterns = {_YEAR_HEADER.sub("{year}", facts[place].header.strip()) for place in found}
    return found if len(found) > 1 and len(patterns) == 1 else ()


def years_pattern(found: Guesses) -> str:
    """Return the pattern of the headers that are years, such as ``Y{year}``."""
    header = found.facts[found.year_headers[0]].header.strip()
    return _YEAR_HEADER.sub("{year}", header)


def _year_in(header: str) -> bool:
    return bool(re.fullmatch(r"\D{0,3}(1[89]\d\d|20\d\d)( ?\[YR(1[89]|20)\d\d\])?", header.strip()))


def _may_hold_limits(column: ColumnFacts) -> bool:
    return column.decimal > 0 or any(partly(word, column.header) for word in LIMITS_WORDS)


def is_release(column: ColumnFacts) -> bool:
    """Whether a column says which of several publications a row is from."""
    return any(partly(word, column.header) for word in RELEASE_WORDS)


def is_response(column: ColumnFacts) -> bool:
    """Whether a column holds what was answered, which is a part of the question."""
    return any(plain(column.header) == word for word in RESPONSE_WORDS)
