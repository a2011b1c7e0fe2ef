"""The ONE table of statistics: name, parameters, unit, method, function.

Routes, OpenAPI, command line, client, page and documentation read it. A new statistic is one function and one row
here, nothing else. How a value is checked is in ``validation.py``; no statistic is computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from meantime.errors import InvalidParameterError
from meantime.statistics import contract
from meantime.statistics.parameters import JsonSchema, Parameter, ParameterKind, parameters_schema
from meantime.statistics.validation import check_value, refuse_name
from meantime.survey.cube import SurveyCube

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


_QUESTION = Parameter(
    name="question",
    kind=ParameterKind.QUESTION_TEXT,
    summary="The question's exact text.",
    required=True,
    example="Percent of adults aged 18 years and older who have obesity",
)
_STATE = Parameter(
    name="state",
    kind=ParameterKind.LOCATION,
    summary="The location's name: a state, a territory or National.",
    required=True,
    example="Ohio",
)


def _contract_row(function: StatisticFunction, title: str, summary: str, unit: str, *, of_state: bool) -> Statistic:
    parameters = (_QUESTION, _STATE) if of_state else (_QUESTION,)
    name = function.__name__
    return Statistic(
        name=name,
        title=title,
        summary=summary,
        surface=Surface.CONTRACT,
        parameters=parameters,
        unit=unit,
        method=f"{name}/1: plain mean of all rows with a value",
        function=function,
        example={parameter.name: parameter.example for parameter in parameters},
        documentation=f"methods/contract.md#{name}",
        settle=contract.require_direction if function in (contract.best5, contract.worst5) else None,
    )


_ROWS: tuple[Statistic, ...] = (
    _contract_row(
        contract.states_mean,
        "Mean of each location",
        "The plain mean of each location, ascending.",
        "percent",
        of_state=False,
    ),
    _contract_row(
        contract.state_mean, "Mean of one location", "The plain mean of one location.", "percent", of_state=True
    ),
    _contract_row(
        contract.best5, "Five best locations", "The five best plain means, best first.", "percent", of_state=False
    ),
    _contract_row(
        contract.worst5, "Five worst locations", "The five worst plain means, worst first.", "percent", of_state=False
    ),
    _contract_row(contract.global_mean, "Mean over all rows", "The plain mean of all rows.", "percent", of_state=False),
    _contract_row(
        contract.diff_from_mean,
        "Difference of each location",
        "The mean of all rows minus the mean of each location.",
        "percentage points",
        of_state=False,
    ),
    _contract_row(
        contract.state_diff_from_mean,
        "Difference of one location",
        "The mean of all rows minus the mean of one location.",
        "percentage points",
        of_state=True,
    ),
    _contract_row(
        contract.mean_by_category,
        "Mean of each stratum of each location",
        "The plain mean of each location, category and stratum.",
        "percent",
        of_state=False,
    ),
    _contract_row(
        contract.state_mean_by_category,
        "Mean of each stratum of one location",
        "The plain mean of each category and stratum of one location.",
        "percent",
        of_state=True,
    ),
)

CATALOGUE: dict[str, Statistic] = {}
"""Every statistic by name, in the order of the table."""


def register(statistic: Statistic) -> None:
    """Add one row to the catalogue.

    Raises
    ------
    ValueError
        The name is taken, or two parameters have the same name.
    """
    if statistic.name in CATALOGUE:
        raise ValueError(f"a statistic called {statistic.name!r} is in the catalogue already; choose another name")
    names = [parameter.name for parameter in statistic.parameters]
    if len(set(names)) < len(names):
        raise ValueError(f"{statistic.name}: two parameters have the same name: {names}")
    CATALOGUE[statistic.name] = statistic


for _row in _ROWS:
    register(_row)


def find_statistic(name: str, *, surface: Surface | None = None) -> Statistic:
    """Return the statistic of this name.

    Raises
    ------
    InvalidParameterError
        There is none of this name, or not on this surface (field ``statistic``).
    """
    statistic = CATALOGUE.get(name)
    if statistic is None or surface not in (None, statistic.surface):
        names = [row.name for row in CATALOGUE.values() if surface in (None, row.surface)]
        raise refuse_name(name, names, field="statistic", what="statistic")
    return statistic


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
    statistic: Statistic, cube: SurveyCube, arguments: Mapping[str, object], *, estimates: object = None
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
    if statistic.uses_estimates:
        return statistic.function(cube, estimates=estimates, **arguments)
    return statistic.function(cube, **arguments)
