"""TaskRunner: one worker thread's bare loop. Every further ability lives elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meantime.jobs.thread_pool import ThreadPool


class TaskRunner:
    """Takes jobs, runs them, records how they ended, until the pool says stop."""

    def __init__(self, pool: ThreadPool) -> None:
        self._pool = pool

    def run(self) -> None:
        """Run jobs until there are no more. No job can end this loop: not even one that raises SystemExit."""
        goes_on = True
        while goes_on and (job := self._pool.take()) is not None:
            try:
                result = self._pool.run(job)
            except BaseException as error:  # noqa: BLE001  # whatever a job raises is how it ended
                goes_on = self._pool.fail(job, error)
            else:
                goes_on = self._pool.finish(job, result)
