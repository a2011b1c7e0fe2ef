"""What else tells rows apart: columns that vary where question, location, year and stratum are the same.

They become a part of the question, of the location's name, or a further stratum, until one row is one cell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from meantime.survey.reading.columns import FIGURE_ROLES, Role
from meantime.survey.reading.proposal.column_facts import ColumnFacts
from meantime.survey.reading.proposal.column_guesses import Confidence, Guesses, is_release, is_response
from meantime.survey.reading.proposal.column_words import ROLE_WORDS, partly, plain

Varying = Callable[[Sequence[int]], set[int]]
"""Positions of key columns -> those of the columns that have several texts where all keys are the same."""

_MOST_KEYS = 8
_CODES = (Role.FIPS, Role.ABBREVIATION)


def settle_keys(found: Guesses, varying: Varying) -> set[int]:
    """Add parts and strata until rows with the same keys are alike; return what still varies."""
    found.strata = [place for place in found.strata if not _is_code_of_another(place, found, varying)]
    _settle_location(found, varying)
    _settle_unit_and_type(found, varying)
    for _ in range(_MOST_KEYS):
        remaining = varying(keys(found))
        fitting = [facts for facts in found.free if facts.position in remaining and _may_be_key(facts)]
        if not fitting:
            return remaining
        _add_key(found, min(fitting, key=_rank))
    return varying(keys(found))


def keys(found: Guesses) -> list[int]:
    """Return the columns that make a cell, each once."""
    roles = (Role.QUESTION, Role.LOCATION, Role.YEAR, Role.CATEGORY, Role.STRATUM)
    parts = [place for role in roles for place in found.parts.get(role, ())]
    return list(dict.fromkeys([*(found.roles[role] for role in roles if role in found.roles), *found.strata, *parts]))


def release_column(found: Guesses, remaining: set[int], varying: Varying) -> int | None:
    """Return the column whose texts alone say which of a cell's rows is from which publication, if there is one."""
    fitting = [facts for facts in found.free if facts.position in remaining and is_release(facts)]
    few = (facts.position for facts in fitting if facts.distinct == len(facts.texts))
    return next((place for place in few if not varying([*keys(found), place])), None)


def _settle_location(found: Guesses, varying: Varying) -> None:
    """Add the state to a county's name where one name has several codes, or lies in several states."""
    if Role.LOCATION not in found.roles:
        return
    location = found.roles[Role.LOCATION]
    different = varying([location])
    codes = {found.roles[role] for role in _CODES if role in found.roles}
    larger = [facts for facts in found.facts if facts.position in different and _is_place(facts)]
    if not larger or not (codes & different or _is_finer(found.facts[location], larger)):
        return
    part = min(larger, key=lambda facts: (facts.position not in codes, len(facts.texts[0])))
    for role in _CODES:  # the state's abbreviation is no county's
        if found.roles.get(role) == part.position:
            del found.roles[role]
    found.add_part(Role.LOCATION, part.position)


def _is_finer(location: ColumnFacts, larger: Sequence[ColumnFacts]) -> bool:
    words = ROLE_WORDS[Role.LOCATION]
    own = next((words.index(word) for word in words if plain(location.header) == word), len(words))
    return any(plain(facts.header) in words and words.index(plain(facts.header)) > own for facts in larger)


def _is_place(facts: ColumnFacts) -> bool:
    names = (*ROLE_WORDS[Role.LOCATION], *ROLE_WORDS[Role.ABBREVIATION])
    return not facts.is_numeric and any(plain(facts.header) == word for word in names)


def _settle_unit_and_type(found: Guesses, varying: Varying) -> None:
    """Make the value's type, or its unit, a part of a question that has several."""
    if Role.QUESTION not in found.roles:
        return
    question = [found.roles[Role.QUESTION], *found.parts.get(Role.QUESTION, ())]
    for role in (Role.VALUE_TYPE, Role.UNIT):
        if role in found.roles and found.roles[role] in varying(question):
            found.add_part(Role.QUESTION, found.roles[role])
            question.append(found.roles[role])


def _may_be_key(facts: ColumnFacts) -> bool:
    named = next((role for role, words in ROLE_WORDS.items() if plain(facts.header) in words), None)
    is_interval = facts.interval >= 0.9 * facts.stated
    is_text = facts.is_strata and not facts.is_numeric and not is_interval
    return is_text and named not in FIGURE_ROLES and not is_release(facts)


def _rank(facts: ColumnFacts) -> tuple[bool, bool, int, int]:
    return (not is_response(facts), _is_code(facts), facts.distinct, facts.position)


def _is_code(facts: ColumnFacts) -> bool:
    return any(partly(word, facts.header) for word in ("id", "code", "footnote", "note", "flag", "symbol"))


def _is_code_of_another(place: int, found: Guesses, varying: Varying) -> bool:
    """Whether a strata column is but the code of what another one says in words."""
    others = [other for other in found.strata if other != place]
    return bool(others) and _is_code(found.facts[place]) and place not in varying(others)


def _add_key(found: Guesses, facts: ColumnFacts) -> None:
    if is_response(facts) and Role.QUESTION in found.roles:
        found.add_part(Role.QUESTION, facts.position)
    elif {Role.CATEGORY, Role.STRATUM} <= found.roles.keys():
        found.add_part(Role.CATEGORY if Role.QUESTION not in found.roles else Role.QUESTION, facts.position)
    else:
        found.strata = sorted([*found.strata, facts.position])
        found.why[Role.STRATUM] = Confidence.NEEDED
