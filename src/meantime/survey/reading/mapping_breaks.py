"""The breaks that a mapping file states, each under a `[[breaks]]` of its own.

All other sections are read in ``mapping.py``; the breaks of known questions are in ``known_breaks.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from meantime.errors import DataError, FieldError
from meantime.fields.fields import check_names
from meantime.fields.kinds import Kind, ListOf, Text, WholeNumber
from meantime.fields.refusals import shown
from meantime.survey.questions import FIRST_YEAR, LAST_YEAR, Break
from meantime.survey.reading.profile import StatedBreak

_MANY = 1_000_000
_QUESTIONS = ListOf(Text(maximum=_MANY), maximum=_MANY, expected='a list of questions, such as ["Smokes daily", "Q7"]')
_YEAR = WholeNumber(FIRST_YEAR, LAST_YEAR)
_WORDS = Text("a text in quotes", maximum=_MANY)
_NEEDED = ("year", "because", "source")
_KEYS = ("questions", *_NEEDED)

T = TypeVar("T")


def read_breaks(document: Mapping[str, object], name: str) -> tuple[StatedBreak, ...]:
    """Return the breaks that a decoded mapping file states, in its order.

    Raises
    ------
    DataError
        One lacks a year, a reason or a source, or has an unknown key or a value of the wrong kind; the message names
        the file and which one it is.
    """
    content = document.get("breaks", [])
    if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
        raise DataError(f"{name}: breaks must be sections, each under a [[breaks]] of its own")
    return tuple(_read(each, name, f"[[breaks]] {number}") for number, each in enumerate(content, start=1))


def _read(stated: Mapping[str, object], name: str, place: str) -> StatedBreak:
    try:
        check_names(stated, _KEYS, what=f"key of {place}")
    except FieldError as error:
        raise DataError(f"{name}: {error}") from None
    for key in _NEEDED:
        if key not in stated:
            raise DataError(f"{name}: {place} has no {key!r}; state from which year, because of what, and its source")
    questions = checked(name, place, "questions", stated["questions"], _QUESTIONS) if "questions" in stated else ()
    year = checked(name, place, "year", stated["year"], _YEAR)
    because, source = (checked(name, place, key, stated[key], _WORDS) for key in ("because", "source"))
    return StatedBreak(questions, Break(year, because, source))


def checked(name: str, place: str, key: str, value: object, kind: Kind[T]) -> T:
    """Return a value of a mapping file that fits its kind, or refuse it by file, place and key."""
    try:
        return kind.check(value)
    except FieldError:
        raise DataError(f"{name}: {shown(key)} under {place} is {shown(value)}; it must be {kind.expected}") from None
