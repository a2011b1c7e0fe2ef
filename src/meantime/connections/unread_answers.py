"""Cuts off clients that don't take their answers, since what is on its way to them fills memory and holds threads.

The web server has a deadline for what comes in and none for what goes out. So the kernel is asked, for each connection,
how much is still to be taken and how much has been: who takes less than ``LEAST_BYTES`` within the limit, and has more
to take, is disconnected; so is who has been behind for ``WHOLE_LIMITS`` times as long. The server's write then fails,
and gives back what the answer held.
"""

from __future__ import annotations

import fcntl
import logging
import socket
import struct
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from meantime.connections.sockets import set_on_listeners, tcp_sockets
from meantime.connections.unanswered_connections import Peer
from meantime.supervisor import Housekeeper

CHECK_INTERVAL_S = 1.0

LEAST_BYTES = 32 * 1024
"""What a client has to take within the limit, if there is so much: about 1 KB/s keeps a connection for 30 s."""

WHOLE_LIMITS = 20
"""How many limits a client may take for a whole answer. Of 30 s: 5 MB then take 9 KB/s, 32 MB 56."""

KERNEL_LIMIT_BYTES = 128 * 1024
"""How much of an answer the kernel takes of us before the client has room for it."""

_TCP_NOTSENT_LOWAT = 25  # linux/tcp.h
_BYTES_ACKNOWLEDGED = 120  # offset in struct tcp_info of linux/tcp.h
_TCP_INFO_BYTES = 160

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Progress:
    """How much a client had taken at a time, since when it has been behind, and what it will have taken then."""

    behind_since: float  # monotonic seconds
    at: float  # monotonic seconds
    taken_bytes: int
    due_bytes: int  # what it will have taken when it has all that was on its way at the last look


class UnreadAnswerGuard:
    """Looks after all connections; its ``watch`` is to be started before the first request.

    Parameters
    ----------
    limit_s
        How many seconds a client may take for the next part of its answer, and ``WHOLE_LIMITS`` times that for all.
    monotonic
        Gives seconds that never go back.
    """

    def __init__(self, limit_s: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limit_s = max(limit_s, CHECK_INTERVAL_S)
        self._monotonic = monotonic
        self._seen: dict[Peer, _Progress] = {}  # written by the watching thread alone, as a whole
        self._cut_off_count = 0  # written by the watching thread alone
        self.watch = Housekeeper(self.cut_off_stalled, name="unread-answers", interval_s=CHECK_INTERVAL_S)

    @property
    def cut_off_count(self) -> int:
        """How many clients have been cut off."""
        return self._cut_off_count

    @property
    def behind_count(self) -> int:
        """How many clients had more to take when this was last looked at."""
        return len(self._seen)

    def cut_off_stalled(self) -> int:
        """Disconnect the clients that have not taken enough for too long; return how many."""
        now, seen, count = self._monotonic(), dict[Peer, _Progress](), 0
        for connection in tcp_sockets():
            with suppress(OSError):  # not connected any more
                peer, left_bytes, taken_bytes = _look_at(connection)
                if not left_bytes:
                    continue
                progress = _progress(self._seen.get(peer), now, taken_bytes, left_bytes)
                if max(now - progress.at, (now - progress.behind_since) / WHOLE_LIMITS) >= self._limit_s:
                    # What the kernel holds goes with it, instead of being offered for minutes more.
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.shutdown(socket.SHUT_RDWR)
                    count += 1
                else:
                    seen[peer] = progress
        self._seen = seen
        self._cut_off_count += count
        if count:
            _log.warning("cut off %d clients that had not read their answers in time", count)
        return count


def _progress(before: _Progress | None, now: float, taken_bytes: int, left_bytes: int) -> _Progress:
    """Return how a client gets on that has more to take; one that has taken all of the last look is not behind.

    So a client that asks for one answer after another from far away, and always has one on its way, is left alone.
    """
    due_bytes = taken_bytes + left_bytes
    # Fewer bytes than before: another connection, from the same port.
    if before is None or taken_bytes < before.taken_bytes or taken_bytes >= before.due_bytes:
        return _Progress(now, now, taken_bytes, due_bytes)
    if taken_bytes - before.taken_bytes >= LEAST_BYTES:
        return _Progress(before.behind_since, now, taken_bytes, due_bytes)
    return replace(before, due_bytes=due_bytes)


def limit_unsent_bytes(port: int) -> int:
    """Have the kernel keep little of what clients of a port have no room for; return how many listeners that was.

    Connections inherit it from the listener. By itself a kernel takes up to 4 MB for each.
    """
    return set_on_listeners(port, socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, KERNEL_LIMIT_BYTES)


def _look_at(connection: socket.socket) -> tuple[Peer, int, int]:
    """Return the other end of a connection, how many bytes it has still to take, and how many it has taken."""
    peer = connection.getpeername()[:2]
    (left_bytes,) = struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)))
    if not left_bytes:
        return peer, 0, 0
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    return peer, left_bytes, struct.unpack_from("=Q", info, _BYTES_ACKNOWLEDGED)[0]
