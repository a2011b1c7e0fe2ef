"""Heterogeneity agrees with the naive reference on any table, and chance alone gives none."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests import reference_heterogeneity as reference
from tests.asking import agree, query_of, records_of_rows
from tests.property.test_statistics_comparisons import LEVELS, SCALES, STATES
from tests.reference import Row
from tests.reference_estimates import Options
from tests.tables import LOCATIONS, OBESITY, everything, tables

BETWEEN = st.sampled_from(("paule_mandel", "dersimonian_laird"))


@given(tables(), BETWEEN, SCALES, LEVELS)
def test_heterogeneity_agrees_with_the_reference(rows: list[Row], between: str, scale: str, level: float) -> None:
    asked = everything(rows) | {"between": between, "scale": scale, "level": level}
    found = records_of_rows("heterogeneity", rows, asked)
    for record in found:
        p, q = record.pop("p_value"), record["q"]
        assert (p is None) == (q is None)
        if isinstance(p, float) and isinstance(q, float) and record["location_count"] == 2:
            assert p == pytest.approx(math.erfc(math.sqrt(q / 2)))  # one degree of freedom
    agree(found, reference.heterogeneity(rows, query_of(rows, OBESITY), between, Options(scale=scale, level=level)))


@given(tables(), st.permutations(STATES), BETWEEN)
def test_names_decide_nothing_in_heterogeneity(rows: list[Row], names: list[str], between: str) -> None:
    renamed = dict(zip(LOCATIONS, LOCATIONS, strict=True)) | dict(zip(STATES, names, strict=True))
    assume(len({row.location for row in rows}) >= 2)
    turned = [row._replace(location=renamed[row.location]) for row in rows]
    before, after = (
        records_of_rows("heterogeneity", table, everything(table) | {"between": between}) for table in (rows, turned)
    )
    agree(after, before)
