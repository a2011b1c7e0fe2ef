"""Kinds of values that name something in a cube: questions, locations, years, categories, strata, populations.

The context in which they are checked is the cube. Kinds that don't depend on data are in ``meantime.fields``.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from unicodedata import normalize

from meantime.errors import FieldError
from meantime.fields.kinds import JsonSchema, Kind, ListOf, Number, Ordered, Refer, SetOf, Text, WholeNumber
from meantime.fields.refusals import shown, unknown_name
from meantime.fields.spellings import plain_spelling
from meantime.statistics.names import NameTable, category_names, location_names, question_names, stratum_names
from meantime.survey.cube.survey_cube import SurveyCube

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
class Name(CubeKind[str]):
    """The name of something in the data; canonical: as it stands there.

    ``listed_as`` is what the list of names is called where an API is described, ``forms`` says which spellings are
    accepted; where it is empty, as the contract has it, only the name itself is, and others are suggested.
    """

    what: str
    listed_as: str
    names: Callable[[SurveyCube], NameTable]
    forms: str = ""

    @property
    def expected(self) -> str:
        """What is accepted."""
        return f"a text that names a {self.what}"

    def find(self, value: object, cube: SurveyCube) -> str:
        """Return the name itself."""
        if not isinstance(value, str):
            raise self.refusal(value)
        table = self.names(cube)
        if value in table.names:
            return value
        composed = normalize("NFC", value)
        alike = [name for name in table.names if normalize("NFC", name) == composed]
        if alike:  # the very same letters, composed or not
            return alike[0]
        meant = table.meant_by(value) or table.groups.get(plain_spelling(value), ())
        if not self.forms:
            raise unknown_name(
                value, table.names, what=self.what, aliases={value: meant[0]} if len(meant) == 1 else None
            )
        if len(meant) > 1:
            raise _ambiguous(value, meant, self.what)
        if not meant:
            raise unknown_name(value, table.names, what=self.what, forms=self.forms)
        return meant[0]

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of any text, or of those in the data."""
        return _TEXT.json_schema() if refer is None else refer(self.listed_as)


class QuestionName(Name):
    """The text of a question, or its id, which is what stands in an address."""

    def write_texts(self, value: object, context: object = None) -> list[str]:
        """Return the id of a question that has one of its own, else its text."""
        if not isinstance(context, SurveyCube) or not isinstance(value, str):
            raise TypeError(f"{value!r}: a question can't be written without a cube")
        found = context.questions[context.question_index[value]].question_id
        return [found if found and self.names(context).meant_by(found) == (value,) else value]


class PlaceName(Name):
    """The name of a location, or one of the other words for it; a FIPS code may be a number."""

    def find(self, value: object, cube: SurveyCube) -> str:
        """Return the location's name."""
        is_code = isinstance(value, int) and not isinstance(value, bool) and 0 < value < _CODES
        return super().find(str(value) if is_code else value, cube)

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of a text or a code, or of the names in the data."""
        schema = super().json_schema(refer)
        code: JsonSchema = {"type": "integer", "minimum": 1, "maximum": _CODES - 1}
        return {"anyOf": [schema, code]} if refer is None else schema


_CODES = 10**11  # a FIPS code of a census tract has eleven digits


def _ambiguous(value: str, meant: tuple[str, ...], what: str) -> FieldError:
    if len(meant) > _FEW:
        return FieldError(f"{shown(value)} means {len(meant)} {what}s here; name one")
    names = " or ".join(map(shown, meant))
    return FieldError(f"{shown(value)} could be {names}; write it as it stands here", nearest=meant)


_FEW = 5

_QUESTION_FORMS = "give its text or its id, such as Q036, in any case"
PLACE_FORMS = (
    "give a name, an abbreviation such as OH, a FIPS code such as 39, in any case; or states, territories or nation"
)

QUESTION_NAME = QuestionName("question of this dataset", "QuestionName", question_names, _QUESTION_FORMS)
QUESTION_TEXT = Name("question of this dataset", "QuestionText", question_names)
PLACE_NAME = PlaceName("location", "LocationName", location_names, PLACE_FORMS)
LOCATION_NAME = Name("location", "LocationName", location_names)
CATEGORY_NAME = Name("category", "CategoryName", category_names, "give its name, in any case")
STRATUM_NAME = Name("stratum", "StratumName", stratum_names, "give its name, in any case")


@dataclass(frozen=True, slots=True)
class WordOrName(CubeKind[str]):
    """One of a few words, in any case, or a name; canonical: the word or name as it stands."""

    words: tuple[str, ...]
    name: Name

    @property
    def expected(self) -> str:
        """What is accepted."""
        return f"{', '.join(self.words)}, or {self.name.expected}"

    def find(self, value: object, cube: SurveyCube) -> str:
        """Return the word or the name."""
        spelling = plain_spelling(value) if isinstance(value, str) else ""
        return spelling if spelling in self.words else self.name.find(value, cube)

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of a word or a name."""
        return {"anyOf": [{"enum": list(self.words)}, self.name.json_schema(refer)]}


class OneOrMore(SetOf[Ordered]):
    """A set of which a single item may be given without its list."""

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of a list, or of an item; where names are listed, of the list alone."""
        listed = super().json_schema(refer)
        return listed if refer is not None else {"anyOf": [listed, self.item.json_schema()]}

    def _items(self, value: object) -> Sequence[object]:
        is_single = isinstance(value, str | int | float) and not isinstance(value, bool)
        return super()._items([value] if is_single else value)


class PlaceNames(OneOrMore[str]):
    """Locations, or words that mean all locations of a kind."""

    def check(self, value: object, context: object = None) -> tuple[str, ...]:
        """Return the distinct names in order."""
        if not isinstance(context, SurveyCube):
            raise TypeError("locations: can't be checked without a cube")
        table, found = location_names(context), set[str]()
        for item in self._items(value):
            found.update((isinstance(item, str) and table.group_of(item)) or (self.item.check(item, context),))
        return tuple(sorted(found))


PLACE_NAMES = PlaceNames(PLACE_NAME)

_TEXT = Text()


@dataclass(frozen=True, slots=True)
class Year(CubeKind[int]):
    """One of the data's years, as a number or as the text of one."""

    expected = "a year, such as 2023"

    def find(self, value: object, cube: SurveyCube) -> int:
        """Return the year."""
        year = value if type(value) is int else _year_number(value)  # most are, and there may be many
        if year not in cube.years:
            raise _no_year(f"no year {shown(year)}", cube)
        return year

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of any year, or of those in the data."""
        return _any_year() if refer is None else refer("Year")


_YEAR_NUMBER = WholeNumber(0, MAXIMUM_YEAR)


def _any_year() -> JsonSchema:
    return {"anyOf": [_YEAR_NUMBER.json_schema(), {"type": "string", "pattern": "[0-9]"}]}


def _year_number(value: object) -> int:
    """Return the year that a number or a text is; whether the data have it is another question."""
    plain = plain_spelling(value) if isinstance(value, str) else ""
    if re.fullmatch("[0-9]{1,18}", plain, re.ASCII):
        return int(plain)
    if isinstance(value, str):
        raise FieldError(f"{shown(value)} is not a year, such as 2023")
    return _YEAR_NUMBER.check(value)


def _no_year(found: str, cube: SurveyCube) -> FieldError:
    accepted = [str(year) for year in cube.years]
    return FieldError(f"the data has {found}; it has {', '.join(accepted)}", accepted=accepted)


@dataclass(frozen=True, slots=True)
class Years(CubeKind[tuple[int, ...]]):
    """A list of years, a year, or a range such as ``{"from": 2015, "to": 2020}``; canonical: the data's, ascending."""

    expected = 'a year, a list of years or a range such as {"from": 2015, "to": 2020}'

    def find(self, value: object, cube: SurveyCube) -> tuple[int, ...]:
        """Return the years."""
        if not isinstance(value, Mapping):
            return _YEAR_LIST.check(value, cube)
        if not value or not set(value) <= {"from", "to"}:
            raise self.refusal(dict(value))
        first, last = _year_number(value.get("from", 0)), _year_number(value.get("to", MAXIMUM_YEAR))
        years = tuple(year for year in cube.years if first <= year <= last)
        if not years:
            raise _no_year(f"no year from {shown(first)} to {shown(last)}", cube)
        return years

    def read_texts(self, texts: Sequence[str], context: object = None) -> tuple[int, ...]:
        """Return the years of texts such as ``2023``, ``2015,2017`` or ``2011-2015,2023``."""
        if len(texts) == 1 and texts[0].lstrip().startswith(("{", "[")):
            return CubeKind.read_texts(self, texts, context)
        found = set[int]()
        for part in ",".join(texts).split(","):
            span = _SPAN.fullmatch(part)
            found.update(self.check({"from": span[1], "to": span[2]} if span else part, context))
        return tuple(sorted(found))

    def query_schema(self) -> JsonSchema:
        """Return the schema of a text with years."""
        return _YEARS_TEXT

    def write_texts(self, value: object, context: object = None) -> list[str]:
        """Return the years with commas, three and more in a row as a range."""
        if not isinstance(value, tuple):
            raise TypeError(f"{value!r} are no canonical years")
        runs: list[list[int]] = []
        for year in value:
            if runs and runs[-1][-1] == year - 1:
                runs[-1].append(year)
            else:
                runs.append([year])
        texts = [f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs]
        return [",".join(texts)]

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of a list or a range; the ends of a range need not be in the data."""
        span = {
            "type": "object",
            "properties": {"from": _any_year(), "to": _any_year()},
            "minProperties": 1,
            "additionalProperties": False,
        }
        return {"anyOf": [_YEAR_LIST.json_schema(refer), span]}


_YEARS_TEXT: JsonSchema = {"type": "string", "pattern": "^[0-9]{4}([,-][0-9]{4})*$"}
_SPAN = re.compile(r"\s*([0-9]{1,4})\s*-\s*([0-9]{1,4})\s*", re.ASCII)
_YEAR_LIST = OneOrMore(Year(), expected=Years.expected)


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
        return PopulationRow(PLACE_NAME.find(value["location"], cube), _year_number(value["year"]), people)

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of a row."""
        fields: JsonSchema = {
            "location": PLACE_NAME.json_schema(),
            "year": _any_year(),
            "population": {"type": "number", "exclusiveMinimum": 0, "maximum": _MOST_PEOPLE},
        }
        return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


_FINITE = Number()
_MOST_PEOPLE = 1e12


@dataclass(frozen=True, slots=True)
class PopulationTable(ListOf[PopulationRow]):
    """A population table; canonical: by location, then year."""

    def query_schema(self) -> JsonSchema:
        """Return the schema of a text of JSON."""
        return {"type": "string", "contentMediaType": "application/json", "contentSchema": self.json_schema()}

    def check(self, value: object, context: object = None) -> tuple[PopulationRow, ...]:
        """Return the rows, each location and year once."""
        table: dict[tuple[str, int], PopulationRow] = {}
        for row in ListOf.check(self, value, context):
            key = row.location, row.year
            if key in table:
                raise FieldError(f"{key[0]} {key[1]} is given twice; give each location and year once")
            table[key] = row
        return tuple([table[key] for key in sorted(table)])
