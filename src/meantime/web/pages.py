"""What a visitor sees: ``GET /`` says what is served, as a page in a browser and as JSON otherwise; ``/problems``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import orjson
from flask import Flask, Response, render_template, request

from meantime import __version__
from meantime.service import MeantimeService
from meantime.statistics.catalogue import CATALOGUE, Statistic, Surface
from meantime.statistics.kinds import LocationName, QuestionText
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.dataset import Dataset
from meantime.web.problems import PROBLEMS

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


_SERVICE_ENDPOINTS = (
    Endpoint("GET", "/api/get_results/job_id_1", "How a job stands; its result when it is done."),
    Endpoint("GET", "/api/jobs", "Every job with its state."),
    Endpoint("GET", "/api/num_jobs", "How many accepted jobs have not finished."),
    Endpoint("GET", "/api/graceful_shutdown", "Finish the accepted jobs, then end the server."),
    Endpoint("GET", "/healthz", "Whether the process answers."),
    Endpoint("GET", "/readyz", "Whether a new job would be accepted."),
)


class Pages:
    """The pages of one application."""

    def __init__(self, service: MeantimeService) -> None:
        self._service = service

    def add_to(self, app: Flask) -> None:
        """Register every page."""
        app.add_url_rule("/", "index", self.show_index)
        app.add_url_rule("/problems", "problems", self.show_problems)

    def show_index(self) -> Response:
        """Say what is served and where."""
        dataset = self._service.dataset()
        base_url = f"{request.scheme}://{request.host}"
        if not _wants_page():
            content = orjson.dumps(describe(dataset), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
            response = Response(content, content_type="application/json")
            response.headers["Vary"] = "Accept"
            return response
        return _page(
            "index.html",
            dataset=dataset,
            base_url=base_url,
            statistics=_statistic_endpoints(dataset.cube),
            others=_SERVICE_ENDPOINTS,
            to_json=_in_single_quotes,
        )

    def show_problems(self) -> Response:
        """List the kinds of error answers; ``type`` in each of them points here."""
        return _page("problems.html", problems=dict.fromkeys(PROBLEMS.values()))


def describe(dataset: Dataset) -> dict[str, object]:
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
            {name: value for name, value in asdict(endpoint).items() if value is not None}
            for endpoint in (*_statistic_endpoints(cube), *_SERVICE_ENDPOINTS)
        ],
    }


def _statistic_endpoints(cube: SurveyCube) -> tuple[Endpoint, ...]:
    return tuple(
        Endpoint("POST", f"/api/{statistic.name}", statistic.summary, _example(statistic, cube))
        for statistic in CATALOGUE.values()
        if statistic.surface is Surface.CONTRACT
    )


def _example(statistic: type[Statistic], cube: SurveyCube) -> dict[str, object]:
    """Return the catalogue's example, with a question and a location that this table has."""
    example = dict(statistic.example)
    for parameter in statistic.parameters():
        given = example.get(parameter.name)
        if isinstance(parameter.kind, QuestionText) and given not in cube.question_index and cube.questions:
            example[parameter.name] = cube.questions[0].text
        if isinstance(parameter.kind, LocationName) and given not in cube.location_index and cube.locations:
            example[parameter.name] = cube.locations[0].name
    return example


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
