"""The annotated fields of a dataclass: what is read, what is refused, and the JSON Schema of it all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import jsonschema
import pytest

from meantime.errors import FieldError
from meantime.fields.fields import (
    Default,
    Example,
    fields_of,
    object_schema,
    parse_json,
    parse_toml,
    read_fields,
    read_query_fields,
)
from meantime.fields.kinds import Choice, JsonSchema, Kind, Refer, SetOf, Text, WholeNumber


@dataclass(frozen=True, slots=True)
class PlaceName(Kind[str]):
    """A name that the data, a tuple of names, have."""

    expected = "the name of a place"

    def check(self, value: object, context: object = None) -> str:
        if not isinstance(value, str) or not isinstance(context, tuple) or value not in context:
            raise self.refusal(value)
        return value

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        return refer("PlaceName") if refer else {"type": "string"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked for."""

    text: Annotated[str, Text(), "The question's text.", Example("Q036")]
    places: Annotated[tuple[str, ...] | None, SetOf(PlaceName()), "Places.", Default("all")] = None
    by: Annotated[tuple[str, ...], SetOf(Choice(("year", "place")), minimum=0), "What is kept apart."] = ()
    limit: Annotated[int, WholeNumber(1, 10), "How many."] = 5
    settled: int = field(default=0, init=False)


PLACES = ("Guam", "Ohio")


def asked(**raw: object) -> Question:
    return Question(**read_fields(Question, raw, PLACES))  # type: ignore[arg-type]  # each came out of its field's kind


def refused(raw: dict[str, object]) -> FieldError:
    with pytest.raises(FieldError) as error:
        read_fields(Question, raw, PLACES, what="parameter of question", owner="question")
    return error.value


def test_every_field_with_a_kind_can_be_given_and_no_other() -> None:
    assert [each.name for each in fields_of(Question)] == ["text", "places", "by", "limit"]
    assert [each.is_required for each in fields_of(Question)] == [True, False, False, False]


def test_what_is_given_becomes_canonical_and_the_rest_has_its_default() -> None:
    expected = Question(text="Q036", places=("Guam", "Ohio"), by=("year", "place"), limit=5)
    assert asked(text="Q036", places=["Ohio", "Guam", "Ohio"], by=["place", "year"]) == expected


def test_null_is_the_same_as_leaving_an_optional_field_out() -> None:
    assert asked(text="Q036", places=None, by=None, limit=None) == asked(text="Q036") == Question(text="Q036")


def test_values_come_in_the_order_of_the_fields() -> None:
    assert list(read_fields(Question, {"limit": 1, "text": "Q036"})) == ["text", "limit"]


def test_texts_are_read_as_people_write_them() -> None:
    found = read_query_fields(Question, {"text": ["7"], "limit": ["7"], "by": ["year, place"]})
    assert found == {"text": "7", "by": ("year", "place"), "limit": 7}


@pytest.mark.parametrize(
    ("raw", "name", "message"),
    [
        ({}, "text", "missing; question needs it. The question's text."),
        ({"text": None}, "text", "None is not a text"),
        ({"text": "a", "limits": 3}, "limits", "'limits' is no parameter of question; did you mean 'limit'?"),
        ({"text": "a", "settled": 3}, "settled", "'settled' is no parameter of question; accepted: text, places,"),
        ({"text": "a", "limit": 11}, "limit", "11 is not a whole number from 1 to 10"),
        ({"text": "a", "places": ["Rome"]}, "places", "'Rome' is not the name of a place"),
        ({"text": "a", "by": ["yaer"]}, "by", "'yaer' is no accepted value; did you mean 'year'?"),
    ],
)
def test_a_refusal_names_the_field(raw: dict[str, object], name: str, message: str) -> None:
    error = refused(raw)
    assert error.field == name
    assert str(error).startswith(message)


def test_a_forged_name_of_a_field_stays_one_short_line() -> None:
    error = refused({"text": "a", "limit\n2026 INFO forged\x1b[31m" + "x" * 1000: 1})
    assert error.field.isprintable()
    assert str(error).isprintable()
    assert len(error.field) < 100


def test_the_schema_describes_every_field() -> None:
    schema = object_schema(Question)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["required"] == ["text"]
    assert schema["additionalProperties"] is False
    assert schema["properties"] == {
        "text": {
            "type": "string",
            "minLength": 1,
            "maxLength": 500,
            "description": "The question's text.",
            "examples": ["Q036"],
        },
        "places": {
            "anyOf": [
                {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 500},
                {"type": "null"},
            ],
            "description": "Places. Default: all.",
        },
        "by": {
            "anyOf": [
                {
                    "type": "array",
                    "items": {"type": "string", "enum": ["year", "place"]},
                    "minItems": 0,
                    "maxItems": 500,
                },
                {"type": "null"},
            ],
            "description": "What is kept apart.",
            "default": [],
        },
        "limit": {
            "anyOf": [{"type": "integer", "minimum": 1, "maximum": 10}, {"type": "null"}],
            "description": "How many.",
            "default": 5,
        },
    }


def test_the_schema_can_refer_to_the_names_in_the_data() -> None:
    places = fields_of(Question)[1].kind.json_schema(lambda name: {"$ref": f"#/{name}"})
    assert places == {"type": "array", "items": {"$ref": "#/PlaceName"}, "minItems": 1, "maxItems": 500}


def test_a_kind_without_a_summary_is_a_mistake_of_the_programmer() -> None:
    @dataclass(frozen=True)
    class Silent:
        limit: Annotated[int, WholeNumber()] = 1

    with pytest.raises(TypeError, match="limit: after its kind a field has a summary"):
        fields_of(Silent)


@pytest.mark.parametrize("text", ["a = ", "a = 1\na = 2", "a = " + "9" * 5000, "a = " + "[" * 5000])
def test_a_text_that_is_no_toml_is_refused(text: str) -> None:
    with pytest.raises(FieldError, match="is not TOML"):
        parse_toml(text)


def test_toml_that_would_take_for_ever_is_refused() -> None:
    for text in ("port" + ".a" * 1_000_000 + " = 1", "[port" + " . 'a'" * 300_000 + "]", "a" * 2_000_000):
        with pytest.raises(FieldError, match=r"is not TOML that is read here: (a key has more than|it has more than)"):
            parse_toml(text)
    assert parse_toml("a" + ".b" * 15 + " = '1.2.3.4'")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"a":' * 100_000, "9" * 5000])
def test_a_text_that_is_no_json_is_a_value_error_however_deep_it_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


def test_a_file_may_begin_with_a_byte_order_mark_as_windows_editors_write_it() -> None:
    assert parse_toml("\ufeffport = 1") == {"port": 1}
    assert parse_json('\ufeff{"title": "A survey"}') == parse_json(b'\xef\xbb\xbf{"title": "A survey"}')
