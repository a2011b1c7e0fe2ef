"""What a statistic may be asked for: the kinds of parameters, and the JSON Schema of each.

Routes, OpenAPI, command line, client and documentation are all derived from these declarations. Checking a value
against a cube is in ``validation.py``; which statistic takes which parameters is in ``catalogue.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

MAXIMUM_ITEMS = 500
"""The longest list that a parameter accepts, unless it says otherwise."""

MAXIMUM_TEXT = 500
"""The longest text that a parameter accepts, in characters."""

MAXIMUM_YEAR = 9999

JsonSchema = dict[str, object]


class ParameterKind(StrEnum):
    """What a parameter's value is; each kind has one form in JSON and one canonical form."""

    QUESTION = "question"  # a question's text or id; canonical: its text
    QUESTION_TEXT = "question_text"  # a question's exact text, as the contract has it
    LOCATION = "location"  # a location's name
    LOCATIONS = "locations"  # a list of names; canonical: sorted
    YEAR = "year"  # one of the data's years
    YEARS = "years"  # a list, or a range {"from": 2015, "to": 2020}; canonical: the data's years, ascending
    CATEGORY = "category"  # a category's name
    CATEGORIES = "categories"  # a list of names; canonical: sorted
    STRATUM = "stratum"  # a stratum's name
    STRATA = "strata"  # a list of names; canonical: sorted
    CHOICE = "choice"  # one of `choices`
    CHOICES = "choices"  # a list of some of `choices`; canonical: in the order of `choices`
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    NUMBERS = "numbers"  # a list; canonical: ascending
    POPULATION = "population"  # a list of {"location", "year", "population"}; canonical: sorted

    @property
    def is_list(self) -> bool:
        """Whether the value is an array (years may be a range instead)."""
        return self in _LIST_KINDS


_LIST_KINDS = frozenset(
    {
        ParameterKind.LOCATIONS,
        ParameterKind.YEARS,
        ParameterKind.CATEGORIES,
        ParameterKind.STRATA,
        ParameterKind.CHOICES,
        ParameterKind.NUMBERS,
        ParameterKind.POPULATION,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a statistic.

    Parameters
    ----------
    name
        The field's name in a request.
    kind
        What the value is.
    summary
        One sentence for documentation and ``--help``.
    required
        Whether a request without it is refused.
    default
        The value that stands for an absent one, in JSON form; None where the default depends on the data.
    default_summary
        What the default is, where it depends on the data or on other parameters.
    choices
        The accepted values of the two kinds of choice.
    example
        A value in JSON form that works on the bundled table.
    minimum, maximum
        Inclusive bounds of a number, or of each number in a list.
    minimum_items, maximum_items
        Bounds on the length of a list.
    """

    name: str
    kind: ParameterKind
    summary: str
    required: bool = False
    default: object = None
    default_summary: str = ""
    choices: tuple[str, ...] = ()
    example: object = None
    minimum: float | None = None
    maximum: float | None = None
    minimum_items: int = 1
    maximum_items: int = MAXIMUM_ITEMS

    def json_schema(self) -> JsonSchema:
        """Return the parameter's JSON Schema (2020-12): what is accepted whatever the data.

        An optional parameter also accepts null, which is the same as leaving it out.
        """
        schema: JsonSchema = _SCHEMAS[self.kind](self)
        if not self.required:
            schema = {"anyOf": [schema, {"type": "null"}]}
        schema["description"] = self.summary if not self.default_summary else f"{self.summary} {self.default_sentence}"
        if self.default is not None:
            schema["default"] = self.default
        if self.example is not None:
            schema["examples"] = [self.example]
        return schema

    @property
    def default_sentence(self) -> str:
        """What is used when the parameter is absent, as a sentence; empty for a required one."""
        if self.required:
            return ""
        return f"Default: {self.default_summary or self.default}."


def parameters_schema(parameters: tuple[Parameter, ...]) -> JsonSchema:
    """Return the JSON Schema of an object with these parameters and no other field."""
    return {
        "type": "object",
        "properties": {parameter.name: parameter.json_schema() for parameter in parameters},
        "required": [parameter.name for parameter in parameters if parameter.required],
        "additionalProperties": False,
    }


def _text(_: Parameter) -> JsonSchema:
    return {"type": "string", "minLength": 1, "maxLength": MAXIMUM_TEXT}


def _year(_: Parameter) -> JsonSchema:
    return {"type": "integer", "minimum": 0, "maximum": MAXIMUM_YEAR}


def _number(parameter: Parameter) -> JsonSchema:
    schema: JsonSchema = {"type": "integer" if parameter.kind is ParameterKind.INTEGER else "number"}
    if parameter.minimum is not None:
        schema["minimum"] = parameter.minimum
    if parameter.maximum is not None:
        schema["maximum"] = parameter.maximum
    return schema


def _choice(parameter: Parameter) -> JsonSchema:
    return {"type": "string", "enum": list(parameter.choices)}


def _list(parameter: Parameter, items: JsonSchema) -> JsonSchema:
    return {
        "type": "array",
        "items": items,
        "minItems": parameter.minimum_items,
        "maxItems": parameter.maximum_items,
    }


def _years(parameter: Parameter) -> JsonSchema:
    year = _year(parameter)
    span = {
        "type": "object",
        "properties": {"from": year, "to": year},
        "minProperties": 1,
        "additionalProperties": False,
    }
    return {"anyOf": [_list(parameter, year), span]}


def _population(parameter: Parameter) -> JsonSchema:
    fields: JsonSchema = {
        "location": _text(parameter),
        "year": _year(parameter),
        "population": {"type": "number", "exclusiveMinimum": 0, "maximum": 1e12},
    }
    row = {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
    return _list(parameter, row)


_SCHEMAS: dict[ParameterKind, Callable[[Parameter], JsonSchema]] = {
    ParameterKind.QUESTION: _text,
    ParameterKind.QUESTION_TEXT: _text,
    ParameterKind.LOCATION: _text,
    ParameterKind.LOCATIONS: lambda parameter: _list(parameter, _text(parameter)),
    ParameterKind.YEAR: _year,
    ParameterKind.YEARS: _years,
    ParameterKind.CATEGORY: _text,
    ParameterKind.CATEGORIES: lambda parameter: _list(parameter, _text(parameter)),
    ParameterKind.STRATUM: _text,
    ParameterKind.STRATA: lambda parameter: _list(parameter, _text(parameter)),
    ParameterKind.CHOICE: _choice,
    ParameterKind.CHOICES: lambda parameter: _list(parameter, _choice(parameter)),
    ParameterKind.BOOLEAN: lambda _: {"type": "boolean"},
    ParameterKind.INTEGER: _number,
    ParameterKind.NUMBER: _number,
    ParameterKind.NUMBERS: lambda parameter: _list(parameter, _number(parameter)),
    ParameterKind.POPULATION: _population,
}
