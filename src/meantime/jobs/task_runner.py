"""TaskRunner: one worker thread's bare loop. Every further ability lives elsewhere."""

from __future__ import annotations

from typing import Protocol

from meantime.jobs.job import EncodedResult, Job


class RunnersPool(Protocol):
    """What a runner needs of its pool."""

    def take(self) -> Job | None:
        """Wait for the next job and start it; None when the runner shall end."""

    def run(self, job: Job) -> EncodedResult:
        """Run the job's task; may raise anything."""

    def finish(self, job: Job, result: EncodedResult) -> bool:
        """Record a result; return whether the runner goes on, or has been replaced meanwhile. Never raises."""

    def fail(self, job: Job, error: BaseException) -> bool:
        """Record a failure; return whether the runner goes on, or has been replaced meanwhile. Never raises."""


class TaskRunner:
    """Takes jobs, runs them, records how they ended, until the pool says stop."""

    def __init__(self, pool: RunnersPool) -> None:
        self._pool = pool

    def run(self) -> None:
        """Run jobs until there are no more. No job can end this loop: not even one that raises SystemExit."""
        goes_on = True
        while goes_on and (job := self._pool.take()) is not None:
            try:
                result = self._pool.run(job)
            except BaseException as error:  # noqa: BLE001  # the one place that catches everything
                goes_on = self._pool.fail(job, error)
            else:
                goes_on = self._pool.finish(job, result)
