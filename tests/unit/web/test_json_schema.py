"""Schemas of types: each form of a type, records by name, and what has no form in JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, NotRequired, TypedDict

import pytest

from meantime.web.json_schema import Count, JsonSchema, JsonSchemas, Keywords, Timestamp


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Point:
    """A place.

    More about it.
    """

    x: float
    name: str = ""


class TreeDocument(TypedDict):
    """A tree."""

    branches: list[TreeDocument]
    root: Point
    age: NotRequired[Annotated[Count | None, "In years."]]


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (str, {"type": "string"}),
        (bool, {"type": "boolean"}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (tuple[float, ...], {"type": "array", "items": {"type": "number"}}),
        (Sequence[str], {"type": "array", "items": {"type": "string"}}),
        (Mapping[str, object], {"type": "object"}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (Literal["a"], {"const": "a"}),
        (Literal["a", "b"], {"enum": ["a", "b"]}),
        (Colour, {"type": "string", "enum": ["red", "blue"]}),
        (Timestamp, {"type": "string", "format": "date-time"}),
        (Annotated[Count, "How many.", Keywords(maximum=9)],
         {"type": "integer", "minimum": 0, "description": "How many.", "maximum": 9}),
    ],
)  # fmt: skip
def test_a_type_has_its_schema(kind: object, schema: JsonSchema) -> None:
    assert JsonSchemas().of(kind) == schema


def test_records_are_strict_and_known_by_name() -> None:
    schemas = JsonSchemas("#/$defs/")
    assert schemas.of(TreeDocument | None) == {"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}]}
    assert schemas.named == {
        "Tree": {
            "type": "object",
            "description": "A tree.",
            "properties": {
                "branches": {"type": "array", "items": {"$ref": "#/$defs/Tree"}},
                "root": {"$ref": "#/$defs/Point"},
                "age": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}], "description": "In years."},
            },
            "required": ["branches", "root"],
            "additionalProperties": False,
        },
        "Point": {
            "type": "object",
            "description": "A place.",
            "properties": {"x": {"type": "number"}, "name": {"type": "string"}},
            "required": ["x", "name"],
            "additionalProperties": False,
        },
    }


@pytest.mark.parametrize("kind", [bytes, set[str], dict[int, str], complex])
def test_what_has_no_form_in_json_is_refused(kind: object) -> None:
    with pytest.raises(TypeError, match="no form in JSON"):
        JsonSchemas().of(kind)


def test_a_name_stands_for_one_kind_of_record() -> None:
    schemas = JsonSchemas()
    schemas.of(Point)
    other: object = dataclass(type("Point", (), {"__annotations__": {"y": "int"}}))
    with pytest.raises(TypeError, match="called Point"):
        schemas.of(other)
