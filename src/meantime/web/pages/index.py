"""What a visitor sees: ``GET /`` and ``/endpoints`` say what is served, ``/problems`` what refusals mean.

To a browser they are pages, to a program JSON. The page of ``/`` is the first view, see ``first_view.py``. ``GET /api``
and ``GET /api/v1`` list what is below them. The endpoints are the operations; see ``endpoints.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import orjson
from flask import Flask, Response

from meantime import __version__
from meantime.service import MeantimeService
from meantime.survey.ingest.dataset import Dataset
from meantime.web.operations import Operation
from meantime.web.own_address import below_prefix, own_prefix
from meantime.web.pages.endpoints import Endpoint, endpoints_of
from meantime.web.pages.first_view import FirstView
from meantime.web.pages.problem_meanings import MEANINGS
from meantime.web.pages.site import page, wants_page
from meantime.web.problems import HTTP_PROBLEMS, NOT_FOUND, PROBLEMS, V1_PREFIX, problem_type
from meantime.web.shown_commands import curl
from meantime.web.v1.answer_addresses import ANSWERS_PATH

SURFACES = {
    "/api/v1": "Statistics with intervals, cautions and their source, in several formats.",
    "/api": "The contract's fixed endpoints, for clients that have always used them: plain means.",
}
"""The two sets of endpoints, by their path, which lists them."""

_FURTHER = {"openapi": "/openapi.json", "documentation": "/docs", "problems": "/problems"}


class Pages:
    """The pages of one application.

    Parameters
    ----------
    service
        Knows the dataset.
    operations
        What can be done.
    first_view
        What a browser is shown first.
    """

    def __init__(self, service: MeantimeService, operations: Sequence[Operation], first_view: FirstView) -> None:
        self._service = service
        self._operations = operations
        self._first_view = first_view

    def add_to(self, app: Flask) -> None:
        """Register every page."""
        app.add_url_rule("/", "index", self.show_index)
        app.add_url_rule("/endpoints", "endpoints", self.show_endpoints)
        app.add_url_rule("/api/v1", "v1", self.list_v1)
        app.add_url_rule("/api", "contract", self.list_contract)
        app.add_url_rule("/problems", "problems", self.show_problems)

    def show_index(self) -> Response:
        """Answer the first question; tell programs what is served and where."""
        return self._first_view.show() if wants_page() else self._described()

    def show_endpoints(self) -> Response:
        """Say what can be asked and how."""
        if not wants_page():
            return self._described()
        endpoints = list(endpoints_of(self._operations, self._service.dataset()))
        return page(
            "endpoints.html",
            current="API",
            curl=curl,
            contract=[each for each in endpoints if _surface_of(each) != "/api/v1"],
            v1=[each for each in endpoints if _surface_of(each) == "/api/v1"],
            answer=next((each.path for each in endpoints if each.path.startswith(f"{ANSWERS_PATH}/")), None),
            surfaces=SURFACES,
            to_json=_in_single_quotes,
        )

    def _described(self) -> Response:
        dataset = self._service.dataset()
        response = _json(describe(dataset, list(endpoints_of(self._operations, dataset)), own_prefix()))
        response.headers["Vary"] = "Accept"
        return response

    def list_v1(self) -> Response:
        """List what is below /api/v1, as JSON."""
        return self._list_below("/api/v1")

    def list_contract(self) -> Response:
        """List the contract's endpoints, as JSON."""
        return self._list_below("/api")

    def _list_below(self, surface: str) -> Response:
        endpoints = endpoints_of(self._operations, self._service.dataset())
        listed = [each for each in endpoints if _surface_of(each) == surface]
        return _json(
            {
                "summary": SURFACES[surface],
                **_below(own_prefix(), _FURTHER),
                "endpoints": _documents(listed, own_prefix()),
            }
        )

    def show_problems(self) -> Response:
        """List and explain the kinds of error answers; ``type`` in each of them points here."""
        kinds = {each.slug: each for each in (*PROBLEMS.values(), *HTTP_PROBLEMS.values(), NOT_FOUND)}
        problems = sorted(kinds.values(), key=lambda each: each.status)
        if wants_page():
            return page("problems.html", problems=problems, meanings=MEANINGS, below_prefix=below_prefix)
        documents = [
            {
                "type": problem_type(each, own_prefix()),
                "status": each.status,
                "title": each.title,
                "meaning": below_prefix(MEANINGS[each.slug], own_prefix()),
            }
            for each in problems
        ]
        response = _json({"problems": documents})
        response.headers["Vary"] = "Accept"
        return response


def describe(dataset: Dataset, endpoints: Sequence[Endpoint], prefix: str) -> dict[str, object]:
    """Return what is served, for programs; every path is below a prefix."""
    cube, report = dataset.cube, dataset.report
    return {
        "name": "Meantime",
        "version": __version__,
        "surfaces": {f"{prefix}{path}": summary for path, summary in SURFACES.items()},
        "dataset": {
            "name": dataset.name,
            "version": dataset.version,
            "provenance": asdict(dataset.provenance),
            "rows": report.row_count,
            "rows_with_value": report.value_count,
            "notes": [note.text for note in report.notes],
            "years": list(cube.years),
            "locations": [location.name for location in cube.locations],
            "questions": [
                {"id": question.question_id, "text": question.text, "direction": question.direction}
                for question in cube.questions
            ],
        },
        **_below(prefix, _FURTHER),
        "endpoints": _documents(endpoints, prefix),
    }


def _below(prefix: str, addresses: Mapping[str, str]) -> dict[str, str]:
    return {name: f"{prefix}{path}" for name, path in addresses.items()}


def _documents(endpoints: Sequence[Endpoint], prefix: str) -> list[dict[str, object]]:
    below = [replace(endpoint, path=f"{prefix}{endpoint.path}") for endpoint in endpoints]
    return [{name: value for name, value in asdict(endpoint).items() if value is not None} for endpoint in below]


def _surface_of(endpoint: Endpoint) -> str:
    """Return the surface that an endpoint belongs to; empty for probes and metrics."""
    if endpoint.path.startswith(V1_PREFIX):
        return "/api/v1"
    return "/api" if endpoint.path.startswith("/api/") else ""


def _json(document: Mapping[str, object]) -> Response:
    content = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return Response(content, content_type="application/json")


def _in_single_quotes(value: object) -> str:
    """Return JSON that may stand between single quotes on a command line."""
    return orjson.dumps(value).decode("utf-8").replace("'", "\\u0027")
