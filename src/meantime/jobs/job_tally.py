"""JobTally: how many jobs ended how, how long they waited and ran, since this process began. Nothing is stored."""

from __future__ import annotations

from meantime.jobs.durations import Durations
from meantime.jobs.job import Job


class JobTally:
    """Counts jobs as they end; any thread may call it.

    Durations come from the job's own times of day, so a clock that is set while a job runs falsifies that one.
    """

    def __init__(self) -> None:
        self.runs = Durations()  # labels: the task's name, the final state; 0 s for a job that never ran
        self.waits = Durations()  # labels: the task's name; from being accepted to being taken by a runner

    def count(self, job: Job) -> None:
        """Count a job that has ended."""
        name = job.task.name
        if job.started_at is None or job.finished_at is None:
            self.runs.add((name, job.state.value), 0.0)
            return
        self.waits.add((name,), max(0.0, job.started_at - job.submitted_at))
        self.runs.add((name, job.state.value), max(0.0, job.finished_at - job.started_at))
