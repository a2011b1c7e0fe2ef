"""The answer to a task for whoever asks by GET: known already, or computed by a job of nobody's that is waited for."""

from __future__ import annotations

from meantime.errors import NoResultError, StatisticError
from meantime.jobs.job import EncodedResult, Job, Task
from meantime.jobs.job_state import JobState
from meantime.service import MeantimeService
from meantime.web.observation.request_facts import note_job
from meantime.web.responses import RETRY_AFTER_S
from meantime.web.v1.visible_jobs import VisibleJobs

DEFAULT_WAIT_S = 5


class KnownAnswers:
    """Finds answers; parameters as of JobResources."""

    def __init__(self, service: MeantimeService, jobs: VisibleJobs) -> None:
        self._service = service
        self._jobs = jobs

    def of(self, task: Task) -> tuple[EncodedResult | Job, int | None]:
        """Return a task's result, or its job if that goes on; and for how long the client's preference was followed.

        Raises
        ------
        StatisticError
            The question has no answer.
        NoResultError
            Somebody cancelled the job.
        """
        known = self._service.known_result(task)
        if known is not None:
            return known, None
        accepted = self._service.join_or_add(task)
        note_job(accepted.number)
        job, waited_s = self._jobs.wait_as_preferred(accepted, default_s=DEFAULT_WAIT_S)
        if job.state is JobState.DONE:
            return EncodedResult(self._service.result_of(job), job.result_sha256 or ""), waited_s
        if job.state is JobState.FAILED:
            raise StatisticError(job.reason or f"job {job.number} failed, and no reason is recorded")
        if job.state is JobState.CANCELLED:
            raise NoResultError(
                f"job {job.number}, which computed this, was cancelled; ask again",
                state=job.state,
                retry_after_s=int(RETRY_AFTER_S),
            )
        return job, waited_s
