"""The jobs that a caller may see: found, waited for as long as the caller prefers, described. Each is a snapshot."""

from __future__ import annotations

import threading

from flask import Response, request

from meantime.jobs.job import Job, job_number
from meantime.service import MeantimeService
from meantime.web.admission.callers import caller
from meantime.web.observation.request_facts import note_job
from meantime.web.operations import RequestHeader
from meantime.web.v1.job_documents import JobDocument, job_document
from meantime.web.v1.request_fields import WAIT_LIMIT_S, preferred_wait_s

PREFER = RequestHeader(
    "Prefer",
    f"`wait=5`: wait up to 5 seconds (at most {WAIT_LIMIT_S}) for the job's end (RFC 7240).",
    {"type": "string", "examples": ["wait=5"]},
)


class VisibleJobs:
    """What the views of jobs, results and events share.

    Parameters
    ----------
    service
        What answers.
    waiting_places
        How many requests may wait for a job at once; each holds one of the server's threads.
    """

    def __init__(self, service: MeantimeService, waiting_places: threading.Semaphore) -> None:
        self._service = service
        self.waiting_places = waiting_places

    def find(self, job_id: str) -> Job:
        """Return a job that the caller may see."""
        job = self._service.job(job_number(job_id), owner=caller().sees_jobs_of)
        note_job(job.number)
        return job

    def wait(self, number: int, seconds: float) -> Job:
        """Wait for a job's end; return how it then stands."""
        return self._service.wait(number, seconds)

    def wait_as_preferred(self, job: Job) -> tuple[Job, int | None]:
        """Wait for a job's end as long as the client prefers.

        Returns
        -------
        tuple
            How the job then stands, and the seconds that the preference allowed; None when there was no preference, or
            no place was free.
        """
        wait_s = preferred_wait_s(request.headers)
        if wait_s is None or job.state.is_final:
            return job, wait_s
        if not self.waiting_places.acquire(blocking=False):
            return job, None
        try:
            return self._service.wait(job.number, wait_s), wait_s
        finally:
            self.waiting_places.release()

    def describe(self, job: Job, *, result: bytes | None = None) -> JobDocument:
        """Return a job as it is sent."""
        ahead = None if job.state.is_final else self._service.jobs_ahead(job.number)
        return job_document(job, jobs_ahead=ahead, result=result)


def note_preference(response: Response, waited_s: int | None) -> None:
    """Tell a client that its preference was followed."""
    if waited_s is not None:
        response.headers["Preference-Applied"] = f"wait={waited_s}"
