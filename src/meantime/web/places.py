"""Places: what clients can hold at once, in bounded number, for all of them and for each.

Here is the mechanism and the ONE list of what is so bounded. How long a place may be held is up to whoever holds it;
SECURITY.md has the table, with the deadlines.

Who finds no place waits a moment, if few others do, since most are held for milliseconds. Where one has waited in
vain, places are held for long: those who come after are refused at once, until one is free. So waiting takes few
threads, and not for long.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, fields
from types import TracebackType
from typing import Self

from meantime.errors import NoPlaceError

MEGABYTE = 1024 * 1024

PROBE_RESERVE = 8
"""How many of the server's threads answer nothing but probes, and refusals."""


WAITING_LIMIT = 8
"""How many may wait for a place of one kind: each holds a thread."""


class Places:
    """A number of places for one thing, a share of which one client may hold. May be used from any thread.

    Parameters
    ----------
    name
        What a place is taken for, in the plural; metrics and refusals name it.
    bound
        How many there are.
    share
        How many of them one client may hold.
    least
        How many are taken at once at the least.
    patience_s
        How long one who finds none waits, seconds.
    retry_after_s
        When one who has found none should ask again, seconds.
    """

    def __init__(
        self, name: str, bound: int, share: int, *, least: int = 1, patience_s: float = 0.0, retry_after_s: int = 1
    ) -> None:
        self.name = name
        self.bound = max(1, bound)
        self.share = max(1, min(share, self.bound))
        self._least = least
        self._patience_s = patience_s
        self._retry_after_s = retry_after_s
        self._lock = threading.Lock()
        self._released = threading.Condition(self._lock)
        self._waiting_count = 0  # guarded by self._lock
        self._is_stuck = False  # guarded by self._lock; whether one has waited in vain since the last release
        self._used = 0  # guarded by self._lock
        self._refused = 0  # guarded by self._lock
        self._held: Counter[str] = Counter()  # guarded by self._lock; by client, of those who hold some

    @property
    def used(self) -> int:
        """How many are taken."""
        return self._used

    @property
    def refused_count(self) -> int:
        """How often somebody found none."""
        return self._refused

    def take(self, client: str | None = None, amount: int = 1) -> Place:
        """Take places until the one that is returned is released.

        Parameters
        ----------
        client
            Whose share it counts towards; None as long as nobody knows.
        amount
            How many; who wants more than a share takes the whole share.

        Raises
        ------
        NoPlaceError
            They are all taken, or the client holds its share.
        """
        amount = min(max(amount, self._least), self.share)
        with self._lock:
            if client is not None or self._used + amount > self.bound:
                self._wait_for(client, amount)
            self._used += amount
            if client is not None:
                self._held[client] += amount
        return Place(self, client, amount)

    def _wait_for(self, client: str | None, amount: int) -> None:
        """Return once there is room, or raise NoPlaceError. Hold the lock."""
        if not self._lacks(client, amount):
            return
        if self._patience_s and not self._is_stuck and self._waiting_count < WAITING_LIMIT:
            self._waiting_count += 1
            ended = self._released.wait_for(lambda: self._is_stuck or not self._lacks(client, amount), self._patience_s)
            self._waiting_count -= 1
            if not self._lacks(client, amount):
                return
            if not ended:
                self._is_stuck = True
                self._released.notify_all()  # nobody else need wait as long
        raise self._refuse(self._lacks(client, amount))

    def _lacks(self, client: str | None, amount: int) -> str:
        """Return why there is no room; empty when there is. Hold the lock."""
        if self._used + amount > self.bound:
            return f"all {self.bound} are taken"
        if client is not None and self._held.get(client, 0) + amount > self.share:
            return f"you hold {self.share} of {self.bound}, your share"
        return ""

    def give_to(self, place: Place, client: str) -> None:
        """Count a place that nobody's share has towards a client's; NoPlaceError when the client holds its share."""
        with self._lock:
            if place.client is None:
                if self._held.get(client, 0) + place.amount > self.share:
                    raise self._refuse(f"you hold {self.share} of {self.bound}, your share")
                self._held[client] += place.amount
                place.client = client

    def put_back(self, place: Place) -> None:
        """Make a place free; harmless when it is already."""
        with self._lock:
            if place.is_released:
                return
            place.is_released = True
            self._used -= place.amount
            if place.client is not None:
                self._held[place.client] -= place.amount
                if not self._held[place.client]:
                    del self._held[place.client]  # clients come and go; what is kept of them doesn't grow
            self._is_stuck = False
            if self._waiting_count:
                self._released.notify_all()

    def _refuse(self, why: str) -> NoPlaceError:
        """Return what one is told who finds no place. Hold the lock."""
        self._refused += 1
        after_s = self._retry_after_s
        return NoPlaceError(f"no place for more {self.name}: {why}; try again in {after_s} s", retry_after_s=after_s)


class Place:
    """What somebody holds; a context manager that releases it."""

    __slots__ = ("_places", "amount", "client", "is_released")

    def __init__(self, places: Places, client: str | None, amount: int) -> None:
        self._places = places
        self.client = client  # guarded by the lock of places
        self.amount = amount
        self.is_released = False  # guarded by the lock of places

    def give_to(self, client: str) -> None:
        """Count it towards a client's share; NoPlaceError when that is used up."""
        self._places.give_to(self, client)

    def release(self) -> None:
        """Make it free; harmless when it is already."""
        self._places.put_back(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


@dataclass(frozen=True, slots=True)
class AllPlaces:
    """Everything in one application that is bounded by places; a place in ``..._bytes`` is a byte."""

    requests: Places
    streams: Places
    waits: Places
    lists: Places
    large_answer_bytes: Places
    encoder_bytes: Places
    children: Places
    pictures: Places
    reloads: Places

    @classmethod
    def for_threads(cls, thread_count: int) -> Self:
        """Return the places of a server that answers so many requests at once.

        Streams, waits, lists and large answers hold a thread each for as long as the client likes, up to a deadline;
        together they leave some for short requests.
        """
        reserve = min(PROBE_RESERVE, thread_count // 4)
        requests, quarter = thread_count - reserve, max(1, thread_count // 4)
        brief, some = 0.2, 1.0  # seconds
        large = Places(
            "bytes of large answers", 128 * MEGABYTE, 32 * MEGABYTE, least=128 * MEGABYTE // quarter, patience_s=some
        )
        return cls(
            requests=Places("requests", requests, requests // 2, patience_s=brief),
            streams=Places("event streams", quarter, quarter // 4, retry_after_s=5),
            waits=Places("requests that wait for a job", quarter, quarter // 4),
            lists=Places("long lists of jobs", quarter // 4, quarter // 8, patience_s=some),
            large_answer_bytes=large,
            encoder_bytes=Places(
                "bytes of results to encode", 32 * MEGABYTE, 16 * MEGABYTE, least=4 * MEGABYTE, patience_s=some
            ),
            children=Places("Parquet files", 8, 4, patience_s=some),
            pictures=Places("pictures", 12, 6, patience_s=some),
            reloads=Places("reloads", 2, 1, retry_after_s=5),
        )

    def named(self) -> dict[str, Places]:
        """Return each by the name of its field."""
        return {each.name: getattr(self, each.name) for each in fields(self)}
