"""Housekeeper: one thread that does a small duty again and again until it is told to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from meantime.errors import MeantimeError

_log = logging.getLogger(__name__)


class Housekeeper:
    """Calls ``duty`` every ``interval_s`` seconds on a thread of its own, from ``start`` to ``stop``."""

    def __init__(self, duty: Callable[[], object], *, interval_s: float) -> None:
        self._duty = duty
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeper", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the round it is in; harmless when it never started."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._interval_s):
            try:
                self._duty()
            except (MeantimeError, OSError) as error:
                _log.error("housekeeping failed and is tried again in %g s: %s", self._interval_s, error)
