"""Reading a dataset's source again on request. Who may ask is decided in ``callers.py``."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response, request

from meantime.errors import InvalidParameterError
from meantime.service import MeantimeService
from meantime.survey.datasets.drift import DriftReport
from meantime.web.request_body import has_body, json_object
from meantime.web.v1.job_resources import json_response
from meantime.web.v1.request_fields import NoQuery, read_query


class DatasetReload:
    """The view that reloads a dataset."""

    def __init__(self, service: MeantimeService) -> None:
        self._service = service

    def reload(self, dataset: str) -> Response:
        """Read a dataset's source again and answer, when that is done, with what changed."""
        read_query(request.args, NoQuery)
        if has_body(request.environ) and (members := json_object()):
            name = next(iter(members))
            raise InvalidParameterError("a reload takes no fields; send no body", field=name)
        return json_response(describe_drift(self._service.reload(dataset)))


def describe_drift(report: DriftReport) -> dict[str, object]:
    """Return a drift report as JSON-able values."""
    return asdict(report) | {"is_same": report.is_same, "summary": report.summary}
