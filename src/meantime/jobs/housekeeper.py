"""Housekeeper: one thread that does a small duty again and again until it is told to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from meantime.supervisor import KeptThread

_log = logging.getLogger(__name__)


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
