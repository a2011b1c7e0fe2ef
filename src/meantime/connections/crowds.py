"""Keeps one address from holding all connections: those beyond its share are closed.

The web server bounds the connections that are open at once and lets further ones wait, whoever they are; an address
that holds them all would keep everybody else out, probes too.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from meantime.connections.sockets import tcp_sockets
from meantime.connections.unanswered_connections import Peer
from meantime.supervisor import Housekeeper

CHECK_INTERVAL_S = 1.0
NETWORK_BITS = 64  # of an IPv6 address: one client often has all the addresses behind it

_DESCRIPTORS = Path("/proc/self/fd")

_log = logging.getLogger(__name__)


class CrowdGuard:
    """Looks after the connections of one port; its ``watch`` is to be started before the first request.

    Parameters
    ----------
    port
        Where the server listens.
    share
        How many connections one address may have.
    """

    def __init__(self, port: int, share: int) -> None:
        self._port = port
        self._share = share
        self.watch = Housekeeper(self.close_surplus, name="crowds", interval_s=CHECK_INTERVAL_S)

    def connection_count(self) -> int | None:
        """Return how many connections the port has; None where nobody can tell, as without descriptors or Linux."""
        try:
            return sum(1 for _ in self._connections()) if _DESCRIPTORS.exists() else None
        except OSError:
            return None

    def close_surplus(self) -> int:
        """Close what addresses have beyond their share; return how many connections that was."""
        if not _DESCRIPTORS.exists() or len(os.listdir(_DESCRIPTORS)) <= self._share:  # noqa: PTH208  # as in sockets.py
            return 0  # nobody can have more
        peers: dict[str, list[Peer]] = defaultdict(list)
        for peer in self._connections():
            peers[_network_of(peer[0])].append(peer)
        surplus = {peer for found in peers.values() for peer in found[self._share :]}
        return _close(surplus) if surplus else 0

    def _connections(self) -> Iterator[Peer]:
        """Yield the other end of each connection of the port."""
        for each in tcp_sockets():
            with suppress(OSError):  # not connected any more
                if each.getsockname()[1] == self._port:
                    yield each.getpeername()[:2]


def _close(peers: set[Peer]) -> int:
    count = 0
    for each in tcp_sockets():
        with suppress(OSError):
            if each.getpeername()[:2] in peers:
                each.shutdown(socket.SHUT_RDWR)
                count += 1
    _log.warning("closed %d connections of addresses that had more than their share", count)
    return count


def _network_of(address: str) -> str:
    """Return what stands for a client's address."""
    peer = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(peer, ipaddress.IPv6Address) and peer.ipv4_mapped is None:
        return str(ipaddress.ip_network((peer, NETWORK_BITS), strict=False))
    return str(getattr(peer, "ipv4_mapped", None) or peer)
