"""What a text in a number column may be that is no number, in words, with the setting or the change that helps.

Pure sentences: nothing is read here.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence

from meantime.fields.refusals import shown

_SHOWN_MARKS = 10
_NUMBER = r"[+\-\u2212]?[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?%?"
_MARK = r"[^\w\s.,%()\[\]]+|[\u00b9\u00b2\u00b3\u2070-\u2079\u1d43-\u1d5b]+|[A-Za-z]{1,3}|\(\w{1,3}\)|\[\w{1,3}\]"
_GLUED = re.compile(rf"{_NUMBER}\s*(?:{_MARK})")
_LIMITS = re.compile(rf"[(\[]?{_NUMBER}\s*(?:[-\u2013;,/]|to|\s)\s*{_NUMBER}[)\]]?")
_BRACKETS = re.compile(rf"\(\s*{_NUMBER}\s*\)")
_BOUND = re.compile(rf"[<>\u2264\u2265]=?\s*{_NUMBER}")


def number_hint(text: str) -> str:
    """Return what a text that is no number may be, and what to do; empty where it may stand for an empty field.

    >>> number_hint("25.1*")
    'a footnote mark or a unit after the number? remove it from the file'
    >>> number_hint("<5")
    ''
    """
    if any(unicodedata.category(character) == "Cc" or character == "\ufeff" for character in text):
        return control_fault(text)
    if text.startswith("="):
        return "a formula of a spreadsheet; save the values"
    if any(unicodedata.category(character) == "Nd" and not character.isascii() for character in text):
        return "write digits as 0-9"
    if _BOUND.fullmatch(text):
        return ""
    if "\u2030" in text:
        return "per mille is read without its sign; remove it, and state the unit"
    if _BRACKETS.fullmatch(text):
        return "in brackets: a negative number, or one that isn't reliable? write it plainly"
    if _LIMITS.fullmatch(text):
        return "two numbers, perhaps limits; give each a column of its own"
    if _GLUED.fullmatch(text):
        return "a footnote mark or a unit after the number? remove it from the file"
    return ""


def control_fault(text: str) -> str:
    """Return which control character a text holds; empty where it holds none.

    Tabs and line ends inside quotes are blanks.
    """
    for character in text:
        if character == "\0":
            return "holds a NUL byte; the file is damaged, or of another kind than CSV"
        if character == "\ufeff":
            return "holds a byte order mark; files that were pasted together have it inside, remove it"
        if unicodedata.category(character) == "Cc" and character not in "\t\r\n":
            return f"holds a control character (U+{ord(character):04X}); remove it"
    return ""


def marks_sentence(marks: Sequence[tuple[str, int]]) -> str:
    """Return how to state texts that stand for empty fields, given with their counts."""
    first = marks[:_SHOWN_MARKS]
    counted = ", ".join(f"{shown(text, limit=30)} ({count:,})" for text, count in first)
    others = f" and {len(marks) - len(first)} more" if len(marks) > len(first) else ""
    listed = ", ".join(json.dumps(text, ensure_ascii=False) for text, _ in first)
    return (
        f"no number in its column{'s' if len(marks) > 1 else ''}: {counted}{others}; what stands for an empty field is "
        f"stated as `missing = [{listed}]` under [names] in a mapping file"
    )
