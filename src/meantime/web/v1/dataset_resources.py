"""What can be asked about, as resources: statistics, and the questions, locations and categories of a dataset.

Who may have a dataset's source read again is decided in ``web/admission/callers.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from flask import Response, request

from meantime.errors import InvalidParameterError
from meantime.service import MeantimeService
from meantime.survey.ingest.dataset import Dataset
from meantime.web.admission.callers import client_of
from meantime.web.admission.request_body import has_body, json_object
from meantime.web.operations import AnyView, Reply, operation
from meantime.web.own_address import own_prefix
from meantime.web.places import AllPlaces
from meantime.web.responses import json_response
from meantime.web.v1.dataset_documents import (
    DATASETS_PATH,
    CategoryList,
    DatasetDocument,
    DatasetList,
    DriftReportDocument,
    LocationList,
    QuestionList,
    StatisticList,
    categories_of,
    describe_dataset,
    describe_drift,
    describe_statistic,
    questions_of,
    summarize_dataset,
    v1_statistics,
)
from meantime.web.v1.request_fields import NoQuery, read_query


def _look(path: str, kind: object) -> Callable[[AnyView], AnyView]:
    """Describe a view that shows something of a dataset."""
    return operation(
        "GET",
        path,
        tag="dataset",
        replies={200: Reply("Here it is.", kind, headers=("ETag",)), 304: Reply("What you have is what there is.")},
        problems=(422,),
        per_dataset=True,
    )


class DatasetResources:
    """The views of datasets; most take the name of one, or None for the default."""

    def __init__(self, service: MeantimeService, places: AllPlaces) -> None:
        self._service = service
        self._places = places

    @operation("GET", DATASETS_PATH, tag="dataset", replies={200: Reply("The datasets.", DatasetList)}, problems=(422,))
    def list_datasets(self) -> Response:
        """List the datasets that are served; the first is the default."""
        read_query(request.args, NoQuery)
        listed: DatasetList = {"datasets": [summarize_dataset(each, own_prefix()) for each in self._service.datasets()]}
        return json_response(listed)

    @operation(
        "POST",
        "/api/v1/datasets/{dataset}/reload",
        tag="dataset",
        replies={200: Reply("What changed.", DriftReportDocument)},
        problems=(404, 409, 413, 415, 422),
    )
    def reload_dataset(self, dataset: str) -> Response:
        """Read a dataset's source again; jobs that were accepted before finish on the old version."""
        read_query(request.args, NoQuery)
        if has_body(request.environ) and (members := json_object()):
            name = next(iter(members))
            raise InvalidParameterError("a reload takes no fields; send no body", field=name)
        with self._places.reloads.take(client_of(request.environ)):  # one reads, one waits
            return json_response(describe_drift(self._service.reload(dataset)))

    @_look("/api/v1/dataset", DatasetDocument)
    def show_dataset(self, dataset: str | None = None) -> Response:
        """Show the dataset: source, version, what it holds."""
        return self._of_dataset(dataset, partial(describe_dataset, prefix=own_prefix()))

    @_look("/api/v1/statistics", StatisticList)
    def list_statistics(self, dataset: str | None = None) -> Response:
        """List what can be computed, with examples."""

        def listed(_: Dataset) -> StatisticList:
            return {"statistics": [describe_statistic(each) for each in v1_statistics()]}

        return self._of_dataset(dataset, listed)

    @_look("/api/v1/questions", QuestionList)
    def list_questions(self, dataset: str | None = None) -> Response:
        """List the questions."""

        def listed(served: Dataset) -> QuestionList:
            return {"questions": questions_of(served.cube)}

        return self._of_dataset(dataset, listed)

    @_look("/api/v1/locations", LocationList)
    def list_locations(self, dataset: str | None = None) -> Response:
        """List the locations."""

        def listed(served: Dataset) -> LocationList:
            return {"locations": served.cube.locations}

        return self._of_dataset(dataset, listed)

    @_look("/api/v1/categories", CategoryList)
    def list_categories(self, dataset: str | None = None) -> Response:
        """List the categories and their strata."""

        def listed(served: Dataset) -> CategoryList:
            return {"categories": categories_of(served.cube)}

        return self._of_dataset(dataset, listed)

    def _of_dataset(self, name: str | None, describe: Callable[[Dataset], Mapping[str, object]]) -> Response:
        """Answer with something that only a new dataset version, or a new Meantime, changes."""
        read_query(request.args, NoQuery)
        response = json_response(describe(self._service.dataset(name)))
        response.add_etag()
        response.headers["Cache-Control"] = "private, no-cache"
        response.make_conditional(request)
        return response
