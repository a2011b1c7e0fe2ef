"""The threads that a server can't do without, and who looks after them. What a thread does is its owner's.

Whoever has such a thread makes it a KeptThread and ends it in order. One that ends although nobody asked it to is
logged and counted when it ends, is missing from then on, and is started again by the supervisor. So a thread's work
must bear being begun anew.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class KeptThread:
    """A thread that runs ``work`` from ``start`` to ``end``.

    Parameters
    ----------
    work
        Returns once it was woken to end, and is called again when it has returned, or raised, before.
    name
        The thread's name, in logs and metrics.
    """

    def __init__(self, work: Callable[[], object], *, name: str) -> None:
        self.name = name
        self._work = work
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None  # guarded by self._lock
        self._is_wanted = False  # guarded by self._lock
        self._end_count = 0  # guarded by self._lock

    @property
    def is_wanted(self) -> bool:
        """Whether the thread was started and has not been told to end."""
        with self._lock:
            return self._is_wanted

    @property
    def is_missing(self) -> bool:
        """Whether the thread should run and doesn't."""
        with self._lock:
            return self._is_gone()

    @property
    def end_count(self) -> int:
        """How often the thread has ended although nobody asked it to."""
        with self._lock:
            return self._end_count

    def start(self) -> None:
        """Start the thread; RuntimeError when the system has none left."""
        with self._lock:
            self._launch()
            self._is_wanted = True

    def end(self, wake: Callable[[], object], timeout_s: float | None = None) -> None:
        """Tell the thread to end, by ``wake``, and wait for it; harmless when it never started."""
        with self._lock:
            self._is_wanted = False  # before it can know, so that its end is none that is missed
            thread = self._thread
        wake()
        if thread is not None:
            thread.join(timeout_s)

    def keep(self) -> bool:
        """Start the thread again if it is missing; return whether it was."""
        with self._lock:
            if not self._is_gone():
                return False
            self._launch()
        _log.warning("the thread %s was started again", self.name)
        return True

    def _is_gone(self) -> bool:
        return self._is_wanted and (self._thread is None or not self._thread.is_alive())

    def _launch(self) -> None:
        thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        thread.start()
        self._thread = thread

    def _run(self) -> None:
        failure: BaseException | None = None
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  # whatever it is, somebody has to hear of it
            failure = error
        with self._lock:
            if not self._is_wanted and failure is None:
                return
            self._end_count += 1
        _log.error("the thread %s has ended, and nobody asked it to", self.name, exc_info=failure)


class Housekeeper:
    """Calls ``duty`` every ``interval_s`` seconds on a thread of its own, from ``start`` to ``stop``.

    Whatever the duty raises is logged and counted, and its next round comes: the thread ends only when it is told to.
    """

    def __init__(self, duty: Callable[[], object], *, name: str, interval_s: float) -> None:
        self._duty = duty
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._failure_count = 0  # written by the thread alone
        self.thread = KeptThread(self._run, name=name)

    @property
    def name(self) -> str:
        """The thread's name."""
        return self.thread.name

    @property
    def failure_count(self) -> int:
        """How many rounds have raised."""
        return self._failure_count

    def start(self) -> None:
        """Start the thread."""
        self.thread.start()

    def stop(self) -> None:
        """End the thread after the round it is in; harmless when it never started."""
        self.thread.end(self._stop.set)

    def _run(self) -> None:
        while not self._stop.wait(self._interval_s):
            try:
                self._duty()
            except BaseException:  # noqa: BLE001  # a thread that ended silently would be missed when it is needed
                self._failure_count += 1
                _log.exception("%s failed and is tried again in %g s", self.name, self._interval_s)


class Supervisor:
    """Looks after threads; may be used from any thread. Somebody has to call ``keep_all`` now and then."""

    def __init__(self) -> None:
        self._threads: tuple[KeptThread, ...] = ()  # replaced as a whole

    def add(self, *threads: KeptThread) -> None:
        """Look after some more threads; call this before requests come."""
        self._threads += threads

    def missing(self) -> list[str]:
        """Return the names of the threads that should run and don't, in the order in which they were added."""
        return [thread.name for thread in self._threads if thread.is_missing]

    def running(self) -> dict[str, bool]:
        """Return whether each thread that should run does, by name."""
        return {thread.name: not thread.is_missing for thread in self._threads if thread.is_wanted}

    def end_counts(self) -> dict[str, int]:
        """Return how often each thread has ended although nobody asked it to, by name."""
        return {thread.name: thread.end_count for thread in self._threads}

    def keep_all(self) -> int:
        """Start each thread that is missing again, as far as the system lets us; return how many were missing."""
        count = 0
        for thread in self._threads:
            try:
                count += thread.keep()
            except (RuntimeError, MemoryError) as error:  # no thread is to be had: it stays missing, and is tried again
                _log.error("the thread %s can't be started again: %s", thread.name, error)
                count += 1
        return count
