"""Batches: many requests as one job, for a page or a program that needs all their answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Response, request

from meantime.errors import FieldError, InvalidParameterError
from meantime.fields.fields import check_names
from meantime.fields.refusals import shown
from meantime.service import MeantimeService
from meantime.statistics.batch import BATCH, MOST_REQUESTS
from meantime.web.admission.callers import caller
from meantime.web.admission.request_body import json_object
from meantime.web.observation.request_facts import note_job
from meantime.web.operations import Reply, operation
from meantime.web.v1.job_documents import JobDocument
from meantime.web.v1.job_resources import KEY, submitted
from meantime.web.v1.request_fields import idempotency_key
from meantime.web.v1.submission import read_submission
from meantime.web.v1.visible_jobs import PREFER, VisibleJobs


class BatchResources:
    """The view of batches; parameters as of JobResources."""

    def __init__(self, service: MeantimeService, jobs: VisibleJobs) -> None:
        self._service = service
        self._jobs = jobs

    @operation(
        "POST",
        "/api/v1/batches",
        tag="jobs",
        replies={
            201: Reply("The job has ended.", JobDocument, headers=("Location", "Preference-Applied")),
            202: Reply(
                "The job is accepted and has not ended.",
                JobDocument,
                headers=("Location", "Retry-After", "Preference-Applied"),
            ),
        },
        problems=(413, 415, 422, 507),
        headers=(PREFER, KEY),
        asks=BATCH,
        per_dataset=True,
    )
    def submit_batch(self, dataset: str | None = None) -> Response:
        """Submit up to 200 requests as one job, whose result has an answer to each."""
        served = self._service.dataset(dataset)
        asked = read_batch(json_object(), tuple(each.name for each in self._service.datasets()))
        accepted = self._service.submit_batch(
            asked,
            dataset=served.name,
            owner=caller().owner,
            idempotency_key=idempotency_key(request.headers),
        )
        note_job(accepted.number)
        return submitted(self._service, self._jobs, accepted)


def read_batch(body: Mapping[str, object], datasets: tuple[str, ...]) -> list[tuple[str, Mapping[str, object]]]:
    """Return the statistics of a body, each with its parameters.

    Raises
    ------
    InvalidParameterError
        It has no list of 1 to 200 requests, or one of them is none.
    """
    try:
        check_names(body, ["requests"], what="field of a batch")
    except FieldError as error:
        raise InvalidParameterError.of(error) from None
    requests = body.get("requests")
    if not isinstance(requests, Sequence) or isinstance(requests, str) or not 1 <= len(requests) <= MOST_REQUESTS:
        found = f"{len(requests)} requests" if isinstance(requests, list) else shown(requests)
        raise InvalidParameterError(
            f"requests: {found}; give a list of 1 to {MOST_REQUESTS}, such as"
            ' [{"statistic": "mean", "parameters": {"question": "Q036"}}]',
            field="requests",
        )
    found_requests = []
    for place, each in enumerate(requests):
        path = f"requests[{place}]"
        if not isinstance(each, Mapping):
            raise InvalidParameterError(
                f'{path}: {shown(each)} is not {{"statistic": "...", "parameters": {{...}}}}', field=path
            )
        try:
            found_requests.append(read_submission(each, datasets))
        except InvalidParameterError as error:
            raise error.below(path) from None
    return found_requests
