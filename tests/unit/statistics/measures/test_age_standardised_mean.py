"""Age standardisation: the weights, what can't be standardised and why, and what it changes in CDC's table."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.estimation.age_standardisation import standard_shares
from tests.asking import ask, records_in
from tests.bundled import bundled_cube
from tests.cubes import cube_of
from tests.reference import Row
from tests.reference_ages import AGE, AGES
from tests.tables import OBESITY


def rows(values: Mapping[str, float | None], location: str = "Ohio") -> list[Row]:
    found = []
    for age, value in values.items():
        low, high = (None, None) if value is None else (value - 1, value + 1)
        category = "Total" if age == "Total" else AGE
        found.append(Row(OBESITY, "Q036", location, location[:2], 2020, category, age, value, low, high, 400.0))
    return found


ALIKE: dict[str, float | None] = dict.fromkeys(AGES, 30.0)


def test_the_shares_are_those_of_the_standard_population() -> None:
    """As surveys of adults print them: 18-44, 45-64 and 65 or older are 0.5305, 0.2992 and 0.1703 (MMWR 66, SS-16)."""
    shares = list(standard_shares(bundled_cube()).values())
    assert [round(share, 6) for share in shares] == [0.128810, 0.182648, 0.219077, 0.181652, 0.117542, 0.170271]
    assert [round(sum(part), 4) for part in (shares[:3], shares[3:5], shares[5:])] == [0.5305, 0.2992, 0.1703]


def test_ages_that_are_alike_give_their_value_whatever_the_shares() -> None:
    (record,) = records_in("age_standardised_mean", cube_of(rows(ALIKE | {"Total": 33.0})), {"question": OBESITY})
    assert record["value"] == pytest.approx(30.0)
    assert record["crude_value"] == 33.0
    assert record["difference_from_crude"] == pytest.approx(-3.0)


def test_ages_are_found_by_their_numbers() -> None:
    spelled = {"18-24": 30.0, "25-34": 30.0, "35-44": 30.0, "45-54": 30.0, "55-64": 30.0, "65+": 30.0}
    (record,) = records_in("age_standardised_mean", cube_of(rows(spelled)), {"question": OBESITY})
    assert record["value"] == pytest.approx(30.0)
    assert record["crude_value"] is None


def test_a_location_that_lacks_an_age_is_not_standardised_and_the_reason_is_said() -> None:
    cube = cube_of([*rows(ALIKE), *rows(ALIKE | {"18 - 24": None, "Total": 31.0}, "Utah")])
    answer = ask("age_standardised_mean", cube, {"question": OBESITY})
    records, cautions = answer["records"], answer["cautions"]
    assert isinstance(records, list)
    assert isinstance(cautions, list)
    fields = ("value", "low", "cells_used", "reliability", "strata_missing", "missing_strata", "crude_value")
    assert [records[1][name] for name in fields] == [None, None, 0, "suppressed", 1, "18 - 24", 31.0]
    assert "not standardised, because an age has no value: 1 of 2 (Utah 2020 without 18 - 24)" in cautions


def test_no_location_with_all_ages_fails() -> None:
    with pytest.raises(StatisticError, match="no location has a value for all the ages 18 to 24"):
        ask("age_standardised_mean", cube_of(rows(ALIKE | {"18 - 24": None})), {"question": OBESITY})


def test_a_table_without_the_six_ages_is_refused_with_its_categories() -> None:
    cube = cube_of(rows({"18 - 24": 30.0, "Total": 30.0}))
    with pytest.raises(InvalidParameterError, match="no category with the ages 18 to 24") as refused:
        ask("age_standardised_mean", cube, {"question": OBESITY})
    assert (refused.value.field, refused.value.accepted) == ("categories", (AGE, "Total"))


@pytest.mark.parametrize("asked", [{"strata": ["Female"]}, {"categories": ["Sex"]}, {"strata": ["18 - 24"]}])
def test_a_stratum_of_another_category_has_no_ages_and_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(InvalidParameterError, match="not ages within another stratum") as refused:
        ask("age_standardised_mean", bundled_cube(), {"question": "Q036", **asked})
    assert refused.value.field == next(iter(asked))


def test_the_ages_themselves_may_be_named() -> None:
    named, left_out = (
        records_in("age_standardised_mean", bundled_cube(), {"question": "Q036", "locations": ["Ohio"], **asked})
        for asked in ({"categories": [AGE]}, {})
    )
    assert named == left_out


def test_a_question_without_these_ages_is_refused() -> None:
    other = [row._replace(question="Q", question_id="Q1") for row in rows({"18 - 24": 30.0})]
    with pytest.raises(InvalidParameterError, match="no estimates of it for the ages 25 - 34"):
        ask("age_standardised_mean", cube_of([*rows(ALIKE), *other]), {"question": "Q"})


def test_an_unreliable_age_makes_the_mean_doubtful() -> None:
    table = [row._replace(sample_size=20.0) if row.stratum == "18 - 24" else row for row in rows(ALIKE)]
    (record,) = records_in("age_standardised_mean", cube_of(table), {"question": OBESITY})
    assert (record["sample_size"], record["reliability"]) == (2020, "caution")
