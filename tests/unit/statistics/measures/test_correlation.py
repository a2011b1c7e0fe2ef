"""Correlation: what has no correlation, and what a reader is told. The numbers are held in tests/property."""

from __future__ import annotations

import math

import numpy as np
import pytest

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.measures.correlation import average_ranks, fisher_interval, fisher_p, pearson
from meantime.survey.cube.survey_cube import SurveyCube
from tests.asking import ask, records_in
from tests.bundled import bundled_cube
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY, STRENGTH


def cube_with(pairs: dict[str, tuple[float | None, float | None]]) -> SurveyCube:
    rows = []
    for location, values in pairs.items():
        for question, value in zip((OBESITY, STRENGTH), values, strict=True):
            place = (question, question[-4:], location, location[:2], 2020, "Total", "Total")
            rows.append(Row(*place, value, None, None, None))
    return cube_of(rows)


def test_perfect_correlations_are_their_own_interval() -> None:
    pairs: dict[str, tuple[float | None, float | None]] = {
        name: (10.0 * place, 50.0 - place) for place, name in enumerate(("Iowa", "Maine", "Ohio", "Utah"))
    }
    for record in records_in("correlation", cube_with(pairs), {"question": OBESITY, "against_question": STRENGTH}):
        assert record["value"] == pytest.approx(-1)
        assert record["low"] == pytest.approx(-1)
        assert record["high"] == pytest.approx(-1)
        assert record["p_value"] == pytest.approx(0, abs=1e-9)
    assert fisher_interval(1.0, 10, level=0.95) == (1.0, 1.0)
    assert fisher_p(-1.0, 10) == 0.0


def test_three_locations_have_a_coefficient_but_no_interval() -> None:
    cube = cube_with({"Iowa": (1.0, 2.0), "Ohio": (2.0, 5.0), "Utah": (3.0, 4.0), "Maine": (None, 9.0)})
    first, _ = records_in("correlation", cube, {"question": OBESITY, "against_question": STRENGTH})
    assert (first["location_count"], first["low"], first["p_value"]) == (3, None, None)
    assert isinstance(first["value"], float)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ({"Iowa": (1.0, 2.0), "Ohio": (2.0, 5.0), "Utah": (3.0, None)}, "2 locations have a value for both"),
        ({"Iowa": (1.0, 2.0), "Ohio": (1.0, 5.0), "Utah": (1.0, 3.0)}, "the same value in every location"),
    ],
)
def test_too_few_locations_or_no_variation_fails(
    pairs: dict[str, tuple[float | None, float | None]], message: str
) -> None:
    with pytest.raises(StatisticError, match=message):
        ask("correlation", cube_with(pairs), {"question": OBESITY, "against_question": STRENGTH})


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    assert average_ranks(np.array([30.0, 10.0, 20.0, 20.0, 20.0])).tolist() == [5.0, 1.0, 3.0, 3.0, 3.0]
    assert average_ranks(np.array([0.3, 0.1 + 0.2])).tolist() == [1.5, 1.5]


def test_noise_in_the_last_bits_is_no_variation() -> None:
    assert math.isnan(pearson(np.array([0.3, 0.1 + 0.2, 0.3]), np.array([1.0, 2.0, 3.0])))


def test_a_question_with_itself_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="with itself") as refused:
        ask("correlation", bundled_cube(), {"question": "Q036", "against_question": OBESITY})
    assert refused.value.field == "against_question"


def test_obesity_and_inactivity_correlate_across_states_and_the_fallacy_is_named() -> None:
    answer = ask("correlation", bundled_cube(), {"question": "Q036", "against_question": "Q047", "explain": True})
    records, cautions, explanation = answer["records"], answer["cautions"], answer["explanation"]
    assert isinstance(records, list)
    assert isinstance(cautions, list)
    assert isinstance(explanation, dict)
    assert [(record["coefficient"], record["year"], record["location_count"]) for record in records] == [
        ("pearson", 2023, 49),
        ("spearman", 2023, 49),
    ]
    assert 0.5 < records[0]["low"] < records[0]["value"] < records[0]["high"] < 0.95
    assert "a correlation of locations says nothing about persons" in cautions
    assert "Robinson" in explanation["pitfalls"][0]
    assert set(explanation["against"]) >= {"rows", "sums"}
