"""Kinds of values that name something in a cube: questions, locations, years, categories, strata, populations.

The context in which they are checked is the cube. Kinds that don't depend on data are in ``meantime.fields``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

from meantime.errors import FieldError
from meantime.fields.kinds import JsonSchema, Kind, ListOf, Number, Refer, SetOf, Text, WholeNumber
from meantime.fields.refusals import shown, unknown_name
from meantime.survey.cube.survey_cube import SurveyCube, kept_per_cube

MAXIMUM_YEAR = 9999

T_co = TypeVar("T_co", covariant=True)


class CubeKind(Kind[T_co]):
    """A kind whose values depend on a cube."""

    def check(self, value: object, context: object = None) -> T_co:
        """Return the canonical form of a value in a cube."""
        if not isinstance(context, SurveyCube):
            raise TypeError(f"{self.expected}: can't be checked without a cube")
        return self.find(value, context)

    @abstractmethod
    def find(self, value: object, cube: SurveyCube) -> T_co:
        """Return the canonical form of a value; errors as for ``check``."""


@dataclass(frozen=True, slots=True)
class QuestionName(CubeKind[str]):
    """A question's text or id; canonical: its text."""

    is_text_only: bool = False
    """Whether an id is refused, as the contract has it."""

    expected = "a text that names a question"

    def find(self, value: object, cube: SurveyCube) -> str:
        """Return the question's text."""
        if not isinstance(value, str):
            raise self.refusal(value)
        index = cube.question_index.get(value)
        if index is None or (self.is_text_only and cube.questions[index].text != value):
            ids = {question.question_id: question.text for question in cube.questions if question.question_id}
            texts = [question.text for question in cube.questions]
            raise unknown_name(value, texts, what="question of this dataset", aliases=ids)
        return cube.questions[index].text

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of any text, or of those in the data."""
        if refer is None:
            return _TEXT.json_schema()
        return refer("QuestionText" if self.is_text_only else "QuestionName")


@dataclass(frozen=True, slots=True)
class Name(CubeKind[str]):
    """The name of something in the data.

    ``names`` are those that a cube has, ``aliases`` other words for them, which are suggested but not accepted;
    ``listed_as`` is what the list of names is called where an API is described.
    """

    what: str
    listed_as: str
    names: Callable[[SurveyCube], Collection[str]]
    aliases: Callable[[SurveyCube], Mapping[str, str]] | None = None

    @property
    def expected(self) -> str:
        """What is accepted."""
        return f"a text that names a {self.what}"

    def find(self, value: object, cube: SurveyCube) -> str:
        """Return the name itself."""
        if not isinstance(value, str):
            raise self.refusal(value)
        names = self.names(cube)
        if value not in names:
            raise unknown_name(value, names, what=self.what, aliases=self.aliases(cube) if self.aliases else None)
        return value

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of any text, or of those in the data."""
        return _TEXT.json_schema() if refer is None else refer(self.listed_as)


@kept_per_cube
def categories_of(cube: SurveyCube) -> tuple[str, ...]:
    """Return the names of all categories, ascending."""
    return tuple(sorted({segment.category for segment in cube.segments} - {""}))


@kept_per_cube
def strata_of(cube: SurveyCube) -> tuple[str, ...]:
    """Return the names of all strata, ascending."""
    return tuple(sorted({segment.stratum for segment in cube.segments} - {""}))


def _locations_of(cube: SurveyCube) -> Collection[str]:
    return cube.location_index


def _abbreviations_of(cube: SurveyCube) -> Mapping[str, str]:
    return {place.abbreviation: place.name for place in cube.locations if place.abbreviation}


QUESTION_NAME = QuestionName()
QUESTION_TEXT = QuestionName(is_text_only=True)
LOCATION_NAME = Name("location", "LocationName", _locations_of, _abbreviations_of)
CATEGORY_NAME = Name("category", "CategoryName", categories_of)
STRATUM_NAME = Name("stratum", "StratumName", strata_of)

_TEXT = Text()


@dataclass(frozen=True, slots=True)
class Year(CubeKind[int]):
    """One of the data's years."""

    expected = "a year of the data"

    def find(self, value: object, cube: SurveyCube) -> int:
        """Return the year."""
        year = value if type(value) is int else _WHOLE.check(value)  # most are, and there may be many
        if year not in cube.years:
            raise _no_year(f"no year {shown(year)}", cube)
        return year

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of any year, or of those in the data."""
        return _YEAR_NUMBER.json_schema() if refer is None else refer("Year")


_WHOLE = WholeNumber()
_YEAR_NUMBER = WholeNumber(0, MAXIMUM_YEAR)


def _no_year(found: str, cube: SurveyCube) -> FieldError:
    accepted = [str(year) for year in cube.years]
    return FieldError(f"the data has {found}; it has {', '.join(accepted)}", accepted=accepted)


@dataclass(frozen=True, slots=True)
class Years(CubeKind[tuple[int, ...]]):
    """A list of years, or a range such as ``{"from": 2015, "to": 2020}``; canonical: years of the data, ascending."""

    expected = 'a list of years or a range such as {"from": 2015, "to": 2020}'

    def find(self, value: object, cube: SurveyCube) -> tuple[int, ...]:
        """Return the years."""
        if not isinstance(value, Mapping):
            return _YEAR_LIST.check(value, cube)
        if not value or not set(value) <= {"from", "to"}:
            raise self.refusal(dict(value))
        first, last = _WHOLE.check(value.get("from", 0)), _WHOLE.check(value.get("to", MAXIMUM_YEAR))
        years = tuple(year for year in cube.years if first <= year <= last)
        if not years:
            raise _no_year(f"no year from {shown(first)} to {shown(last)}", cube)
        return years

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of a list or a range; the ends of a range need not be in the data."""
        span = {
            "type": "object",
            "properties": {"from": _YEAR_NUMBER.json_schema(), "to": _YEAR_NUMBER.json_schema()},
            "minProperties": 1,
            "additionalProperties": False,
        }
        return {"anyOf": [_YEAR_LIST.json_schema(refer), span]}


_YEAR_LIST = SetOf(Year())


@dataclass(frozen=True, slots=True)
class PopulationRow:
    """How many people live in a location in a year."""

    location: str
    year: int
    population: float


@dataclass(frozen=True, slots=True)
class PopulationRowKind(CubeKind[PopulationRow]):
    """A row of a population table. The year need not be in the data."""

    expected = 'a row such as {"location": "Ohio", "year": 2023, "population": 11785935}'

    def find(self, value: object, cube: SurveyCube) -> PopulationRow:
        """Return the row."""
        if not isinstance(value, Mapping) or set(value) != {"location", "year", "population"}:
            raise self.refusal(value)
        people = _FINITE.check(value["population"])
        if not 0 < people <= _MOST_PEOPLE:
            raise FieldError(f"{shown(people)} is not a number of people above 0")
        return PopulationRow(LOCATION_NAME.find(value["location"], cube), _WHOLE.check(value["year"]), people)

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of a row."""
        fields: JsonSchema = {
            "location": _TEXT.json_schema(),
            "year": _YEAR_NUMBER.json_schema(),
            "population": {"type": "number", "exclusiveMinimum": 0, "maximum": _MOST_PEOPLE},
        }
        return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


_FINITE = Number()
_MOST_PEOPLE = 1e12


@dataclass(frozen=True, slots=True)
class PopulationTable(ListOf[PopulationRow]):
    """A population table; canonical: by location, then year."""

    def check(self, value: object, context: object = None) -> tuple[PopulationRow, ...]:
        """Return the rows, each location and year once."""
        table: dict[tuple[str, int], PopulationRow] = {}
        for row in ListOf.check(self, value, context):
            key = row.location, row.year
            if key in table:
                raise FieldError(f"{key[0]} {key[1]} is given twice; give each location and year once")
            table[key] = row
        return tuple([table[key] for key in sorted(table)])
