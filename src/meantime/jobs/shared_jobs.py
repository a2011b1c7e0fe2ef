"""SharedJobs: which unfinished job an equal request joins, so that the same question isn't computed twice at once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

from meantime.jobs.job import Job, Task

REMEMBERED_COUNT = 4096
"""Of how many requests the job is remembered; an older one that is asked again is merely computed again."""


class SharedJobs:
    """The jobs that requests may share, by task and owner.

    Parameters
    ----------
    may_be_joined
        Whether the job with a number has not ended, and nobody wants it to stop; must not call back.
    """

    def __init__(self, may_be_joined: Callable[[int], bool]) -> None:
        self._may_be_joined = may_be_joined
        self._lock = threading.Lock()
        # A future is here before its job is accepted. Guarded by self._lock, oldest first.
        self._jobs: OrderedDict[tuple[Task, str], Future[Job]] = OrderedDict()

    def join_or_add(self, task: Task, owner: str, add: Callable[[], Job]) -> Job:
        """Return the owner's unfinished job of an equal task; without one, the job that ``add`` makes.

        Of callers that come at the same time one adds, and the others wait for its job. When it fails, its error
        is its own and the next one tries.
        """
        key = (task, owner)
        while True:
            with self._lock:
                known = self._jobs.get(key)
                mine: Future[Job] | None = None
                if known is None or not self._can_be_joined(known):
                    mine = self._jobs[key] = Future()
                    self._jobs.move_to_end(key)
                    if len(self._jobs) > REMEMBERED_COUNT:
                        self._jobs.popitem(last=False)
            if mine is not None:
                return _add(add, mine)
            if known is not None and known.exception() is None:
                return known.result()

    def _can_be_joined(self, known: Future[Job]) -> bool:
        """Whether a job is just being accepted, or has been and goes on. Holds self._lock."""
        if not known.done():
            return True
        return known.exception() is None and self._may_be_joined(known.result().number)


def _add(add: Callable[[], Job], accepted: Future[Job]) -> Job:
    try:
        job = add()
    except BaseException as error:
        accepted.set_exception(error)
        raise
    accepted.set_result(job)
    return job
