"""The nine statistics of the contract agree with the naive reference on any table, order of keys included."""

from __future__ import annotations

import random
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meantime.errors import StatisticError
from meantime.statistics.catalogue import CATALOGUE, Surface
from tests import reference
from tests.agreement import disagreement
from tests.asking import ask
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import LOCATIONS, OBESITY, SEGMENTS, STRENGTH, tables

NAMES = [row.name for row in CATALOGUE.values() if row.surface is Surface.CONTRACT]
WITH_BLANK = (*SEGMENTS, ("", ""))


def test_the_reference_has_the_same_nine_statistics() -> None:
    assert list(reference.CONTRACT) == NAMES
    assert len(NAMES) == 9


def keys_in_order(answer: object) -> list[object]:
    """Return the keys of a mapping and of the mappings in it."""
    if not isinstance(answer, dict):
        return []
    return [part for key, value in answer.items() for part in (key, *keys_in_order(value))]


def answers(name: str, rows: list[Row], parameters: dict[str, str]) -> object:
    """Return what the code under test answers."""
    return ask(name, cube_of(rows), parameters)


@pytest.mark.parametrize("name", NAMES)
@given(rows=tables(questions=(OBESITY, STRENGTH), segments=WITH_BLANK), data=st.data())
def test_a_contract_statistic_agrees_with_the_reference(name: str, rows: list[Row], data: st.DataObject) -> None:
    parameters = {"question": data.draw(st.sampled_from((OBESITY, STRENGTH)))}
    if "state" in name and name != "states_mean":
        parameters["state"] = data.draw(st.sampled_from(sorted({row.location for row in rows})))
    asked = [row for row in rows if row.question == parameters["question"]]
    if "state" not in parameters and all(row.value is None for row in asked):
        with pytest.raises(StatisticError, match="has no value"):
            answers(name, rows, parameters)
        return
    expected = reference.CONTRACT[name](rows, **parameters)
    actual = answers(name, rows, parameters)
    assert disagreement(actual, expected) is None
    assert keys_in_order(actual) == keys_in_order(expected)


@given(st.lists(st.sampled_from((0.1, 0.2, 0.3, 0.7)), min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_means_that_are_mathematically_equal_are_in_order_of_name(values: list[float], chance: random.Random) -> None:
    rows = []
    for location, abbreviation in LOCATIONS.items():
        mixed = chance.sample(values, len(values))
        places = [(2000 + year, "Total", "Total", value, value, value, 50.0) for year, value in enumerate(mixed)]
        rows += [Row(OBESITY, "Q036", location, abbreviation, *place) for place in places]
    for name in ("states_mean", "best5", "worst5"):
        found = list(cast(dict[str, float], answers(name, rows, {"question": OBESITY})))
        assert found == sorted(LOCATIONS)[: len(found)]


@given(tables(segments=WITH_BLANK), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_change_a_mean_by_category(rows: list[Row], chance: random.Random) -> None:
    if all(row.value is None for row in rows):
        return
    before = answers("mean_by_category", rows, {"question": OBESITY})
    chance.shuffle(rows)
    after = answers("mean_by_category", rows, {"question": OBESITY})
    assert disagreement(after, before, tolerance=1e-12) is None
    assert keys_in_order(after) == keys_in_order(before)
