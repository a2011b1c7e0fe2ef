"""Comparing two cubes cell by cell."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from meantime.survey.cube.survey_cube import Cells, SurveyCube


def assert_equal_cubes(found: SurveyCube, expected: SurveyCube, *, rtol: float = 1e-9) -> None:
    """Fail unless both have the same dimensions by name and the same cells, sums to within rounding."""
    assert [question.text for question in found.questions] == [question.text for question in expected.questions]
    assert [location.name for location in found.locations] == [location.name for location in expected.locations]
    names = [(segment.category, segment.stratum) for segment in found.segments]
    assert names == [(segment.category, segment.stratum) for segment in expected.segments]
    for column in fields(Cells):
        one, other = getattr(found.cells, column.name), getattr(expected.cells, column.name)
        assert one.dtype == other.dtype, column.name
        np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-9, err_msg=column.name)
