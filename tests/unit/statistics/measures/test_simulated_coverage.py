"""How often the intervals of differences and changes hold the truth, in simulated surveys of one that is known.

Surveys are drawn about published estimates, each with its published error. The figures are those of the pages.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pytest

from meantime.statistics.result import Record
from tests.asking import records_in
from tests.bundled import bundled_cube
from tests.conftest import PROJECT
from tests.cubes import cube_of
from tests.reference import Row
from tests.reference_estimates import Z
from tests.tables import OBESITY

STATES = tuple(f"State {number:02}" for number in range(24))
NATION = "National"
SURVEYS = 120
Place = tuple[str, int, str]
Truth = dict[Place, tuple[float, float]]


class Survey(NamedTuple):
    """How estimates are drawn about the truth; ``share`` is each state's part of a nation made of them."""

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
        Row(OBESITY, "Q036", name, name, year, _CATEGORIES.get(stratum, "Education"), stratum, value, low, high, 1000.0)
        for (name, year, stratum), (value, low, high) in found.items()
    ]


_CATEGORIES = {"Total": "Total"}


def coverage(name: str, asked: Mapping[str, object], truth: Truth, survey: Survey) -> float:
    """Return the share of intervals of ``difference`` that hold the true one, over many surveys."""

    def found(rows: list[Row]) -> list[Record]:
        return records_in(name, cube_of(rows), {"question": OBESITY, "scale": survey.scale, **asked})

    chance, places = np.random.default_rng(20260101), list(truth)
    true = [float(str(one["difference"])) for one in found(rows_of(truth, dict.fromkeys(places, 0.0), survey))]
    held = []
    for _ in range(SURVEYS):
        deviates = (chance.standard_normal(len(places)) * math.hypot(1, survey.scatter)).tolist()
        for own, record in zip(
            true, found(rows_of(truth, dict(zip(places, deviates, strict=True)), survey)), strict=True
        ):
            held.append(float(str(record["difference_low"])) <= own <= float(str(record["difference_high"])))
    return float(np.mean(held))


TOTAL, LEAST, MOST = "Total", "Less than high school", "College graduate"
ENDS, SIX = (2013, 2022), range(2017, 2023)
GAP: dict[str, object] = {"of": "disparity", "categories": ["Education"], "reference": MOST}


class Case(NamedTuple):
    """What is asked, over which years and strata, and how surveys are drawn."""

    statistic: str
    asked: dict[str, object]
    years: Iterable[int]
    strata: tuple[str, ...]
    kinds: tuple[str, ...] = ("published", "small", "part")


CASES = {
    "`difference`": Case("difference", {"years": [2022]}, (2022,), (TOTAL,)),
    "two years": Case("compare", {"years": [2022], "against_year": 2013}, ENDS, (TOTAL,), ("published", "small")),
    "two strata": Case(
        "compare", {"strata": [LEAST], "against_stratum": MOST}, (2022,), (LEAST, MOST), ("published", "small")
    ),
    "`value`": Case("change", {}, ENDS, (TOTAL,)),
    "`disparity`": Case("change", GAP, ENDS, (LEAST, MOST), ("published", "small")),
    "`disparity` against the nation": Case("change", {**GAP, "against": NATION}, ENDS, (LEAST, MOST)),
}
KINDS: dict[str, tuple[Callable[[Truth], Truth], Survey]] = {
    "published": (dict, Survey()),
    "small": (small, Survey("logit")),
    "part": (part_of, Survey(is_part=True)),
}


def page_of(name: str) -> str:
    return (PROJECT / "docs" / "methods" / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_intervals_of_differences_hold_in_about_95_of_100_simulated_surveys(case: str) -> None:
    name, asked, years, strata, kinds = CASES[case]
    truth = published(years, strata)
    found = [coverage(name, asked, moved(truth), survey) for moved, survey in map(KINDS.__getitem__, kinds)]
    assert min(found) >= 0.94
    shown = [f"{share:.3f}" for share in found]
    assert f"| {' | '.join([case, *shown])} |" in page_of(name)


@pytest.mark.slow
def test_intervals_of_slopes_hold_on_lines_and_nearly_so_off_them() -> None:
    truth = straight(published(SIX, (TOTAL,)))
    on_lines, part, off = (
        coverage("change", {"of": "trend", "breaks": "cross"}, moved(truth), survey)
        for moved, survey in ((dict, Survey()), (part_of, Survey(is_part=True)), (dict, Survey(scatter=2.0)))
    )
    assert on_lines >= 0.95
    assert f"| `trend` | {on_lines:.3f} | {off:.3f} | {part:.3f} |" in page_of("change")
