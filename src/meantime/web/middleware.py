"""What happens to every request, whatever it asks for: default headers on the answer, and its exit in the log.

A plain WSGI layer around Flask, because it costs a tenth of Flask's own hooks and also covers Flask's own answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from meantime.jobs.log_context import NOTHING, worked_for
from meantime.web.observation.access_log import AccessLog
from meantime.web.observation.request_facts import JOB_KEY, REQUEST_ID_HEADER, RequestIds

if TYPE_CHECKING:
    from types import TracebackType

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    NoteAnswer = Callable[[WSGIEnvironment, str, float], None]
    """Takes a request's environment, its answer's status in three digits, and the seconds that it took."""

    ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

FIXED_HEADERS = [
    ("X-Content-Type-Options", "nosniff"),
    ("Server", "Meantime"),  # and no version
]
DEFAULT_HEADERS = [
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
]
"""Headers that an answer may have its own of."""


class Middleware:
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
    observers
        Told of every answer, in the thread that gave it.
    url_prefix
        The path below which a proxy mounts the server, such as ``/stats``. It is taken off what comes with it, once;
        what comes without it is from a proxy that has taken it off, or from this machine.
    """

    def __init__(
        self,
        wsgi_app: WSGIApplication,
        access_log: AccessLog | None = None,
        *,
        is_closing: Callable[[], bool] = lambda: False,
        observers: Sequence[NoteAnswer] = (),
        url_prefix: str = "",
    ) -> None:
        self._wsgi_app = wsgi_app
        self._observers = tuple(observers)
        self._request_ids = RequestIds()
        self._access_log = access_log
        self._is_closing = is_closing
        self._url_prefix = url_prefix

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass a request on."""
        started_at = time.perf_counter()
        answer_status = "500 no answer"
        request_id = self._request_ids.of(environ)
        worked_for.set((request_id, None))
        environ["SCRIPT_NAME"] = self._url_prefix  # whatever a header says of it
        if self._url_prefix and f"{environ['PATH_INFO']}/".startswith(f"{self._url_prefix}/"):
            environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(self._url_prefix) or "/"

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: ExceptionInfo | None = None
        ) -> Callable[[bytes], object]:
            nonlocal answer_status
            answer_status = status
            names = [name for name, _ in headers]
            headers += FIXED_HEADERS
            headers.append((REQUEST_ID_HEADER, request_id))
            headers += [header for header in DEFAULT_HEADERS if header[0] not in names]
            if self._is_closing():
                headers.append(("Connection", "close"))
            return start_response(status, headers, exc_info)

        try:
            return self._wsgi_app(environ, start)
        finally:
            duration_s = time.perf_counter() - started_at
            status = answer_status[:3]
            if self._access_log is not None:
                job = environ.get(JOB_KEY, "")
                self._access_log.leave(environ["REQUEST_METHOD"], environ["PATH_INFO"], status, duration_s, job)
            for note_answer in self._observers:
                note_answer(environ, status, duration_s)
            worked_for.set(NOTHING)
