"""JobEntry, what the pool holds of one job, with those who wait for its end; JobQueue, the jobs that wait for a runner.

What becomes of a job that is taken is not decided here.
"""

from __future__ import annotations

import queue
import threading
from collections import OrderedDict

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

    __slots__ = ("_end", "cancel_requested", "end", "is_readmitted", "is_unrecorded", "job", "overdue_at", "runner")

    def __init__(self, job: Job, *, is_readmitted: bool = False) -> None:
        self.job = job  # guarded by LiveJobs._lock; replaced as a whole, so it may be read without
        self.is_readmitted = is_readmitted
        self.end: Job | None = None  # guarded by LiveJobs._lock; how it is to end, until that is recorded and told
        self.is_unrecorded = False  # whether its end was decided and can't be written; by one thread at a time
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


class JobQueue:
    """Hands out waiting jobs: owners take turns, and the jobs of one owner keep their order.

    Only ``wait`` and ``call_runner`` may be called from any thread; everything else is guarded by LiveJobs._lock.

    Examples
    --------
    >>> from meantime.jobs.job import Job, Task
    >>> jobs = JobQueue()
    >>> for number, owner in enumerate(["ann", "ann", "bob"], start=1):
    ...     jobs.put(JobEntry(Job(number=number, task=Task("mean", "{}", "v1"), owner=owner)))
    >>> [jobs.pop().job.number for _ in range(len(jobs))]
    [1, 3, 2]
    """

    def __init__(self) -> None:
        # By owner, whose turn it is first; of each owner by number, oldest first.
        self._waiting: OrderedDict[str, OrderedDict[int, JobEntry]] = OrderedDict()
        self._length = 0
        self._calls: queue.SimpleQueue[bool] = (
            queue.SimpleQueue()
        )  # one for each job that was put, and one to end each runner

    def __len__(self) -> int:
        """Return how many jobs wait."""
        return self._length

    def waiting_of(self, owner: str) -> int:
        """Return how many jobs of an owner wait."""
        return len(self._waiting.get(owner, ()))

    def most_of_one(self) -> int:
        """Return how many jobs wait of the owner, if any has a name, of whom most do."""
        return max((len(entries) for owner, entries in self._waiting.items() if owner), default=0)

    def put(self, entry: JobEntry) -> None:
        """Let a job wait; ``call_runner`` is to follow, once for each."""
        self._waiting.setdefault(entry.job.owner, OrderedDict())[entry.job.number] = entry
        self._length += 1

    def call_runner(self) -> None:
        """Have one runner come for a job. Called without a lock that the runner would then wait for."""
        self._calls.put(True)

    def wait(self) -> bool:
        """Block until there may be a job to pop; return False when the caller shall end instead."""
        return self._calls.get()

    def pop(self) -> JobEntry | None:
        """Take the next job; None when the one that a runner was called for has been removed."""
        for owner, entries in self._waiting.items():
            _, entry = entries.popitem(last=False)
            self._length -= 1
            if entries:
                self._waiting.move_to_end(owner)
            else:
                del self._waiting[owner]
            return entry
        return None

    def remove(self, entry: JobEntry) -> None:
        """Let a job wait no longer; harmless when it has been taken."""
        entries = self._waiting.get(entry.job.owner)
        if entries is not None and entries.pop(entry.job.number, None) is not None:
            self._length -= 1
            if not entries:
                del self._waiting[entry.job.owner]

    def clear(self) -> None:
        """Let no job wait any longer."""
        self._waiting.clear()
        self._length = 0

    def end_one_runner(self) -> None:
        """Make one call of ``wait`` return False, once the calls before it have been heard."""
        self._calls.put(False)
