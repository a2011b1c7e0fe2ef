"""JobEntry: what the pool holds of one job, its newest snapshot and those who wait for its end."""

from __future__ import annotations

import threading

from meantime.jobs.job import Job


class JobEntry:
    """One job in the pool's hands. Only the pool and LiveJobs change it; nobody else ever sees one.

    Parameters
    ----------
    job
        How it stands.
    is_readmitted
        Whether an earlier process accepted it.
    """

    __slots__ = ("_end", "cancel_requested", "is_readmitted", "job", "overdue_at", "runner")

    def __init__(self, job: Job, *, is_readmitted: bool = False) -> None:
        self.job = job  # guarded by LiveJobs._lock; replaced as a whole, so it may be read without
        self.is_readmitted = is_readmitted
        self.cancel_requested = False  # set once, never cleared
        self.overdue_at: float | None = None  # monotonic s, then its runner is given up; written before runner
        self.runner: threading.Thread | None = None  # the thread that runs it; written once, by that thread
        # A lock that is held until the job has ended: a threading.Event costs ten times as much to make.
        self._end = threading.Lock()
        if not job.state.is_final:
            self._end.acquire()

    def wait(self, timeout_s: float) -> Job:
        """Wait for the job's end, at most ``timeout_s`` seconds, and return how it then stands."""
        if self._end.acquire(timeout=timeout_s):
            self._end.release()  # the next one who waits goes through, too
        return self.job

    def wake_all(self) -> None:
        """Let everybody through, now and later. Called once, when the job has ended."""
        self._end.release()
