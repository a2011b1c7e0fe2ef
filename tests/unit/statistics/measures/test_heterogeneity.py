"""Heterogeneity: a printed example, and what has none."""

from __future__ import annotations

import numpy as np
import pytest

from meantime.errors import StatisticError
from meantime.statistics.estimation.heterogeneity import Families, spread_of
from tests.asking import ask, records_in
from tests.bundled import bundled_cube
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY

TRIALS = (
    (4, 119, 11, 128),
    (6, 300, 29, 274),
    (3, 228, 11, 209),
    (62, 13536, 248, 12619),
    (33, 5036, 47, 5761),
    (180, 1361, 372, 1079),
    (8, 2537, 10, 619),
    (505, 87886, 499, 87892),
    (29, 7470, 45, 7232),
    (17, 1699, 65, 1600),
    (186, 50448, 141, 27197),
    (5, 2493, 3, 2338),
    (27, 16886, 29, 17825),
)
"""Tuberculosis with and without BCG vaccine: ill and not, vaccinated and not (Colditz et al., JAMA 271, 1994)."""


def test_the_trials_of_a_vaccine_differ_as_was_printed() -> None:
    """By method "DL" of the R package metafor (W. Viechtbauer, Journal of Statistical Software 36(3), 2010)."""
    a, b, c, d = np.array(TRIALS, dtype=np.float64).T
    value = np.log(a / (a + b)) - np.log(c / (c + d))
    error = np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))
    families = Families(value, error, np.zeros(len(value), dtype=np.intp), 1)
    found = spread_of(families)
    assert (round(float(found.q[0]), 3), int(found.degrees_of_freedom[0])) == (152.233, 12)
    assert round(float(found.i_squared_percent[0]), 2) == 92.12
    assert round(float(found.variance_by_moments[0]), 4) == 0.3088
    mean, standard_error = families.mean(found.variance_by_moments)
    assert (round(float(mean[0]), 4), round(float(standard_error[0]), 4)) == (-0.7141, 0.1787)
    fixed, fixed_error = families.mean(np.zeros(1))
    assert (round(float(fixed[0]), 4), round(float(fixed_error[0]), 4)) == (-0.4303, 0.0405)


def row(location: str, value: float | None, half: float = 1.0) -> Row:
    low, high = (None, None) if value is None else (value - half, value + half)
    return Row(OBESITY, "Q036", location, location[:2], 2020, "Total", "Total", value, low, high, 400.0)


def test_locations_that_are_alike_have_none_and_both_means_are_one() -> None:
    (record,) = records_in("heterogeneity", cube_of([row("Ohio", 30.0), row("Utah", 30.0)]), {"question": OBESITY})
    assert [record[name] for name in ("q", "i_squared_percent", "variance_paule_mandel")] == [0.0, 0.0, 0.0]
    assert record["value"] == record["fixed_value"] == 30.0
    assert record["p_value"] == 1.0


def test_a_location_without_an_error_does_not_count() -> None:
    rows = [row("Ohio", 30.0), row("Utah", 34.0), row("Iowa", 90.0, 0.0), row("Maine", None)]
    (record,) = records_in("heterogeneity", cube_of(rows), {"question": OBESITY})
    fields = ("location_count", "cells_used", "value", "reliability")
    assert [record[name] for name in fields] == [2, 2, 32.0, "ok"]


def test_fewer_than_two_locations_fail() -> None:
    with pytest.raises(StatisticError, match="no two locations have a value with a standard error above 0"):
        ask("heterogeneity", cube_of([row("Ohio", 30.0), row("Maine", None)]), {"question": OBESITY})


def test_the_nation_among_its_states_is_called_dependent() -> None:
    asked = {"question": "Q036", "locations": ["National", "Ohio"]}
    cautions = ask("heterogeneity", bundled_cube(), asked)["cautions"]
    assert isinstance(cautions, list)
    assert any(caution.startswith("the nation is counted among locations") for caution in cautions)
