"""A request in an address: every spelling of a query string is the request that JSON gives, and it is written back."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meantime.errors import InvalidParameterError
from meantime.fields.fields import write_query_fields
from meantime.fields.kinds import Number
from meantime.statistics.catalogue import Statistic, Surface, find_statistic, statistics_of
from meantime.statistics.requests import read_query, read_request
from meantime.survey.cube.survey_cube import SurveyCube
from tests.bundled import bundled_cube
from tests.tables import OBESITY
from tests.unit.statistics.test_requests import LEAST_REQUESTS, SOME_OF

PEOPLE = [
    {"location": "Ohio", "year": 2023, "population": 9_200_000.5},
    {"location": "Utah", "year": 2023, "population": 7},
]


def queried(name: str, query: str, cube: SurveyCube) -> Statistic:
    return read_query(find_statistic(name), cube, parse_qs(query, keep_blank_values=True))


@pytest.mark.parametrize(
    ("query", "raw"),
    [
        ("question=q036", {"question": OBESITY}),
        (f"question={OBESITY}", {"question": OBESITY}),
        ("question=Q036&years=2023", {"question": OBESITY, "years": [2023]}),
        ("question=Q036&years=2011,2013&years=2012", {"question": OBESITY, "years": [2011, 2012, 2013]}),
        ("question=Q036&years=2011-2013,2023", {"question": OBESITY, "years": [2011, 2012, 2013, 2023]}),
        ('question=Q036&years={"from": 2022}', {"question": OBESITY, "years": {"from": 2022}}),
        ("question=Q036&locations=ohio,TX", {"question": OBESITY, "locations": ["Ohio", "Texas"]}),
        ("question=Q036&locations=states&locations=nation", {"question": OBESITY, "locations": ["states", "nation"]}),
        ('question=Q036&locations=["Ohio","Utah"]', {"question": OBESITY, "locations": ["Ohio", "Utah"]}),
        ("question=Q036&strata=$15,000 - $24,999", {"question": OBESITY, "strata": ["$15,000 - $24,999"]}),
        (
            "question=Q036&strata=Male,$15,000 - $24,999,$25,000 - $34,999",
            {"question": OBESITY, "strata": ["Male", "$15,000 - $24,999", "$25,000 - $34,999"]},
        ),
        ("question=Q036&level=0.9&explain=yes", {"question": OBESITY, "level": 0.9, "explain": True}),
        ("question=Q036&by=year&by=location", {"question": OBESITY, "by": ["location", "year"]}),
        (
            f"question=Q036&weights=population&population={orjson.dumps(PEOPLE).decode()}",
            {"question": OBESITY, "weights": "population", "population": PEOPLE},
        ),
    ],
)
def test_a_query_string_is_the_request_that_json_gives(query: str, raw: dict[str, object]) -> None:
    cube = bundled_cube()
    assert queried("mean", query, cube).settled(cube) == read_request(find_statistic("mean"), cube, raw)


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("", "question", "missing; mean needs it"),
        ("question=", "question", "'' is no question of this dataset"),
        ("question=Q036&by=", "by", "'' is no accepted value"),
        ("question=Q036&question=Q037", "question", "is given twice; give it once"),
        ("question=Q036&year=2023", "year", "did you mean 'years'"),
        ("question=Q036&years=2023-2011", "years", "the data has no year from 2023 to 2011"),
        ("question=Q036&years=soon", "years", "'soon' is not a year"),
        ("question=Q036&locations=Ohio,Atlantis", "locations", "'Atlantis'"),
        ("question=Q036&level=high", "level", "'high' is not a finite number from 0.5"),
        ('question=Q036&locations=["Ohio"', "locations", "begins like JSON and is none"),
        ('question=Q036&population=[{"location": "Ohio"}]', "population", "is not a row such as"),
        ("question=Q036&strata=$15,000", "strata", "'$15'"),
    ],
)
def test_what_is_wrong_in_a_query_string_is_named(query: str, field: str, said: str) -> None:
    with pytest.raises(InvalidParameterError) as refused:
        queried("mean", query, bundled_cube())
    assert refused.value.field == field
    assert said in str(refused.value)


def test_an_address_has_ids_and_ranges_and_no_defaults() -> None:
    cube = bundled_cube()
    asked = queried("mean", f"question={OBESITY}&level=0.95&years=2011,2012,2013,2023&locations=utah,OH", cube)
    assert write_query_fields(asked, cube) == [
        ("question", "Q036"),
        ("years", "2011-2013,2023"),
        ("locations", "Ohio,Utah"),
    ]


def test_items_that_have_commas_are_repeated_instead() -> None:
    cube = bundled_cube()
    asked = queried("mean", "question=Q036&strata=Male,$15,000 - $24,999", cube)
    assert write_query_fields(asked, cube)[1:] == [("strata", "$15,000 - $24,999"), ("strata", "Male")]


def test_an_empty_list_where_empty_is_not_the_default_is_written_so_that_it_is_read_again() -> None:
    cube = bundled_cube()
    asked = queried("trend", "question=Q036&by=[]", cube)
    assert write_query_fields(asked, cube) == [("question", "Q036"), ("by", "[]")]
    assert queried("trend", urlencode(write_query_fields(asked, cube)), cube) == asked


@pytest.mark.parametrize("row", statistics_of(Surface.V1), ids=lambda row: row.name)
def test_every_example_of_the_catalogue_has_an_address_that_is_read_as_the_same_request(row: type[Statistic]) -> None:
    cube = bundled_cube()
    settled = read_request(row, cube, row.example)
    address = urlencode(write_query_fields(settled, cube))
    again = read_query(row, cube, parse_qs(address, keep_blank_values=True))
    assert again.settled(cube) == settled


@pytest.mark.parametrize("row", statistics_of(Surface.V1), ids=lambda row: row.name)
@given(data=st.data())
def test_any_request_has_an_address_that_is_read_as_the_same_request(
    row: type[Statistic], data: st.DataObject, cube: SurveyCube
) -> None:
    names = {parameter.name for parameter in row.parameters()} - set(LEAST_REQUESTS[row.name])
    sent = data.draw(st.fixed_dictionaries({}, optional={name: SOME_OF[name] for name in SOME_OF.keys() & names}))
    try:
        settled = read_request(row, cube, LEAST_REQUESTS[row.name] | sent)
    except InvalidParameterError:
        return
    address = urlencode(write_query_fields(settled, cube))
    again = read_query(row, cube, parse_qs(address, keep_blank_values=True))
    assert again == settled
    assert write_query_fields(again, cube) == write_query_fields(settled, cube)


@given(number=st.floats(0.01, 1e15) | st.floats(-1e15, -0.01) | st.just(0.0))
def test_a_number_in_an_address_is_the_same_number(number: float) -> None:
    assert Number().read_texts(Number().write_texts(number)) == number
