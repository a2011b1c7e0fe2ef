"""What can be asked about, as resources: statistics, and the questions, locations and categories of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict

import numpy as np
from flask import Response, request

from meantime import __version__
from meantime.service import MeantimeService
from meantime.statistics.catalogue import Statistic, Surface, statistics_of
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.dataset import Dataset
from meantime.web.v1.job_resources import json_response
from meantime.web.v1.request_fields import NoQuery, read_query

DATASETS_PATH = "/api/v1/datasets"

_Describe = Callable[[Dataset], Mapping[str, object]]


def v1_statistics() -> list[type[Statistic]]:
    """Return the statistics of this surface, in the order of the catalogue."""
    return statistics_of(Surface.V1)


def example_of(statistic: type[Statistic]) -> dict[str, object]:
    """Return a request for a statistic that works on the bundled table."""
    return {"statistic": statistic.name, "parameters": dict(statistic.example)}


class DatasetResources:
    """The views of datasets; each takes the name of one, or None for the default."""

    def __init__(self, service: MeantimeService) -> None:
        self._service = service

    def list(self) -> Response:
        """List the datasets that are served; the first is the default and the contract's."""
        read_query(request.args, NoQuery)
        served = [self._service.dataset(name) for name in self._service.datasets.names]
        return json_response({"datasets": [_summary(dataset) for dataset in served]})

    def show(self, dataset: str | None = None) -> Response:
        """Show a dataset: where it comes from, what reading it found, what it holds."""
        return self._of_dataset(dataset, describe_dataset)

    def list_statistics(self, dataset: str | None = None) -> Response:
        """List the statistics that can be asked for, with their parameters and an example."""
        return self._of_dataset(dataset, lambda _: {"statistics": [_describe(each) for each in v1_statistics()]})

    def list_questions(self, dataset: str | None = None) -> Response:
        """List the questions, with the years in which each was asked."""
        return self._of_dataset(dataset, lambda served: {"questions": questions_of(served.cube)})

    def list_locations(self, dataset: str | None = None) -> Response:
        """List the locations."""
        return self._of_dataset(
            dataset, lambda served: {"locations": [asdict(location) for location in served.cube.locations]}
        )

    def list_categories(self, dataset: str | None = None) -> Response:
        """List the categories with their strata, those of a scale from its low end to its high end."""
        return self._of_dataset(dataset, lambda served: {"categories": categories_of(served.cube)})

    def _of_dataset(self, name: str | None, describe: _Describe) -> Response:
        """Answer with something that only a new dataset version, or a new Meantime, changes."""
        read_query(request.args, NoQuery)
        served = self._service.dataset(name)
        response = json_response(describe(served))
        response.add_etag()
        response.headers["Cache-Control"] = "private, no-cache"
        response.make_conditional(request)
        return response


def describe_dataset(dataset: Dataset) -> dict[str, object]:
    """Return a dataset as JSON-able values."""
    report = asdict(dataset.report)
    for name in ("duration_s", "engine"):  # of this process's own reading, not of the data
        del report[name]
    path = f"{DATASETS_PATH}/{dataset.name}"
    return {
        "name": dataset.name,
        "version": dataset.version,
        "provenance": asdict(dataset.provenance),
        "report": report,
        "software": f"Meantime {__version__}",
        "links": {"self": path}
        | {name: f"{path}/{name}" for name in ("statistics", "questions", "locations", "categories", "jobs")},
    }


def questions_of(cube: SurveyCube) -> list[dict[str, object]]:
    """Return the questions of a cube, by text."""
    return [
        {
            "id": question.question_id,
            "text": question.text,
            "direction": question.direction,
            "unit": question.unit,
            "years": np.unique(cube.cells.year[cube.cells_of(index)]).tolist(),
        }
        for index, question in enumerate(cube.questions)
    ]


def categories_of(cube: SurveyCube) -> list[dict[str, object]]:
    """Return the categories of a cube by name, each with its strata: those on its scale first, then by name."""
    strata: dict[str, list[dict[str, object]]] = {}
    named = [segment for segment in cube.segments if not segment.is_blank]
    for segment in sorted(named, key=lambda each: (each.order is None, each.order or 0, each.stratum)):
        strata.setdefault(segment.category, []).append(
            {"stratum": segment.stratum, "order": segment.order, "is_overall": segment.is_overall}
        )
    return [{"category": category, "strata": strata[category]} for category in sorted(strata)]


def _summary(dataset: Dataset) -> Mapping[str, object]:
    source = dataset.provenance
    return {
        "name": dataset.name,
        "version": dataset.version,
        "title": source.title or source.source_name,
        "links": {"self": f"{DATASETS_PATH}/{dataset.name}"},
    }


def _describe(statistic: type[Statistic]) -> Mapping[str, object]:
    return {
        "name": statistic.name,
        "title": statistic.title,
        "summary": statistic.summary,
        "unit": statistic.unit,
        "method": statistic.method,
        "parameters": statistic.json_schema(),
        "example": example_of(statistic),
    }
