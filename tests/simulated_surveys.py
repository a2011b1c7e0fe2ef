"""Simulated surveys of a known truth: published estimates, or what is made of them, and draws about these.

What is asked of them, and how often the answers hold, is in the tests.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tests.asking import records_in
from tests.bundled import bundled_cube
from tests.reference import Row
from tests.reference_ages import AGE, AGES
from tests.reference_estimates import Z
from tests.tables import OBESITY

STATES = tuple(f"State {number:02}" for number in range(24))
NATION = "National"
_CATEGORIES = {"Total": "Total"} | dict.fromkeys(AGES, AGE)
Place = tuple[str, int, str]
Truth = dict[Place, tuple[float, float]]


class Survey(NamedTuple):
    """How estimates are drawn about the truth; ``is_part`` says that the nation is made of the states."""

    scale: str = "linear"
    is_part: bool = False
    scatter: float = 0.0


def published(years: Iterable[int], strata: Iterable[str]) -> Truth:
    """Return obesity and its standard errors in some states and the nation, as CDC published them."""
    asked = {"question": "Q036", "years": list(years), "strata": list(strata), "by": ["location", "year", "stratum"]}
    found = records_in("mean", bundled_cube(), asked | {"include": ["states", "nation"], "scale": "linear"})
    by_place: dict[str, Truth] = {}
    for record in found:
        value, error = record["value"], record["standard_error"]
        if isinstance(value, float) and isinstance(error, float):
            place = (str(record["location"]), int(str(record["year"])), str(record["stratum"]))
            by_place.setdefault(place[0], {})[place] = value, error
    whole = {name: own for name, own in by_place.items() if len(own) == len(by_place[NATION])}
    states = [name for name in whole if name != NATION][: len(STATES)]
    renamed = dict(zip(states, STATES, strict=True)) | {NATION: NATION}
    return {
        (renamed[name], year, stratum): number for name in renamed for (_, year, stratum), number in whole[name].items()
    }


def straight(truth: Truth) -> Truth:
    """Return the truth moved onto a line for each location."""
    slopes = {name: 0.3 + 0.02 * number for number, name in enumerate((*STATES, NATION))}
    return {
        (name, year, stratum): (30 + slopes[name] * (year - 2020), error)
        for (name, year, stratum), (_, error) in truth.items()
    }


def small(truth: Truth) -> Truth:
    """Return the truth as percentages of 2 to 8 with relative standard errors of 10 to 25 %; the nation's are 2 %."""
    made = {}
    for number, (place, _) in enumerate(truth.items()):
        value = 2 + 6 * (number * 0.618 % 1)
        made[place] = value, value * (0.02 if place[0] == NATION else 0.1 + 0.15 * (number * 0.414 % 1))
    return made


def part_of(truth: Truth) -> Truth:
    """Return the truth with a nation that is made of the states, the first of which is an eighth of it."""
    made = dict(truth)
    for place in truth:
        if place[0] == NATION:
            values, errors = zip(*(truth[name, place[1], place[2]] for name in STATES), strict=True)
            error = math.sqrt(math.fsum((share * own) ** 2 for share, own in zip(shares(), errors, strict=True)))
            made[place] = math.fsum(share * own for share, own in zip(shares(), values, strict=True)), error
    return made


def shares() -> list[float]:
    """Return each state's share of the nation's people: 12.5 % of it, and less and less."""
    return [0.125, *(0.875 * (24 - number) / 276 for number in range(1, len(STATES)))]


def rows_of(truth: Truth, deviates: Mapping[Place, float], survey: Survey) -> list[Row]:
    """Return the table of one survey: estimates so many standard errors off the truth, with limits about them."""
    found: dict[Place, tuple[float, float, float]] = {}
    for place, (value, error) in truth.items():
        off = deviates[place] * error
        if survey.scale == "logit":
            spread = 100 * error / (value * (100 - value))
            centre = math.log(value / (100 - value)) + deviates[place] * spread
            middle, low, high = (100 / (1 + math.exp(-centre - step * spread)) for step in (0.0, -Z, Z))
            found[place] = middle, low, high
        else:
            found[place] = value + off, value + off - Z * error, value + off + Z * error
    if survey.is_part:
        for name, year, stratum in truth:
            if name == NATION:
                drawn = (found[state, year, stratum][0] for state in STATES)
                value = math.fsum(share * own for share, own in zip(shares(), drawn, strict=True))
                half = Z * truth[name, year, stratum][1]
                found[name, year, stratum] = value, value - half, value + half
    return [
        Row(
            OBESITY,
            "Q036",
            name,
            name,
            year,
            _CATEGORIES.get(stratum, "Education"),
            stratum,
            value,
            low,
            high,
            1000.0,
        )
        for (name, year, stratum), (value, low, high) in found.items()
    ]
