"""Which of this process's TCP connections have waited for how long, by what the kernel counts on them.

The web server owns the sockets and doesn't say which request came by which; what is known of a request is its client's
address. So a connection is judged by what has gone over it.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from meantime.connections.sockets import tcp_sockets

Peer = tuple[str, int]

_TCP_INFO_BYTES = 160
# struct tcp_info of linux/tcp.h: last_data_sent, last_data_recv (ms ago), bytes_received, data_segs_out
_LAST_SENT, _LAST_RECEIVED, _BYTES_RECEIVED, _SEGMENTS_SENT = "=I", "=I", "=Q", "=I"
_OFFSETS = (44, 52, 128, 156)


class _Counts(NamedTuple):
    sent_ms_ago: int
    received_ms_ago: int
    received_bytes: int
    segments_sent: int

    @property
    def is_unanswered(self) -> bool:
        """Whether the client has sent something since the server last did."""
        return self.received_bytes > 0 and (self.segments_sent == 0 or self.received_ms_ago < self.sent_ms_ago)


@dataclass(slots=True)
class Unanswered:
    """A connection on which the server has sent nothing since ``began_at``, when it was first seen to owe an answer."""

    began_at: float  # monotonic seconds
    segments_sent: int
    first_received_bytes: int
    received_bytes: int

    @property
    def is_still_sending(self) -> bool:
        """Whether the client has sent more since: an honest one sends its request at once."""
        return self.received_bytes > self.first_received_bytes


class UnansweredConnections:
    """Samples of the connections. Used by one thread."""

    def __init__(self) -> None:
        self._seen: dict[Peer, Unanswered] = {}

    def sample(self, now: float) -> dict[Peer, Unanswered]:
        """Look at every connection, and return those that owe an answer, by the client's address and port.

        Parameters
        ----------
        now
            Monotonic seconds.
        """
        seen: dict[Peer, Unanswered] = {}
        for connection in tcp_sockets():
            with suppress(OSError):  # not connected any more
                counts, peer = _counts(connection), connection.getpeername()[:2]
                if counts.is_unanswered:
                    before = self._seen.get(peer)
                    if before is None or before.segments_sent != counts.segments_sent:
                        before = Unanswered(now, counts.segments_sent, counts.received_bytes, 0)
                    before.received_bytes = counts.received_bytes
                    seen[peer] = before
        self._seen = seen
        return seen

    def forget(self) -> None:
        """Drop what was seen."""
        self._seen = {}


def shut_receiving(peers: set[Peer]) -> int:
    """Shut the receiving half of the connections to some clients, who can still be answered; return how many."""
    count = 0
    for connection in tcp_sockets():
        with suppress(OSError):
            if connection.getpeername()[:2] in peers:
                connection.shutdown(socket.SHUT_RD)
                count += 1
    return count


def _counts(connection: socket.socket) -> _Counts:
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    kinds = (_LAST_SENT, _LAST_RECEIVED, _BYTES_RECEIVED, _SEGMENTS_SENT)
    return _Counts(*(struct.unpack_from(kind, info, offset)[0] for kind, offset in zip(kinds, _OFFSETS, strict=True)))
