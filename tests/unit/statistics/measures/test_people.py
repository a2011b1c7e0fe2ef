"""Numbers of people: which population counts, what is refused, and how often intervals cover the truth."""

from __future__ import annotations

import csv
import math
import random
from dataclasses import replace

import pytest

from meantime.errors import InvalidParameterError
from meantime.statistics.result import Record
from meantime.survey import bundled_table
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.reading.profile import Profile
from tests.asking import ask, records_in
from tests.bundled import bundled_cube
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY

WIC = "Percent of WIC children aged 2 to 4 years who have obesity"
STUDENTS = "Percent of students in grades 9-12 who have obesity"


def adults(year: int) -> dict[str, int]:
    with bundled_table().with_name("adult-population.csv").open(encoding="utf-8", newline="") as opened:
        return {row["location"]: int(row["adults"]) for row in csv.DictReader(opened) if row["year"] == str(year)}


def cautions(name: str, cube: SurveyCube, **request: object) -> list[str]:
    found = ask(name, cube, {"question": "Q036", **request})["cautions"]
    assert isinstance(found, list)
    return found


def one(**request: object) -> Record:
    (found,) = records_in("people", bundled_cube(), {"question": "Q036", "years": [2023], **request})
    return found


def row(location: str, value: float | None, *, year: int = 2023, half: float = 2.0, stratum: str = "Total") -> Row:
    low, high = (None, None) if value is None else (value - half, value + half)
    category = "Total" if stratum == "Total" else "Sex"
    return Row(OBESITY, "Q036", location, location[:2], year, category, stratum, value, low, high, 400.0)


# ---- which population counts ----------------------------------------------------------------------------------------


def test_ohios_adults_with_obesity_are_its_share_of_its_adults() -> None:
    found = one(locations=["Ohio"])
    assert found["population"] == adults(2023)["Ohio"]
    for field, percent in {"value": 36.4, "low": 35.2, "high": 37.7}.items():
        assert found[field] == pytest.approx(adults(2023)["Ohio"] * percent / 100)


def test_the_nations_people_are_those_of_the_states_that_its_estimate_is_made_of() -> None:
    found = one(locations=["National"])
    without = adults(2023)["Kentucky"] + adults(2023)["Pennsylvania"]
    assert found["population"] == sum(adults(2023).values()) - without
    assert found["population"] == one()["population"]
    assert any("Kentucky, Pennsylvania" in each for each in cautions("people", bundled_cube(), locations=["National"]))


def test_states_weighed_by_their_adults_come_within_the_nations_own_interval() -> None:
    asked = {"question": "Q036", "years": [2023], "weights": "population"}
    (found,) = records_in("mean", bundled_cube(), asked)
    apart = records_in("mean", bundled_cube(), {"question": "Q036", "years": [2023], "by": ["location"]})
    known = [(float(each["value"]), adults(2023)[str(each["location"])]) for each in apart if each["value"] is not None]
    expected = math.fsum(value * count for value, count in known) / sum(count for _, count in known)
    assert found["value"] == pytest.approx(expected)
    assert 32.4 < expected < 33.1
    assert one()["share_percent"] == pytest.approx(expected)


@pytest.mark.parametrize("name", ["mean", "trend", "people"])
def test_the_known_figures_come_with_their_source_and_vintage(name: str) -> None:
    asked = {"locations": ["Ohio"], "years": [2019, 2023]} | ({} if name == "people" else {"weights": "population"})
    found = cautions(name, bundled_cube(), **asked)
    assert any("U.S. Census Bureau (vintage 2019 for 2019 and vintage 2023 for 2023)" in each for each in found)
    assert any("several vintages aren't one series" in each for each in found)


def test_a_table_of_the_requests_own_comes_before_the_known_figures() -> None:
    own = [{"location": "Ohio", "year": 2023, "population": 1000}]
    asked = {"locations": ["Ohio"], "years": [2023], "population": own}
    assert one(**asked)["value"] == pytest.approx(364)
    found = cautions("people", bundled_cube(), **asked)
    assert not any("Census" in each for each in found)
    assert any("taken as exact" in each for each in found)


def test_of_one_stratum_the_requests_own_table_counts() -> None:
    own = [{"location": "Ohio", "year": 2023, "population": 1000}]
    cube = cube_of([row("Ohio", 30.0, stratum="Female"), row("Ohio", 40.0, stratum="Male")])
    asked = {"question": "Q036", "strata": ["Male"], "population": own}
    assert [each["value"] for each in records_in("people", cube, asked)] == [400.0]


def test_a_place_without_a_value_or_a_population_does_not_count() -> None:
    cube = cube_of([row("Ohio", 30.0), row("Utah", 20.0), row("Iowa", None)])
    own = [{"location": place, "year": 2023, "population": 1000} for place in ("Ohio", "Iowa")]
    (found,) = records_in("people", cube, {"question": "Q036", "population": own})
    fields = ("value", "population", "location_count", "cells_used", "cells_suppressed", "reliability")
    assert [found[field] for field in fields] == [300.0, 1000, 1, 1, 1, "ok"]
    assert "without a population in the table, so not counted: 1 estimates" in cautions("people", cube, population=own)
    apart = records_in("people", cube, {"question": "Q036", "population": own, "by": ["location"]})
    assert [each["reliability"] for each in apart] == ["suppressed", "ok", "unweighted"]


def test_an_explanation_weighs_each_row_by_its_people() -> None:
    found = ask("people", bundled_cube(), {"question": "Q036", "locations": ["Ohio", "Utah"], "explain": True})
    explanation = found["explanation"]
    assert isinstance(explanation, dict)
    assert [each["weight"] for each in explanation["rows"]] == [adults(2023)["Ohio"], adults(2023)["Utah"]]
    assert explanation["formula"].startswith("sum(P v) / 100")


# ---- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "field", "message"),
    [
        ({"years": [2022, 2023]}, "years", "no population of 2022; they have 2016, 2019, 2020, 2023"),
        ({"locations": ["Guam"]}, "locations", "no population of Guam 2023"),
        ({"locations": ["Puerto Rico"]}, "locations", "no population of Puerto Rico 2023"),
        ({"strata": ["Female"]}, "population", "count all adults, not those of a stratum"),
    ],
)
@pytest.mark.parametrize("name", ["people", "mean"])
def test_what_has_no_known_population_is_refused_with_the_reason(
    name: str, asked: dict[str, object], field: str, message: str
) -> None:
    weights = {"weights": "population"} if name == "mean" else {}
    with pytest.raises(InvalidParameterError, match=message) as refused:
        ask(name, bundled_cube(), {"question": "Q036", "years": [2023], **asked, **weights})
    assert refused.value.field == field
    assert refused.value.accepted == (("2016", "2019", "2020", "2023") if field == "years" else ())


@pytest.mark.parametrize(("text", "whom"), [(WIC, "is about children in WIC"), (STUDENTS, "isn't known to be about")])
def test_adults_are_not_counted_for_questions_about_others(text: str, whom: str) -> None:
    cube = cube_of([row("Ohio", 15.0)])
    question = Profile().question(text, "Q041", "%")
    with pytest.raises(InvalidParameterError, match=whom) as refused:
        ask("people", replace(cube, questions=(question,)), {"question": "Q041"})
    assert refused.value.field == "population"


def test_a_county_of_a_states_name_is_not_the_state() -> None:
    cube = cube_of([row("Ohio", 30.0)])
    county = replace(cube, locations=(replace(cube.locations[0], fips="21183"),))
    with pytest.raises(InvalidParameterError, match="no population of Ohio 2023"):
        ask("people", county, {"question": "Q036"})


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"categories": ["Sex"]}, "2 strata are selected, and people of several may be the same"),
        ({"include": ["states", "nation"]}, "they can't be added"),
    ],
)
def test_people_who_would_be_counted_twice_are_refused(asked: dict[str, object], message: str) -> None:
    own = [{"location": "Ohio", "year": 2023, "population": 1000}]
    with pytest.raises(InvalidParameterError, match=message):
        ask("people", bundled_cube(), {"question": "Q036", "population": own, **asked})


def test_a_value_that_is_no_share_gives_no_people() -> None:
    cube = cube_of([row("Ohio", 30.0)])
    litres = replace(cube, questions=(replace(cube.questions[0], unit="litres"),))
    with pytest.raises(InvalidParameterError, match="'litres', no share of people"):
        ask("people", litres, {"question": "Q036"})


def test_a_proportion_is_a_share_too() -> None:
    cube = cube_of([row("Ohio", 0.25, half=0.05)])
    proportions = replace(cube, questions=(replace(cube.questions[0], unit="proportion"),))
    own = [{"location": "Ohio", "year": 2023, "population": 1000}]
    (found,) = records_in("people", proportions, {"question": "Q036", "population": own})
    assert [found[field] for field in ("value", "low", "high", "share_percent")] == [250.0, 200.0, 300.0, 25.0]


# ---- coverage -------------------------------------------------------------------------------------------------------

TRUTH = {"Alaska": (45.0, 3.0, 20e6), "Iowa": (20.0, 0.6, 10e6), "Ohio": (35.0, 2.0, 1e6), "Utah": (8.0, 1.5, 5e6)}
"""The share, its standard error and the people of four places."""


@pytest.mark.slow
@pytest.mark.parametrize(("scale", "level"), [("linear", 0.95), ("logit", 0.95), ("logit", 0.8)])
def test_intervals_of_a_sum_cover_the_true_number_as_often_as_they_say(scale: str, level: float) -> None:
    """Each year is one survey of the four places, with limits that are rounded to 0.1 as CDC's are."""
    chance, surveys = random.Random(20261125), range(1, 501)
    true = sum(share * people / 100 for share, _, people in TRUTH.values())
    own = [
        {"location": place, "year": year, "population": people}
        for place, (_, _, people) in TRUTH.items()
        for year in surveys
    ]
    covered = 0
    for _ in range(4):
        rows = [
            row(place, round(chance.gauss(share, error), 1), year=year, half=round(1.959964 * error, 1))
            for place, (share, error, _) in TRUTH.items()
            for year in surveys
        ]
        asked = {"question": OBESITY, "years": list(surveys), "population": own, "scale": scale, "level": level}
        found = records_in("people", cube_of(rows), asked)
        covered += sum(float(each["low"] or 0) <= true <= float(each["high"] or 0) for each in found)
    assert covered / 2000 == pytest.approx(level, abs=3 * math.sqrt(level * (1 - level) / 2000))
