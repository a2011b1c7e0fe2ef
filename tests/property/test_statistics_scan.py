"""A scan of gaps agrees with the naive reference on any table, and doesn't depend on names or on how many are given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meantime.errors import InvalidParameterError
from meantime.statistics.result import Record
from tests.asking import records_of_rows
from tests.reference import Row
from tests.reference_estimates import Options
from tests.reference_scans import Gap, Key, scan
from tests.tables import OBESITY, STRENGTH, tables

LEVELS = st.sampled_from((0.95, 0.9, 0.5, 0.999))
SCALES = st.sampled_from(("linear", "logit"))
ADJUST = st.sampled_from(("bh", "holm", "none"))
TABLES = tables(questions=(STRENGTH, OBESITY))
NEAR = 1e-3
"""Limits are compared in percentage points, p-values to so large a share: the grid gives four digits."""


def asked(rows: list[Row], **more: object) -> list[Record]:
    everywhere = {"year": max(row.year for row in rows), "locations": sorted({row.location for row in rows})}
    try:
        return records_of_rows("disparity_scan", rows, everywhere | more)
    except InvalidParameterError as error:
        if "none of them has two strata" not in str(error):
            raise
        return []


def key_of(record: Record) -> Key:
    return str(record["question"]), str(record["location"]), str(record["category"])


@given(TABLES, st.integers(1, 30), ADJUST, SCALES, LEVELS)
def test_a_scan_agrees_with_the_reference(rows: list[Row], k: int, adjust: str, scale: str, level: float) -> None:
    expected = scan(rows, max(row.year for row in rows), Options(scale=scale, level=level), adjust)
    found = asked(rows, k=k, adjust=adjust, scale=scale, level=level)
    assert len(found) == min(k, len(expected))
    for record in found:
        gap = expected[key_of(record)]
        assert record["value"] == pytest.approx(gap.value, abs=1e-9)
        assert (record["highest_stratum"], record["lowest_stratum"]) == (gap.highest, gap.lowest)
        assert [record["low"], record["high"]] == pytest.approx([gap.low, gap.high], rel=NEAR, abs=NEAR)
        assert [record["p_value"], record["p_adjusted"]] == pytest.approx([gap.p_value, gap.p_adjusted], rel=NEAR)
        assert record["reliability"] == ("caution" if gap.is_doubtful else "ok")
        assert record["tested_count"] == len(expected)
        low, high, wider = record["low"], record["high"], (record["selected_low"], record["selected_high"])
        assert wider[0] <= low <= high <= wider[1]  # type: ignore[operator]  # numbers
    in_order([expected[key_of(record)] for record in found], list(expected.values()))


def in_order(given_gaps: list[Gap], all_gaps: list[Gap]) -> None:
    """Fail if a gap that isn't given, or comes later, should stand before one that is."""
    for place, gap in enumerate(given_gaps):
        rest = list(all_gaps)
        for earlier in given_gaps[: place + 1]:
            rest.remove(earlier)
        for other in rest:
            assert gap.is_doubtful <= other.is_doubtful
            if gap.is_doubtful == other.is_doubtful:
                assert gap.low >= other.low - NEAR * (1 + gap.high)
                if gap.low == other.low == 0:
                    assert gap.value >= other.value - 1e-9


@given(TABLES, st.integers(1, 10))
def test_the_first_gaps_are_the_same_however_many_are_given(rows: list[Row], k: int) -> None:
    selected = {"selected_low", "selected_high"}
    few, many = (
        [{name: value for name, value in record.items() if name not in selected} for record in asked(rows, k=count)]
        for count in (k, 50)
    )
    assert few == many[:k]


@given(TABLES)
def test_a_gap_has_the_figures_that_disparity_gives_it(rows: list[Row]) -> None:
    year = max(row.year for row in rows)
    for record in asked(rows, k=5):
        alone = {"question": record["question"], "years": [year], "categories": [record["category"]]}
        (own,) = records_of_rows("disparity", rows, alone | {"locations": [record["location"]]})
        shared = record.keys() & own.keys() - {"reliability", "question"}
        assert {name: record[name] for name in shared} == {name: own[name] for name in shared}


@given(TABLES)
def test_adjusting_never_lowers_a_p_and_more_places_find_no_more_in_one_of_them(rows: list[Row]) -> None:
    for record in asked(rows, k=50):
        assert record["p_value"] <= record["p_adjusted"]  # type: ignore[operator]  # numbers
        assert record["found_count"] <= record["tested_count"]  # type: ignore[operator]  # numbers
