"""From a type to its JSON Schema (2020-12): what a client may rely on is read off the types that are sent.

Nothing is checked or encoded here, and no answer has its own schema here: each stands beside the code that makes it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

import orjson

JsonSchema = dict[str, object]


class Keywords:
    """Further keywords of a schema, such as ``minimum=0``, in ``Annotated``."""

    def __init__(self, **keywords: object) -> None:
        self.keywords = keywords


Count = Annotated[int, Keywords(minimum=0)]
Timestamp = Annotated[str, Keywords(format="date-time")]

_PLAIN: dict[object, JsonSchema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    object: {},
    orjson.Fragment: {"type": "object"},  # JSON that is encoded already; here it always is an object
}
_LISTS = (list, tuple, Sequence)
_OBJECTS = (dict, Mapping)
_UNIONS = (Union, UnionType)


class JsonSchemas:
    """Makes schemas of types, and keeps those of records (dataclasses and TypedDicts) by name.

    Parameters
    ----------
    prefix
        What a reference to a named schema begins with.
    """

    def __init__(self, prefix: str = "#/components/schemas/") -> None:
        self.named: dict[str, JsonSchema] = {}
        self._prefix = prefix
        self._kinds: dict[str, object] = {}

    def of(self, kind: object) -> JsonSchema:
        """Return the schema of a type.

        Parameters
        ----------
        kind
            Any type of JSON-able values: plain ones, unions, literals, lists, mappings from text, enumerations of
            text, records. ``Annotated`` adds to it: a text is the description, Keywords have more.

        Returns
        -------
        dict
            The schema; for a record, a reference to its schema in ``named``, which accepts no further member.

        Raises
        ------
        TypeError
            The type has no form in JSON, or another record has the same name.

        Examples
        --------
        >>> JsonSchemas().of(Annotated[list[int] | None, "Some numbers."])
        {'anyOf': [{'type': 'array', 'items': {'type': 'integer'}}, {'type': 'null'}], 'description': 'Some numbers.'}
        >>> JsonSchemas().of(dict[str, str])
        {'type': 'object', 'additionalProperties': {'type': 'string'}}
        """
        if get_origin(kind) is Annotated:
            described, *notes = get_args(kind)
            schema = self.of(described)
            for note in notes:
                schema |= note.keywords if isinstance(note, Keywords) else {"description": note}
            return schema
        if isinstance(kind, type) and (is_typeddict(kind) or is_dataclass(kind)):
            return self._reference(kind)
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return {"type": "string", "enum": [member.value for member in kind]}
        if get_origin(kind) is not None:
            return self._of_generic(kind)
        if kind not in _PLAIN:
            raise TypeError(f"{kind!r} has no form in JSON")
        return dict(_PLAIN[kind])

    def _of_generic(self, kind: object) -> JsonSchema:
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Literal:
            return {"const": arguments[0]} if len(arguments) == 1 else {"enum": list(arguments)}
        if origin in _UNIONS:
            return {"anyOf": [self.of(each) for each in arguments]}
        if origin in _LISTS:
            return {"type": "array", "items": self.of(arguments[0])}
        if origin in _OBJECTS and arguments[0] is str:
            values = self.of(arguments[1])
            return {"type": "object"} | ({"additionalProperties": values} if values else {})
        raise TypeError(f"{kind!r} has no form in JSON")

    def _reference(self, kind: type) -> JsonSchema:
        """Return a reference to a record's schema; it is made unless it is there. A record may hold itself."""
        name = kind.__name__.removesuffix("Document")
        if self._kinds.setdefault(name, kind) is not kind:
            raise TypeError(f"two kinds of records are called {name}")
        if name not in self.named:
            self.named[name] = {}
            self.named[name] |= self._record(kind)
        return {"$ref": self._prefix + name}

    def _record(self, kind: type) -> JsonSchema:
        hints = get_type_hints(kind, include_extras=True)
        names = [each.name for each in fields(kind)] if is_dataclass(kind) else list(hints)
        optional = {name for name in names if get_origin(hints[name]) is NotRequired}
        return {
            "type": "object",
            "description": inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0],
            "properties": {
                name: self.of(get_args(hints[name])[0] if name in optional else hints[name]) for name in names
            },
            "required": [name for name in names if name not in optional],
            "additionalProperties": False,
        }
