"""When two spellings are the same word: case, blanks, Unicode form, kinds of dashes and apostrophes don't matter."""

from __future__ import annotations

import unicodedata
from functools import cache

LONGEST = 1000
"""A longer text is no spelling of anything: names have at most half of that."""

_APOSTROPHES = "\u2018\u2019\u02bc\u2032`"
_MINUS = "\u2212"


@cache
def _letter(letter: str) -> str:
    kind = unicodedata.category(letter)
    if letter.isspace() or kind in {"Cf", "Cc"}:  # Cf: joiners, directions, a byte order mark
        return ""
    if kind == "Pd" or letter == _MINUS:
        return "-"
    return "'" if letter in _APOSTROPHES else letter


def plain_spelling(text: str) -> str:
    """Return what all spellings of a word have in common; empty where there is nothing to it.

    >>> plain_spelling(" New\u00a0YORK "), plain_spelling("18 \u2013 24")
    ('newyork', '18-24')
    """
    if len(text) > LONGEST:
        return ""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFKC", "".join(map(_letter, folded)))  # what a joiner kept apart comes together
