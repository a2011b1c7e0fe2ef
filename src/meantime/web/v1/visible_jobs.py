"""The jobs that a caller may see: found, waited for as long as the caller prefers, described. Each is a snapshot."""

from __future__ import annotations

from flask import Response, request

from meantime.errors import NoPlaceError
from meantime.jobs.job import Job, job_number
from meantime.service import MeantimeService
from meantime.web.admission.callers import caller, check_still_known, client_of
from meantime.web.observation.request_facts import note_job
from meantime.web.operations import RequestHeader
from meantime.web.places import AllPlaces
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
    places
        What clients can hold; each that waits holds one of the server's threads.
    """

    def __init__(self, service: MeantimeService, places: AllPlaces) -> None:
        self._service = service
        self.places = places

    def find(self, job_id: str) -> Job:
        """Return a job that the caller may see."""
        job = self._service.job(job_number(job_id), owner=caller().sees_jobs_of)
        note_job(job.number)
        return job

    def wait(self, number: int, seconds: float) -> Job:
        """Wait for a job's end; return how it then stands."""
        return self._service.wait(number, seconds)

    def wait_as_preferred(self, job: Job, *, default_s: int | None = None) -> tuple[Job, int | None]:
        """Wait for a job's end as long as the client prefers, or ``default_s`` seconds if it has no preference.

        Returns
        -------
        tuple
            How the job then stands, and the seconds that the preference allowed; None when there was no preference, or
            no place was free.
        """
        preferred_s = preferred_wait_s(request.headers)
        wait_s = default_s if preferred_s is None else preferred_s
        if wait_s is None or job.state.is_final:
            return job, preferred_s
        try:
            place = self.places.waits.take(client_of(request.environ))
        except NoPlaceError:
            return job, None
        with place:
            job = self._service.wait(job.number, wait_s)
        check_still_known(request.environ)
        return job, preferred_s

    def describe(self, job: Job, prefix: str, *, result: bytes | None = None) -> JobDocument:
        """Return a job as it is sent to a client that reaches the server below a prefix."""
        ahead = None if job.state.is_final else self._service.jobs_ahead(job.number)
        return job_document(job, prefix, jobs_ahead=ahead, result=result)


def note_preference(response: Response, waited_s: int | None) -> None:
    """Tell a client that its preference was followed."""
    if waited_s is not None:
        response.headers["Preference-Applied"] = f"wait={waited_s}"
