"""The main process of a server: reads the data, forks the worker that serves, and passes signals on to it.

No thread runs here, so that forking is safe; everything is imported before the fork and shared. What the worker does
is in ``serving_worker.py``. The two talk through a pipe, by the words in ``worker_pipe.py``. When one of them dies the
other sees the end of the pipe, and ends too.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import math
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING

from meantime.fields.refusals import printable
from meantime.serving.claims import check_event_log, check_exposure, claim_port, claim_state
from meantime.serving.granian_server import make_granian, raise_file_limit
from meantime.serving.worker_pipe import DRAIN, DRAINING, END_LIMIT_S, ENDED, FAILED, RELOAD, last_words
from meantime.settings import Settings

if TYPE_CHECKING:
    from meantime.survey.ingest.dataset import Dataset

_SHARED_MODULES = ("granian.server.mp", "meantime.serving.serving_worker", "meantime.jobs.sqlite.sqlite_job_store")
"""Imported while the ingest's child process works; the worker is forked with all of it."""

HANG_GRACE_S = 5
"""How long after its own limits, the drain's and the end's, a worker that doesn't end is killed."""


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
        check_event_log(settings)
        self._claim, port = claim_port(settings.host, settings.port)
        self.settings = replace(settings, port=port)
        self._state_lock = claim_state(settings)
        self._pipe, self._worker_pipe = multiprocessing.Pipe()
        self._signal_count = 0
        self._is_draining = False
        self._was_killed = False  # the worker, because it hadn't ended in time
        self._ends_with_terminal = False
        self._exit_code = 0

    def run(self, datasets: Sequence[Dataset]) -> int:
        """Serve until the drain has ended; return the process's exit code.

        A first SIGTERM or SIGINT begins the drain; a second one ends everything at once, and then the code is 128 and
        the signal's number. SIGHUP reads the datasets again, unless it says that the terminal is gone: then it drains.
        """
        from meantime.serving.serving_worker import load_application

        if sys.platform == "linux":
            multiprocessing.set_start_method("fork", force=True)
        raise_file_limit()
        server = make_granian(self.settings, kill_timeout_s=HANG_GRACE_S)
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
        signal.signal(DRAINING, self._drain)
        signal.signal(signal.SIGALRM, self._give_up_worker)

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
            self._kill_worker()
        else:
            self._drain(number, None)

    def _drain(self, _: int, __: FrameType | None) -> None:
        """Have the worker drain, and end; harmless when it does already, as when it says so itself."""
        if self._is_draining:
            return
        self._is_draining = True
        with contextlib.suppress(OSError):  # the worker is gone; its end is on the way
            self._pipe.send_bytes(DRAIN)
        signal.alarm(self._end_limit_s)

    @property
    def _end_limit_s(self) -> int:
        return math.ceil(self.settings.drain_timeout_s + END_LIMIT_S) + HANG_GRACE_S

    def _give_up_worker(self, _: int, __: FrameType | None) -> None:
        self._was_killed = True
        self._kill_worker()

    def _kill_worker(self) -> None:
        for worker in multiprocessing.active_children():
            worker.kill()

    def _judge_end(self) -> int:
        """Read the worker's last words; return 0 after a drain, 2 if it could not start, 1 if nobody knows."""
        self._worker_pipe.close()
        words = last_words(self._pipe)
        if words == ENDED:
            return 0
        if words.startswith(FAILED):
            sys.stderr.write(f"Error: {printable(words.removeprefix(FAILED).decode('utf-8'))}\n")
            return 2
        how = f"has not ended in {self._end_limit_s} s, and was killed" if self._was_killed else "ended unexpectedly"
        sys.stderr.write(
            f"Error: the serving process {how}; {printable(str(self.settings.log_file))} may say why. "
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
