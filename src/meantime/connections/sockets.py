"""The TCP sockets that this process has open, whoever opened them, and how a listening one is closed without a reset.

The web server doesn't hand its own out.

A kernel resets the connections that wait to be accepted when their listening socket is closed. A filter on the socket
makes it ignore new ones first; a client that comes then is refused a second later, when it asks again.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_DESCRIPTORS = Path("/proc/self/fd")
_SO_ATTACH_FILTER = 26  # asm-generic/socket.h
_DROP_EVERYTHING = struct.pack("HBBI", 0x06, 0, 0, 0)  # one instruction of BPF: let 0 bytes of the packet pass


def tcp_sockets() -> Iterator[socket.socket]:
    """Yield a duplicate of each, closed when the next one is asked for; none where there is no Linux.

    A duplicate stays the same socket even if the descriptor is closed and used anew meanwhile.
    """
    if sys.platform != "linux":
        return
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208  # a Path for each costs more than the rest
        with suppress(OSError):  # closed meanwhile
            if os.readlink(f"{_DESCRIPTORS}/{name}").startswith("socket:"):  # noqa: PTH115
                with socket.socket(fileno=os.dup(int(name))) as found:
                    if found.family in (socket.AF_INET, socket.AF_INET6) and found.type == socket.SOCK_STREAM:
                        yield found


def set_on_listeners(port: int, level: int, option: int, value: int | bytes) -> int:
    """Set an option of the sockets on which this process listens at a port; return how many took it."""
    count = 0
    for each in tcp_sockets():
        if each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) and each.getsockname()[1] == port:
            with suppress(OSError):  # the system doesn't know it, or doesn't allow it
                each.setsockopt(level, option, value)
                count += 1
    return count


def ignore_new_connections(port: int) -> int:
    """Make the sockets on which this process listens at a port ignore new connections; return how many there are."""
    program = ctypes.create_string_buffer(_DROP_EVERYTHING)
    filter_option = struct.pack("HP", 1, ctypes.addressof(program))
    return set_on_listeners(port, socket.SOL_SOCKET, _SO_ATTACH_FILTER, filter_option)
