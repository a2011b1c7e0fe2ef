"""What a request can say about pooling: weights, population table, scale, level, explanation.

Fields that several statistics have, and the checks that go with them. How estimates are pooled is in ``pooling.py``.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Annotated

from meantime.errors import InvalidParameterError
from meantime.fields.fields import Default, Example
from meantime.fields.kinds import Boolean, Choice, Number
from meantime.statistics.kinds import PopulationRow, PopulationRowKind, PopulationTable
from meantime.survey.cube.limits import Scale, limit_symmetry
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.questions import PERCENT, SCALES, Question


class Panel(StrEnum):
    """What stands for the nation where years are compared."""

    PUBLISHED = "published"
    FIXED = "fixed"


class Weights(StrEnum):
    """How much each estimate counts in a pooled mean."""

    NONE = "none"
    SAMPLE_SIZE = "sample_size"
    INVERSE_VARIANCE = "inverse_variance"
    POPULATION = "population"


WeightsOption = Annotated[
    str,
    Choice((Weights.NONE, Weights.SAMPLE_SIZE, Weights.INVERSE_VARIANCE), any_case=True),
    "How much each estimate counts where several are pooled.",
    Example("sample_size"),
]
AnyWeightsOption = Annotated[
    str,
    Choice(tuple(Weights), any_case=True),
    "How much each estimate counts where several are pooled; population goes by the table `population`.",
    Example("sample_size"),
]
PopulationOption = Annotated[
    tuple[PopulationRow, ...] | None,
    PopulationTable(PopulationRowKind(), maximum=2000),
    "How many people live where: rows of location, year and population. Only with the weights `population`.",
    Default("the adults of US states, of the years that are known, where the question is about adults"),
    Example([{"location": "Ohio", "year": 2023, "population": 11785935}]),
]
AUTO = "auto"

ScaleOption = Annotated[
    str,
    Choice((AUTO, *Scale), any_case=True),
    "The scale on which standard errors are read off the limits and intervals are symmetric;"
    " `auto` is the one on which the table's own limits are.",
    Example("linear"),
]
LevelOption = Annotated[float, Number(0.5, 0.9999), "The probability that an interval covers the truth.", Example(0.95)]
MarginOption = Annotated[
    float | None,
    Number(0.0, 1e9),
    "The difference, in the question's unit, below which two values count as similar; `similar` is then tested for.",
    Default("none: no verdict is `similar`"),
    Example(2.0),
]
PanelOption = Annotated[
    str,
    Choice(tuple(Panel), any_case=True),
    "What stands for the nation: its published values, or the states with a value in all the years, pooled by sample"
    " size.",
    Example("fixed"),
]
ExplainOption = Annotated[
    bool, Boolean(), "Whether to add the rows used, the intermediate sums and the pitfalls.", Example(False)
]


def resolved_scale(cube: SurveyCube, question: Question, scale: str) -> tuple[Scale, str]:
    """Return the scale that is meant, and where `auto` chose it, why, in words."""
    if scale != AUTO:
        return Scale(scale), ""
    if question.unit != PERCENT:
        return Scale.LINEAR, f"linear because the unit is {question.unit!r}, not percent"
    found = limit_symmetry(cube)
    if not found.limit_count:
        return Scale.LINEAR, "linear because no cell of the table has limits of its own"
    return found.scale, f"{found.scale} by the table's limits: {found.in_words}"


def check_scale(cube: SurveyCube, question: str, scale: str) -> None:
    """Check that the logit scale is asked for percentages only.

    Raises
    ------
    InvalidParameterError
        The question's unit isn't percent.
    """
    unit = cube.questions[cube.question_index[question]].unit
    if scale == Scale.LOGIT and unit != PERCENT:
        raise InvalidParameterError(
            f"scale: the logit scale is for percentages, and the question's unit is {unit!r}; use linear",
            field="scale",
            accepted=(AUTO, Scale.LINEAR.value),
        )


def check_margin(cube: SurveyCube, question: str, margin: float | None) -> None:
    """Check that a margin is a difference that values of the question can have.

    Raises
    ------
    InvalidParameterError
        It is 0, or wider than the scale of the question's unit.
    """
    unit = cube.questions[cube.question_index[question]].unit
    widest = SCALES.get(unit, math.inf)
    if margin is not None and not 0.0 < margin < widest:
        raise InvalidParameterError(
            f"margin: {margin:g} is no difference that could be small; give one above 0"
            + (f" and below {widest:g} ({unit})" if unit in SCALES else ""),
            field="margin",
        )
