"""Values that name something in a cube: every spelling has one canonical form; nothing else passes."""

from __future__ import annotations

import jsonschema
import orjson
import pytest

from meantime.errors import FieldError
from meantime.fields.kinds import JsonSchema, Kind
from meantime.statistics.kinds import (
    CATEGORY_NAME,
    LOCATION_NAME,
    PLACE_NAME,
    PLACE_NAMES,
    QUESTION_NAME,
    QUESTION_TEXT,
    STRATUM_NAME,
    OneOrMore,
    PopulationRow,
    PopulationRowKind,
    PopulationTable,
    Year,
    Years,
)
from meantime.survey.cube.survey_cube import SurveyCube
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY

PEOPLE = {"location": "Alaska", "year": 2013, "population": 700000}
POPULATION = PopulationTable(PopulationRowKind(), maximum=3)
LOCATIONS, CATEGORIES, STRATA = PLACE_NAMES, OneOrMore(CATEGORY_NAME), OneOrMore(STRATUM_NAME)

CANONICAL: list[tuple[Kind[object], object, object]] = [
    (QUESTION_NAME, "Q036", OBESITY),
    (QUESTION_NAME, OBESITY, OBESITY),
    (QUESTION_TEXT, OBESITY, OBESITY),
    (LOCATION_NAME, "Guam", "Guam"),
    (PLACE_NAME, "gu", "Guam"),
    (LOCATIONS, "Alaska", ("Alaska",)),
    (LOCATIONS, ["nation", "AK"], ("Alaska", "National")),
    (Year(), " 2013", 2013),
    (Years(), "2011", (2011,)),
    (Years(), 2011, (2011,)),
    (Years(), {"from": "2013"}, (2013, 2014)),
    (LOCATIONS, ["Guam", "Alaska", "Guam"], ("Alaska", "Guam")),
    (Year(), 2013, 2013),
    (Year(), 2013.0, 2013),
    (Years(), [2014, 2011, 2014], (2011, 2014)),
    (Years(), {"from": 2012, "to": 2020}, (2013, 2014)),
    (Years(), {"from": 2013}, (2013, 2014)),
    (Years(), {"to": 2013}, (2011, 2013)),
    (CATEGORY_NAME, "Sex", "Sex"),
    (CATEGORIES, ["Total", "Sex"], ("Sex", "Total")),
    (STRATUM_NAME, "Male", "Male"),
    (STRATA, ["Male", "Female"], ("Female", "Male")),
    (
        POPULATION,
        [PEOPLE, PEOPLE | {"year": 1950}],
        (PopulationRow("Alaska", 1950, 7e5), PopulationRow("Alaska", 2013, 7e5)),
    ),
]
KINDS = list({repr(kind): kind for kind, _, _ in CANONICAL}.values())


def as_json(value: object) -> object:
    """Return a canonical value as it stands in JSON."""
    return orjson.loads(orjson.dumps(value))


@pytest.mark.parametrize(("kind", "value", "canonical"), CANONICAL, ids=lambda value: str(value)[:40])
def test_a_value_has_one_canonical_form(kind: Kind[object], value: object, canonical: object, cube: SurveyCube) -> None:
    found = kind.check(value, cube)
    assert found == canonical
    assert repr(found) == repr(canonical)
    assert kind.check(as_json(found), cube) == canonical


@pytest.mark.parametrize(("kind", "value", "canonical"), CANONICAL, ids=lambda value: str(value)[:40])
def test_the_schema_accepts_what_the_check_accepts(kind: Kind[object], value: object, canonical: object) -> None:
    schema = kind.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(value, schema)
    jsonschema.validate(as_json(canonical), schema)


WRONG_TYPE: list[tuple[Kind[object], object]] = [
    *((kind, None) for kind in KINDS),
    *((kind, {"no": "such"}) for kind in KINDS),
    *((kind, [[]]) for kind in KINDS),
    (Years(), {}),
    (Years(), []),
    (Years(), [2011] * 501),
    (Years(), {"from": 2011, "until": 2013}),
    (Years(), {"from": "soon"}),
    (Years(), {"from": 2011, "to": 10_000}),
    (Years(), {"from": -1}),
    (Years(), "soon"),
    (Years(), True),
    (Year(), "soon"),
    (Year(), True),
    (Year(), 2011.5),
    (LOCATIONS, ["Alaska", 10**11]),
    (LOCATIONS, ["Alaska", 1.5]),
    (POPULATION, [PEOPLE | {"population": 0}]),
    (POPULATION, [PEOPLE | {"population": "many"}]),
    (POPULATION, [PEOPLE | {"sex": "Male"}]),
    (POPULATION, [{"location": "Alaska", "year": 2013}]),
    (POPULATION, [PEOPLE | {"year": 10_000}]),
    (POPULATION, [PEOPLE] * 4),
]


@pytest.mark.parametrize(("kind", "value"), WRONG_TYPE, ids=lambda value: str(value)[:40])
def test_schema_and_check_refuse_the_same_shapes(kind: Kind[object], value: object, cube: SurveyCube) -> None:
    with pytest.raises(FieldError):
        kind.check(value, cube)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, kind.json_schema())


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (QUESTION_NAME, "Q999", "is no question"),
        (QUESTION_TEXT, "Q036", "is no question"),
        (LOCATION_NAME, "Atlantis", "is no location"),
        (LOCATIONS, ["Alaska", ""], "is no location"),
        (Year(), 2012, "no year 2012; it has 2011, 2013, 2014"),
        (Years(), [2011, 2012], "no year 2012"),
        (Years(), {"from": 2014, "to": 2011}, "no year from 2014 to 2011"),
        (Years(), {"from": 2015}, "no year from 2015"),
        (CATEGORY_NAME, "Shoe size", "is no category"),
        (STRATUM_NAME, "", "is no stratum"),
        (POPULATION, [PEOPLE, PEOPLE | {"population": 1}], "Alaska 2013 is given twice"),
    ],
)
def test_a_value_that_the_data_refuse_says_why(
    kind: Kind[object], value: object, message: str, cube: SurveyCube
) -> None:
    with pytest.raises(FieldError, match=message):
        kind.check(value, cube)


def test_a_kind_that_depends_on_a_cube_is_not_checked_without_one() -> None:
    with pytest.raises(TypeError, match="without a cube"):
        LOCATION_NAME.check("Ohio")


@pytest.mark.parametrize(
    ("kind", "listed"),
    [
        (QUESTION_NAME, {"$ref": "QuestionName"}),
        (QUESTION_TEXT, {"$ref": "QuestionText"}),
        (LOCATIONS, {"type": "array", "items": {"$ref": "LocationName"}, "minItems": 1, "maxItems": 500}),
        (Year(), {"$ref": "Year"}),
        (CATEGORY_NAME, {"$ref": "CategoryName"}),
        (STRATUM_NAME, {"$ref": "StratumName"}),
    ],
)
def test_a_schema_can_refer_to_the_names_in_the_data(kind: Kind[object], listed: JsonSchema) -> None:
    assert kind.json_schema(lambda name: {"$ref": name}) == listed


@pytest.mark.parametrize(
    ("value", "expected"), [("alaska ", "Alaska"), ("GU", "Guam"), ("Alabamma", "Alabama"), ("ational", "National")]
)
def test_the_nearest_location_is_suggested(value: str, expected: str, cube: SurveyCube) -> None:
    with pytest.raises(FieldError) as refused:
        LOCATION_NAME.check(value, cube)
    assert refused.value.nearest[0] == expected
    assert refused.value.accepted == ("Alabama", "Alaska", "Guam", "National")


def test_of_many_locations_only_the_number_is_told() -> None:
    rows = [Row(OBESITY, "Q", f"County {n}", "", 2020, "Total", "Total", 1.0, None, None, None) for n in range(61)]
    with pytest.raises(FieldError, match="61 are known, see the dataset's list") as refused:
        LOCATION_NAME.check("xyz", cube_of(rows))
    assert refused.value.accepted == ()


def test_the_question_with_the_word_is_suggested(cube: SurveyCube) -> None:
    with pytest.raises(FieldError) as refused:
        QUESTION_NAME.check("obesity", cube)
    assert refused.value.nearest == (OBESITY,)
