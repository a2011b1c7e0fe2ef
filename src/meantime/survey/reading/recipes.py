"""How the text of a role is made of a row's columns: most are one column, some a text made of several.

``{County}, {State}`` names columns in braces. Which column plays which role is decided in ``columns.py``, and what a
role's texts mean in ``profile.py``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_COLUMN = re.compile(r"\{([^{}]+)\}")
_BRACKETS = {"(": ")", "[": "]", "<": ">"}


@dataclass(frozen=True, slots=True)
class Part:
    """One column of a text, with what stands around it.

    ``separator`` is written only where something stands before, ``opening`` and ``closing`` wherever the column isn't
    empty; an empty one leaves out all three.
    """

    position: int
    separator: str = ""
    opening: str = ""
    closing: str = ""

    def added_to(self, written: str, text: str) -> str:
        """Return a text with the column's added to it."""
        separator = self.separator if written else ""
        return f"{written}{separator}{self.opening}{text}{self.closing}" if text else written


@dataclass(frozen=True, slots=True)
class Recipe:
    """The columns that a role's text is made of; ``shown`` is the header, or the text as a mapping states it."""

    shown: str
    parts: tuple[Part, ...]

    @property
    def column(self) -> int | None:
        """The position of the column that the text simply is; None where it's made of several."""
        [first, *others] = self.parts
        return first.position if not others and first == Part(first.position) else None

    def text(self, fields: Sequence[str]) -> str:
        """Return the role's text in a row, whose fields have no blanks around them.

        >>> Recipe("{County}, {State}", (Part(0), Part(1, ", "))).text(["Kent", ""])
        'Kent'
        """
        written = ""
        for part in self.parts:
            written = part.added_to(written, fields[part.position])
        return written


def columns_in(stated: str) -> list[str]:
    """Return the names in braces, in order.

    >>> columns_in("{Question} ({Unit})")
    ['Question', 'Unit']
    """
    return [name.strip() for name in _COLUMN.findall(stated)]


def recipe_of(stated: str, positions: Sequence[int]) -> Recipe:
    """Return the recipe of a text with names in braces, given the position of each.

    Text before the first column belongs to it, and so does text after the last one. A bracket that opens right before a
    column and is closed right after it belongs to the column too.

    >>> recipe_of("{Question} ({Unit})", [3, 5]).text(["", "", "", "Smokes", "", ""])
    'Smokes'
    """
    before, *between = _COLUMN.split(stated)[::2]
    parts: list[Part] = []
    separator, opening = "", before
    for place, position in enumerate(positions):
        after, closing, following = between[place], "", ""
        if place + 1 == len(positions):
            closing, after = after, ""
        elif opening[-1:] in _BRACKETS and after.startswith(_BRACKETS[opening[-1]]):
            closing, after = after[0], after[1:]
        if after and after[-1] in _BRACKETS:
            after, following = after[:-1], after[-1]
        parts.append(Part(position, separator, opening, closing))
        separator, opening = after, following
    return Recipe(stated, tuple(parts))
