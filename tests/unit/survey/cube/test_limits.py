"""On which scale a table's limits are symmetric: what counts, what is rounded, what has no limits."""

from __future__ import annotations

import math

from meantime.survey.cube.limits import LimitSymmetry, Scale, limit_symmetry
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY

Printed = tuple[float, float | None, float | None]


def found_in(*printed: Printed) -> LimitSymmetry:
    return limit_symmetry(
        cube_of(
            Row(OBESITY, "Q036", f"Place {place}", "", 2023, "Total", "Total", *numbers, 900.0)
            for place, numbers in enumerate(printed)
        )
    )


def in_logits(value: float, distance: float, decimals: int) -> Printed:
    """Return a value with limits at equal distances in logits, rounded."""
    centre = math.log(value / (100 - value))
    low, high = (100 / (1 + math.exp(-centre - side)) for side in (-distance, distance))
    return round(value, decimals), round(low, decimals), round(high, decimals)


def test_limits_that_are_symmetric_in_logits_are_found_so_but_for_their_rounding() -> None:
    for decimals in (1, 3, 9):
        found = found_in(*(in_logits(value, 0.6, decimals) for value in (4.0, 17.1, 80.0)))
        assert found == LimitSymmetry(Scale.LOGIT, 3, 0, 3)


def test_limits_that_are_symmetric_in_points_are_found_so() -> None:
    assert found_in((5.0, 1.0, 9.0), (90.0, 81.0, 99.0)) == LimitSymmetry(Scale.LINEAR, 2, 2, 0)


def test_a_narrow_interval_may_be_both_and_then_the_scale_is_linear() -> None:
    assert found_in((50.0, 49.0, 51.0)) == LimitSymmetry(Scale.LINEAR, 1, 1, 1)


def test_a_limit_that_rounds_to_0_or_100_can_be_symmetric_in_logits() -> None:
    assert found_in((0.2, 0.0, 0.9), (99.8, 99.1, 100.0)).logit_count == 2


def test_estimates_without_limits_or_with_limits_in_the_wrong_order_do_not_count() -> None:
    assert found_in((5.0, None, None), (5.0, 9.0, 1.0)) == LimitSymmetry(Scale.LINEAR, 0, 0, 0)
