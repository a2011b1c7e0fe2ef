"""What a text in a number column may be that is no number, in words, with the setting or the change that helps.

Pure sentences: nothing is read here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from meantime.survey.reading.profile import normal

MISSING_WORDS = frozenset({
    "na", "n/a", "n.a.", "#n/a", "nan", "null", "none", "nr", "ns", "nd", "np", "nc", "x", "s", "c", "d", "p", "u", "z",
    "dsu", "dnc", "lsr", "suppressed", "missing", "unknown", "not available", "not applicable", "not reported",
    "data suppressed", "data not available", "unreliable", "insufficient data", "no data", "k.a.", "keine angabe",
})  # fmt: skip
"""What publishers write where a number is missing or withheld, apart from signs such as ``*``."""

_SHOWN_MARKS = 10
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff]")
_NUMBER = r"[+\-\u2212]?[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?%?"
_MARK = r"[^\w\s.,%()\[\]]+|[\u00b9\u00b2\u00b3\u2070-\u2079\u1d43-\u1d5b]+|[A-Za-z]{1,3}|\(\w{1,3}\)|\[\w{1,3}\]"
_HINTS = (  # the first pattern that matches a whole text
    (rf"[<>\u2264\u2265]=?\s*{_NUMBER}", ""),
    (
        rf"(?:\u00b1|\+/-)\s*{_NUMBER}",
        "a margin of error? name its column `margin_of_error` under [columns] in a mapping file",
    ),
    (r"=.*", "a formula of a spreadsheet; save the values"),
    (rf"[\u2010-\u2015]\s*{_NUMBER}", "a dash before the number; write a minus sign as -"),
    (r".*(?![0-9])\d.*", "write digits as 0-9"),
    (r".*\u2030", "per mille is read without its sign; remove it, and state the unit"),
    (rf"\(\s*{_NUMBER}\s*\)", "in brackets: a negative number, or one that isn't reliable? write it plainly"),
    (
        rf"[(\[]?{_NUMBER}\s*(?:[-\u2013;,/]|to|\s)\s*{_NUMBER}[)\]]?",
        "two numbers, perhaps limits; give each a column of its own",
    ),
    (rf"{_NUMBER}\s*(?:{_MARK})", "a footnote mark or a unit after the number? remove it from the file"),
)


def number_hint(text: str) -> str:
    """Return what a text that is no number may be, and what to do; empty where it may stand for an empty field.

    >>> number_hint("25.1*")
    'a footnote mark or a unit after the number? remove it from the file'
    >>> number_hint("<5")
    ''
    """
    return next((hint for pattern, hint in _HINTS if re.fullmatch(pattern, text, re.DOTALL)), "")


def control_fault(text: str) -> str:
    """Return which control character a text holds; empty where it holds none.

    Tabs and line ends inside quotes are blanks.
    """
    found = _CONTROL.search(text)
    if not found:
        return ""
    if found[0] == "\0":
        return "holds a NUL byte: the file is damaged, or no CSV"
    if found[0] == "\ufeff":
        return "holds a byte order mark, as files do that were pasted together; remove it"
    return f"holds a control character (U+{ord(found[0]):04X}); remove it"


def is_missing_mark(text: str) -> bool:
    """Whether a text often stands where a number is missing or withheld.

    >>> [is_missing_mark(text) for text in ("*", "<5", "NA", "(D)", "a lot", "25.1*")]
    [True, True, True, True, False, False]
    """
    is_sign = not any(letter.isalnum() for letter in text)
    return is_sign or is_bound(text) or normal(text.strip("()[]")) in MISSING_WORDS


def is_bound(text: str) -> bool:
    """Whether a text says that a number is above or below another, which is no figure."""
    return text[0] in "<>≤≥"


def missing_line(stated: Sequence[str], marks: Sequence[tuple[str, int]]) -> tuple[str, str]:
    """Return section and line that state the commonest marks as missing, beside those that are stated already."""
    texts = (*stated, *(text for text, _ in marks[:_SHOWN_MARKS]))
    return "names", f"missing = [{', '.join(json.dumps(text, ensure_ascii=False) for text in texts)}]"


def marks_sentence(stated: Sequence[str], marks: Sequence[tuple[str, int]]) -> str:
    """Return how to state that texts stand for empty fields, beside those that are stated already.

    >>> marks_sentence([], [("*", 12)])
    'state `missing = ["*"]` under [names] in a mapping file if that stands for an empty field (in 12 fields)'
    """
    first = marks[:_SHOWN_MARKS]
    counts = ", ".join(f"{count:,}" for _, count in first)
    others = f"; {len(marks) - len(first)} more texts are no numbers" if len(marks) > len(first) else ""
    what = "that stands for an empty field" if len(first) == 1 else "these stand for empty fields"
    section, line = missing_line(stated, marks)
    return f"state `{line}` under [{section}] in a mapping file if {what} (in {counts} fields{others})"
