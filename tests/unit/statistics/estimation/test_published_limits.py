"""What published limits say: at every level, over every cell of both of CDC's tables, and where a limit is cut off."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from meantime.statistics.estimation.published_limits import PublishedLimits
from meantime.statistics.estimation.uncertainty import interval
from meantime.survey.cube.limits import Scale, limit_symmetry, logit
from meantime.survey.cube.survey_cube import FloatArray
from tests.asking import agree, ask, records_in
from tests.bundled import bundled_cube, bundled_rows
from tests.conftest import PROJECT
from tests.cubes import cube_of
from tests.reference import Row, read_rows
from tests.reference_estimates import Options, Query, mean
from tests.tables import OBESITY

WIC = PROJECT.parent / "shared" / "data" / "npao-wic-2008-2014.zip"
LEVELS = (0.5, 0.8, 0.9, 0.949, 0.95, 0.951, 0.99, 0.999)


def array(*values: float) -> FloatArray:
    return np.array(values, dtype=np.float64)


def limits_of(value: float, low: float, high: float) -> PublishedLimits:
    return PublishedLimits(array(value), array(low), array(high), 100.0)


def row_of(value: float, low: float, high: float, place: str = "Ohio", size: float = 900.0) -> Row:
    return Row(OBESITY, "Q036", place, "XX", 2023, "Total", "Total", value, low, high, size)


def cdc_limits(rows: list[Row]) -> PublishedLimits:
    found = [
        (row.value, row.low, row.high)
        for row in rows
        if row.value is not None and row.low is not None and row.high is not None
    ]
    value, low, high = (array(*column) for column in zip(*found, strict=True))
    return PublishedLimits(value, low, high, 100.0)


@pytest.fixture(scope="module", params=["BRFSS", "WIC"])
def published(request: pytest.FixtureRequest) -> PublishedLimits:
    if request.param == "BRFSS":
        return cdc_limits(bundled_rows())
    if not WIC.is_file():
        pytest.skip(f"needs CDC's WIC table at {WIC.name}")
    return cdc_limits(read_rows(WIC))


@pytest.mark.parametrize("scale", list(Scale))
def test_over_all_cells_a_levels_interval_lies_in_those_of_higher_levels(
    published: PublishedLimits, scale: Scale
) -> None:
    found = [published.at_level(level, scale) for level in LEVELS]
    for (low, high), (lower, higher) in pairwise(found):
        assert (lower <= low).all()
        assert (high <= higher).all()


@pytest.mark.parametrize("scale", list(Scale))
@pytest.mark.parametrize("level", LEVELS)
def test_over_all_cells_an_interval_contains_its_estimate_and_stays_within_0_and_100(
    published: PublishedLimits, scale: Scale, level: float
) -> None:
    low, high = published.at_level(level, scale)
    assert ((low <= published.value) & (published.value <= high)).all()
    assert ((low >= 0) & (high <= 100)).all()


@pytest.mark.parametrize("scale", list(Scale))
def test_at_095_the_published_limits_come_back_as_they_are(published: PublishedLimits, scale: Scale) -> None:
    low, high = published.at_level(0.95, scale)
    assert low.tolist() == published.low.tolist()
    assert high.tolist() == published.high.tolist()


def test_the_brfss_table_is_symmetric_in_logits_and_the_wic_table_in_percentage_points() -> None:
    found = limit_symmetry(bundled_cube())
    assert (found.scale, found.limit_count, found.logit_count) == (Scale.LOGIT, 93_505, 93_501)
    assert found.limit_count - found.linear_count == 44_292
    if WIC.is_file():
        found = limit_symmetry(cube_of(read_rows(Path(WIC))))
        assert (found.scale, found.limit_count, found.linear_count) == (Scale.LINEAR, 7_153, 7_138)
        assert found.logit_count == 5_546


def test_one_cell_at_90_percent_lies_within_its_published_95_percent() -> None:
    asked = {"question": "Q036", "level": 0.9}
    cube = cube_of([row_of(17.1, 3.4, 55.0), row_of(30.0, 25.3, 35.1, "Utah")])
    linear = records_in("mean", cube, asked | {"locations": ["Ohio"], "scale": "linear"})[0]
    logits = records_in("mean", cube, asked | {"locations": ["Ohio"]})[0]
    assert [linear["low"], linear["high"]] == pytest.approx([5.60, 48.91], abs=0.01)
    assert [logits["low"], logits["high"]] == pytest.approx([4.47, 47.87], abs=0.01)


def test_the_scale_that_was_chosen_is_in_the_method() -> None:
    answer = ask("mean", bundled_cube(), {"question": "Q036", "years": [2023], "locations": ["Ohio"]})
    assert str(answer["method"]).endswith(
        "; logit by the table's limits: of 93,505 intervals 93,501 are symmetric on the logit scale,"
        " 49,213 on the linear one"
    )


def test_the_scale_is_linear_where_that_is_the_tables_symmetry() -> None:
    cube = cube_of([row_of(5.0, 1.0, 9.0), row_of(10.0, 4.0, 16.0, "Utah")])
    asked = {"question": "Q036", "locations": ["Ohio"], "level": 0.9}
    answer = ask("mean", cube, asked)
    assert answer["records"] == ask("mean", cube, asked | {"scale": "linear"})["records"]
    assert "linear by the table's limits: of 2 intervals 0 are symmetric on the logit scale" in str(answer["method"])


def test_a_table_without_limits_is_read_on_the_linear_scale_and_says_so() -> None:
    cube = cube_of([Row(OBESITY, "Q036", "Ohio", "OH", 2023, "Total", "Total", 5.0, None, None, 900.0)])
    method = str(ask("mean", cube, {"question": "Q036"})["method"])
    assert "linear because no cell of the table has limits of its own" in method


@pytest.mark.parametrize("scale", list(Scale))
def test_a_standard_error_gives_back_limits_that_are_symmetric_on_its_scale(scale: Scale) -> None:
    value = array(5.0)
    low, high = interval(value, array(1.2), level=0.95, scale=scale)
    assert PublishedLimits(value, low, high, 100.0).standard_errors(scale)[0] == pytest.approx(1.2)


def test_a_limit_at_0_is_no_news_so_the_other_side_is_read() -> None:
    cut = limits_of(0.4, 0.0, 1.2)
    assert cut.is_low_cut_off.tolist() == [True]
    assert cut.standard_errors(Scale.LINEAR)[0] == pytest.approx(0.8 / 1.959964)
    spread = (logit(array(1.2)) - logit(array(0.4)))[0]
    assert cut.standard_errors(Scale.LOGIT)[0] == pytest.approx(0.4 * 99.6 / 100 * spread / 1.959964)


def test_a_limit_at_100_is_no_news_either() -> None:
    below, above = limits_of(0.4, 0.0, 1.2), limits_of(99.6, 98.8, 100.0)
    for scale in Scale:
        assert above.standard_errors(scale)[0] == pytest.approx(below.standard_errors(scale)[0])


def test_limits_at_both_ends_are_read_as_they_are() -> None:
    assert limits_of(40.0, 0.0, 100.0).standard_errors(Scale.LOGIT)[0] == pytest.approx(100 / (2 * 1.959964))


def test_an_estimate_of_0_percent_is_read_on_the_linear_scale() -> None:
    assert limits_of(0.0, 0.0, 3.0).standard_errors(Scale.LOGIT)[0] == pytest.approx(3 / 1.959964)
    low, high = limits_of(0.0, 0.0, 3.0).at_level(0.9, Scale.LOGIT)
    assert (low[0], high[0]) == pytest.approx((0.0, 3 * 1.644854 / 1.959964), abs=1e-5)


def test_an_answer_says_how_many_limits_are_cut_off() -> None:
    cube = cube_of([row_of(0.4, 0.0, 1.2), row_of(10.0, 4.0, 16.0, "Utah")])
    cautions = ask("mean", cube, {"question": "Q036", "by": ["location"]})["cautions"]
    assert isinstance(cautions, list)
    assert any("of 1 estimates it is read off the other limit alone" in caution for caution in cautions)


def test_an_unknown_limit_gives_no_standard_error_and_no_limits() -> None:
    unknown = limits_of(40.0, math.nan, 50.0)
    assert math.isnan(unknown.standard_errors(Scale.LOGIT)[0])
    assert math.isnan(unknown.at_level(0.9, Scale.LOGIT)[0][0])


def test_a_pooled_interval_on_the_linear_scale_stays_within_0_and_100() -> None:
    cube = cube_of([row_of(1.0, 0.1, 4.9), row_of(2.0, 0.1, 7.9, "Utah")])
    record = records_in("mean", cube, {"question": "Q036", "scale": "linear", "level": 0.999})[0]
    assert record["low"] == 0.0


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
def test_all_states_agree_with_the_plain_reference_on_the_tables_scale(level: float) -> None:
    names = tuple(sorted({row.location for row in bundled_rows() if row.location not in {"National", "Guam"}}))
    query = Query(OBESITY, (2023,), names, (("Total", "Total"),))
    options = Options(scale="logit", level=level)
    asked = {"question": "Q036", "years": [2023], "locations": list(names), "by": ["location"], "level": level}
    agree(records_in("mean", bundled_cube(), asked), mean(bundled_rows(), query, ["location"], options))
    agree(records_in("mean", bundled_cube(), asked | {"by": []}), mean(bundled_rows(), query, [], options))
