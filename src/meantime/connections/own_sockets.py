"""The TCP sockets that this process has open, whoever opened them: the web server doesn't hand its own out."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_DESCRIPTORS = Path("/proc/self/fd")


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
