"""The clock by which finished jobs grow old: one that is set forward while the server runs evicts nothing early."""

from __future__ import annotations

from collections.abc import Callable


class RetentionClock:
    """Gives the wall clock's time, but never more than has passed since the start.

    Parameters
    ----------
    wall
        Seconds since the epoch; may jump.
    monotonic
        Seconds that only pass.

    Examples
    --------
    >>> wall = iter([1000.0, 90000.0, 500.0])
    >>> monotonic = iter([1.0, 11.0, 21.0])
    >>> clock = RetentionClock(lambda: next(wall), lambda: next(monotonic))
    >>> clock(), clock()
    (1010.0, 500.0)
    """

    def __init__(self, wall: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._offset = wall() - monotonic()

    def __call__(self) -> float:
        """Return the time, in seconds since the epoch."""
        return min(self._wall(), self._offset + self._monotonic())
