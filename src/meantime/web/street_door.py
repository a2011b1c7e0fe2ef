"""What happens to every request, whatever it asks for: default headers on the answer, and its exit in the log.

A plain WSGI layer around Flask, because it costs a tenth of Flask's own hooks and also covers Flask's own answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from meantime.web.access_log import AccessLog

if TYPE_CHECKING:
    from types import TracebackType

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

JOB_KEY = "meantime.job"
"""Where a route leaves the id of the job that a request is about, for the log."""

FIXED_HEADERS = [
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("Server", "Meantime"),  # and no version
]
DEFAULT_HEADERS = [
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
]
"""Headers that an answer may have its own of."""


class StreetDoor:
    """Wraps a WSGI application.

    Parameters
    ----------
    wsgi_app
        The application; it answers every exception itself.
    access_log
        Where exits are noted; None for nowhere.
    is_closing
        Whether connections are to be closed after this answer, because the process is about to end. A client that
        kept its connection might send its next request just then, and would see it reset.
    """

    def __init__(
        self,
        wsgi_app: WSGIApplication,
        access_log: AccessLog | None = None,
        *,
        is_closing: Callable[[], bool] = lambda: False,
    ) -> None:
        self._wsgi_app = wsgi_app
        self._access_log = access_log
        self._is_closing = is_closing

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass a request on."""
        started_at = time.perf_counter()
        answer_status = "500 no answer"

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: ExceptionInfo | None = None
        ) -> Callable[[bytes], object]:
            nonlocal answer_status
            answer_status = status
            names = [name for name, _ in headers]
            headers += FIXED_HEADERS
            headers += [header for header in DEFAULT_HEADERS if header[0] not in names]
            if self._is_closing():
                headers.append(("Connection", "close"))
            return start_response(status, headers, exc_info)

        try:
            return self._wsgi_app(environ, start)
        finally:
            if self._access_log is not None:
                self._access_log.leave(
                    environ["REQUEST_METHOD"],
                    environ["PATH_INFO"],
                    answer_status[:3],
                    time.perf_counter() - started_at,
                    environ.get(JOB_KEY, ""),
                )
