"""How often intervals hold the truth, in simulated surveys of one that is known.

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
from tests.reference_ages import AGES
from tests.reference_estimates import Z
from tests.simulated_surveys import NATION, Survey, Truth, part_of, published, rows_of, small, straight
from tests.tables import OBESITY

SURVEYS = 120
DIFFERENCE, VALUE = ("difference", "difference_low", "difference_high"), ("value", "low", "high")
FIELDS = {"age_standardised_mean": VALUE, "trend": VALUE}


def coverage(name: str, asked: Mapping[str, object], truth: Truth, survey: Survey) -> float:
    """Return the share of intervals that hold the truth, which is the answer to estimates without error."""
    measure, low, high = FIELDS.get(name, DIFFERENCE)

    def found(rows: list[Row]) -> list[Record]:
        return records_in(name, cube_of(rows), {"question": OBESITY, "scale": survey.scale, **asked})

    chance, places = np.random.default_rng(20260101), list(truth)
    true = [float(str(one[measure])) for one in found(rows_of(truth, dict.fromkeys(places, 0.0), survey))]
    held = []
    for _ in range(SURVEYS):
        deviates = (chance.standard_normal(len(places)) * math.hypot(1, survey.scatter)).tolist()
        for own, record in zip(
            true, found(rows_of(truth, dict(zip(places, deviates, strict=True)), survey)), strict=True
        ):
            held.append(float(str(record[low])) <= own <= float(str(record[high])))
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


@pytest.mark.slow
def test_intervals_of_trends_hold_too_often_on_lines_and_too_rarely_off_them() -> None:
    shown = []
    for years in (SIX, range(2011, 2024)):
        truth = straight(published(years, (TOTAL,)))
        on_lines, off = (coverage("trend", {}, truth, survey) for survey in (Survey(), Survey(scatter=2.0)))
        assert on_lines >= 0.95
        shown.append(f"| {len(years)} | {on_lines:.3f} | {off:.3f} |")
    assert "\n".join(shown) in page_of("trend")


@pytest.mark.slow
def test_intervals_of_standardised_values_hold_in_about_95_of_100_simulated_surveys() -> None:
    truth, shown = published((2022,), AGES), []
    for made in (truth, small(truth)):
        found = [coverage("age_standardised_mean", {}, made, Survey(scale)) for scale in ("linear", "logit")]
        assert min(found) >= 0.94
        shown.append(" | ".join(f"{share:.3f}" for share in found))
    assert f"| published | {shown[0]} |\n| small percentages | {shown[1]} |" in page_of("age_standardised_mean")


METHODS = ("paule_mandel", "dersimonian_laird")
CENTRE = 33.0


def means_of_places(places: int, between: float) -> list[float]:
    """Return how often intervals by either method hold the mean of which true places are drawn, anew each time."""
    asked: dict[str, object] = {"question": "Q036", "years": [2023], "by": ["location"], "scale": "linear"}
    published_in_2023 = [own for own in records_in("mean", bundled_cube(), asked) if own["value"] is not None]
    errors = [float(str(own["standard_error"])) for own in published_in_2023[:places]]
    chance, held, years = np.random.default_rng(20260102), [], range(2003, 2023)  # each year is a survey of its own
    for _ in range(SURVEYS):
        rows = []
        for year in years:
            true = chance.normal(CENTRE, between, places)
            for number, (value, error) in enumerate(zip(chance.normal(true, errors).tolist(), errors, strict=True)):
                limits = value - Z * error, value + Z * error
                rows.append(Row(OBESITY, "Q036", f"State {number:02}", "", year, TOTAL, TOTAL, value, *limits, 1000.0))
        cube, by = cube_of(rows), {"question": OBESITY, "years": list(years), "scale": "linear"}
        found = [records_in("heterogeneity", cube, {**by, "between": method}) for method in METHODS]
        held.append([[float(str(own["low"])) <= CENTRE <= float(str(own["high"])) for own in each] for each in found])
    return [float(share) for share in np.mean(held, axis=(0, 2))]


@pytest.mark.slow
@pytest.mark.parametrize(("places", "at_most"), [(10, 0.94), (49, 0.96)])
def test_intervals_of_a_mean_of_few_differing_places_hold_too_rarely(places: int, at_most: float) -> None:
    found = {between: means_of_places(places, between) for between in (0.0, 4.0)}
    assert min(found[0.0]) >= 0.95
    assert 0.91 <= min(found[4.0]) <= max(found[4.0]) <= at_most
    rows = [f"| {places} | {between:g} | {own[0]:.3f} | {own[1]:.3f} |" for between, own in found.items()]
    assert "\n".join(rows) in page_of("heterogeneity")
