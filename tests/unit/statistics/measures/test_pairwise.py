"""Pairs of locations: which there are, over what, and what is refused."""

from __future__ import annotations

import pytest

from meantime.errors import InvalidParameterError, StatisticError
from tests import reference_pairs as reference
from tests.asking import agree, ask, records_in
from tests.bundled import bundled_cube, bundled_rows
from tests.cubes import cube_of
from tests.reference import Row
from tests.reference_comparisons import Rule
from tests.reference_estimates import Options, Query
from tests.tables import OBESITY

VALUES = {"Alaska": 20.0, "Idaho": 21.0, "Iowa": 25.0, "Utah": None}


def row(location: str, value: float | None, year: int = 2020) -> Row:
    low, high = (None, None) if value is None else (value - 1, value + 1)
    return Row(OBESITY, "Q036", location, location[:2], year, "Total", "Total", value, low, high, 400.0)


ROWS = [row(location, value) for location, value in VALUES.items()]


def pairs(rows: list[Row], **asked: object) -> list[tuple[object, ...]]:
    fields = ("location", "against", "difference", "verdict")
    found = records_in("pairwise", cube_of(rows), {"question": OBESITY, **asked})
    return [tuple(record[name] for name in fields) for record in found]


def test_every_pair_of_locations_with_a_value_is_there_once() -> None:
    # 1 wide: |a - b| > sqrt(2) is significant.
    assert pairs(ROWS) == [
        ("Alaska", "Idaho", -1.0, "no clear difference"),
        ("Alaska", "Iowa", -5.0, "better"),
        ("Idaho", "Iowa", -4.0, "better"),
    ]
    cautions = ask("pairwise", cube_of(ROWS), {"question": OBESITY})["cautions"]
    assert isinstance(cautions, list)
    assert "without a value: 1 of 4 locations (Utah)" in cautions


def test_who_differs_from_one_place_is_said_of_the_others() -> None:
    assert pairs(ROWS, place="ID") == [
        ("Alaska", "Idaho", -1.0, "no clear difference"),
        ("Iowa", "Idaho", 4.0, "worse"),
    ]


def test_all_pairs_are_over_the_years_that_all_locations_have() -> None:
    rows = [row("Alaska", 20.0), row("Idaho", 21.0), row("Alaska", 40.0, 2021), row("Iowa", 25.0)]
    assert pairs(rows, years=[2020, 2021]) == pairs(rows[:2] + rows[3:])
    cautions = ask("pairwise", cube_of(rows), {"question": OBESITY, "years": [2020, 2021]})["cautions"]
    assert isinstance(cautions, list)
    assert any(caution.startswith("compared only over the years and strata that all have") for caution in cautions)


def test_a_place_that_is_none_of_the_locations_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="place: Iowa is none of the locations") as refused:
        pairs(ROWS, place="Iowa", locations=["Alaska", "Idaho"])
    assert refused.value.accepted == ("Alaska", "Idaho")


def test_a_place_without_a_value_fails_with_its_name() -> None:
    with pytest.raises(StatisticError, match="Utah has no value in the years and strata"):
        pairs(ROWS, place="Utah")


def test_one_location_makes_no_pair() -> None:
    with pytest.raises(InvalidParameterError, match="locations: a pair takes two"):
        pairs(ROWS, locations=["Alaska"])
    with pytest.raises(StatisticError, match="fewer than two locations have a value"):
        pairs(ROWS, locations=["Alaska", "Utah"])


def test_more_pairs_than_an_answer_may_have_fail_with_their_number() -> None:
    many = [row(f"Place {number:03}", 20.0) for number in range(225)]
    with pytest.raises(StatisticError, match="25200 pairs are more than the 25000 records"):
        pairs(many)
    assert len(pairs(many, place="Place 007")) == 224


def test_the_nation_beside_its_states_is_called_dependent() -> None:
    asked = {"question": "Q036", "years": [2023], "locations": ["National", "Ohio"]}
    cautions = ask("pairwise", bundled_cube(), asked)["cautions"]
    assert isinstance(cautions, list)
    assert any(caution.startswith("each state is part of National") for caution in cautions)
    assert any("is without Kentucky, Pennsylvania in 2023" in caution for caution in cautions)


@pytest.mark.parametrize("rule", [Rule("none"), Rule("holm"), Rule("bh"), Rule("bh", 2.0)])
@pytest.mark.parametrize("place", [None, "Ohio"])
def test_pairs_in_cdcs_table_agree_with_the_reference(rule: Rule, place: str | None) -> None:
    """Neighbours in prevalence, so that p-values are between 0 and 1 and adjusting them shows."""
    locations = ("Georgia", "Iowa", "Michigan", "New Mexico", "Ohio", "Texas")
    query = Query(OBESITY, (2022, 2023), locations, (("Total", "Total"),))
    asked = {"question": OBESITY, "years": [2022, 2023], "locations": locations, "place": place, "scale": "logit"}
    found = records_in("pairwise", bundled_cube(), asked | rule._asdict())
    rows = [row for row in bundled_rows() if row.question == OBESITY]
    agree(found, reference.pairwise(rows, query, place, Options(scale="logit"), rule))
