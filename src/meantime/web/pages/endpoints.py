"""The operations as a visitor sees them: paths with names that exist, bodies and queries that the served data take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from meantime.errors import InvalidParameterError
from meantime.fields.fields import fields_of, write_query_fields
from meantime.statistics.batch import BATCH
from meantime.statistics.catalogue import CATALOGUE, Statistic, Surface
from meantime.statistics.kinds import LOCATION_NAME, QUESTION_NAME, QUESTION_TEXT
from meantime.statistics.requests import read_request
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.dataset import Dataset
from meantime.web.operations import Operation
from meantime.web.problems import V1_PREFIX


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One line of the directory: ``path`` with a query that the served data take, ``example`` a body, or None."""

    method: str
    path: str
    summary: str
    example: Mapping[str, object] | None = None


def endpoints_of(operations: Sequence[Operation], dataset: Dataset) -> Iterator[Endpoint]:
    """Yield an endpoint for each operation; one that is there per dataset is named once, for the default one.

    An answer is named once, too, whatever its form; not at all where the served data can't be asked for it.
    """
    twins = {each.below_dataset().name for each in operations if each.per_dataset}
    for each in operations:
        asked = next((query for query in each.queries if issubclass(query, Statistic)), None)
        if asked is not None:
            query = None if "{extension}" in each.path else example_query(asked, dataset.cube)
            if query is not None and each.name not in twins:
                yield Endpoint(each.method, f"{each.path}?{query}" if query else each.path, each.summary)
        elif each.name not in twins and not _needs_query(each):
            path = each.path.replace("{dataset}", dataset.name).replace("{extension}", "csv")
            path = path.replace("{job_id}", "1" if path.startswith(V1_PREFIX) else "job_id_1")
            yield Endpoint(each.method, path, each.summary, example_body(each.asks, dataset.cube))


def _needs_query(operation: Operation) -> bool:
    """Whether nothing can be asked without a query; what that may be, the description of the API says."""
    return any(each.is_required for query in operation.queries for each in fields_of(query))


def example_body(asks: str | Surface | None, cube: SurveyCube) -> Mapping[str, object] | None:
    """Return a body that works on the served data, for what an operation asks for."""
    if asks is None:
        return None
    if isinstance(asks, Surface):
        statistic = next(each for each in CATALOGUE.values() if each.surface is asks)
        return {"statistic": statistic.name, "parameters": _parameters(statistic, cube)}
    if asks == BATCH:
        return {"requests": [example_body(Surface.V1, cube)]}
    return _parameters(CATALOGUE[asks], cube)


def example_query(statistic: type[Statistic], cube: SurveyCube) -> str | None:
    """Return a query for a statistic that the served data take; None where no such is known."""
    try:
        request = read_request(statistic, cube, _parameters(statistic, cube))
    except InvalidParameterError:
        return None
    texts = write_query_fields(request, cube)
    return urlencode([(name, text) for name, text in texts if name in _parameters(statistic, cube)], quote_via=quote)


def _parameters(statistic: type[Statistic], cube: SurveyCube) -> Mapping[str, object]:
    """Return what a statistic must be told, as in the catalogue's example, with names that this table has."""
    found: dict[str, object] = {}
    for parameter in statistic.parameters():
        if parameter.is_required:
            given = statistic.example[parameter.name]
            if parameter.kind in (QUESTION_NAME, QUESTION_TEXT) and given not in cube.question_index and cube.questions:
                given = cube.questions[0].text
            if parameter.kind is LOCATION_NAME and given not in cube.location_index and cube.locations:
                given = cube.locations[0].name
            found[parameter.name] = given
    return found
