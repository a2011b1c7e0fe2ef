"""Standard errors, intervals, tests and flags, against numbers worked out by hand or printed in tables."""

from __future__ import annotations

import math

import numpy as np
import pytest

from meantime.statistics.estimation.uncertainty import (
    interval,
    is_reliable,
    normal_quantile,
    two_sided_p,
)
from meantime.survey.cube.limits import Scale, logit
from meantime.survey.cube.survey_cube import FloatArray


def array(*values: float) -> FloatArray:
    return np.array(values, dtype=np.float64)


@pytest.mark.parametrize(("level", "z"), [(0.5, 0.674490), (0.9, 1.644854), (0.95, 1.959964), (0.99, 2.575829)])
def test_normal_quantiles_are_those_of_the_printed_tables(level: float, z: float) -> None:
    assert normal_quantile(level) == pytest.approx(z, abs=5e-7)


@pytest.mark.parametrize(("z", "p"), [(0.0, 1.0), (1.0, 0.317311), (1.959964, 0.05), (2.575829, 0.01), (3.0, 0.0027)])
def test_p_values_are_those_of_the_printed_tables(z: float, p: float) -> None:
    assert two_sided_p(array(2 * z, -2 * z), array(2.0, 2.0)).tolist() == pytest.approx([p, p], abs=5e-6)


def test_a_p_value_without_error_is_certain_and_without_numbers_unknown() -> None:
    found = two_sided_p(array(1.0, 0.0, math.nan, 1.0), array(0.0, 0.0, 1.0, math.nan)).tolist()
    assert found[:2] == [0.0, 1.0]
    assert all(math.isnan(value) for value in found[2:])


def test_a_linear_interval_is_symmetric() -> None:
    low, high = interval(array(30.0), array(2.0), level=0.95, scale=Scale.LINEAR)
    assert (low[0], high[0]) == pytest.approx((30 - 2 * 1.959964, 30 + 2 * 1.959964))


def test_a_logit_interval_is_symmetric_in_logits_and_stays_between_0_and_100() -> None:
    low, high = interval(array(2.0, 98.0), array(1.9, 1.9), level=0.99, scale=Scale.LOGIT)
    assert logit(array(2.0))[0] - logit(low)[0] == pytest.approx(logit(high)[0] - logit(array(2.0))[0])
    assert 0 < low[0] < 2 < high[0] < 100
    assert (low[1], high[1]) == pytest.approx((100 - high[0], 100 - low[0]))


def test_a_logit_interval_of_0_or_100_percent_falls_back_to_the_linear_one() -> None:
    logits = interval(array(0.0, 100.0), array(1.0, 0.0), level=0.95, scale=Scale.LOGIT)
    linear = interval(array(0.0, 100.0), array(1.0, 0.0), level=0.95, scale=Scale.LINEAR)
    assert [limit.tolist() for limit in logits] == [limit.tolist() for limit in linear]


@pytest.mark.parametrize(
    ("value", "error", "size", "is_ok"),
    [
        (30.0, 2.0, 50.0, True),
        (30.0, 2.0, 49.0, False),
        (10.0, 3.0, 500.0, False),
        (10.0, 2.9999, 500.0, True),
        (0.0, 0.0, 500.0, False),
        (30.0, math.nan, 500.0, False),
        (30.0, 2.0, math.nan, False),
        (30.0, 0.0, 500.0, False),
        (math.nan, math.nan, 500.0, False),
    ],
)
def test_reliability_follows_the_rule_of_the_cdc(value: float, error: float, size: float, is_ok: bool) -> None:
    assert is_reliable(array(value), array(error), array(size)).tolist() == [is_ok]
