"""The way of a request: raw JSON is read into an instance of its statistic, which is stored as canonical JSON.

The same question always gives the same JSON, whatever its spelling (order of lists, id or text of a question, a range
or a list of years, defaults left out or written out), so that it can be the key of a cache. What may be asked is
declared by each statistic; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import orjson

from meantime.errors import FieldError, InvalidParameterError, StatisticError
from meantime.fields.fields import read_fields, read_query_fields
from meantime.fields.refusals import shown
from meantime.statistics.statistic import Statistic
from meantime.survey.cube.survey_cube import SurveyCube

S = TypeVar("S", bound=Statistic)


def read_request(statistic: type[S], cube: SurveyCube, raw: Mapping[str, object]) -> S:
    """Return the settled request that a client's parameters stand for.

    Parameters
    ----------
    statistic
        What is asked for.
    cube
        The dataset that is asked; names and defaults depend on it.
    raw
        The parameters as decoded from JSON. Null is the same as absent where a parameter is optional.

    Raises
    ------
    InvalidParameterError
        A parameter is unknown, missing, of the wrong type, out of bounds, names something that the dataset doesn't
        hold, or doesn't fit the others.
    """
    return read_parameters(statistic, cube, raw).settled(cube)


def read_parameters(statistic: type[S], cube: SurveyCube, raw: Mapping[str, object]) -> S:
    """Return the request that a client's parameters stand for, not settled yet; else as ``read_request``."""
    try:
        return _instance(statistic, cube, raw)
    except FieldError as error:
        raise InvalidParameterError.of(error) from None


def read_query(statistic: type[S], cube: SurveyCube, texts: Mapping[str, Sequence[str]]) -> S:
    """Return the request that a query string stands for, not settled yet; else as ``read_request``.

    Parameters
    ----------
    texts
        The texts of each parameter, in their order: lists with commas or repeated, ranges of years as ``2015-2020``,
        tables as JSON.
    """
    try:
        values = read_query_fields(statistic, texts, cube, what=f"parameter of {statistic.name}", owner=statistic.name)
    except FieldError as error:
        raise InvalidParameterError.of(error) from None
    return statistic(**values)


def canonical_json(request: Statistic) -> str:
    """Return a settled request as JSON: every parameter in the order of its fields, null where there is none."""
    return orjson.dumps(request).decode("utf-8")


def from_canonical(statistic: type[S], text: str, cube: SurveyCube) -> S:
    """Return the settled request that ``canonical_json`` wrote for this cube; a parameter added since has its default.

    Raises
    ------
    StatisticError
        The text is no such request.
    """
    try:
        return _instance(statistic, cube, _object_in(text))
    except (FieldError, orjson.JSONDecodeError) as error:
        raise StatisticError(f"the stored request for {statistic.name} can't be read: {error}; ask again") from error


def _instance(statistic: type[S], cube: SurveyCube, raw: Mapping[str, object]) -> S:
    values = read_fields(statistic, raw, cube, what=f"parameter of {statistic.name}", owner=statistic.name)
    return statistic(**values)


def _object_in(text: str) -> dict[str, object]:
    found = orjson.loads(text)
    if not isinstance(found, dict):
        raise FieldError(f"{shown(found)} is no object")
    return found
