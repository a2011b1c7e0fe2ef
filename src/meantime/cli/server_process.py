"""The main process of a server: reads the data, forks the worker that serves, and passes signals on to it.

No thread runs here, so that forking is safe; everything is imported before the fork and shared. What the worker does
is in ``serving_worker.py``. The two talk through a pipe: the main process asks for the drain (``DRAIN``) or a reload
(``RELOAD``), the worker says how it ended. When one of them dies the other sees the end of the pipe, and ends too.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import gc
import importlib
import multiprocessing
import os
import resource
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from types import FrameType
from typing import TYPE_CHECKING

from meantime.access_keys import AccessKeyFile
from meantime.errors import SettingsError
from meantime.settings import Settings

if TYPE_CHECKING:
    from granian.server.mp import MPServer

    from meantime.jobs.state_lock import StateLock
    from meantime.survey.ingest.dataset import Dataset

DRAIN = b"drain"
RELOAD = b"reload"
ENDED = b"ended"
FAILED = b"failed "

CONNECTION_LIMIT = 4096
"""How many connections are open at once; more wait in the kernel's queue."""

_SHARED_MODULES = ("granian.server.mp", "meantime.cli.serving_worker", "meantime.jobs.sqlite.sqlite_job_store")
"""Imported while the ingest's child process works; the worker is forked with all of it."""

HEADER_LIMIT_BYTES = 65_536
"""How much of a request granian holds before its headers are complete; the last read may double it. Its default is
six times as much for each connection. It also refuses more than 100 headers."""

HANG_GRACE_S = 5
"""How long after the drain's own limit a worker that doesn't answer is killed."""


def run_server(settings: Settings) -> int:
    """Read the data and serve it; return the process's exit code.

    Raises
    ------
    SettingsError
        The address can't or may not be bound to.
    DataError
        The table can't be read.
    AccessKeyError
        The access keys can't be read.
    StoreError
        Another server uses the state directory.
    """
    os.umask(0o077)  # whatever is made from here on is for this user alone
    server = ServerProcess(settings)
    from meantime.bootstrap import dataset_sources, make_ingestor

    first, *others = [make_ingestor(server.settings, source.name) for source in dataset_sources(server.settings)]
    first.start()
    for module in _SHARED_MODULES:
        importlib.import_module(module)
    # One after the other: each takes the memory of an engine while it is read.
    return server.run([first.result(), *(other.ingest() for other in others)])


class ServerProcess:
    """One server, from its settings to its end.

    Parameters
    ----------
    settings
        How to run; a port of 0 is replaced by a free one.
    """

    def __init__(self, settings: Settings) -> None:
        check_exposure(settings)
        self._claim, port = claim_port(settings.host, settings.port)
        self.settings = replace(settings, port=port)
        self._state_lock = claim_state(settings)
        self._pipe, self._worker_pipe = multiprocessing.Pipe()
        self._signal_count = 0
        self._ends_with_terminal = False
        self._exit_code = 0

    def run(self, datasets: Sequence[Dataset]) -> int:
        """Serve until the drain has ended; return the process's exit code.

        A first SIGTERM or SIGINT begins the drain; a second one ends everything at once, and then the code is 128 and
        the signal's number. SIGHUP reads the datasets again, unless it says that the terminal is gone: then it drains.
        """
        from meantime.cli.serving_worker import load_application

        if sys.platform == "linux":
            multiprocessing.set_start_method("fork", force=True)
        _raise_file_limit()
        server = _make_granian(self.settings)
        server.on_startup(self._take_signals)
        loader = functools.partial(
            load_application, self._worker_pipe, self._pipe, self.settings, datasets, self._state_lock
        )
        gc.collect()
        gc.freeze()  # the worker's collections then leave the pages of the imports shared
        # Granian exits with 1 when its worker ends by itself, which is how our drain ends; the pipe says what happened.
        with contextlib.suppress(SystemExit):
            server.serve(target_loader=loader, wrap_loader=False)
        signal.alarm(0)
        return self._exit_code or self._judge_end()

    def _take_signals(self) -> None:
        """Replace granian's handlers, which would end the worker without a drain."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._pass_on)
        # nohup leaves SIGHUP ignored: such a server is to outlive its terminal.
        self._ends_with_terminal = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and _has_terminal()
        signal.signal(signal.SIGHUP, self._reload)
        signal.signal(signal.SIGALRM, self._kill_worker)

    def _reload(self, number: int, frame: FrameType | None) -> None:
        if self._ends_with_terminal and not _has_terminal():
            self._pass_on(number, frame)
            return
        with contextlib.suppress(OSError):  # the worker is gone; its end is on the way
            self._pipe.send_bytes(RELOAD)

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        self._signal_count += 1
        if self._signal_count > 1:
            self._exit_code = 128 + number
            self._kill_worker(number, None)
            return
        with contextlib.suppress(OSError):  # the worker is gone; its end is on the way
            self._pipe.send_bytes(DRAIN)
        signal.alarm(int(self.settings.drain_timeout_s) + HANG_GRACE_S)

    def _kill_worker(self, _: int, __: FrameType | None) -> None:
        for worker in multiprocessing.active_children():
            worker.kill()

    def _judge_end(self) -> int:
        """Read the worker's last words; return 0 after a drain, 2 if it could not start, 1 if nobody knows."""
        self._worker_pipe.close()
        words = _last_words(self._pipe)
        if words == ENDED:
            return 0
        if words.startswith(FAILED):
            sys.stderr.write(f"Error: {words.removeprefix(FAILED).decode('utf-8')}\n")
            return 2
        sys.stderr.write(
            f"Error: the serving process ended unexpectedly; {self.settings.log_file} may say why. "
            "Accepted jobs run at the next start\n"
        )
        return 1


def _has_terminal() -> bool:
    """Whether this process has a controlling terminal, as one that was started by a service manager has not."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def check_exposure(settings: Settings) -> None:
    """Raise unless the server is out of others' reach, or access keys are in use, or somebody asked for neither.

    Raises
    ------
    SettingsError
        The address is open to others.
    AccessKeyError
        There are access keys, and they can't be read.
    """
    keys = AccessKeyFile(settings.keys_file).access_keys()
    if not (settings.is_loopback or settings.insecure or keys):
        raise SettingsError(
            f"--host: {settings.host} can be reached by others, who could then submit jobs; "
            "make an access key (meantime keys add), use 127.0.0.1, or give --insecure if the network is trusted"
        )


def claim_state(settings: Settings) -> StateLock | None:
    """Take the lock of the state directory, before anything is read; the worker inherits it where it is forked (Linux).

    Raises
    ------
    StoreError
        Another server holds it, or it can't be written.
    """
    if sys.platform != "linux":
        return None
    from meantime.jobs.state_lock import StateLock

    state_lock = StateLock(settings.store_dir)
    state_lock.acquire()
    return state_lock


def claim_port(host: str, port: int) -> tuple[socket.socket | None, int]:
    """Make sure that nobody else serves on a port.

    Granian binds with SO_REUSEPORT, so the kernel would let two servers of the same user share a port.

    Returns
    -------
    tuple
        A socket that marks the port as taken for other servers of this kind for as long as it is open (Linux only),
        and the port, which is a free one if 0 was asked for.

    Raises
    ------
    SettingsError
        The address can't be bound to; the message says why.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise _no_port(host, port, error) from None
        port = trial.getsockname()[1]
    if sys.platform != "linux":
        return None, port
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        mark.bind(f"\0meantime/{host}/{port}")  # closes the moment between this trial and granian's bind
    except OSError as error:
        mark.close()
        raise _no_port(host, port, error) from None
    return mark, port


def _no_port(host: str, port: int, error: OSError) -> SettingsError:
    if error.errno == errno.EADDRINUSE:
        return SettingsError(f"--port: {port} on {host} is in use; stop the other server or choose another port")
    return SettingsError(f"--host, --port: can't bind to {host}, port {port}: {error.strerror}; choose another")


def _raise_file_limit() -> None:
    """Allow as many open files as the system lets us have: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTION_LIMIT
    if soft != resource.RLIM_INFINITY and soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def _make_granian(settings: Settings) -> MPServer:
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
        workers_kill_timeout=HANG_GRACE_S,
        log_enabled=False,
        log_level=LogLevels.critical,
    )


def _last_words(pipe: Connection) -> bytes:
    """Return the last message in a pipe whose other end is closed."""
    words = b""
    with contextlib.suppress(EOFError, OSError):
        while True:
            words = pipe.recv_bytes()
    return words
