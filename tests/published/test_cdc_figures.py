"""Figures of CDC's own table, and facts about it that were found by other means than this code.

The National rows are CDC's (hn4x-zwk7, export of 2025-09-06). The facts about means of areas, ranks and suppression
were counted in the table before this code existed, with another program.
"""

from __future__ import annotations

import statistics

import numpy as np
import pytest

from tests.asking import records_in
from tests.bundled import bundled_cube
from tests.tables import OBESITY

AREAS = {"question": OBESITY, "include": ["states", "territories"]}
QUESTION_YEARS = 69
"""Questions in years in which they were asked; each has a National row."""


@pytest.mark.parametrize(
    ("year", "value", "low", "high"),
    [
        (2015, 28.9, 28.6, 29.1),
        (2019, 31.4, 31.1, 31.6),
        (2021, 33.0, 32.6, 33.3),
        (2022, 33.3, 33.0, 33.6),
        (2023, 32.8, 32.4, 33.1),
    ],
)
def test_the_national_prevalence_of_obesity_is_the_one_that_cdc_published(
    year: int, value: float, low: float, high: float
) -> None:
    (record,) = records_in("mean", bundled_cube(), {"question": "Q036", "years": [year], "locations": ["National"]})
    assert (record["value"], record["low"], record["high"]) == (value, low, high)
    assert record["reliability"] == "ok"


@pytest.mark.parametrize(
    ("year", "plain", "by_sample_size"),
    [
        (2015, 29.33, 29.07),
        (2019, 32.07, 31.79),
        (2021, 33.55, 33.24),
        (2022, 33.72, 33.46),
        (2023, 33.65, 33.16),
    ],
)
def test_means_of_areas_miss_the_national_value_as_was_found(year: int, plain: float, by_sample_size: float) -> None:
    (unweighted,) = records_in("mean", bundled_cube(), AREAS | {"years": [year]})
    (weighted,) = records_in("mean", bundled_cube(), AREAS | {"years": [year], "weights": "sample_size"})
    assert unweighted["value"] == pytest.approx(plain, abs=0.005)
    assert weighted["value"] == pytest.approx(by_sample_size, abs=0.005)


def outside(request: dict[str, object]) -> tuple[int, int]:
    """Count the question-years whose pooled value is outside CDC's national interval, and all of them."""
    cube, found, count = bundled_cube(), 0, 0
    for question in cube.questions:
        years = {"question": question.text, "years": {"from": 2011}, "by": ["year"]}
        pooled = records_in("mean", cube, years | request)
        nation = records_in("mean", cube, years | {"locations": ["National"]})
        for own, national in zip(pooled, nation, strict=True):
            value, low, high = own["value"], national["low"], national["high"]
            assert own["year"] == national["year"]
            if isinstance(value, float) and isinstance(low, float) and isinstance(high, float):
                count += 1
                found += not low <= value <= high
    return found, count


def test_the_plain_mean_of_areas_is_outside_cdcs_interval_in_41_of_69_question_years() -> None:
    assert outside({"include": ["states", "territories"]}) == (41, QUESTION_YEARS)


def test_without_the_territories_it_is_outside_in_37() -> None:
    assert outside({"include": ["states"]}) == (37, QUESTION_YEARS)


def test_weighted_by_sample_size_and_without_territories_it_is_outside_in_26() -> None:
    assert outside({"include": ["states"], "weights": "sample_size"}) == (26, QUESTION_YEARS)


@pytest.mark.parametrize(
    ("kind", "others", "none_surely", "possibly"),
    [("joint", (7, 18, 49), 43, (12, 23, 54)), ("pairwise", (1, 7, 41), 12, (6, 12, 39))],
)
def test_the_fifth_lowest_is_told_from_all_others_in_no_question_year(
    kind: str, others: tuple[int, float, int], none_surely: int, possibly: tuple[int, float, int]
) -> None:
    cube, found = bundled_cube(), []
    for question in cube.questions:
        every = {"question": question.text, "years": {"from": 2011}, "by": ["year"], "locations": ["National"]}
        asked = [record["year"] for record in records_in("mean", cube, every) if record["value"] is not None]
        for year in asked:
            request = AREAS | {"question": question.text, "years": [year], "end": "lowest", "rank_intervals": kind}
            found.append(records_in("ranking", cube, request))
    alike = [sum(not record["among_k"] for record in records) for records in found]
    surely = [sum(bool(record["surely_among_k"]) for record in records) for records in found]
    among = [sum(bool(record["possibly_among_k"]) for record in records) for records in found]
    assert len(found) == QUESTION_YEARS
    assert (min(alike), statistics.median(alike), max(alike)) == others
    assert surely.count(0) == none_surely
    assert (min(among), statistics.median(among), max(among)) == possibly


@pytest.mark.parametrize(("kind", "surely", "possibly", "width"), [("joint", 0, 18, 32.1), ("pairwise", 3, 10, 18.0)])
def test_so_many_are_surely_and_possibly_among_the_five_with_the_least_obesity(
    kind: str, surely: int, possibly: int, width: float
) -> None:
    request = AREAS | {"years": [2023], "rank_intervals": kind}
    five, all_52 = (records_in("ranking", bundled_cube(), request | {"k": k}) for k in (5, 52))
    assert sum(bool(record["surely_among_k"]) for record in five) == surely
    assert sum(bool(record["possibly_among_k"]) for record in five) == possibly
    limits = np.array([(record["rank_low"], record["rank_high"]) for record in all_52], dtype=np.float64)
    assert round(float((limits[:, 1] - limits[:, 0] + 1).mean()), 1) == width


def test_12_755_of_106_260_cells_have_no_value() -> None:
    (record,) = records_in("coverage", bundled_cube(), {"by": []})
    empty = ("cells_suppressed", "cells_not_surveyed", "cells_not_asked")
    assert ([record[name] for name in empty], record["cells_expected"]) == ([9_647, 2_968, 140], 106_260)
    assert record["cells_missing"] == 0


@pytest.mark.parametrize(("scale", "count"), [("linear", 1_460), ("logit", 1_513)])
def test_so_many_of_93_505_published_cells_have_a_relative_standard_error_of_30_percent(scale: str, count: int) -> None:
    cube, flagged, published = bundled_cube(), 0, 0
    for question in cube.questions:
        request = {
            "question": question.text,
            "years": {"from": 2011},
            "include": ["states", "territories", "nation"],
            "categories": sorted({segment.category for segment in cube.segments}),
            "by": ["location", "year", "stratum"],
            "scale": scale,
        }
        flags = [record["reliability"] for record in records_in("mean", cube, request)]
        flagged += flags.count("caution")
        published += len(flags) - flags.count("suppressed")
    assert (flagged, published) == (count, 93_505)
