"""What a visitor sees: ``GET /`` says what is served, as a page in a browser and as JSON otherwise; ``/problems``.

The endpoints are the operations, with names and ids that exist in their places.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import orjson
from flask import Flask, Response, render_template, request

from meantime import __version__
from meantime.service import MeantimeService
from meantime.statistics.catalogue import CATALOGUE, Statistic, Surface
from meantime.statistics.kinds import LOCATION_NAME, QUESTION_NAME, QUESTION_TEXT
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.dataset import Dataset
from meantime.web.operations import Operation
from meantime.web.own_address import own_address
from meantime.web.problems import PROBLEMS, V1_PREFIX

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One line of the directory: ``example`` is a body that works on the served data, or None."""

    method: str
    path: str
    summary: str
    example: Mapping[str, object] | None = None


class Pages:
    """The pages of one application.

    Parameters
    ----------
    service
        Knows the dataset.
    operations
        What can be done.
    """

    def __init__(self, service: MeantimeService, operations: Sequence[Operation]) -> None:
        self._service = service
        self._operations = operations

    def add_to(self, app: Flask) -> None:
        """Register every page."""
        app.add_url_rule("/", "index", self.show_index)
        app.add_url_rule("/problems", "problems", self.show_problems)

    def show_index(self) -> Response:
        """Say what is served and where."""
        dataset = self._service.dataset()
        endpoints = list(self._endpoints(dataset))
        if not _wants_page():
            content = orjson.dumps(describe(dataset, endpoints), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
            response = Response(content, content_type="application/json")
            response.headers["Vary"] = "Accept"
            return response
        return _page(
            "index.html",
            dataset=dataset,
            base_url=own_address(),
            contract=[each for each in endpoints if not each.path.startswith(V1_PREFIX)],
            v1=[each for each in endpoints if each.path.startswith(V1_PREFIX)],
            to_json=_in_single_quotes,
        )

    def _endpoints(self, dataset: Dataset) -> Iterator[Endpoint]:
        """Yield an endpoint for each operation; one that is there per dataset is named once, for the default one."""
        twins = {each.below_dataset().name for each in self._operations if each.per_dataset}
        for each in self._operations:
            if each.name not in twins:
                path = each.path.replace("{dataset}", dataset.name).replace("{extension}", "csv")
                path = path.replace("{job_id}", "1" if path.startswith(V1_PREFIX) else "job_id_1")
                yield Endpoint(each.method, path, each.summary, _example(each.asks, dataset.cube))

    def show_problems(self) -> Response:
        """List the kinds of error answers; ``type`` in each of them points here."""
        return _page("problems.html", problems=dict.fromkeys(PROBLEMS.values()))


def describe(dataset: Dataset, endpoints: Sequence[Endpoint]) -> dict[str, object]:
    """Return what is served, for programs."""
    cube, report = dataset.cube, dataset.report
    return {
        "name": "Meantime",
        "version": __version__,
        "dataset": {
            "name": dataset.name,
            "version": dataset.version,
            "provenance": asdict(dataset.provenance),
            "rows": report.row_count,
            "rows_with_value": report.value_count,
            "years": list(cube.years),
            "locations": [location.name for location in cube.locations],
            "questions": [
                {"id": question.question_id, "text": question.text, "direction": question.direction}
                for question in cube.questions
            ],
        },
        "endpoints": [
            {name: value for name, value in asdict(endpoint).items() if value is not None} for endpoint in endpoints
        ],
    }


def _example(asks: str | Surface | None, cube: SurveyCube) -> Mapping[str, object] | None:
    """Return a body that works on the served data."""
    if asks is None:
        return None
    if isinstance(asks, Surface):
        statistic = next(each for each in CATALOGUE.values() if each.surface is asks)
        return {"statistic": statistic.name, "parameters": _parameters(statistic, cube)}
    return _parameters(CATALOGUE[asks], cube)


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


def _wants_page() -> bool:
    """Whether the client is a browser: it names HTML and not JSON before it."""
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def _page(template: str, **values: object) -> Response:
    response = Response(
        render_template(template, version=__version__, **values), content_type="text/html; charset=utf-8"
    )
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    response.headers["Vary"] = "Accept"
    return response


def _in_single_quotes(value: object) -> str:
    """Return JSON that may stand between single quotes on a command line."""
    return orjson.dumps(value).decode("utf-8").replace("'", "\\u0027")
