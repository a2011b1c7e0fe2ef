"""Every spelling that can mean one thing only is that thing; what is ambiguous or unknown is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest

from meantime.errors import InvalidParameterError
from meantime.statistics.catalogue import Surface, find_statistic
from meantime.statistics.requests import canonical_json
from meantime.survey.cube.survey_cube import SurveyCube
from tests.asking import request_for
from tests.bundled import bundled_cube
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY

LEAST = {"question": "Q036"}


CODES = {"Ohio": "39", "California": "06"}


@cache
def coded_cube() -> SurveyCube:
    """The bundled table's cube, with the FIPS codes of two states."""
    cube = bundled_cube()
    return replace(cube, locations=tuple(replace(each, fips=CODES.get(each.name, "")) for each in cube.locations))


def stored(statistic: str, raw: Mapping[str, object], cube: SurveyCube | None = None) -> str:
    return canonical_json(request_for(statistic, cube or coded_cube(), {**LEAST, **raw}))


def row(location: str, abbreviation: str = "", *, stratum: str = "Total", question_id: str = "Q036") -> Row:
    return Row(OBESITY, question_id, location, abbreviation, 2020, "Total", stratum, 30.0, 29.0, 31.0, 100.0)


@pytest.mark.parametrize(
    ("spelling", "plain"),
    [
        ({"question": "q036"}, {}),
        ({"question": " Q036\t"}, {}),
        ({"question": OBESITY.upper()}, {}),
        ({"question": "Q\uff10\uff13\uff16"}, {}),
        ({"question": f"\ufeff{OBESITY.replace(' ', chr(0xA0))}"}, {}),
        ({"locations": ["OH"]}, {"locations": ["Ohio"]}),
        ({"locations": ["oh", "ohio", "39", 39, "Ohio ", "OHIO"]}, {"locations": ["Ohio"]}),
        ({"locations": ["6"]}, {"locations": ["California"]}),
        ({"locations": ["06"]}, {"locations": ["California"]}),
        ({"locations": "Ohio"}, {"locations": ["Ohio"]}),
        ({"locations": 39}, {"locations": ["Ohio"]}),
        ({"locations": ["newyork"]}, {"locations": ["New York"]}),
        ({"locations": ["nation"]}, {"locations": ["National"]}),
        ({"locations": ["Nation", "US"]}, {"locations": ["National"]}),
        ({"locations": "states"}, {"include": ["states"]}),
        ({"locations": ["territories", "STATES"]}, {"include": ["states", "territories"]}),
        ({"locations": ["states", "Ohio"]}, {"include": ["states"]}),
        ({"include": "States"}, {"include": ["states"]}),
        ({"years": 2023}, {"years": [2023]}),
        ({"years": "2023"}, {"years": [2023]}),
        ({"years": ["2023", " 2022"]}, {"years": [2022, 2023]}),
        ({"years": {"from": "2022"}}, {"years": [2022, 2023]}),
        ({"categories": ["sex"]}, {"categories": ["Sex"]}),
        ({"categories": "Age(years)"}, {"categories": ["Age (years)"]}),
        ({"strata": "female"}, {"strata": ["Female"]}),
        ({"strata": ["18-24"]}, {"strata": ["18 - 24"]}),
        ({"strata": ["18\u201324"]}, {"strata": ["18 - 24"]}),
        ({"by": "Location"}, {"by": ["location"]}),
        ({"weights": "Sample_Size"}, {"weights": "sample_size"}),
    ],
    ids=str,
)
def test_what_can_mean_one_thing_only_means_it(spelling: dict[str, object], plain: dict[str, object]) -> None:
    assert stored("mean", spelling) == stored("mean", plain)


@pytest.mark.parametrize(
    ("statistic", "spelling", "plain"),
    [
        ("difference", {"against": "nation"}, {"against": "National"}),
        ("difference", {"against": "oh"}, {"against": "Ohio"}),
        ("difference", {"against": 39}, {"against": "Ohio"}),
        ("ranking", {"end": "Best"}, {"end": "best"}),
        ("compare", {"against_stratum": "male", "strata": "FEMALE"}, {"against_stratum": "Male", "strata": ["Female"]}),
        ("compare", {"against_year": "2011"}, {"against_year": 2011}),
        ("correlation", {"against_question": "q047"}, {"against_question": "Q047"}),
        ("disparity", {"categories": "education"}, {"categories": ["Education"]}),
        ("coverage", {"by": "Year"}, {"by": ["year"]}),
        ("trend", {"locations": ["OH", "nation"]}, {"locations": ["National", "Ohio"]}),
    ],
    ids=str,
)
def test_it_is_so_wherever_something_is_named(
    statistic: str, spelling: dict[str, object], plain: dict[str, object]
) -> None:
    assert stored(statistic, spelling) == stored(statistic, plain)


def test_a_population_table_is_read_the_same_way() -> None:
    people = {"location": "Ohio", "year": 2023, "population": 5}
    weighted = {"weights": "population", "locations": ["Ohio"]}
    spelt = weighted | {"population": [people | {"location": "oh", "year": "2023"}]}
    assert stored("mean", spelt) == stored("mean", weighted | {"population": [people]})


def test_all_places_of_a_kind_one_by_one_are_the_kind() -> None:
    states = [place.name for place in bundled_cube().locations if place.kind == "state"]
    assert stored("mean", {"locations": states}) == stored("mean", {"include": ["states"]})
    assert stored("mean", {"locations": states[1:]}) != stored("mean", {"include": ["states"]})


@pytest.mark.parametrize(
    ("spelling", "said"),
    [
        ({"locations": ["Atlantis"]}, "a name, an abbreviation such as OH, a FIPS code such as 39"),
        ({"locations": ["Atlantis"]}, "states, territories or nation"),
        ({"locations": ["99"]}, "a FIPS code such as 39"),
        ({"locations": [True]}, "True is not"),
        ({"locations": "Ohio, Utah"}, "is no location"),
        ({"question": "Q999"}, "its text or its id"),
        ({"years": ["20233"]}, "no year"),
        ({"years": "soon"}, "'soon' is not a year"),
        ({"strata": ["femal"]}, "did you mean 'Female'"),
    ],
    ids=str,
)
def test_what_is_unknown_is_refused_with_the_accepted_forms(spelling: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidParameterError) as refused:
        stored("mean", spelling)
    assert said in str(refused.value)


def test_many_places_are_not_one() -> None:
    with pytest.raises(InvalidParameterError, match="against: 'states' means 51 locations here; name one"):
        stored("difference", {"against": "states"})


def test_what_could_be_two_things_is_refused_with_both() -> None:
    cube = cube_of([row("Ohio", "OH"), row("Oh", "O1"), row("Maine", "ME"), row("Me", "M1")])
    assert '"locations":["Oh"]' in stored("mean", {"locations": ["Oh"]}, cube)
    for spelling in ("OH", "oh"):
        with pytest.raises(InvalidParameterError, match="could be") as refused:
            stored("mean", {"locations": [spelling]}, cube)
        assert set(refused.value.nearest) == {"Oh", "Ohio"}


def test_an_id_of_two_questions_is_refused_with_both() -> None:
    other = row("Ohio", "OH")._replace(question="Percent of visitors")
    cube = cube_of([row("Ohio", "OH"), other])
    for spelling in ("Q036", "q036"):
        with pytest.raises(InvalidParameterError, match="could be") as refused:
            stored("mean", {"question": spelling}, cube)
        assert set(refused.value.nearest) == {OBESITY, "Percent of visitors"}


def test_names_that_differ_in_case_alone_are_told_apart() -> None:
    cube = cube_of([row("Ohio", stratum="ab"), row("Ohio", stratum="AB"), row("Ohio", stratum="Total")])
    assert '"strata":["AB"]' in stored("mean", {"strata": ["AB"]}, cube)
    with pytest.raises(InvalidParameterError, match="could be 'AB' or 'ab'"):
        stored("mean", {"strata": ["Ab"]}, cube)


@pytest.mark.parametrize(
    "raw",
    [
        {"question": OBESITY.upper(), "state": "Ohio"},
        {"question": "Q036", "state": "Ohio"},
        {"question": OBESITY, "state": "OH"},
        {"question": OBESITY, "state": "ohio"},
        {"question": OBESITY, "state": "nation"},
        {"question": OBESITY, "state": " Ohio"},
    ],
    ids=str,
)
def test_the_contract_keeps_its_letter(raw: dict[str, object]) -> None:
    with pytest.raises(InvalidParameterError, match="did you mean"):
        request_for("state_mean", bundled_cube(), raw)


def test_a_statistic_may_be_spelt_in_any_way_on_v1_and_in_one_on_the_contract() -> None:
    assert find_statistic(" Difference", surface=Surface.V1) is find_statistic("difference")
    for name in ("States_Mean", "Difference"):
        with pytest.raises(InvalidParameterError, match="is no statistic"):
            find_statistic(name, surface=Surface.CONTRACT)


def test_the_contract_finds_the_very_same_letters_composed_or_not() -> None:
    table = cube_of([row("Rho\u0302ne"), row("Cura\u00e7ao")])
    for location, name in (("Rh\u00f4ne", "Rho\u0302ne"), ("Curac\u0327ao", "Cura\u00e7ao")):
        asked = request_for("state_mean", table, {"question": OBESITY, "state": location})
        assert asked == request_for("state_mean", table, {"question": OBESITY, "state": name})
    with pytest.raises(InvalidParameterError, match="did you mean"):
        request_for("state_mean", table, {"question": OBESITY, "state": "RH\u00d4NE"})


def test_the_code_of_a_county_may_be_a_number() -> None:
    table = cube_of([row("Autauga, AL"), row("Kent, DE"), row("Sussex, DE")])
    codes = ("01001", "10001", "10005")
    pairs = zip(table.locations, codes, strict=True)
    coded = replace(table, locations=tuple(replace(place, fips=code) for place, code in pairs))
    assert '"locations":["Autauga, AL","Kent, DE"]' in stored("mean", {"locations": [1001, "10001"]}, coded)
