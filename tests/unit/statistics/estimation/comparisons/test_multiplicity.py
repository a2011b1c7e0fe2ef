"""Adjusted p-values: the published example, the definition, and what is no test."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meantime.statistics.estimation.comparisons.multiplicity import adjusted
from tests import reference_comparisons as reference

BENJAMINI_HOCHBERG_1995 = (
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
)  # fmt: skip


@pytest.mark.parametrize(("adjust", "count"), [("none", 9), ("bh", 4), ("holm", 3)])
def test_the_example_of_benjamini_and_hochberg_finds_what_they_print(adjust: str, count: int) -> None:
    """Section 4.1: four hypotheses are rejected at 0.05, and three by Bonferroni's level, as by Holm's."""
    found = adjusted(np.array(BENJAMINI_HOCHBERG_1995), adjust)
    assert (found <= 0.05).tolist() == [place < count for place in range(15)]


@given(st.lists(st.one_of(st.just(math.nan), st.floats(0, 1), st.sampled_from((0.01, 0.05))), max_size=60))
def test_adjusted_p_values_are_those_of_the_definition(p_values: list[float]) -> None:
    for adjust in ("none", "bh", "holm"):
        found = adjusted(np.array(p_values, dtype=np.float64), adjust).tolist()
        expected = reference.adjusted([None if math.isnan(p) else p for p in p_values], adjust)
        assert found == pytest.approx([math.nan if p is None else p for p in expected], abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("adjust", ["bh", "holm"])
def test_one_test_is_not_adjusted_and_what_is_unknown_is_no_test(adjust: str) -> None:
    assert adjusted(np.array([math.nan, 0.04, math.nan]), adjust).tolist() == pytest.approx(
        [math.nan, 0.04, math.nan], nan_ok=True
    )
    assert np.isnan(adjusted(np.array([math.nan]), adjust)).all()
    assert not len(adjusted(np.array([]), adjust))
