"""What a request can say about pooling: weights, population table, scale, level, explanation.

How estimates are pooled is in ``pooling.py``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypedDict

from meantime.errors import InvalidParameterError
from meantime.statistics.estimation.uncertainty import Scale
from meantime.statistics.parameters import Parameter, ParameterKind
from meantime.survey.cube.survey_cube import SurveyCube


class Weights(StrEnum):
    """How much each estimate counts in a pooled mean."""

    NONE = "none"
    SAMPLE_SIZE = "sample_size"
    INVERSE_VARIANCE = "inverse_variance"
    POPULATION = "population"


class PopulationRow(TypedDict):
    """How many people live in a location in a year."""

    location: str
    year: int
    population: float


WEIGHTS = Parameter(
    name="weights",
    kind=ParameterKind.CHOICE,
    summary="How much each estimate counts where several are pooled.",
    choices=("none", "sample_size", "inverse_variance"),
    default="none",
    example="sample_size",
)
WEIGHTS_WITH_POPULATION = Parameter(
    name="weights",
    kind=ParameterKind.CHOICE,
    summary="How much each estimate counts where several are pooled; population needs the table `population`.",
    choices=tuple(Weights),
    default="none",
    example="sample_size",
)
POPULATION = Parameter(
    name="population",
    kind=ParameterKind.POPULATION,
    summary="How many people live where: rows of location, year and population. Only with the weights `population`.",
    default_summary="no table",
    example=[{"location": "Ohio", "year": 2023, "population": 11785935}],
    maximum_items=2000,
)
SCALE = Parameter(
    name="scale",
    kind=ParameterKind.CHOICE,
    summary="The scale on which standard errors are read off the limits and intervals are symmetric;"
    " logit is better near 0 and 100.",
    choices=tuple(Scale),
    default="linear",
    example="linear",
)
LEVEL = Parameter(
    name="level",
    kind=ParameterKind.NUMBER,
    summary="The probability that an interval covers the truth.",
    default=0.95,
    minimum=0.5,
    maximum=0.9999,
    example=0.95,
)
EXPLAIN = Parameter(
    name="explain",
    kind=ParameterKind.BOOLEAN,
    summary="Whether to add the rows used, the intermediate sums and the pitfalls.",
    default=False,
    example=False,
)


def settle_scale(cube: SurveyCube, arguments: dict[str, object]) -> None:
    """Check that the logit scale is asked for percentages only.

    Raises
    ------
    InvalidParameterError
        The question's unit isn't percent.
    """
    unit = cube.questions[cube.question_index[str(arguments["question"])]].unit
    if arguments["scale"] == Scale.LOGIT and unit != "percent":
        raise InvalidParameterError(
            f"scale: the logit scale is for percentages, and the question's unit is {unit!r}; use linear",
            field="scale",
            accepted=(Scale.LINEAR.value,),
        )


def settle_population(arguments: dict[str, object], *, segment_count: int, strata_apart: bool) -> None:
    """Check that population weights and the population table come together, for one stratum at a time.

    Raises
    ------
    InvalidParameterError
        One comes without the other, or several strata would be pooled: the table counts everybody.
    """
    wanted = arguments["weights"] == Weights.POPULATION
    if wanted and arguments["population"] is None:
        raise InvalidParameterError(
            "population: the weights `population` need a table of location, year and population", field="population"
        )
    if not wanted and arguments["population"] is not None:
        raise InvalidParameterError(
            f"population: a table is given but the weights are {arguments['weights']!r}; ask for weights `population`",
            field="population",
        )
    if wanted and segment_count > 1 and not strata_apart:
        raise InvalidParameterError(
            "weights: the population table counts everybody, so it can't weigh several strata against each other;"
            " keep them apart with by `stratum`, or take one stratum",
            field="weights",
        )
