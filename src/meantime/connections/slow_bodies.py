"""Cuts off clients that take too long to send a request's body, since each holds one of the server's threads meanwhile.

One thread watches over all reads, and shuts the receiving half of the connections that overdue reads wait for: then
the reads end, and the clients are answered 408. ``unanswered_connections.py`` tells which connections those are.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from werkzeug.exceptions import RequestTimeout

from meantime.connections.unanswered_connections import Peer, Unanswered, UnansweredConnections, shut_receiving
from meantime.supervisor import KeptThread

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CHECK_INTERVAL_S = 0.5

_log = logging.getLogger(__name__)


class Readable(Protocol):
    """What a WSGI server gives for the body."""

    def read(self, size: int = ..., /) -> bytes:
        """Return up to ``size`` bytes, none at the end."""


@dataclass(frozen=True, slots=True)
class _Read:
    """One body that is being read."""

    address: str
    began_at: float  # monotonic seconds


class SlowBodyGuard:
    """Wraps a WSGI application; ``start`` it before the first request and ``stop`` it after the last.

    Parameters
    ----------
    wsgi_app
        The application.
    limit_s
        How many seconds a body may take, from its first read to its end.
    monotonic
        Gives seconds that never go back.
    """

    def __init__(
        self, wsgi_app: WSGIApplication, limit_s: float, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wsgi_app = wsgi_app
        self._limit_s = limit_s
        self._monotonic = monotonic
        self._reads: dict[int, _Read] = {}  # one writer a key; setting and deleting are atomic
        self._tickets = itertools.count()  # next() is atomic
        self._connections = UnansweredConnections()  # the watching thread's own
        self._stop = threading.Event()
        self.thread = KeptThread(self._watch, name="slow-bodies")

    def start(self) -> None:
        """Start the watching thread."""
        self.thread.start()

    def stop(self) -> None:
        """End the watching thread."""
        self.thread.end(self._stop.set)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass a request on; its body is watched over while it is read."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            environ["wsgi.input"] = _WatchedBody(self, environ["wsgi.input"], environ.get("REMOTE_ADDR", ""))
        return self._wsgi_app(environ, start_response)

    def begin(self, address: str) -> _Read:
        """Return what stands for the reading of a body from now on."""
        return _Read(address, self._monotonic())

    def read(self, body: Readable, reading: _Read, size: int) -> bytes:
        """Read a part of a body under the watch.

        Raises
        ------
        RequestTimeout
            The body has not ended within the limit.
        """
        ticket = next(self._tickets)
        self._reads[ticket] = reading
        try:
            part = body.read(size)
        except OSError:
            if not self._is_overdue(reading):
                raise
            part = b""
        finally:
            del self._reads[ticket]
        if self._is_overdue(reading) and len(part) < size:
            raise RequestTimeout(f"the body took longer than {self._limit_s:g} s; send it in one go")
        return part

    def _is_overdue(self, reading: _Read) -> bool:
        return self._monotonic() - reading.began_at >= self._limit_s

    def cut_off_overdue(self) -> int:
        """Cut off the clients whose bodies are overdue; return how many connections that was."""
        now = self._monotonic()
        reads = list(self._reads.values())
        if not any(now - each.began_at >= CHECK_INTERVAL_S for each in reads):
            self._connections.forget()
            return 0
        unanswered = self._connections.sample(now)
        overdue = Counter(each.address for each in reads if now - each.began_at >= self._limit_s)
        old = {peer: each for peer, each in unanswered.items() if now - each.began_at >= self._limit_s}
        chosen = [peer for address, count in overdue.items() for peer in _overdue_peers(old, address, count)]
        return shut_receiving(set(chosen)) if chosen else 0

    def _watch(self) -> None:
        while not self._stop.wait(CHECK_INTERVAL_S):
            try:
                self.cut_off_overdue()
            except Exception:  # noqa: BLE001  # out of descriptors, perhaps: it is tried again
                _log.exception("can't look after slow clients")


def _overdue_peers(old: dict[Peer, Unanswered], address: str, count: int) -> list[Peer]:
    """Return the connections from an address that its ``count`` overdue reads wait for, as far as they can be told.

    A client of the same address may be waiting for a slow answer, rightly. It has sent its request long ago; so while
    there are more connections than reads, only those are chosen on which something has still come in.
    """
    peers = [peer for peer in old if peer[0].removeprefix("::ffff:") == address.removeprefix("::ffff:")]
    if len(peers) <= count:
        return peers
    return [peer for peer in peers if old[peer].is_still_sending][:count]


class _WatchedBody:
    """A body with one deadline for all of its reads, set by the first one."""

    def __init__(self, guard: SlowBodyGuard, body: Readable, address: str) -> None:
        self._guard = guard
        self._body = body
        self._address = address
        self._reading: _Read | None = None

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes; RequestTimeout when they took too long."""
        if self._reading is None:
            self._reading = self._guard.begin(self._address)
        return self._guard.read(self._body, self._reading, size)
