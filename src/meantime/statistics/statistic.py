"""What a statistic is (one row of the catalogue), how its parameters are checked and how it is computed.

The rows are in ``catalogue.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from meantime.errors import InvalidParameterError
from meantime.statistics.measures.distribution import EstimateSource
from meantime.statistics.parameters import JsonSchema, Parameter, parameters_schema
from meantime.statistics.refusals import refuse_name
from meantime.statistics.result import Result
from meantime.statistics.validation import check_value
from meantime.survey.cube.survey_cube import SurveyCube

Arguments = dict[str, object]
StatisticFunction = Callable[..., object]
Settle = Callable[[SurveyCube, Arguments], Arguments]


class Surface(StrEnum):
    """Where a statistic is offered: the fixed contract, or the v1 surface."""

    CONTRACT = "contract"
    V1 = "v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """One row of the catalogue.

    Parameters
    ----------
    name
        The name in routes and requests.
    title, summary
        A few words, and one or two sentences, for people.
    surface
        Where it is offered.
    parameters
        What it may be asked for, in the order in which arguments are listed.
    unit
        The unit of its values where the question's own unit is percent.
    method
        The name of the method and its version; a change of numbers is a new version.
    function
        ``function(cube, **arguments)``: pure, and its keyword parameters are ``parameters``.
    example
        Parameters that work on the bundled table.
    documentation
        The page about the method, below ``docs/``.
    settle
        Checks what depends on several parameters and fills defaults that depend on the data; optional.
    uses_estimates
        Whether the function also takes ``estimates``, a source of single estimates, which it needs when the
        cube's cells hold several of them.
    """

    name: str
    title: str
    summary: str
    surface: Surface
    parameters: tuple[Parameter, ...]
    unit: str
    method: str
    function: StatisticFunction
    example: Mapping[str, object]
    documentation: str
    settle: Settle | None = None
    uses_estimates: bool = False

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema of the statistic's parameters."""
        return parameters_schema(self.parameters)


def check_parameters(statistic: Statistic, cube: SurveyCube, raw: Mapping[str, object]) -> Arguments:
    """Return the canonical arguments of a request: the same request always gives the same arguments.

    Parameters
    ----------
    statistic
        The row of the catalogue.
    cube
        The dataset that is asked; names and defaults depend on it.
    raw
        The fields of the request, as decoded from JSON. Null is the same as absent where a field is optional.

    Returns
    -------
    dict
        JSON-able arguments for ``compute``, in the order of the statistic's parameters, with every default
        filled in. Checking them again gives them back.

    Raises
    ------
    InvalidParameterError
        A field is unknown, missing, of the wrong type, out of bounds, or names something that the dataset
        doesn't hold.
    """
    names = [parameter.name for parameter in statistic.parameters]
    for field in raw:
        if field not in names:
            raise refuse_name(field, names, field=field, what=f"parameter of {statistic.name}")
    arguments: Arguments = {}
    for parameter in statistic.parameters:
        value = raw.get(parameter.name)
        if parameter.required and parameter.name not in raw:
            raise InvalidParameterError(
                f"{parameter.name}: missing; {statistic.name} needs it. {parameter.summary}", field=parameter.name
            )
        if value is None and not parameter.required:
            value = parameter.default
        arguments[parameter.name] = (
            None if value is None and not parameter.required else check_value(parameter, value, cube)
        )
    return arguments if statistic.settle is None else statistic.settle(cube, arguments)


def compute(
    statistic: Statistic,
    cube: SurveyCube,
    arguments: Mapping[str, object],
    *,
    estimates: EstimateSource | None = None,
) -> object:
    """Return the statistic's JSON-able answer: a pure function of the cube and the arguments.

    Parameters
    ----------
    statistic
        The row of the catalogue.
    cube
        The dataset.
    arguments
        What ``check_parameters`` returned for this cube.
    estimates
        A source of single estimates; only statistics with ``uses_estimates`` look at it.

    Raises
    ------
    StatisticError
        The question has no answer.
    """
    source = {"estimates": estimates} if statistic.uses_estimates else {}
    answer = statistic.function(cube, **arguments, **source)
    return answer.to_json() if isinstance(answer, Result) else answer
