"""The worker process: opens the service, serves it, drains it when asked, and ends when the main process is gone.

Everything here runs in the worker; the main process is in ``server_process.py``. Terminals and service managers send
their signals to both processes, so the worker blocks them and listens to the pipe instead.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from meantime.access_keys import files_to_enclose
from meantime.bootstrap import build_service
from meantime.charts.rendering.picture_renderer import PictureRenderer
from meantime.connections.crowds import CrowdGuard
from meantime.connections.slow_bodies import SlowBodyGuard
from meantime.connections.sockets import ignore_new_connections
from meantime.connections.unread_answers import UnreadAnswerGuard, limit_unsent_bytes
from meantime.errors import BackupError, MeantimeError
from meantime.fields.refusals import printable
from meantime.serving.control_socket import ControlSocket
from meantime.serving.granian_server import CONNECTION_LIMIT
from meantime.serving.start_notes import note_lines
from meantime.serving.worker_pipe import DRAIN, DRAINING, END_LIMIT_S, ENDED, FAILED, RELOAD, obey
from meantime.settings import Settings
from meantime.supervisor import KeptThread
from meantime.survey.ingest.dataset import Dataset
from meantime.web.app import create_app
from meantime.web.observation.access_log import AccessLog
from meantime.web.observation.event_log import EventLog
from meantime.web.observation.metrics import ConnectionCounts

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from meantime.jobs.state_directory import StateLock
    from meantime.service import MeantimeService

LAST_ANSWERS_S = 1.0
"""How long a drained server still answers, so that those who poll see the last results and that it is done."""

ACCEPT_S = 0.1
"""How long granian may take to accept the connections that are waiting."""

UNREAD_LIMIT_S = 3.0
"""How long clients may take to read the answers that they have got a part of when the server ends."""

SUPERVISION_INTERVAL_S = 1.0
CLOSE_LIMIT_S = 5.0
_LOG_CLOSE_LIMIT_S = 1.0
_SELF_CHECK_PAUSE_S = 0.01
_SELF_CHECK_TIMEOUT_S = 5.0

_log = logging.getLogger(__name__)


def load_application(
    pipe: Connection,
    main_pipe: Connection,
    settings: Settings,
    datasets: Sequence[Dataset],
    state_lock: StateLock | None,
) -> WSGIApplication:
    """Open everything in the worker process and return what granian calls for each request.

    Parameters
    ----------
    pipe
        The worker's end of the pipe.
    main_pipe
        The main process's end, of which a forked worker has a copy; closed here, so that its end can be seen.
    settings, datasets
        What to serve, and how.
    state_lock
        The state directory's lock, where the main process has taken it.
    """
    main_pipe.close()
    # Inherited by every thread that is started from here on, granian's included.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, DRAINING})
    try:
        return ServingWorker(pipe, settings, datasets, state_lock).start()
    except MeantimeError as error:
        pipe.send_bytes(FAILED + str(error).encode("utf-8"))
        raise SystemExit(2) from None


class ServingWorker:
    """The life of the worker process.

    Parameters
    ----------
    pipe
        Carries ``DRAIN`` from the main process, and how the worker ended to it.
    settings, datasets
        What to serve, and how.
    state_lock
        The state directory's lock, where the main process has taken it.
    """

    def __init__(
        self, pipe: Connection, settings: Settings, datasets: Sequence[Dataset], state_lock: StateLock | None
    ) -> None:
        self._pipe = pipe
        self._settings = settings
        self._datasets = datasets
        self._state_lock = state_lock
        self._drain_requested = threading.Event()
        self._reload_requested = threading.Event()
        self._closing = threading.Event()
        self._service: MeantimeService  # written before the threads start, read-only after
        self._access_log: AccessLog  # written before the threads start, read-only after
        self._control: ControlSocket  # written before the threads start, read-only after
        self._renderer = PictureRenderer(cache_bytes=0)  # the application keeps what is drawn
        self._event_log: EventLog | None = None  # written before the threads start, read-only after

    def start(self) -> WSGIApplication:
        """Open the log and the service, start the threads that watch over them, and return the application."""
        level = logging.getLevelNamesMapping()[self._settings.log_level.upper()]
        if self._settings.event_log is not None:
            self._event_log = EventLog(self._settings.event_log, level=level)
        note_job_end = self._event_log.note_job_end if self._event_log is not None else None
        self._service = build_service(
            self._settings, self._datasets, state_lock=self._state_lock, on_job_end=note_job_end
        )
        self._access_log = AccessLog(self._settings.log_file, level=level)
        logger = logging.getLogger("meantime")
        logger.setLevel(level)
        for log in self._logs():
            log.start()
            logger.addHandler(log.handler)
        crowds = CrowdGuard(self._settings.port, CONNECTION_LIMIT // 2)
        unread_answers = UnreadAnswerGuard(self._settings.answer_timeout_s)
        app = create_app(
            self._service,
            self._settings,
            access_log=self._access_log,
            request_drain=self.request_drain,
            is_closing=self._closing.is_set,
            event_log=self._event_log,
            connection_counts=lambda: ConnectionCounts(
                crowds.connection_count(), unread_answers.behind_count, unread_answers.cut_off_count
            ),
            renderer=self._renderer,
        )
        self._control = ControlSocket(self._settings.store_dir, {"back_up": self._back_up})
        self._control.start()
        guard = SlowBodyGuard(app, self._settings.header_timeout_s)
        guard.start()
        unread_answers.watch.start()
        crowds.watch.start()
        own = [KeptThread(self._watch_main_process, name="main-process-watch"), KeptThread(self._reload, name="reload")]
        for thread in own:
            thread.start()
        guards = (guard.thread, unread_answers.watch.thread, crowds.watch.thread)
        self._service.supervisor.add(*(log.thread for log in self._logs()), self._control.thread, *guards, *own)
        # No daemon: the process ends when this thread has closed everything.
        threading.Thread(target=self._live, name="life", daemon=False).start()
        return guard

    def _back_up(self, request: Mapping[str, object]) -> None:
        target = Path(str(request.get("target", "")))
        if not target.is_absolute():
            raise BackupError(f"{target} is not an absolute path")
        self._service.back_up(target, enclosed=files_to_enclose(self._settings.keys_file))
        _log.info("the store was copied to %s", target)

    def _logs(self) -> tuple[AccessLog | EventLog, ...]:
        return (self._access_log,) if self._event_log is None else (self._access_log, self._event_log)

    def _close_logs(self) -> None:
        for log in self._logs():
            log.close(_LOG_CLOSE_LIMIT_S)

    def request_drain(self) -> None:
        """Refuse new jobs from now on, and let the process end once the accepted ones have finished. Never blocks."""
        self._service.begin_drain()
        if self._drain_requested.is_set():
            return
        self._drain_requested.set()
        main = multiprocessing.parent_process()
        if main is not None and main.pid == os.getppid():
            os.kill(os.getppid(), DRAINING)

    def _watch_main_process(self) -> None:
        """Do what the main process says; end at once when it is gone, since nobody could end us any more."""
        obey(self._pipe, {DRAIN: self._drain_by_signal, RELOAD: self._reload_by_signal})
        try:
            self._close_logs()
        finally:
            os._exit(1)

    def _drain_by_signal(self) -> None:
        if not self._drain_requested.is_set():
            _log.info("a signal asked for the drain")
        self.request_drain()

    def _reload_by_signal(self) -> None:
        _log.info("a signal asked for a reload")
        self._reload_requested.set()

    def _reload(self) -> None:
        """Read every dataset again when asked to, once for all who ask meanwhile; what happens is in the log."""
        while True:
            self._reload_requested.wait()
            self._reload_requested.clear()
            try:
                self._service.reload_all()
            except Exception:  # noqa: BLE001  # whatever it is, the old version is served, and the next one may do
                _log.exception("the reload failed")

    def _live(self) -> None:
        """Say when the server is ready, look after its threads until the drain, and end; nobody else would end it."""
        try:
            if self._wait_until_answering():
                limit_unsent_bytes(self._settings.port)
                self._say_ready()
        except Exception:  # noqa: BLE001  # nobody may be there to read it
            _log.exception("can't say that the server is ready")
        while not self._drain_requested.wait(SUPERVISION_INTERVAL_S):
            self._keep_threads()
        try:
            self._end()
        except Exception:  # noqa: BLE001  # a process that nobody ends would hang
            _log.exception("the server can't end in order")
            self._close_logs()
            os._exit(1)

    def _say_ready(self) -> None:
        _log.info("ready at %s", self._settings.base_url)
        with contextlib.suppress(OSError):  # they are where the first line says, too
            sys.stderr.writelines(f"{line}\n" for line in note_lines(self._datasets, self._settings.base_url))
            sys.stderr.flush()
        source = self._datasets[0].provenance
        sys.stdout.write(
            f"Meantime serves {printable(source.title or source.source_name)} at {self._settings.base_url} "
            "(Ctrl+C drains and stops)\n"
        )
        sys.stdout.flush()

    def _end(self) -> None:
        """Wait until the accepted jobs have finished, or for as long as that may take, and end."""
        self._limit_end(self._settings.drain_timeout_s + END_LIMIT_S)
        if self._wait_drained():
            self._closing.set()
            time.sleep(LAST_ANSWERS_S)  # nothing tells us that the last client has asked for the last time
            self._limit_end(END_LIMIT_S)
            self._end_in_order()
        else:
            self._end_late()

    def _limit_end(self, limit_s: float) -> None:
        latest_end = threading.Timer(limit_s, self._end_at_the_latest)
        latest_end.daemon = True
        latest_end.start()

    def _wait_drained(self) -> bool:
        give_up_at = time.monotonic() + self._settings.drain_timeout_s
        while (left_s := give_up_at - time.monotonic()) > 0.0:
            if self._service.wait_drained(min(left_s, SUPERVISION_INTERVAL_S)):
                return True
            self._keep_threads()
        return self._service.wait_drained(0.0)

    def _keep_threads(self) -> None:
        """Have threads that have ended replaced; whatever that raises, it is tried again."""
        try:
            self._service.supervisor.keep_all()
        except Exception:  # noqa: BLE001  # nobody looks after this thread
            _log.exception("can't look after the server's threads")

    def _end_in_order(self) -> None:
        """Let granian answer what it has accepted, then close everything."""
        _log.info("drained")
        if ignore_new_connections(self._settings.port):
            time.sleep(ACCEPT_S)  # granian doesn't say when it has accepted what was waiting
        stop_granian = signal.getsignal(signal.SIGTERM)
        if callable(stop_granian):
            stop_granian(signal.SIGTERM, None)
        threading.main_thread().join(UNREAD_LIMIT_S)
        is_unread = threading.main_thread().is_alive()
        if is_unread:
            _log.warning("some clients have not read their answers after %g s; they are cut off", UNREAD_LIMIT_S)
        self._control.close()
        self._renderer.close()
        if not self._service.close(CLOSE_LIMIT_S):
            _log.error("the runners have not ended after %g s", CLOSE_LIMIT_S)
        self._close_logs()
        self._pipe.send_bytes(ENDED)
        if is_unread:
            os._exit(0)  # granian's threads wait for those clients, and nothing ends a thread

    def _end_at_the_latest(self) -> None:
        """End although something keeps us, such as a disk that answers nothing: what was accepted is on it."""
        _log.error("the server can't end in order in %g s, and ends without", END_LIMIT_S)
        self._close_logs()
        self._pipe.send_bytes(ENDED)
        os._exit(0)

    def _end_late(self) -> None:
        """End although jobs are left: they are on disk, and run at the next start."""
        message = (
            f"the drain has taken {self._settings.drain_timeout_s:g} s; "
            f"unfinished jobs: {self._service.unfinished_count()}. They run at the next start"
        )
        _log.error(message)
        with contextlib.suppress(OSError):  # it is in the log
            sys.stderr.write(f"meantime: {message}\n")
        self._close_logs()
        self._pipe.send_bytes(ENDED)
        os._exit(0)

    def _wait_until_answering(self) -> bool:
        """Ask ourselves until there is an answer; False when the drain is requested before."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._settings.host, self._settings.host)  # noqa: S104
        while not self._drain_requested.is_set():
            if _answers(host, self._settings.port):
                return True
            self._drain_requested.wait(_SELF_CHECK_PAUSE_S)
        return False


def _answers(host: str, port: int) -> bool:
    name = f"[{host}]" if ":" in host else host
    with contextlib.suppress(OSError), socket.create_connection((host, port), _SELF_CHECK_TIMEOUT_S) as connection:
        connection.sendall(f"GET /readyz HTTP/1.1\r\nHost: {name}:{port}\r\nConnection: close\r\n\r\n".encode("ascii"))
        return connection.recv(64).startswith(b"HTTP/1.1 ")
    return False
