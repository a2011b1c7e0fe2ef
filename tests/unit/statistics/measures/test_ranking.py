"""Ranking: ties, rank intervals and what can't be told apart."""

from __future__ import annotations

import math

import numpy as np
import pytest

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.estimation.comparisons.joint_ranks import ranks
from meantime.survey.cube.survey_cube import SurveyCube
from tests.asking import ask, records_in
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY, STRENGTH, VISITS


def cube_with(values: dict[str, tuple[float | None, float]], question: str = OBESITY) -> SurveyCube:
    """Return a cube of location to value and half-width of its interval."""
    rows = []
    for location, (value, half) in values.items():
        low, high = (None, None) if value is None else (value - half, value + half)
        rows.append(Row(question, "Q", location, location[:2], 2020, "Total", "Total", value, low, high, 400.0))
    return cube_of(rows)


VALUES: dict[str, tuple[float | None, float]] = {
    "Alaska": (20.0, 1.0),
    "Idaho": (21.0, 1.0),
    "Iowa": (25.0, 1.0),
    "Maine": (25.0, 1.0),
    "Ohio": (26.0, 9.0),
    "Utah": (30.0, 1.0),
    "Texas": (None, 0.0),
}


def table(cube: SurveyCube, **request: object) -> list[tuple[object, ...]]:
    fields = ("location", "rank", "rank_low", "rank_high", "tied", "among_k", "differs_from_k")
    question = cube.questions[0].text
    found = records_in("ranking", cube, {"question": question, **request})
    return [tuple(record[field] for field in fields) for record in found]


def test_ranks_ties_and_rank_intervals_of_a_small_table() -> None:
    # 1 wide: |a - b| > sqrt(2) is significant; Ohio (9 wide) differs from nobody but by more than sqrt(82) = 9.06.
    assert table(cube_with(VALUES), k=6, rank_intervals="pairwise") == [
        ("Alaska", 1, 1, 3, False, True, True),
        ("Idaho", 2, 1, 3, False, True, True),
        ("Iowa", 3, 3, 5, True, True, True),
        ("Maine", 3, 3, 5, True, True, True),
        ("Ohio", 5, 1, 6, False, True, False),
        ("Utah", 6, 5, 6, False, True, False),
    ]


def test_locations_that_cannot_be_told_from_rank_k_come_along() -> None:
    assert [row[0] for row in table(cube_with(VALUES), k=1)] == ["Alaska", "Idaho", "Ohio"]
    caution = ask("ranking", cube_with(VALUES), {"question": OBESITY, "k": 1})["cautions"]
    assert isinstance(caution, list)
    assert "not to be told from rank 1, or perhaps before it: 2 more locations (Idaho, Ohio)" in caution
    assert "without a value: 1 of 7 locations (Texas)" in caution


def test_a_shared_rank_k_brings_all_that_share_it() -> None:
    found = table(cube_with(VALUES), k=3)
    assert [row[0] for row in found if row[5]] == ["Alaska", "Idaho", "Iowa", "Maine"]
    cautions = ask("ranking", cube_with(VALUES), {"question": OBESITY, "k": 3})["cautions"]
    assert isinstance(cautions, list)
    assert "rank 3 is shared, so 4 locations are among the first 3" in cautions


@pytest.mark.parametrize(
    ("question", "end", "first"),
    [
        (OBESITY, "best", "Alaska"),
        (OBESITY, "worst", "Utah"),
        (OBESITY, "highest", "Utah"),
        (OBESITY, "lowest", "Alaska"),
        (STRENGTH, "best", "Utah"),
        (STRENGTH, "worst", "Alaska"),
        (VISITS, "highest", "Utah"),
        (VISITS, "lowest", "Alaska"),
    ],
)
def test_the_end_that_comes_first_follows_the_direction(question: str, end: str, first: str) -> None:
    assert table(cube_with(VALUES, question), end=end)[0][0] == first


def test_the_method_states_the_direction() -> None:
    answer = ask("ranking", cube_with(VALUES), {"question": OBESITY})
    assert "best first, which is the lowest (lower is better)" in str(answer["method"])
    records = answer["records"]
    assert isinstance(records, list)
    assert {record["direction"] for record in records} == {"lower_is_better"}


def test_best_of_a_question_of_unknown_direction_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="highest or lowest") as refused:
        table(cube_with(VALUES, VISITS), end="best")
    assert refused.value.accepted == ("highest", "lowest")


def test_nothing_to_rank_fails() -> None:
    with pytest.raises(StatisticError, match="nothing to rank"):
        table(cube_with({"Texas": (None, 0.0)}))


def test_an_estimate_without_an_error_may_have_any_rank() -> None:
    found = ranks(np.array([10.0, 20.0, 30.0]), np.array([0.1, math.nan, 0.1]), level=0.95)
    assert (found.low.tolist(), found.high.tolist()) == ([1, 1, 2], [2, 3, 3])


def test_equal_estimates_without_error_share_their_ranks() -> None:
    found = ranks(np.array([0.1 + 0.2, 0.3, 0.5]), np.zeros(3), level=0.95)
    assert found.rank.tolist() == [1, 1, 3]
    assert (found.low.tolist(), found.high.tolist()) == ([1, 1, 3], [2, 2, 3])
    assert found.tied.tolist() == [True, True, False]
