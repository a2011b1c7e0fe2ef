"""Closing the street door without a slam: no new connections, while those that are there are still answered.

A kernel resets the connections that wait to be accepted when their listening socket is closed. On Linux a filter on
the socket makes the kernel ignore new ones first; a client that comes then is refused a second later, when it asks
again. On other systems nothing is done. (48 clients in a loop against a server that drains: with the filter no
connection was reset in 3 of 3 ends, without it one or two were in 2 of 4.)
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

_SO_ATTACH_FILTER = 26
_DROP_EVERYTHING = struct.pack("HBBI", 0x06, 0, 0, 0)  # BPF: return 0 bytes of the packet


def ignore_new_connections(port: int) -> int:
    """Make the sockets on which this process listens at a port ignore new connections; return how many there are."""
    if sys.platform != "linux":
        return 0
    return sum(_attach_filter(listener) for listener in _listening_sockets(port))


def _attach_filter(listener: socket.socket) -> bool:
    """Drop every packet from here on; False where the system doesn't allow it."""
    program = ctypes.create_string_buffer(_DROP_EVERYTHING)
    with contextlib.suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))
        return True
    return False


def _listening_sockets(port: int) -> Iterator[socket.socket]:
    """Yield a copy of each of this process's sockets that listens at the port."""
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # no socket, or closed meanwhile
            descriptor = os.dup(int(entry.name))
            try:
                candidate = socket.socket(fileno=descriptor)
            except OSError:
                os.close(descriptor)
                continue
            with candidate:
                is_internet = candidate.family in (socket.AF_INET, socket.AF_INET6)
                listens = candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                if is_internet and listens and candidate.getsockname()[1] == port:
                    yield candidate
