"""What a statistic is: one row of the catalogue.

The rows are in ``catalogue.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from meantime.statistics.parameters import JsonSchema, Parameter, parameters_schema
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
