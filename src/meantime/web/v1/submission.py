"""The body of a submission: which statistic, with which parameters; and where a field belongs that stands elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping

from meantime.errors import FieldError, InvalidParameterError
from meantime.fields.fields import check_names
from meantime.fields.refusals import shown
from meantime.statistics.catalogue import Statistic, Surface, find_statistic, statistics_of
from meantime.web.own_address import own_prefix

_FIELDS = ("statistic", "parameters")
_SHOWN_CHARACTERS = 120


def read_submission(body: Mapping[str, object], datasets: tuple[str, ...]) -> tuple[str, Mapping[str, object]]:
    """Return the statistic and the parameters that a body asks for.

    Parameters
    ----------
    body
        As it was sent.
    datasets
        The names of the datasets that are served.

    Raises
    ------
    InvalidParameterError
        A field is unknown, missing or in the wrong place, or the statistic is unknown.
    """
    statistic, parameters = body.get("statistic"), body.get("parameters", {})
    asked = find_statistic(statistic, surface=Surface.V1) if isinstance(statistic, str) else None
    for name in body:
        if name not in _FIELDS:
            _check_place(name, body[name], asked, datasets)
    if not isinstance(parameters, Mapping):
        raise InvalidParameterError('parameters: give an object, such as {"question": "Q036"}', field="parameters")
    if asked is None and "statistic" not in body and isinstance(parameters.get("statistic"), str):
        named = find_statistic(str(parameters["statistic"]), surface=Surface.V1)
        raise InvalidParameterError(
            f"statistic: stands beside parameters: {_sample(named, {})}", field="statistic", accepted=[named.name]
        )
    if asked is None:
        names = [row.name for row in statistics_of(Surface.V1)]
        raise InvalidParameterError(f"statistic: name one of {', '.join(names)}", field="statistic", accepted=names)
    if "parameters" in parameters:
        raise InvalidParameterError("parameters: parameters are inside parameters; give them once", field="parameters")
    return asked.name, parameters


def _check_place(name: str, value: object, asked: type[Statistic] | None, datasets: tuple[str, ...]) -> None:
    """Refuse a field beside statistic and parameters; say where it belongs, where it belongs somewhere."""
    if name == "dataset":
        path = value if value in datasets else "NAME"
        raise InvalidParameterError(
            f"dataset: the path names it; POST to {own_prefix()}/api/v1/datasets/{path}/jobs",
            field=name,
            accepted=datasets,
        )
    known = [asked] if asked is not None else statistics_of(Surface.V1)
    for statistic in known:
        if name in [parameter.name for parameter in statistic.parameters()]:
            sample = _sample(statistic, {name: value})
            raise InvalidParameterError(f"{name}: belongs under parameters: {sample}", field=name)
    try:
        check_names([name], _FIELDS, what="field of a job")
    except FieldError as error:
        raise InvalidParameterError.of(error) from None


def _sample(statistic: type[Statistic], parameters: Mapping[str, object]) -> str:
    """Return a submission as it should be, with the parameters that were sent where they are short."""
    given = ", ".join(f'"{name}": {_short_json(value)}' for name, value in parameters.items()) or "..."
    return f'{{"statistic": "{statistic.name}", "parameters": {{{given}}}}}'


def _short_json(value: object) -> str:
    content = json.dumps(value, ensure_ascii=False)
    is_plain = len(content) <= _SHOWN_CHARACTERS and shown(content, _SHOWN_CHARACTERS)[1:-1] == content
    return content if is_plain else "..."
