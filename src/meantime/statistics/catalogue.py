"""The ONE table of statistics: name, parameters, unit, method, function.

Routes, OpenAPI, command line, client, page and documentation read it. A new statistic is one function and one row
here, nothing else. How a value is checked is in ``validation.py``; no statistic is computed here.
"""

from __future__ import annotations

from meantime.statistics.measures import (
    compare,
    contract,
    correlation,
    coverage,
    difference,
    disparity,
    distribution,
    mean,
    ranking,
    trend,
)
from meantime.statistics.parameters import Parameter, ParameterKind
from meantime.statistics.refusals import refuse_name
from meantime.statistics.statistic import Arguments, Statistic, StatisticFunction, Surface, check_parameters, compute

__all__ = [
    "CATALOGUE",
    "Arguments",
    "Statistic",
    "Surface",
    "check_parameters",
    "compute",
    "find_statistic",
    "register",
]

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
    Statistic(
        name="mean",
        title="Mean with interval",
        summary="The mean of published estimates, by location, year, category or stratum, with its interval.",
        surface=Surface.V1,
        parameters=mean.PARAMETERS,
        unit="percent",
        method=f"{mean.METHOD}: mean of estimates, its error propagated from their limits",
        function=mean.mean,
        example={"question": "Q036", "years": [2023], "by": ["location"]},
        documentation="methods/mean.md",
        settle=mean.settle,
    ),
    Statistic(
        name="ranking",
        title="Ranking with rank intervals",
        summary="The best or worst locations, with rank intervals and those that can't be told from the last of them.",
        surface=Surface.V1,
        parameters=ranking.PARAMETERS,
        unit="percent",
        method=f"{ranking.METHOD}: order of estimates, rank intervals from pairwise z-tests",
        function=ranking.ranking,
        example={"question": "Q036", "years": [2023], "k": 5, "end": "best"},
        documentation="methods/ranking.md",
        settle=ranking.settle,
    ),
    Statistic(
        name="difference",
        title="Difference from the nation, a location or a goal",
        summary="How each location differs from the nation, another location or a goal, with a verdict.",
        surface=Surface.V1,
        parameters=difference.PARAMETERS,
        unit="percent",
        method=f"{difference.METHOD}: location minus reference, two-sided z-test",
        function=difference.difference,
        example={"question": "Q036", "years": [2023], "against": "National"},
        documentation="methods/difference.md",
        settle=difference.settle,
    ),
    Statistic(
        name="compare",
        title="Comparison of two strata, years or questions",
        summary="Two strata, two years or two questions for each location, with the interval of their difference.",
        surface=Surface.V1,
        parameters=compare.PARAMETERS,
        unit="percent",
        method=f"{compare.METHOD}: selected estimate minus the other, two-sided z-test",
        function=compare.compare,
        example={"question": "Q036", "years": [2023], "strata": ["Female"], "against_stratum": "Male"},
        documentation="methods/compare.md",
        settle=compare.settle,
    ),
    Statistic(
        name="distribution",
        title="Median, quantiles and spread",
        summary="Median, quantiles, standard deviation and range of estimates over locations, years or strata.",
        surface=Surface.V1,
        parameters=distribution.PARAMETERS,
        unit="percent",
        method=f"{distribution.METHOD}: quantiles by linear interpolation (Hyndman and Fan's definition 7)",
        function=distribution.distribution,
        example={"question": "Q036", "years": {"from": 2019, "to": 2023}, "by": ["year"]},
        documentation="methods/distribution.md",
        settle=distribution.settle,
        uses_estimates=True,
    ),
    Statistic(
        name="trend",
        title="Trend over the years",
        summary="The slope per year of yearly estimates and the change from the first to the last year.",
        surface=Surface.V1,
        parameters=trend.PARAMETERS,
        unit="percentage points per year",
        method=f"{trend.METHOD}: weighted least squares of yearly estimates on the year",
        function=trend.trend,
        example={"question": "Q036", "locations": ["Ohio", "National"]},
        documentation="methods/trend.md",
        settle=trend.settle,
    ),
    Statistic(
        name="disparity",
        title="Disparity between strata",
        summary="How far apart the strata of a category are in each location, by several measures.",
        surface=Surface.V1,
        parameters=disparity.PARAMETERS,
        unit="percentage points",
        method=f"{disparity.METHOD}: highest minus lowest stratum, index of disparity, slope index of inequality",
        function=disparity.disparity,
        example={"question": "Q036", "years": [2023], "categories": ["Education"]},
        documentation="methods/disparity.md",
        settle=disparity.settle,
    ),
    Statistic(
        name="correlation",
        title="Correlation of two questions",
        summary="Pearson's and Spearman's correlation of two questions across locations.",
        surface=Surface.V1,
        parameters=correlation.PARAMETERS,
        unit="correlation coefficient",
        method=f"{correlation.METHOD}: Pearson and Spearman, interval by Fisher's z",
        function=correlation.correlation,
        example={"question": "Q036", "against_question": "Q047", "years": [2023]},
        documentation="methods/correlation.md",
        settle=correlation.settle,
    ),
    Statistic(
        name="coverage",
        title="Coverage",
        summary="How many estimates are present, suppressed and missing, by question, year, location or stratum.",
        surface=Surface.V1,
        parameters=coverage.PARAMETERS,
        unit="percent of the places of the grid",
        method=f"{coverage.METHOD}: counts of estimates and of places without a row",
        function=coverage.coverage,
        example={"question": "Q036", "by": ["year"]},
        documentation="methods/coverage.md",
        settle=coverage.settle,
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
