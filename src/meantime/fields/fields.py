"""Fields: the annotated fields of a dataclass, as what may be given for them. Reading many of them at once.

::

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Page:
        limit: Annotated[int, WholeNumber(1, 1000), "How many at most.", Default("a page"), Example(5)] = 100

A field of the dataclass without a kind is none that can be given.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, get_type_hints

from meantime.errors import FieldError
from meantime.fields.kinds import JsonSchema, Kind, Refer
from meantime.fields.refusals import shown, unknown_name

_BYTE_ORDER_MARK = "\ufeff"

Given = TypeVar("Given")

TOML_LIMIT_CHARACTERS = 1_000_000
TOML_KEY_LIMIT_PARTS = 16
_LONG_KEY = re.compile(rf"""(?:(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){{{TOML_KEY_LIMIT_PARTS}}}""")


class Default(str):
    """What the default is in words, where it depends on the data or needs explanation."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A value in JSON form that works on the bundled table."""

    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a dataclass that can be given.

    Parameters
    ----------
    name
        The field's name.
    kind
        What it takes.
    summary
        One sentence for documentation and ``--help``.
    is_required
        Whether it must be given: it has no default.
    default
        What stands for an absent value, in canonical form; None where that depends on the data.
    default_in_words
        What the default is, where its value doesn't say it; else empty.
    example
        A value in JSON form that works on the bundled table, or None.
    """

    name: str
    kind: Kind[object]
    summary: str
    is_required: bool = False
    default: object = None
    default_in_words: str = ""
    example: object = None

    @property
    def default_sentence(self) -> str:
        """What is used when the field is absent, as a sentence; empty for a required one."""
        return "" if self.is_required else f"Default: {self.default_in_words or _as_json(self.default)}."

    def query_schema(self) -> JsonSchema:
        """Return the JSON Schema of a value that a query string gives, with the default."""
        schema = self.kind.query_schema()
        return schema if self.default is None else schema | {"default": _as_json(self.default)}

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema as a member of an object: described, and null the same as leaving it out if optional."""
        schema = self.kind.json_schema(refer)
        if not self.is_required:
            schema = {"anyOf": [schema, {"type": "null"}]}
        described = f"{self.summary} {self.default_sentence}" if self.default_in_words else self.summary
        found = schema | {"description": described}
        if self.default is not None:
            found["default"] = _as_json(self.default)
        if self.example is not None:
            found["examples"] = [self.example]
        return found


@cache
def fields_of(cls: type) -> tuple[Field, ...]:
    """Return the fields of a dataclass that have a kind, in their order.

    Raises
    ------
    TypeError
        It is no dataclass, or a field's annotation has a kind but no summary.
    """
    hints = get_type_hints(cls, include_extras=True)
    return tuple(
        _field(each, notes)
        for each in dataclasses.fields(cls)
        if (notes := getattr(hints[each.name], "__metadata__", ())) and isinstance(notes[0], Kind)
    )


def read_fields(
    cls: type,
    raw: Mapping[str, object],
    context: object = None,
    *,
    what: str = "field",
    owner: str = "",
) -> dict[str, object]:
    """Return the canonical values of what was given, in the order of the fields; what was not given is absent.

    Parameters
    ----------
    cls
        The dataclass; ``cls(**values)`` fills the defaults.
    raw
        Values by name, as decoded from JSON or TOML. Null is the same as absent where a field is optional.
    context
        What the accepted values depend on.
    what
        What a name is called when it is unknown, as in "is no parameter of mean".
    owner
        Who needs a missing field.

    Raises
    ------
    FieldError
        A name is unknown, a required field is missing, or a value is not accepted; ``field`` names it.
    """
    given = {name: value for name, value in raw.items() if value is not None or _is_required(cls, name)}
    return _read(cls, given, lambda kind, value: kind.check(value, context), what=what, owner=owner, names=raw)


def read_query_fields(
    cls: type,
    texts: Mapping[str, Sequence[str]],
    context: object = None,
    *,
    what: str = "query parameter",
    owner: str = "",
) -> dict[str, object]:
    """Return the canonical values of a query string, as ``read_fields`` does of JSON.

    Parameters
    ----------
    texts
        The texts of each name, in their order.
    cls, context, what, owner
        As of ``read_fields``.
    """
    return _read(cls, texts, lambda kind, sent: kind.read_texts(sent, context), what=what, owner=owner, names=texts)


def write_query_fields(values: object, context: object = None) -> list[tuple[str, str]]:
    """Return the pairs of a query string from which the fields of a dataclass are read again; defaults are left out."""
    pairs = []
    cls: type = type(values)
    for each in fields_of(cls):
        value = getattr(values, each.name)
        if value is not None and (each.is_required or value != each.default):
            pairs += [(each.name, text) for text in each.kind.write_texts(value, context)]
    return pairs


def _is_required(cls: type, name: str) -> bool:
    return any(each.name == name and each.is_required for each in fields_of(cls))


def _read(
    cls: type,
    given: Mapping[str, Given],
    read: Callable[[Kind[object], Given], object],
    *,
    what: str,
    owner: str,
    names: Iterable[str],
) -> dict[str, object]:
    fields = fields_of(cls)
    check_names(names, [each.name for each in fields], what=what)
    values: dict[str, object] = {}
    for each in fields:
        if each.name in given:
            try:
                values[each.name] = read(each.kind, given[each.name])
            except FieldError as error:
                raise error.at(each.name) from None
        elif each.is_required:
            needs = f"{owner} needs it" if owner else "it is needed"
            raise FieldError(f"missing; {needs}. {each.summary}", field=each.name)
    return values


def check_names(given: Iterable[str], known: Collection[str], *, what: str) -> None:
    """Refuse a name that is not known, with the nearest that is."""
    for name in given:
        if name not in known:
            raise unknown_name(name, known, what=what, field=shown(name)[1:-1])


def parse_toml(text: str) -> dict[str, object]:
    """Return the table that a TOML file is; a byte order mark in front is none of it.

    Raises
    ------
    FieldError
        The text is no TOML; the error names no field.
    """
    import tomllib  # 5 ms, and most servers have no such file

    if len(text) > TOML_LIMIT_CHARACTERS:
        raise FieldError(f"is not TOML that is read here: it has more than {TOML_LIMIT_CHARACTERS:,} characters")
    if (found := _LONG_KEY.search(text)) is not None:  # tomllib takes a time that grows with the square of the parts
        raise FieldError(
            f"is not TOML that is read here: a key has more than {TOML_KEY_LIMIT_PARTS} parts, {shown(found[0])}"
        )
    try:
        return tomllib.loads(text.removeprefix(_BYTE_ORDER_MARK))
    except (ValueError, RecursionError) as error:  # ValueError also for a number of thousands of digits
        raise FieldError(f"is not TOML: {error}") from error


def parse_json(text: str | bytes) -> object:
    """Return what a file of JSON holds; ValueError when it is none, or is too deep to be read."""
    try:
        found: object = json.loads(text.removeprefix(_BYTE_ORDER_MARK) if isinstance(text, str) else text)
    except RecursionError as error:
        raise ValueError("it is too deep") from error
    return found


def object_schema(cls: type, refer: Refer | None = None) -> JsonSchema:
    """Return the JSON Schema of an object with the fields of a dataclass and no other."""
    fields = fields_of(cls)
    return {
        "type": "object",
        "properties": {each.name: each.json_schema(refer) for each in fields},
        "required": [each.name for each in fields if each.is_required],
        "additionalProperties": False,
    }


def _field(each: dataclasses.Field[Any], notes: tuple[object, ...]) -> Field:
    kind, *rest = notes
    if not isinstance(kind, Kind) or not rest or not isinstance(rest[0], str):
        raise TypeError(f"{each.name}: after its kind a field has a summary")
    made = each.default if each.default_factory is dataclasses.MISSING else each.default_factory()
    is_required = made is dataclasses.MISSING
    return Field(
        name=each.name,
        kind=kind,
        summary=rest[0],
        is_required=is_required,
        default=None if is_required else made,
        default_in_words=next((str(note) for note in rest if isinstance(note, Default)), ""),
        example=next((note.value for note in rest if isinstance(note, Example)), None),
    )


def _as_json(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
