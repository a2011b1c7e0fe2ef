"""Puts the v1 surface into an application: a view for each operation, the OpenAPI document, its page."""

from __future__ import annotations

import threading
from collections.abc import Callable

from flask import Flask, Response

from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.web.v1.dataset_resources import DatasetResources
from meantime.web.v1.documentation import Documentation
from meantime.web.v1.job_events import JobEvents
from meantime.web.v1.job_resources import JobResources
from meantime.web.v1.operations import operations
from meantime.web.v1.reload import DatasetReload


def add_v1_routes(app: Flask, service: MeantimeService, settings: Settings) -> None:
    """Register the v1 surface.

    Parameters
    ----------
    app
        Where to.
    service
        What answers.
    settings
        ``http_threads`` is used: at most half of them wait for jobs, so that the others always answer.
    """
    places = threading.Semaphore(max(1, settings.http_threads // 2))
    jobs = JobResources(service, places)
    datasets = DatasetResources(service)
    views: dict[str, Callable[..., Response]] = {
        "submit_job": jobs.submit,
        "list_jobs": jobs.list,
        "show_job": jobs.show,
        "cancel_job": jobs.cancel,
        "show_result": jobs.show_result,
        "show_result_as": jobs.show_result,
        "follow_job": JobEvents(jobs, places).stream,
        "list_datasets": datasets.list,
        "show_dataset": datasets.show,
        "reload_dataset": DatasetReload(service).reload,
        "list_statistics": datasets.list_statistics,
        "list_questions": datasets.list_questions,
        "list_locations": datasets.list_locations,
        "list_categories": datasets.list_categories,
    }
    for operation in operations():
        view = views[operation.name.removeprefix("dataset_")]
        app.add_url_rule(operation.rule, f"v1_{operation.name}", view, methods=[operation.method])
    Documentation(service).add_to(app)
