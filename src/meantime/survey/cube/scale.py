"""Whether the values of a question can be what their unit says: percentages, proportions.

A doubt is a sentence for a reader. Nothing is changed: only whoever knows the table can say what its values are.
"""

from __future__ import annotations

import numpy as np

from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.questions import PERCENT, PROPORTION

Extent = tuple[float, float]
"""The lowest and the highest value."""


def extent_of(cube: SurveyCube, question: int) -> Extent | None:
    """Return the lowest and the highest value of a question (an index), anywhere; None where it has none."""
    cells = cube.cells_of(question)
    with_value = cube.cells.value_count[cells] > 0
    if not with_value.any():
        return None
    lows, highs = cube.cells.value_min[cells][with_value], cube.cells.value_max[cells][with_value]
    return float(np.min(lows)), float(np.max(highs))


def scale_doubt(unit: str, extent: Extent | None) -> str:
    """Return what is odd about values of a unit; empty where nothing is.

    >>> scale_doubt("percent", (25.0, 32.5))
    ''
    """
    if extent is None:
        return ""
    lowest, highest = extent
    if unit == PERCENT and lowest >= 0.0 and 0.0 < highest <= 1.0:
        return (
            f"every value is between 0 and 1, and the unit is percent; if they are proportions,"
            f' a mapping file has to say so, as unit = "{PROPORTION}" under [fixed]'
        )
    if unit == PROPORTION and highest > 1.0:
        return f"the unit is proportion, and no proportion is above 1: the highest value is {highest:g}"
    return ""
