"""SteadyStorage: counts for flask-limiter in memory, by a clock that nobody sets.

The storage that comes with it goes by the time of day: set back an hour, a client at its limit was refused for an hour.
"""

from __future__ import annotations

import threading
import time

from limits.storage import Storage

CLIENT_COUNT = 10_000
"""Of how many clients counts are kept before those that are over are looked for."""


class SteadyStorage(Storage):
    """Counts by key, each for a window of its own; times are monotonic seconds."""

    STORAGE_SCHEME = ["steady"]  # noqa: RUF012  # as the base class has it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: float | str | bool) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[int, float]] = {}  # guarded by self._lock; how often, and when it is over

    @property
    def base_exceptions(self) -> type[Exception]:
        """What this storage raises on its own: nothing that would be another's."""
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, and return how often it was in this window; a window begins with the first, and lasts ``expiry`` s."""
        with self._lock:
            now = time.monotonic()
            if len(self._windows) > CLIENT_COUNT:
                self._windows = {key: window for key, window in self._windows.items() if window[1] > now}
            count, over_at = self._windows.get(key, (0, 0.0))
            if over_at <= now:
                count, over_at = 0, now + expiry
            self._windows[key] = (count + amount, over_at)
            return count + amount

    def get(self, key: str) -> int:
        """Return how often it was in this window."""
        with self._lock:
            count, over_at = self._windows.get(key, (0, 0.0))
            return count if over_at > time.monotonic() else 0

    def get_expiry(self, key: str) -> float:
        """Return when the window is over, in monotonic seconds."""
        with self._lock:
            return self._windows.get(key, (0, time.monotonic()))[1]

    def check(self) -> bool:
        """Whether it can be used."""
        return True

    def reset(self) -> int:
        """Forget everything; return of how many keys."""
        with self._lock:
            count = len(self._windows)
            self._windows.clear()
            return count

    def clear(self, key: str) -> None:
        """Forget one key."""
        with self._lock:
            self._windows.pop(key, None)
