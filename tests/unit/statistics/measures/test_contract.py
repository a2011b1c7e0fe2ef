"""The nine statistics of the contract: what the contract leaves open. The numbers are held in tests/property."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.catalogue import CATALOGUE
from meantime.statistics.measures.contract import Best5
from meantime.statistics.measures.plain_means import question_layout
from tests.asking import answer_to, ask, request_for
from tests.bundled import bundled_cube, bundled_rows
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY, STRENGTH, VISITS


def row(location: str, value: float | None, *, stratum: tuple[str, str] = ("Total", "Total")) -> Row:
    return Row(OBESITY, "Q036", location, location[:2], 2020, *stratum, value, None, None, None)


@pytest.mark.parametrize(
    ("name", "nothing"), [("state_mean", None), ("state_diff_from_mean", None), ("state_mean_by_category", {})]
)
def test_a_known_location_without_a_value_is_null_where_there_would_be_a_mean_and_empty_where_a_mapping(
    name: str, nothing: object
) -> None:
    cube = cube_of([row("Ohio", 30.0), row("Guam", None), row("Utah", 31.0)._replace(question=STRENGTH)])
    assert ask(name, cube, {"question": OBESITY, "state": "Guam"}) == {"Guam": nothing}
    assert ask(name, cube, {"question": OBESITY, "state": "Utah"}) == {"Utah": nothing}


def test_rows_without_a_stratum_count_in_means_and_give_no_key() -> None:
    cube = cube_of([row("Ohio", 30.0), row("Ohio", 60.0, stratum=("", "")), row("Utah", 33.0, stratum=("", ""))])
    assert ask("states_mean", cube, {"question": OBESITY}) == {"Utah": 33.0, "Ohio": 45.0}
    assert ask("global_mean", cube, {"question": OBESITY}) == {"global_mean": 41.0}
    assert ask("mean_by_category", cube, {"question": OBESITY}) == {"('Ohio', 'Total', 'Total')": 30.0}
    assert ask("state_mean_by_category", cube, {"question": OBESITY, "state": "Utah"}) == {"Utah": {}}


def test_a_name_with_an_apostrophe_is_quoted_as_a_python_tuple_is() -> None:
    cube = cube_of([row("Hawai'i", 30.0, stratum=("Race", "Other"))])
    assert list(ask("mean_by_category", cube, {"question": OBESITY})) == ["""("Hawai'i", 'Race', 'Other')"""]


def test_fewer_than_five_locations_are_all_there_are() -> None:
    cube = cube_of([row("Ohio", 30.0), row("Utah", 20.0)])
    assert list(ask("best5", cube, {"question": OBESITY})) == ["Utah", "Ohio"]
    assert list(ask("worst5", cube, {"question": OBESITY})) == ["Ohio", "Utah"]


@pytest.mark.parametrize("name", [name for name, row in CATALOGUE.items() if len(row.parameters()) == 1])
def test_a_question_without_any_value_fails(name: str) -> None:
    cube = cube_of([row("Ohio", None)])
    with pytest.raises(StatisticError, match="has no value"):
        ask(name, cube, {"question": OBESITY})


def test_the_computation_itself_refuses_an_unknown_direction() -> None:
    cube = cube_of([row("Ohio", 30.0)._replace(question=VISITS)])
    with pytest.raises(InvalidParameterError, match="mapping file"):
        answer_to(Best5(question=VISITS), cube)


def test_numbers_are_python_floats() -> None:
    cube = cube_of([row("Ohio", 30.0), row("Utah", 20.0)])
    assert {type(value) for value in ask("states_mean", cube, {"question": OBESITY}).values()} == {float}
    assert type(ask("global_mean", cube, {"question": OBESITY})["global_mean"]) is float


def test_threads_that_ask_a_new_cube_at_once_get_the_same_answers() -> None:
    cube = cube_of(own for own in bundled_rows() if own.question == OBESITY)
    together = threading.Barrier(8)

    def answer(name: str) -> object:
        request = request_for(name, cube, CATALOGUE[name].example)
        together.wait()
        return answer_to(request, cube)

    with ThreadPoolExecutor(8) as pool:
        first = list(pool.map(answer, ["mean_by_category"] * 4 + ["states_mean"] * 4))
    assert first[:4] == [ask("mean_by_category", bundled_cube(), {"question": OBESITY})] * 4
    assert first[4:] == [ask("states_mean", bundled_cube(), {"question": OBESITY})] * 4


def test_a_layout_is_built_once_for_each_cube_and_question() -> None:
    cube = cube_of([row("Ohio", 30.0)])
    assert question_layout(cube, 0) is question_layout(cube, 0)
    with pytest.raises(ValueError, match="read-only"):
        question_layout(cube, 0).location_starts[0] = 1
