"""How numbers are written: decimal comma, grouped thousands, a trailing percent sign, a typographic minus.

A form is one for a whole table, since people write all its columns alike: "1.234" means a thousand beside "20,8", and
one and a quarter beside "20.8". It is derived where that is certain; where it isn't, a mapping file has to state it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import narwhals as nw

BLANK_MARKS = " \u00a0\u2009\u202f"
"""Blank, no-break space, thin space, narrow no-break space: each groups thousands."""

APOSTROPHES = "'\u2019"

_MINUS = "\u2212"
_GROUPS = {",": ",", ".": ".", **dict.fromkeys(BLANK_MARKS, BLANK_MARKS), **dict.fromkeys(APOSTROPHES, APOSTROPHES)}
_EXPONENT = r"(?:[eE][+-]?[0-9]+)?"
_PLUS_MINUS = r"(?:\x{00B1}|[+]/-)[ \x{00A0}]?"
_SIGN = rf"(?:(?:\u00b1|[+]/-)[ \u00a0]?|[+\-{_MINUS}])?"
_FRAME = re.compile(rf"{_SIGN}(?P<body>[0-9.,{BLANK_MARKS}{APOSTROPHES}]*[0-9][.,]?){_EXPONENT}[ \u00a0]?%?")
_BODY = re.compile(r"[0-9]+|[^0-9]")

Reading = Literal["whole", "decimal", "thousands", "either", "none"]


class UndecidedNumbersError(ValueError):
    """How numbers are written can't be told; the message says why, and which setting states it."""


@dataclass(frozen=True, slots=True)
class NumberForm:
    """How the numbers of a table are written.

    ``decimal`` is ``.`` or ``,``. ``thousands`` are the characters that may group digits in threes; empty where none
    does. A trailing percent sign is left out and U+2212 is a minus in every form. ``is_margin`` is the form of a
    margin of error, which may begin with a plus-minus sign.
    """

    decimal: str = "."
    thousands: str = ""
    is_margin: bool = False

    @property
    def of_margins(self) -> NumberForm:
        """How margins of error are written beside such numbers."""
        return replace(self, is_margin=True)

    @property
    def pattern(self) -> str:
        """A regular expression for a whole text, in words that Python and engines share."""
        digits = f"[0-9]+|[0-9]{{1,3}}(?:[{self.thousands}][0-9]{{3}})+" if self.thousands else "[0-9]+"
        point = f"[{self.decimal}]"
        body = f"(?:(?:{digits})(?:{point}[0-9]*)?|{point}[0-9]+)"
        sign = rf"(?:{_PLUS_MINUS}|[+\-{_MINUS}])?" if self.is_margin else rf"[+\-{_MINUS}]?"
        return rf"^{sign}{body}{_EXPONENT}[ \x{{00A0}}]?%?$"

    def plain(self, text: nw.Expr) -> nw.Expr:
        """Return texts as an engine casts them; what isn't written in this form becomes a text that it refuses."""
        found = text.str.replace_all(f"^{_PLUS_MINUS}", "") if self.is_margin else text
        if self.thousands:
            found = found.str.replace_all(f"[{self.thousands}]", "")
        if self.decimal != ".":
            found = found.str.replace_all(self.decimal, ".", literal=True)
        found = found.str.replace_all(_MINUS, "-", literal=True).str.replace_all(r"[ \x{00A0}]?%$", "")
        return nw.when(text.str.contains(self.pattern)).then(found).otherwise(nw.lit("?"))

    def number(self, text: str) -> float | None:
        """Return what a text means; None where it isn't written in this form.

        >>> NumberForm(decimal=",", thousands=".").number("1.204,5 %"), NumberForm().number("1,204")
        (1204.5, None)
        """
        if not re.fullmatch(_in_python(self.pattern), text):
            return None
        bare = re.sub(_in_python(_PLUS_MINUS), "", text)
        kept = "".join(character for character in bare if character not in self.thousands)
        return float(kept.replace(self.decimal, ".").replace(_MINUS, "-").rstrip("% \u00a0"))


def _in_python(pattern: str) -> str:
    return re.sub(r"\\x\{([0-9A-F]{4})\}", r"\\u\1", pattern)


PLAIN = NumberForm()


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """The texts of one number column: one of each kind that differs in more than its digits from 1 to 9.

    ``is_count`` marks a column whose numbers are whole, such as the sample size.
    """

    header: str
    texts: Sequence[str]
    is_count: bool = False


def derive_number_form(
    columns: Iterable[NumberColumn], decimal: str = "", thousands: str = "", *, has_comma_fields: bool = False
) -> NumberForm:
    """Tell from all number columns how the table's numbers are written.

    Parameters
    ----------
    columns
        Their texts; what is no number of any form doesn't count.
    decimal, thousands
        What a mapping states; empty where it doesn't.
    has_comma_fields
        Whether commas separate the table's fields, beside which three digits behind every point are decimals.

    Raises
    ------
    UndecidedNumbersError
        The texts contradict each other, or mean different numbers by the form.

    Examples
    --------
    >>> derive_number_form([NumberColumn("pct", ["20,8", "7,1"]), NumberColumn("n", ["1.204", "310"])])
    NumberForm(decimal=',', thousands='.', is_margin=False)
    """
    columns = tuple(columns)
    evidence = [each for column in columns for each in _evidence(column)]
    points = {mark: text for text, reading, mark in evidence if reading == "decimal"}
    groups = {mark: text for text, reading, mark in evidence if reading == "thousands"}
    undecided = {mark: text for text, reading, mark in evidence if reading == "either"}
    point = decimal or _decimal(points, groups, undecided, thousands)
    if point == "." and not (decimal or groups or thousands):
        _check_points(columns, has_decimals="." in points, has_comma_fields=has_comma_fields)
    if point in {*thousands}:
        raise UndecidedNumbersError(f"{points[point]!r} has {point!r} before decimals, not between thousands")
    if point in groups:
        raise UndecidedNumbersError(f"{groups[point]!r} groups thousands with {point!r}, elsewhere the decimal sign")
    if decimal and (other := next((points[mark] for mark in points if mark != decimal), "")):
        raise UndecidedNumbersError(f"{other!r} has another decimal sign than the {decimal!r} under [file]")
    marks = "".join(_GROUPS[mark] for mark in sorted({*groups, *undecided, *thousands} - {point}))
    form = NumberForm(point, "".join(dict.fromkeys(marks)))
    _check_columns(columns, form)
    return form


def _decimal(points: dict[str, str], groups: dict[str, str], undecided: dict[str, str], thousands: str) -> str:
    if len(points) > 1:
        raise UndecidedNumbersError(
            f"decimals are written both ways, {points['.']!r} and {points[',']!r}; write all of them alike"
        )
    if points:
        return next(iter(points))
    grouping = {*groups, *thousands}
    if "." in grouping:
        return ","
    if "," in grouping or "," not in undecided:
        return "."
    raise _undecided(undecided[","], ",")


def _undecided(text: str, mark: str) -> UndecidedNumbersError:
    return UndecidedNumbersError(
        f'{text!r} can be {text.replace(mark, "")} or {text.replace(mark, ".")}; state `thousands = "{mark}"` or '
        f'`decimal = "{mark}"` under [file] in a mapping file'
    )


def _check_points(columns: Sequence[NumberColumn], *, has_decimals: bool, has_comma_fields: bool) -> None:
    """Refuse a column whose points may all group thousands: three digits behind each, and in its other numbers.

    Decimals elsewhere tell what the points of all columns are but those of a count, which has none.
    """
    bodies = [[each["body"] for text in column.texts if (each := _FRAME.fullmatch(text))] for column in columns]
    if any(body.isdigit() and len(body) > 3 and not body.startswith("0") for found in bodies for body in found):
        return  # a thousand without a mark: none are grouped
    for column, found in zip(columns, bodies, strict=True):
        pointed = [body for body in found if "." in body]
        may_group = all(("either", ".") in _readings(body) for body in pointed)
        whole = {len(body) for body in found if body.isdigit() and body.strip("0")}
        is_told = has_decimals or whole not in (set(), {3}) or (has_comma_fields and not whole)
        if pointed and may_group and (column.is_count or not is_told):
            raise _undecided(min(pointed), ".")


def _evidence(column: NumberColumn) -> Iterator[tuple[str, Reading, str]]:
    """Yield text, what its marks can only be, and the mark: one for each kind of mark in a number."""
    for text in column.texts:
        found = _FRAME.fullmatch(text)
        if found:
            yield from ((text, reading, mark) for reading, mark in _readings(found["body"]))


def _readings(body: str) -> Iterator[tuple[Reading, str]]:
    parts = _BODY.findall(body)
    marks = [part for part in parts if not part[0].isdigit()]
    digits = re.split(r"[^0-9]", body)
    if not marks or not set(marks) <= set(_GROUPS):
        return
    *grouping, last = marks
    in_threes = all(len(group) == 3 for group in digits[1:-1]) and 1 <= len(digits[0]) <= 3
    if not grouping:
        yield _single(digits, last), _only(last)
    elif len({_GROUPS[mark] for mark in marks}) == 1 and in_threes and len(digits[-1]) == 3:
        yield "thousands", _only(last)
    elif len({_GROUPS[mark] for mark in grouping}) == 1 and in_threes and last in ".," and last not in grouping:
        yield "thousands", _only(grouping[0])
        yield "decimal", last


def _single(digits: list[str], mark: str) -> Reading:
    before, after = digits
    grouped = len(after) == 3 and 1 <= len(before) <= 3 and not before.startswith("0")
    if mark not in ".,":
        return "thousands" if grouped else "none"
    return "either" if grouped else "decimal"


def _only(mark: str) -> str:
    return _GROUPS[mark][0]


def _check_columns(columns: Sequence[NumberColumn], form: NumberForm) -> None:
    for column in columns:
        numbers = {text: number for text in column.texts if (number := form.number(text)) is not None}
        bare = next((text for text, number in numbers.items() if number and not text.endswith("%")), "")
        signed = next((text for text in numbers if text.endswith("%")), "")
        if bare and signed:
            raise UndecidedNumbersError(
                f"column {column.header!r} holds {signed!r} and {bare!r}, with and without a percent sign; "
                "write all of them alike"
            )
        broken = next((text for text, number in numbers.items() if column.is_count and not number.is_integer()), "")
        if broken and form != PLAIN:
            raise UndecidedNumbersError(
                f"column {column.header!r} counts, and {broken!r} is no whole number where {form.decimal!r} is the "
                "decimal sign; state `decimal` and `thousands` under [file] in a mapping file"
            )
