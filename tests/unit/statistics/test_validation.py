"""From what a client sent to canonical arguments: every spelling of a request is one request; nothing else passes."""

from __future__ import annotations

import jsonschema
import pytest

from meantime.errors import InvalidParameterError
from meantime.statistics.catalogue import CATALOGUE, Surface, check_parameters, find_statistic
from meantime.statistics.parameters import Parameter, ParameterKind
from meantime.statistics.refusals import nearest, shown
from meantime.statistics.validation import check_value
from meantime.survey.cube.survey_cube import SurveyCube
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY, STRENGTH

LEVEL = 0.95


@pytest.fixture(scope="module")
def cube() -> SurveyCube:
    places = [
        (question, code, name, short, year, category, stratum)
        for question, code in ((OBESITY, "Q036"), (STRENGTH, "Q046"))
        for name, short in (("Alabama", "AL"), ("Alaska", "AK"), ("Guam", "GU"), ("National", "US"))
        for year in (2011, 2013, 2014)
        for category, stratum in (("Total", "Total"), ("Sex", "Male"), ("Sex", "Female"))
    ]
    return cube_of(Row(*place, 30.0, 29.0, 31.0, 1000.0) for place in places)


def parameter(kind: ParameterKind) -> Parameter:
    bounds = {ParameterKind.INTEGER: (1, 10), ParameterKind.NUMBER: (0, 1), ParameterKind.NUMBERS: (0, 1)}
    low, high = bounds.get(kind, (None, None))
    return Parameter(
        name="field",
        kind=kind,
        summary="A field.",
        required=True,
        choices=("first", "second", "third"),
        minimum=low,
        maximum=high,
        maximum_items=3,
    )


PEOPLE = {"location": "Alaska", "year": 2013, "population": 700000}

CANONICAL: list[tuple[ParameterKind, object, object]] = [
    (ParameterKind.QUESTION, "Q036", OBESITY),
    (ParameterKind.QUESTION, OBESITY, OBESITY),
    (ParameterKind.QUESTION_TEXT, OBESITY, OBESITY),
    (ParameterKind.LOCATION, "Guam", "Guam"),
    (ParameterKind.LOCATIONS, ["Guam", "Alaska", "Guam"], ["Alaska", "Guam"]),
    (ParameterKind.YEAR, 2013, 2013),
    (ParameterKind.YEAR, 2013.0, 2013),
    (ParameterKind.YEARS, [2014, 2011, 2014], [2011, 2014]),
    (ParameterKind.YEARS, {"from": 2012, "to": 2020}, [2013, 2014]),
    (ParameterKind.YEARS, {"from": 2013}, [2013, 2014]),
    (ParameterKind.YEARS, {"to": 2013}, [2011, 2013]),
    (ParameterKind.CATEGORY, "Sex", "Sex"),
    (ParameterKind.CATEGORIES, ["Total", "Sex"], ["Sex", "Total"]),
    (ParameterKind.STRATUM, "Male", "Male"),
    (ParameterKind.STRATA, ["Male", "Female"], ["Female", "Male"]),
    (ParameterKind.CHOICE, "second", "second"),
    (ParameterKind.CHOICES, ["third", "first", "third"], ["first", "third"]),
    (ParameterKind.BOOLEAN, False, False),
    (ParameterKind.INTEGER, 5, 5),
    (ParameterKind.INTEGER, 5.0, 5),
    (ParameterKind.NUMBER, 1, 1.0),
    (ParameterKind.NUMBER, -0.0, 0.0),
    (ParameterKind.NUMBERS, [0.5, 0, 0.5], [0.0, 0.5]),
    (ParameterKind.POPULATION, [PEOPLE], [PEOPLE | {"population": 700000.0}]),
]


@pytest.mark.parametrize(("kind", "value", "canonical"), CANONICAL, ids=lambda value: str(value)[:40])
def test_a_value_has_one_canonical_form(
    kind: ParameterKind, value: object, canonical: object, cube: SurveyCube
) -> None:
    found = check_value(parameter(kind), value, cube)
    assert found == canonical
    assert repr(found) == repr(canonical)
    assert check_value(parameter(kind), found, cube) == canonical


@pytest.mark.parametrize(("kind", "value", "canonical"), CANONICAL, ids=lambda value: str(value)[:40])
def test_the_schema_accepts_what_the_check_accepts(kind: ParameterKind, value: object, canonical: object) -> None:
    schema = parameter(kind).json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(value, schema)
    jsonschema.validate(canonical, schema)


WRONG_TYPE: list[tuple[ParameterKind, object]] = [
    *((kind, None) for kind in ParameterKind),
    *((kind, {"no": "such"}) for kind in ParameterKind),
    *((kind, [[]]) for kind in ParameterKind),
    (ParameterKind.YEARS, {}),
    (ParameterKind.YEARS, []),
    (ParameterKind.YEARS, [2011, 2011, 2011, 2011]),
    (ParameterKind.YEARS, {"from": 2011, "until": 2013}),
    (ParameterKind.YEARS, {"from": "2011"}),
    (ParameterKind.YEARS, "2011"),
    (ParameterKind.YEARS, 2011),
    (ParameterKind.YEAR, "2011"),
    (ParameterKind.YEAR, True),
    (ParameterKind.YEAR, 2011.5),
    (ParameterKind.LOCATIONS, "Alaska"),
    (ParameterKind.LOCATIONS, ["Alaska", 1]),
    (ParameterKind.CHOICE, "fourth"),
    (ParameterKind.CHOICE, "First"),
    (ParameterKind.CHOICES, ["first", "fourth"]),
    (ParameterKind.BOOLEAN, 1),
    (ParameterKind.BOOLEAN, "true"),
    (ParameterKind.INTEGER, True),
    (ParameterKind.INTEGER, "5"),
    (ParameterKind.INTEGER, 0),
    (ParameterKind.INTEGER, 11),
    (ParameterKind.INTEGER, 1.5),
    (ParameterKind.NUMBER, True),
    (ParameterKind.NUMBER, "0.5"),
    (ParameterKind.NUMBER, 1.01),
    (ParameterKind.NUMBERS, [0.5, 2]),
    (ParameterKind.NUMBERS, 0.5),
    (ParameterKind.POPULATION, [PEOPLE | {"population": 0}]),
    (ParameterKind.POPULATION, [PEOPLE | {"population": "many"}]),
    (ParameterKind.POPULATION, [PEOPLE | {"sex": "Male"}]),
    (ParameterKind.POPULATION, [{"location": "Alaska", "year": 2013}]),
]


@pytest.mark.parametrize(("kind", "value"), WRONG_TYPE, ids=lambda value: str(value)[:40])
def test_schema_and_check_refuse_the_same_shapes(kind: ParameterKind, value: object, cube: SurveyCube) -> None:
    with pytest.raises(InvalidParameterError) as refused:
        check_value(parameter(kind), value, cube)
    assert refused.value.field == "field"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, parameter(kind).json_schema())


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (ParameterKind.QUESTION, "Q999", "is no question"),
        (ParameterKind.QUESTION_TEXT, "Q036", "is no question"),
        (ParameterKind.LOCATION, "Atlantis", "is no location"),
        (ParameterKind.LOCATIONS, ["Alaska", ""], "is no location"),
        (ParameterKind.YEAR, 2012, "no year 2012; it has 2011, 2013, 2014"),
        (ParameterKind.YEARS, [2011, 2012], "no year 2012"),
        (ParameterKind.YEARS, {"from": 2014, "to": 2011}, "no year from 2014 to 2011"),
        (ParameterKind.YEARS, {"from": 2015}, "no year from 2015"),
        (ParameterKind.CATEGORY, "Shoe size", "is no category"),
        (ParameterKind.STRATUM, "", "is no stratum"),
        (ParameterKind.NUMBER, float("nan"), "not a finite number"),
        (ParameterKind.NUMBER, float("inf"), "not a finite number"),
        (ParameterKind.NUMBER, 10**400, "not a finite number"),
        (ParameterKind.INTEGER, float("nan"), "not a whole number"),
        (ParameterKind.INTEGER, float("inf"), "not a whole number"),
        (ParameterKind.POPULATION, [PEOPLE, PEOPLE | {"population": 1}], "Alaska 2013 is given twice"),
    ],
)
def test_a_value_that_the_data_refuse_says_why(
    kind: ParameterKind, value: object, message: str, cube: SurveyCube
) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        check_value(parameter(kind), value, cube)


@pytest.mark.parametrize(
    ("value", "expected"), [("alaska ", "Alaska"), ("GU", "Guam"), ("Alabamma", "Alabama"), ("ational", "National")]
)
def test_the_nearest_location_is_suggested(value: str, expected: str, cube: SurveyCube) -> None:
    with pytest.raises(InvalidParameterError) as refused:
        check_value(parameter(ParameterKind.LOCATION), value, cube)
    assert refused.value.nearest[0] == expected
    assert refused.value.accepted == ("Alabama", "Alaska", "Guam", "National")


def test_of_many_locations_only_the_number_is_told() -> None:
    rows = [Row(OBESITY, "Q", f"County {n}", "", 2020, "Total", "Total", 1.0, None, None, None) for n in range(61)]
    with pytest.raises(InvalidParameterError, match="61 are known, see the dataset's list") as refused:
        check_value(parameter(ParameterKind.LOCATION), "xyz", cube_of(rows))
    assert refused.value.accepted == ()


def test_the_question_with_the_word_is_suggested(cube: SurveyCube) -> None:
    with pytest.raises(InvalidParameterError) as refused:
        check_value(parameter(ParameterKind.QUESTION), "obesity", cube)
    assert refused.value.nearest == (OBESITY,)


def test_a_long_forged_name_stays_one_short_line() -> None:
    text = shown("Ohio\r\n2026 INFO forged\x1b[31m" + "x" * 10_000)
    assert len(text) <= 100
    assert text.isprintable()


def test_a_name_of_64_kilobytes_is_compared_quickly_and_with_nothing_found() -> None:
    assert nearest("z" * 65_536, ["Alabama", "Alaska"]) == ()


# ---- whole requests -------------------------------------------------------------------------------------------------


def arguments(name: str, cube: SurveyCube, **raw: object) -> dict[str, object]:
    return check_parameters(find_statistic(name), cube, raw)


@pytest.mark.parametrize(
    "spelling",
    [
        {"question": "Q036", "years": [2014]},
        {"question": OBESITY, "years": {"from": 2014}},
        {"years": [2014, 2014], "question": OBESITY, "by": []},
        {"question": "Q036", "level": 0.95, "weights": "none", "include": ["states"]},
        {"question": "Q036", "population": None, "locations": None, "explain": False},
    ],
)
def test_every_spelling_of_a_request_gives_the_same_arguments(spelling: dict[str, object], cube: SurveyCube) -> None:
    expected = arguments("mean", cube, question="Q036")
    found = arguments("mean", cube, **spelling)
    assert list(found.items()) == list(expected.items())
    assert list(found) == [parameter.name for parameter in CATALOGUE["mean"].parameters]


LEAST_REQUESTS: dict[str, dict[str, object]] = {
    "mean": {"question": "Q036"},
    "ranking": {"question": "Q036"},
    "difference": {"question": "Q036"},
    "compare": {"question": "Q036", "against_year": 2011},
    "distribution": {"question": "Q036"},
    "trend": {"question": "Q036"},
    "disparity": {"question": "Q036", "categories": ["Sex"]},
    "correlation": {"question": "Q036", "against_question": "Q046"},
    "coverage": {},
}


@pytest.mark.parametrize("name", [row.name for row in CATALOGUE.values() if row.surface is Surface.V1])
def test_null_is_the_same_as_leaving_an_optional_parameter_out(name: str, cube: SurveyCube) -> None:
    row, raw = CATALOGUE[name], LEAST_REQUESTS[name]
    nulls = {parameter.name: None for parameter in row.parameters if not parameter.required}
    assert check_parameters(row, cube, nulls | raw) == check_parameters(row, cube, raw)


def test_a_dataset_without_any_row_refuses_what_is_asked_of_it() -> None:
    empty = cube_of([])
    with pytest.raises(InvalidParameterError, match="question"):
        arguments("mean", empty, question="Q036", years={"from": 2011})
    with pytest.raises(InvalidParameterError, match="no year from 0 to 2020"):
        arguments("coverage", empty, years={"to": 2020})


def test_an_unknown_field_is_refused_with_the_nearest(cube: SurveyCube) -> None:
    with pytest.raises(InvalidParameterError) as refused:
        arguments("mean", cube, question="Q036", year=[2014])
    assert refused.value.field == "year"
    assert refused.value.nearest == ("years",)


def test_a_missing_field_is_named(cube: SurveyCube) -> None:
    with pytest.raises(InvalidParameterError, match="question: missing"):
        arguments("states_mean", cube)
    with pytest.raises(InvalidParameterError, match="state: missing"):
        arguments("state_mean", cube, question=OBESITY)


def test_null_is_no_answer_to_a_required_field(cube: SurveyCube) -> None:
    with pytest.raises(InvalidParameterError, match="question: None is not a text"):
        arguments("states_mean", cube, question=None)


def test_an_id_is_no_question_on_the_contract(cube: SurveyCube) -> None:
    with pytest.raises(InvalidParameterError) as refused:
        arguments("states_mean", cube, question="Q036")
    assert refused.value.nearest == (OBESITY,)


def test_best5_of_a_question_of_unknown_direction_is_refused_before_it_is_a_job() -> None:
    row = Row("Percent of visitors", "V001", "Ohio", "OH", 2020, "Total", "Total", 3.0, 2.0, 4.0, 100.0)
    for name in ("best5", "worst5"):
        with pytest.raises(InvalidParameterError, match="mapping file") as refused:
            arguments(name, cube_of([row]), question="Percent of visitors")
        assert refused.value.field == "question"


def test_an_unknown_statistic_is_refused_with_the_nearest_of_its_surface() -> None:
    with pytest.raises(InvalidParameterError) as refused:
        find_statistic("state_means", surface=Surface.CONTRACT)
    assert refused.value.field == "statistic"
    assert "state_mean" in refused.value.nearest
    with pytest.raises(InvalidParameterError) as other:
        find_statistic("mean", surface=Surface.CONTRACT)
    assert "mean" not in other.value.accepted
