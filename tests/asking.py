"""Asking a statistic in a test: a table of rows, a request, the records of the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meantime.errors import StatisticError
from meantime.statistics.catalogue import find_statistic
from meantime.statistics.requests import read_request
from meantime.statistics.result import Record, Result
from meantime.statistics.statistic import EstimateSource, Statistic, StatisticData
from meantime.survey.cube.survey_cube import SurveyCube
from tests.agreement import disagreement, with_whole_sizes
from tests.cubes import cube_of
from tests.reference import Row
from tests.reference_estimates import Query


def request_for(name: str, cube: SurveyCube, parameters: Mapping[str, object]) -> Statistic:
    """Return the settled request that a client's parameters stand for."""
    return read_request(find_statistic(name), cube, parameters)


def answer_to(request: Statistic, cube: SurveyCube, estimates: EstimateSource | None = None) -> dict[str, object]:
    """Return the whole answer to a settled request, as it is encoded."""
    answer = request.compute(StatisticData(cube, estimates))
    return answer.to_json() if isinstance(answer, Result) else dict(answer)


def ask(
    name: str, cube: SurveyCube, parameters: Mapping[str, object], estimates: EstimateSource | None = None
) -> dict[str, object]:
    """Return a statistic's whole answer."""
    return answer_to(request_for(name, cube, parameters), cube, estimates)


def records_in(name: str, cube: SurveyCube, parameters: Mapping[str, object]) -> list[Record]:
    """Return the records of a v1 statistic's answer."""
    found = ask(name, cube, parameters)["records"]
    assert isinstance(found, list)
    return found


def records_of_rows(name: str, rows: Sequence[Row], parameters: Mapping[str, object]) -> list[Record]:
    """Return the records over a table of rows; none where the statistic finds that there is no answer."""
    try:
        return records_in(name, cube_of(rows), parameters)
    except StatisticError:
        return []


def query_of(rows: Sequence[Row], question: str) -> Query:
    """Return the query that ``tables.everything`` asks for."""
    categories, strata = {row.category for row in rows}, {row.stratum for row in rows}
    segments = {(row.category, row.stratum) for row in rows if row.category in categories and row.stratum in strata}
    years, locations = sorted({row.year for row in rows}), sorted({row.location for row in rows})
    return Query(question, tuple(years), tuple(locations), tuple(sorted(segments)))


def agree(actual: Sequence[Record], expected: Sequence[Mapping[str, object]]) -> None:
    """Fail with the first place where records disagree."""
    assert disagreement(actual, [with_whole_sizes(record) for record in expected]) is None
