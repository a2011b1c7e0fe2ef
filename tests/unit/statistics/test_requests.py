"""The way of a request: every spelling of it is one request, and what is stored comes back as it was."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.catalogue import CATALOGUE, Statistic, Surface, find_statistic, statistics_of
from meantime.statistics.kinds import PopulationRow
from meantime.statistics.measures.disparity import Disparity
from meantime.statistics.measures.mean import Mean
from meantime.statistics.requests import canonical_json, from_canonical, read_request
from meantime.survey.cube.survey_cube import SurveyCube
from tests.asking import request_for
from tests.bundled import bundled_cube
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY

LEAST_REQUESTS: dict[str, dict[str, object]] = {
    "mean": {"question": "Q036"},
    "people": {"question": "Q036"},
    "age_standardised_mean": {"question": "Q036"},
    "ranking": {"question": "Q036"},
    "difference": {"question": "Q036"},
    "pairwise": {"question": "Q036"},
    "compare": {"question": "Q036", "against_year": 2011},
    "change": {"question": "Q036"},
    "distribution": {"question": "Q036"},
    "heterogeneity": {"question": "Q036"},
    "trend": {"question": "Q036"},
    "disparity": {"question": "Q036", "categories": ["Sex"]},
    "disparity_scan": {},
    "correlation": {"question": "Q036", "against_question": "Q046"},
    "coverage": {},
    "profile": {"place": "Alabama"},
}


# ---- reading --------------------------------------------------------------------------------------------------------


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
def test_every_spelling_of_a_request_gives_the_same_request(spelling: dict[str, object], cube: SurveyCube) -> None:
    expected, found = (request_for("mean", cube, raw) for raw in ({"question": "Q036"}, spelling))
    assert found == expected
    assert canonical_json(found) == canonical_json(expected)


@pytest.mark.parametrize("row", statistics_of(Surface.V1), ids=lambda row: row.name)
def test_null_is_the_same_as_leaving_an_optional_parameter_out(row: type[Statistic]) -> None:
    raw, cube = LEAST_REQUESTS[row.name], bundled_cube()
    nulls = {parameter.name: None for parameter in row.parameters() if not parameter.is_required}
    assert read_request(row, cube, nulls | raw) == read_request(row, cube, raw)


def test_a_dataset_without_any_row_refuses_what_is_asked_of_it() -> None:
    empty = cube_of([])
    with pytest.raises(InvalidParameterError, match="question"):
        request_for("mean", empty, {"question": "Q036", "years": {"from": 2011}})
    with pytest.raises(InvalidParameterError, match="no year from 0 to 2020"):
        request_for("coverage", empty, {"years": {"to": 2020}})
    with pytest.raises(InvalidParameterError, match="years: the dataset has no row"):
        request_for("coverage", empty, {})


def test_an_unknown_field_is_refused_with_the_nearest(cube: SurveyCube) -> None:
    with pytest.raises(InvalidParameterError, match="is no parameter of mean") as refused:
        request_for("mean", cube, {"question": "Q036", "year": [2014]})
    assert refused.value.field == "year"
    assert refused.value.nearest == ("years",)


def test_a_missing_field_is_named(cube: SurveyCube) -> None:
    with pytest.raises(InvalidParameterError, match="question: missing; states_mean needs it"):
        request_for("states_mean", cube, {})
    with pytest.raises(InvalidParameterError, match="state: missing"):
        request_for("state_mean", cube, {"question": OBESITY})


def test_null_is_no_answer_to_a_required_field(cube: SurveyCube) -> None:
    with pytest.raises(InvalidParameterError, match="question: None is not a text"):
        request_for("states_mean", cube, {"question": None})


def test_an_id_is_no_question_on_the_contract(cube: SurveyCube) -> None:
    with pytest.raises(InvalidParameterError) as refused:
        request_for("states_mean", cube, {"question": "Q036"})
    assert refused.value.nearest == (OBESITY,)


def test_best5_of_a_question_of_unknown_direction_is_refused_before_it_is_a_job() -> None:
    row = Row("Percent of visitors", "V001", "Ohio", "OH", 2020, "Total", "Total", 3.0, 2.0, 4.0, 100.0)
    for name in ("best5", "worst5"):
        with pytest.raises(InvalidParameterError, match="mapping file") as refused:
            request_for(name, cube_of([row]), {"question": "Percent of visitors"})
        assert refused.value.field == "question"


def test_an_unknown_statistic_is_refused_with_the_nearest_of_its_surface() -> None:
    with pytest.raises(InvalidParameterError) as refused:
        find_statistic("state_means", surface=Surface.CONTRACT)
    assert refused.value.field == "statistic"
    assert "state_mean" in refused.value.nearest
    with pytest.raises(InvalidParameterError) as other:
        find_statistic("mean", surface=Surface.CONTRACT)
    assert "mean" not in other.value.accepted


# ---- storing --------------------------------------------------------------------------------------------------------

QUESTION = f'"question":"{OBESITY}"'
PLACES = '"locations":null,"include":["states"],"categories":null,"strata":null'
STORED = {
    "states_mean": f"{{{QUESTION}}}",
    "state_mean": f'{{{QUESTION},"state":"Ohio"}}',
    "mean": f'{{{QUESTION},"years":[2023],{PLACES},"by":["location"],"weights":"none","population":null,'
    '"scale":"auto","level":0.95,"explain":false}',
    "people": f'{{{QUESTION},"years":[2023],"locations":["Ohio"],"include":["states"],"categories":null,'
    '"strata":null,"by":[],"population":null,"scale":"auto","level":0.95,"explain":false}',
    "age_standardised_mean": f'{{{QUESTION},"years":[2023],"locations":["New Mexico","Utah","West Virginia"],'
    '"include":["states"],"categories":null,"strata":null,"scale":"auto","level":0.95,"explain":false}',
    "ranking": f'{{{QUESTION},"years":[2023],{PLACES},"k":5,"end":"best","rank_intervals":"joint",'
    '"weights":"none","scale":"auto","level":0.95,"explain":false}',
    "difference": f'{{{QUESTION},"years":[2023],{PLACES},"against":"National","goal":null,"adjust":"bh",'
    '"margin":null,"weights":"none","scale":"auto","level":0.95,"explain":false}',
    "pairwise": f'{{{QUESTION},"years":[2023],{PLACES},"place":"Ohio","adjust":"bh","margin":null,"weights":"none",'
    '"scale":"auto","level":0.95,"explain":false}',
    "compare": f'{{{QUESTION},"years":[2023],"locations":null,"include":["states"],"categories":null,'
    '"strata":["Female"],"against_question":null,"against_year":null,"against_stratum":"Male",'
    '"panel":"published","adjust":"bh","margin":null,"scale":"auto",'
    '"level":0.95,"explain":false}',
    "change": f'{{{QUESTION},"years":[2013,2023],{PLACES},"of":"value","against":"National","reference":null,'
    '"breaks":"apart","panel":"published","adjust":"bh","margin":null,"scale":"auto","level":0.95,"explain":false}',
    "distribution": f'{{{QUESTION},"years":[2019,2020,2021,2022,2023],{PLACES},"by":["year"],'
    '"quantiles":[0.25,0.5,0.75],"explain":false}',
    "heterogeneity": f'{{{QUESTION},"years":[2023],{PLACES},"between":"paule_mandel","scale":"auto","level":0.95,'
    '"explain":false}',
    "trend": f'{{{QUESTION},"years":[2011,2012,2013,2014,2015,2016,2017,2018,2019,2020,2021,2022,2023],'
    '"locations":["National","Ohio"],"include":["states","nation"],"categories":null,"strata":null,"by":["location"],'
    '"breaks":"apart","break_years":[],"joinpoints":0,"panel":"published","adjust":"bh","weights":"none","population":null,"scale":"auto","level":0.95,'
    '"explain":false}',
    "disparity": f'{{{QUESTION},"years":[2023],"locations":null,"include":["states"],"categories":["Education"],'
    '"strata":null,"reference":"best","shares":null,"scale":"auto","level":0.95,"explain":false}',
    "disparity_scan": '{"questions":null,"year":2023,"locations":null,"include":["states"],"categories":null,"k":10,'
    '"adjust":"bh","scale":"auto","level":0.95,"explain":false}',
    "correlation": f'{{{QUESTION},"years":[2023],{PLACES},"against_question":"Percent of adults who engage in no'
    ' leisure-time physical activity","adjust":"bh","level":0.95,"explain":false}',
    "coverage": f'{{{QUESTION},"years":[2011,2012,2013,2014,2015,2016,2017,2018,2019,2020,2021,2022,2023],'
    '"locations":null,"include":["states","territories","nation"],"categories":null,"strata":null,"by":["year"],'
    '"explain":false}',
    "profile": '{"place":"Ohio","against":"National","questions":null,"year":null,"adjust":"bh","scale":"auto",'
    '"level":0.95,"explain":false}',
}
"""How each statistic's example is stored. Jobs of earlier releases are, so a change breaks them."""


@pytest.mark.parametrize("name", STORED)
def test_a_request_is_stored_as_it_always_was_and_read_again(name: str) -> None:
    statistic, cube = CATALOGUE[name], bundled_cube()
    request = read_request(statistic, cube, statistic.example)
    assert canonical_json(request) == STORED[name]
    assert from_canonical(statistic, STORED[name], cube) == request


def test_a_request_that_was_stored_with_the_linear_scale_keeps_it() -> None:
    text = STORED["mean"].replace('"scale":"auto"', '"scale":"linear"')
    assert canonical_json(from_canonical(Mean, text, bundled_cube())) == text


def test_a_population_table_is_stored_in_order_of_location_and_year(cube: SurveyCube) -> None:
    people = [
        {"location": "Guam", "year": 2014, "population": 5},
        {"location": "Alaska", "year": 2014, "population": 7},
    ]
    request = read_request(Mean, cube, {"question": "Q036", "weights": "population", "population": people})
    assert request.population == (PopulationRow("Alaska", 2014, 7.0), PopulationRow("Guam", 2014, 5.0))
    stored = orjson.loads(canonical_json(request))
    assert stored["population"] == people[::-1]
    assert from_canonical(Mean, canonical_json(request), cube) == request


def test_shares_are_stored_in_order_of_location_and_stratum(cube: SurveyCube) -> None:
    everywhere, guam = ([{"stratum": name, "share": 2} for name in ("Male", "Female")] for _ in range(2))
    shares = [own | {"location": "GU"} for own in guam] + everywhere
    request = read_request(Disparity, cube, {"question": "Q036", "categories": ["Sex"], "shares": shares})
    assert request.shares is not None
    assert [(row.location, row.stratum) for row in request.shares] == [
        (None, "Female"),
        (None, "Male"),
        ("Guam", "Female"),
        ("Guam", "Male"),
    ]
    assert from_canonical(Disparity, canonical_json(request), cube) == request


def test_a_disparity_that_was_stored_without_shares_has_those_of_the_sample() -> None:
    text = STORED["disparity"].replace('"shares":null,', "")
    assert canonical_json(from_canonical(Disparity, text, bundled_cube())) == STORED["disparity"]


SOME_OF = {
    "years": st.lists(st.sampled_from((2011, 2013, 2014)), min_size=1),
    "locations": st.lists(st.sampled_from(("Alabama", "Alaska", "Guam", "National")), min_size=1),
    "include": st.just(["nation", "territories", "states"]),
    "categories": st.lists(st.sampled_from(("Sex", "Total")), min_size=1),
    "level": st.floats(0.5, 0.9999),
    "scale": st.sampled_from(("logit", "linear")),
    "explain": st.booleans(),
}


@pytest.mark.parametrize("row", statistics_of(Surface.V1), ids=lambda row: row.name)
@given(data=st.data())
def test_a_request_that_is_stored_or_asked_again_is_the_same_request(
    row: type[Statistic], data: st.DataObject, cube: SurveyCube
) -> None:
    names = {parameter.name for parameter in row.parameters()} - set(LEAST_REQUESTS[row.name])
    sent = data.draw(st.fixed_dictionaries({}, optional={name: SOME_OF[name] for name in SOME_OF.keys() & names}))
    try:
        request = read_request(row, cube, LEAST_REQUESTS[row.name] | sent)
    except InvalidParameterError:
        return
    text = canonical_json(request)
    assert from_canonical(row, text, cube) == request
    assert read_request(row, cube, orjson.loads(text)) == request
    assert request.settled(cube) is request


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{}", '{"question":5}', '{"question":"Gone"}', f'{{{QUESTION},"colour":"red"}}']
)
def test_a_stored_text_that_is_no_request_is_refused_as_a_failed_job_is(text: str) -> None:
    with pytest.raises(StatisticError, match="the stored request for states_mean can't be read"):
        from_canonical(CATALOGUE["states_mean"], text, bundled_cube())


def test_a_parameter_that_is_newer_than_a_stored_request_has_its_default(cube: SurveyCube) -> None:
    request = read_request(Mean, cube, {"question": "Q036"})
    older = canonical_json(request).replace(',"explain":false', "")
    assert from_canonical(Mean, older, cube) == request
