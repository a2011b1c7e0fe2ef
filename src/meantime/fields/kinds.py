"""Kinds of values: whole numbers, texts, choices, lists, times. Each has one form in JSON and one canonical form.

Nothing here knows a field's name or where a value came from. Kinds whose values depend on data are defined beside
the data.
"""

from __future__ import annotations

import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Generic, TypeVar

from meantime.errors import FieldError
from meantime.fields.refusals import shown, unknown_name
from meantime.fields.spellings import plain_spelling

MAXIMUM_TEXT = 500
"""The longest text, in characters, unless a kind says otherwise."""

MAXIMUM_ITEMS = 500
"""The longest list, unless a kind says otherwise."""

JsonSchema = dict[str, object]

Refer = Callable[[str], JsonSchema]
"""Given the name of a list of names in the data, such as ``LocationName``, returns the schema that refers to it."""

_LONGEST_ITEM = 8
"""Of how many parts between commas an item of a list can be that a text gives; each length is looked up."""

_WHOLE = r"0|-?[1-9][0-9]{0,17}"
_DECIMAL = r"-?[0-9]{1,18}(\.[0-9]{1,18})?"
_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})
_YEARS_S = (-62_135_596_800.0, 253_402_300_800.0)  # the years 1 to 9999, since 1970: what the calendar can write

T_co = TypeVar("T_co", covariant=True)
Ordered = TypeVar("Ordered", int, float, str)


class Kind(ABC, Generic[T_co]):
    """What values a field takes. ``expected`` says it in words: "a whole number from 1 to 256".

    A kind never changes; one with options is a frozen dataclass.
    """

    @property
    @abstractmethod
    def expected(self) -> str:
        """What is accepted, to go after "give" or "is not"."""

    def parse(self, text: str) -> object:
        """Return the JSON-like value that a text stands for, as people write it in a variable or a query string.

        Raises
        ------
        FieldError
            It stands for none; whether the value is accepted is up to ``check``.
        """
        return text

    @abstractmethod
    def check(self, value: object, context: object = None) -> T_co:
        """Return the canonical form of a JSON-like value; checking it again gives it back.

        Parameters
        ----------
        value
            What was given.
        context
            What the accepted values depend on, such as a cube; most kinds ignore it.

        Raises
        ------
        FieldError
            It is not accepted. The error names no field yet.
        """

    @abstractmethod
    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the JSON Schema (2020-12) of what is accepted, with ``refer`` for names that are in the data.

        Without ``refer`` it is what is accepted whatever the data.
        """

    def query_schema(self) -> JsonSchema:
        """Return the JSON Schema of what is accepted in a query string, whatever the data."""
        return self.json_schema()

    def read(self, given: object, context: object = None) -> T_co:
        """Return the canonical form of a text as people write it, or of a JSON-like value."""
        return self.check(self.parse(given) if isinstance(given, str) else given, context)

    def read_texts(self, texts: Sequence[str], context: object = None) -> T_co:
        """Return the canonical form of the texts that a query string gives a field, one for each time it is there.

        A text that begins like an object or a list of JSON is one.
        """
        if len(texts) != 1:
            raise FieldError("is given twice; give it once")
        return self.check(_json_value(texts[0]), context) if _is_json(texts[0]) else self.read(texts[0], context)

    def write_texts(self, value: object, context: object = None) -> list[str]:
        """Return texts that ``read_texts`` reads as this canonical value."""
        return [_text_of(value)]

    def refusal(self, value: object) -> FieldError:
        """Return the error for a value that is not what is expected."""
        return FieldError(f"{shown(value)} is not {self.expected}")


@dataclass(frozen=True, slots=True)
class WholeNumber(Kind[int]):
    """A whole number within inclusive bounds; 5.0 is one (as in JSON Schema), true is not."""

    minimum: int | None = None
    maximum: int | None = None

    @property
    def expected(self) -> str:
        """What is accepted."""
        return f"a whole number{_bounds(self.minimum, self.maximum)}"

    def parse(self, text: str) -> int:
        """Return the number that plain ASCII digits without leading zeros stand for."""
        if not re.fullmatch(_WHOLE, text, re.ASCII):
            raise self.refusal(text)
        return int(text)

    def check(self, value: object, context: object = None) -> int:
        """Return the number as an int."""
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
            raise self.refusal(value)
        if not _is_within(value, self.minimum, self.maximum):
            raise self.refusal(value)
        return int(value)

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of an integer."""
        return {"type": "integer"} | _bounds_schema(self.minimum, self.maximum)


@dataclass(frozen=True, slots=True)
class Number(Kind[float]):
    """A finite number within inclusive bounds."""

    minimum: float | None = None
    maximum: float | None = None
    what: str = "a finite number"

    @property
    def expected(self) -> str:
        """What is accepted."""
        return f"{self.what}{_bounds(self.minimum, self.maximum)}"

    def parse(self, text: str) -> float:
        """Return the number that plain ASCII digits with or without a point stand for."""
        if not re.fullmatch(_DECIMAL, text, re.ASCII):
            raise self.refusal(text)
        return float(text)

    def check(self, value: object, context: object = None) -> float:
        """Return the number as a float."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
            raise self.refusal(value)
        if not _is_within(value, self.minimum, self.maximum):
            raise self.refusal(value)
        return float(value) + 0.0  # -0.0 is 0.0

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of a number."""
        return {"type": "number"} | _bounds_schema(self.minimum, self.maximum)


def seconds(maximum: float) -> Number:
    """Return the kind of a number of seconds from 0 on."""
    return Number(0, maximum, what="a number of seconds")


class Boolean(Kind[bool]):
    """True or false; as a text also yes, no, on, off, 1 and 0 in any case."""

    expected = "true or false"

    def parse(self, text: str) -> bool:
        """Return what the word stands for."""
        if text.lower() not in _YES | _NO:
            raise self.refusal(text)
        return text.lower() in _YES

    def check(self, value: object, context: object = None) -> bool:
        """Return the value itself."""
        if not isinstance(value, bool):
            raise self.refusal(value)
        return value

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of a boolean."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Text(Kind[str]):
    """A text, of a form if there is a pattern for all of it (ASCII)."""

    expected: str = "a text"
    pattern: str = ""
    minimum: int = 1
    maximum: int = MAXIMUM_TEXT
    lower: bool = False

    def check(self, value: object, context: object = None) -> str:
        """Return the text, in lower case if the kind says so."""
        if not isinstance(value, str) or not self.minimum <= len(value) <= self.maximum:
            raise self.refusal(value)
        if self.pattern and not re.fullmatch(self.pattern, value, re.ASCII):
            raise self.refusal(value)
        return value.lower() if self.lower else value

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of a string."""
        schema: JsonSchema = {"type": "string", "minLength": self.minimum, "maxLength": self.maximum}
        return schema | {"pattern": f"^(?:{self.pattern})$"} if self.pattern else schema


@dataclass(frozen=True, slots=True)
class Choice(Kind[str]):
    """One of some words. A collection that grows, such as a catalogue, is looked at each time."""

    choices: Collection[str]
    any_case: bool = False
    """Whether any spelling of a word will do that can't be another's (``spellings.py``)."""

    @property
    def expected(self) -> str:
        """What is accepted."""
        return f"one of {', '.join(self.choices)}"

    def check(self, value: object, context: object = None) -> str:
        """Return the word itself."""
        if not isinstance(value, str):
            raise self.refusal(value)
        if value in self.choices:
            return value
        plain = plain_spelling(value) if self.any_case else ""
        meant = [word for word in self.choices if plain and plain_spelling(word) == plain]
        if len(meant) != 1:
            raise unknown_name(value, self.choices, what="accepted value")
        return str(meant[0])

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of an enumeration."""
        return {"type": "string", "enum": list(self.choices)}


@dataclass(frozen=True, slots=True)
class ListOf(Kind[tuple[T_co, ...]]):
    """A list, in the order and with the repetitions that were given; as a text with commas."""

    item: Kind[T_co]
    minimum: int = 1
    maximum: int = MAXIMUM_ITEMS
    expected: str = "a list"

    def parse(self, text: str) -> list[object]:
        """Return the items between commas."""
        return [self.item.parse(part.strip()) for part in text.split(",")]

    def check(self, value: object, context: object = None) -> tuple[T_co, ...]:
        """Return the checked items."""
        return tuple([self.item.check(item, context) for item in self._items(value)])

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of an array."""
        items = self.item.json_schema(refer)
        return {"type": "array", "items": items, "minItems": self.minimum, "maxItems": self.maximum}

    def read_texts(self, texts: Sequence[str], context: object = None) -> tuple[T_co, ...]:
        """Return the items of several texts; commas stand between items unless the item has commas itself."""
        if len(texts) == 1 and _is_json(texts[0]):
            return self.check(_json_value(texts[0]), context)
        return self.check([item for text in texts for item in self._items_in(text, context)], context)

    def write_texts(self, value: object, context: object = None) -> list[str]:
        """Return one text with commas; where an item has a comma itself, a text for each."""
        if not isinstance(value, tuple):
            raise TypeError(f"{value!r} is no canonical list")
        if not value or any(not isinstance(item, str | int | float) for item in value):
            return [_text_of(value)]  # nothing between commas would be one empty item
        items = [_text_of(item) for item in value]
        return items if any("," in item for item in items) else [",".join(items)]

    def _items_in(self, text: str, context: object) -> list[object]:
        """Return the items in a text: each as many of the parts between commas as are one item together."""
        parts, found = text.split(","), list[object]()
        while parts:
            count = next((n for n in range(min(len(parts), _LONGEST_ITEM), 1, -1) if self._has(parts[:n], context)), 1)
            found.append(self.item.parse(",".join(parts[:count]).strip()))
            parts = parts[count:]
        return found

    def _has(self, parts: Sequence[str], context: object) -> bool:
        """Whether parts of a text are one item together."""
        try:
            self.item.read(",".join(parts).strip(), context)
        except FieldError:
            return False
        return True

    def _items(self, value: object) -> Sequence[object]:
        if not isinstance(value, list | tuple):
            raise self.refusal(value)
        if not self.minimum <= len(value) <= self.maximum:
            raise FieldError(f"{len(value)} items; give {self.minimum} to {self.maximum}")
        return value


class SetOf(ListOf[Ordered]):
    """A list in which order and repetitions don't count; canonical: ascending, for choices in their own order."""

    def check(self, value: object, context: object = None) -> tuple[Ordered, ...]:
        """Return the distinct checked items in order."""
        found = {self.item.check(item, context) for item in self._items(value)}
        if isinstance(self.item, Choice):
            return tuple([choice for choice in self.item.choices if choice in found])
        return tuple(sorted(found))


class Time(Kind[datetime]):
    """An RFC 3339 time with a zone."""

    expected = "an RFC 3339 time with a zone, such as 2026-11-22T12:00:00Z"

    def check(self, value: object, context: object = None) -> datetime:
        """Return the time."""
        found = value if isinstance(value, datetime) else None
        if isinstance(value, str) and "T" in value.upper():
            try:
                found = datetime.fromisoformat(value.upper())
            except ValueError:
                found = None
        if found is None or found.tzinfo is None:
            raise self.refusal(value)
        return found

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of a time."""
        return {"type": "string", "format": "date-time"}


def is_time(value: object) -> bool:
    """Return whether something read from a file is a time that can be shown: seconds since 1970, in years 1 to 9999.

    A clock that isn't set yet may well be before 1970.

    >>> is_time(1732310400.5), is_time(-1001.0), is_time(1e20), is_time(True), is_time("now")
    (True, True, False, False, False)
    """
    return type(value) in (int, float) and _YEARS_S[0] <= value < _YEARS_S[1]  # type: ignore[operator]  # it is a number


def _is_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[")


def _json_value(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FieldError(f"{shown(text)} begins like JSON and is none: {error}") from None


def _text_of(value: object) -> str:
    """Return a text that stands for a value in a query string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{Decimal(repr(value)).normalize():f}"
    if isinstance(value, str | int):
        return str(value)
    plain = [asdict(item) if is_dataclass(item) and not isinstance(item, type) else item for item in _listed(value)]
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _listed(value: object) -> Sequence[object]:
    if not isinstance(value, tuple):
        raise TypeError(f"{value!r} can't be written in a query string")
    return value


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer that no float can hold
        return False


def _is_within(value: float, minimum: float | None, maximum: float | None) -> bool:
    return (minimum is None or value >= minimum) and (maximum is None or value <= maximum)


def _bounds(minimum: float | None, maximum: float | None) -> str:
    low = "" if minimum is None else f" from {_plain(minimum)}" + (" on" if maximum is None else "")
    return low + ("" if maximum is None else f" to {_plain(maximum)}")


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _bounds_schema(minimum: float | None, maximum: float | None) -> JsonSchema:
    bounds = {"minimum": minimum, "maximum": maximum}
    return {name: bound for name, bound in bounds.items() if bound is not None}
