"""granian as Meantime uses it: one worker process, WSGI, its limits. Whatever else knows granian belongs here."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

from meantime.settings import Settings

if TYPE_CHECKING:
    from granian.server.mp import MPServer

CONNECTION_LIMIT = 4096
"""How many connections are open at once; more wait in the kernel's queue."""

HEADER_LIMIT_BYTES = 65_536
"""How much of a request granian holds before its headers are complete; the last read may double it. Its default is
six times as much for each connection. It also refuses more than 100 headers."""


def raise_file_limit() -> None:
    """Allow as many open files as the system lets us have: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTION_LIMIT
    if soft != resource.RLIM_INFINITY and soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def make_granian(settings: Settings, *, kill_timeout_s: int) -> MPServer:
    """Return granian's server, not started; a worker that doesn't end is killed after ``kill_timeout_s``."""
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server.mp import MPServer

    return MPServer(
        "meantime",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=settings.http_threads,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=max(1, round(settings.header_timeout_s * 1000)), max_buffer_size=HEADER_LIMIT_BYTES
        ),
        backlog=1024,
        backpressure=CONNECTION_LIMIT,
        workers_kill_timeout=kill_timeout_s,
        log_enabled=False,
        log_level=LogLevels.critical,
    )
