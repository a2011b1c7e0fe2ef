"""A scan of gaps: what is scanned, in which order gaps come, and how often what is found is false."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.estimation.comparisons.multiplicity import adjusted
from meantime.statistics.estimation.grouping import LOCATION, STRATUM, group
from meantime.statistics.estimation.inequality.location_strata import comparable_segments
from meantime.statistics.estimation.inequality.scanned_gaps import Gaps, gap_tests, gaps_of
from meantime.statistics.estimation.pooling import pool
from meantime.statistics.estimation.selection import cells_selected
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.survey_cube import FloatArray, SurveyCube
from meantime.survey.questions import Question
from tests.asking import ask, records_in, request_for
from tests.bundled import bundled_cube
from tests.conftest import PROJECT
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY, STRENGTH


def estimate(
    stratum: str, value: float | None, error: float = 1.0, *, place: str = "Ohio", year: int = 2020,
    question: str = OBESITY, category: str = "Sex", size: float = 500.0,
) -> Row:  # fmt: skip
    low, high = (None, None) if value is None else (value - 1.959964 * error, value + 1.959964 * error)
    return Row(question, question[:4], place, place[:2].upper(), year, category, stratum, value, low, high, size)


def pair(female: float, male: float, error: float = 1.0, **more: str | int | float) -> list[Row]:
    return [
        estimate(stratum, value, error, **more)  # type: ignore[arg-type]  # by name
        for stratum, value in (("Female", female), ("Male", male))
    ]


def test_the_largest_lower_limit_comes_first_not_the_largest_gap() -> None:
    rows = pair(30, 40, 0.5) + pair(30, 45, 4.0, place="Utah") + pair(30, 30.1, 0.5, place="Iowa")
    records = records_in("disparity_scan", cube_of(rows), {})
    assert [(record["rank"], record["location"], record["verdict"]) for record in records] == [
        (1, "Ohio", "higher"),
        (2, "Utah", "higher"),
        (3, "Iowa", "no clear difference"),
    ]
    assert [record["value"] for record in records] == pytest.approx([10.0, 15.0, 0.1])
    assert (records[0]["tested_count"], records[0]["found_count"]) == (3, 2)


def test_a_gap_with_an_unreliable_side_comes_after_the_reliable_ones() -> None:
    doubtful = pair(1.0, 60.0, 0.6, place="Utah")  # a relative standard error of 60 %
    records = records_in("disparity_scan", cube_of(pair(30, 40) + doubtful), {})
    assert [(record["location"], record["reliability"]) for record in records] == [("Ohio", "ok"), ("Utah", "caution")]


def test_an_unreliable_stratum_between_the_two_sides_does_no_harm() -> None:
    rows = [estimate(name, value, category="Race/Ethnicity") for name, value in (("Asian", 10.0), ("Hispanic", 40.0))]
    middle = estimate("Other", 20.0, 7.0, category="Race/Ethnicity")
    (record,) = records_in("disparity_scan", cube_of([*rows, middle]), {})
    assert (record["value"], record["reliability"], record["strata_count"]) == (30.0, "ok", 3)


def test_each_question_is_scanned_in_its_newest_year_or_all_in_the_one_that_is_asked_for() -> None:
    rows = pair(30, 40) + pair(30, 50, year=2021) + pair(20, 25, question=STRENGTH)
    found = records_in("disparity_scan", cube_of(rows), {})
    assert sorted((record["question"], record["year"]) for record in found) == [(OBESITY, 2021), (STRENGTH, 2020)]
    found = records_in("disparity_scan", cube_of(rows), {"year": 2020})
    assert {record["year"] for record in found} == {2020}
    answer = ask("disparity_scan", cube_of(rows), {"year": 2021})
    assert isinstance(answer["cautions"], list)
    assert "without a row there, so not scanned: 1 questions (Perc)" in answer["cautions"]


def test_only_what_is_named_is_scanned_and_so_only_that_is_adjusted_for() -> None:
    rows = pair(30, 33.2) + pair(30, 30.5, place="Utah")
    rows += [estimate(name, 30.0, category="Education") for name in ("High school graduate", "College graduate")]
    asked: dict[str, object] = {"categories": ["sex"], "locations": ["OH"], "questions": ["perc", OBESITY]}
    (record,) = records_in("disparity_scan", cube_of(rows), asked)
    assert record["p_adjusted"] == record["p_value"]
    first, *_ = records_in("disparity_scan", cube_of(rows), {})
    assert (first["p_value"], first["tested_count"]) == (record["p_value"], 3)
    assert first["p_adjusted"] == pytest.approx(3 * float(str(first["p_value"])))


def test_what_cannot_be_tested_is_counted() -> None:
    rows = pair(30, 40) + pair(30, 40, 0.0, place="Utah") + pair(30, 40, place="Iowa")[:1]
    rows.append(estimate("Male", None, place="Iowa"))
    answer = ask("disparity_scan", cube_of(rows), {})
    assert isinstance(answer["cautions"], list)
    assert answer["cautions"][:-1] == [
        "1 gaps tested, 1 found, 1 given, 0 not given",
        "not tested, because fewer than two strata have a value: 1 gaps",
        "not tested, because a stratum's standard error is unknown or 0: 1 gaps",
    ]


def test_nothing_is_left_out_silently() -> None:
    places = ("Ohio", "Utah", "Iowa", "Maine", "Texas")
    rows = [row for place, gap in zip(places, (9, 8, 7, 0, 0), strict=True) for row in pair(30, 30 + gap, place=place)]
    answer = ask("disparity_scan", cube_of(rows), {"k": 2, "explain": True})
    assert isinstance(answer["records"], list)
    assert isinstance(answer["cautions"], list)
    assert isinstance(answer["explanation"], dict)
    assert [record["location"] for record in answer["records"]] == ["Ohio", "Utah"]
    assert answer["cautions"][0] == "5 gaps tested, 3 found, 2 given, 3 not given"
    z_of_98 = 2.326348  # two of five at 95 % are 98 %
    for record, gap in zip(answer["records"], (9, 8), strict=True):
        found = [record["selected_low"], record["selected_high"]]
        assert found == pytest.approx([gap - z_of_98 * math.sqrt(2), gap + z_of_98 * math.sqrt(2)], abs=0.01)
    assert answer["explanation"]["sums"] == [
        {"question": OBESITY, "category": "Sex", "gaps": 5, "tested_count": 5, "found_count": 3}
    ]
    assert [row["value"] for row in answer["explanation"]["rows"]] == [30.0, 39.0, 30.0, 38.0]


def test_where_nothing_can_be_tested_there_is_no_answer() -> None:
    with pytest.raises(InvalidParameterError, match="none of them has two strata to compare"):
        ask("disparity_scan", cube_of([estimate("Female", 30.0)]), {})
    with pytest.raises(StatisticError, match="no location has two strata"):
        ask("disparity_scan", cube_of(pair(30, 40)), {"include": ["nation"]})


def test_questions_of_different_units_are_not_ranked_together() -> None:
    cube = cube_of(pair(30, 40) + pair(20, 25, question=STRENGTH))
    minutes = tuple(replace(own, unit="minutes") if own.text == STRENGTH else own for own in cube.questions)
    mixed = with_questions(cube, minutes)
    with pytest.raises(InvalidParameterError, match="gaps in minutes and percent can't be ranked together") as refused:
        ask("disparity_scan", mixed, {})
    assert refused.value.field == "questions"
    assert ask("disparity_scan", mixed, {"questions": [STRENGTH]})["unit"] == "minutes"


def with_questions(cube: SurveyCube, questions: tuple[Question, ...]) -> SurveyCube:
    return SurveyCube(cube.version, questions, cube.locations, cube.segments, cube.cells)


def test_unadjusted_findings_are_said_to_be_so() -> None:
    answer = ask("disparity_scan", cube_of(pair(30, 40) + pair(30, 41, place="Utah")), {"adjust": "none"})
    assert isinstance(answer["cautions"], list)
    assert answer["cautions"][-1] == "2 tests find about 0 gaps by chance alone; that isn't corrected"


def test_a_scan_stops_at_a_checkpoint_that_raises() -> None:
    cube = cube_of(pair(30, 40))

    def stop() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        request_for("disparity_scan", cube, {}).compute(StatisticData(cube, None, stop))


# ---- how often what is found is false --------------------------------------------------------------------------------


def all_gaps() -> Gaps:
    """Return the gaps of 2023 in the bundled table."""
    cube, parts = bundled_cube(), []
    by_category: dict[str, list[int]] = {}
    for index, segment in enumerate(cube.segments):
        if not segment.is_overall:
            by_category.setdefault(segment.category, []).append(index)
    states = tuple(index for index, place in enumerate(cube.locations) if place.kind == "state")
    for question in cube.questions:
        categories = [comparable_segments(cube, question.text, own) for own in by_category.values()]
        strata = tuple(index for own in categories for index in own)
        try:
            groups = group(cells_selected(cube, question.text, (2023,), states, strata), [LOCATION, STRATUM])
        except StatisticError:
            continue
        parts.append(gaps_of(pool(groups, scale="auto"), categories, 8))
    return Gaps.joined(parts)


def widest(value: FloatArray) -> FloatArray:
    return np.asarray(np.nanmax(value, axis=1) - np.nanmin(value, axis=1))


SCENES = {"no gap is true": 1, "one in ten is, as estimated": 10}


@pytest.mark.slow
@pytest.mark.parametrize("scene", SCENES)
def test_of_what_is_found_and_of_what_is_picked_as_much_is_false_as_the_page_says(scene: str) -> None:
    """The gaps of 2023 are drawn 1,000 times: the share of findings that are false, and of limits that miss."""
    gaps = all_gaps()
    gaps = gaps.taken(np.flatnonzero(gaps.is_tested()))
    is_null = np.arange(len(gaps)) % SCENES[scene] > 0 if SCENES[scene] > 1 else np.ones(len(gaps), dtype=np.bool_)
    truth = np.where(is_null[:, None], np.where(np.isnan(gaps.value), np.nan, 30.0), gaps.value)
    drawn, false_found, plain_misses, picked_misses = np.random.default_rng(20260101), [], [], []
    for _ in range(1000):
        seen = replace(gaps, value=truth + drawn.standard_normal(truth.shape) * gaps.standard_error)
        found = gap_tests(seen, 0.95)
        is_found = adjusted(found.p_value, "bh") <= 0.05
        false_found.append((is_found & is_null).sum() / max(1, is_found.sum()))
        picked = np.argsort(-found.low, kind="stable")[:20]
        selected = gap_tests(seen.taken(picked), 1 - 20 * 0.05 / len(gaps))
        true = widest(truth[picked])
        plain_misses.append(((true < found.low[picked]) | (true > found.high[picked])).mean())
        picked_misses.append(((true < selected.low) | (true > selected.high)).mean())
    shares = [float(np.mean(own)) for own in (false_found, plain_misses, picked_misses)]
    assert max(shares[0], shares[2]) <= 0.05 + 0.021  # three standard errors of 1,000 draws
    row = f"| {scene} | {' | '.join(f'{100 * share:.1f}' for share in shares)} |"
    assert row in (PROJECT / "docs" / "methods" / "disparity_scan.md").read_text(encoding="utf-8"), row
