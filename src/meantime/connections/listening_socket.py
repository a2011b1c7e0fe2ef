"""Closing a listening socket without resetting anybody: no new connections, while those that are there are answered.

A kernel resets the connections that wait to be accepted when their listening socket is closed. A filter on the socket
makes it ignore new ones first; a client that comes then is refused a second later, when it asks again.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from contextlib import suppress

from meantime.connections.own_sockets import tcp_sockets

_SO_ATTACH_FILTER = 26  # asm-generic/socket.h
_DROP_EVERYTHING = struct.pack("HBBI", 0x06, 0, 0, 0)  # one instruction of BPF: let 0 bytes of the packet pass


def ignore_new_connections(port: int) -> int:
    """Make the sockets on which this process listens at a port ignore new connections; return how many there are."""
    program = ctypes.create_string_buffer(_DROP_EVERYTHING)
    filter_option = struct.pack("HP", 1, ctypes.addressof(program))
    count = 0
    for each in tcp_sockets():
        if each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) and each.getsockname()[1] == port:
            with suppress(OSError):  # the system doesn't allow it
                each.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filter_option)
                count += 1
    return count
