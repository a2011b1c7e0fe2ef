"""The parent's side: start the child, hear its progress, turn its end into a result or an error."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Concatenate, ParamSpec, TypeVar, cast

import meantime
from meantime.child import Progress
from meantime.errors import DataChangedError, DataError

P = ParamSpec("P")
R = TypeVar("R")

_log = logging.getLogger(__name__)


class ChildProcess:
    """Runs errands, one after another, each in a process of its own; `cancel` may be called from any thread.

    Parameters
    ----------
    subject
        What the errands are about, such as a file's name; messages begin with it.
    time_limit_s
        How long an errand may take; None is as long as it likes.
    """

    def __init__(self, subject: str, *, time_limit_s: float | None = None) -> None:
        self._subject = subject
        self._time_limit_s = time_limit_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None  # guarded by self._lock
        self._is_cancelled = False  # guarded by self._lock

    def run(
        self,
        errand: Callable[Concatenate[Progress, P], R],
        progress: Progress | None,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Run an errand and wait for its end.

        Parameters
        ----------
        errand
            A function of a module; the child imports that module.
        progress
            Told what the errand tells; None is told nothing.
        *args, **kwargs
            The errand's arguments; JSON-able.

        Returns
        -------
        R
            What the errand returned, after JSON.

        Raises
        ------
        DataError
            What the errand raised; or the child couldn't be started, crashed, was killed, cancelled, or took longer
            than the limit.
        DataChangedError
            What the errand raised.
        """
        request = {"args": args, "kwargs": kwargs, "time_limit_s": self._time_limit_s}
        name = f"{errand.__module__}:{errand.__qualname__}"
        with contextlib.ExitStack() as stack:
            try:
                stderr = stack.enter_context(tempfile.TemporaryFile())
                process = stack.enter_context(self._start(name, stderr))
            except OSError as error:
                raise DataError(
                    f"{self._subject}: no process can be started for it: {error.strerror}; "
                    "look at the space in the folder for temporary files and at the limit of open files"
                ) from error
            try:
                answer = _answer(process, json.dumps(request).encode() + b"\n", progress)
            except BaseException:
                process.kill()
                raise
            status = process.wait()
            stderr.seek(0)
            words = stderr.read().decode(errors="replace")
        if "done" in answer:
            return cast("R", answer["done"])
        if "refused" in answer:
            settings = [(section, line) for section, line in answer["settings"]]
            raise (DataChangedError if answer["is_changed"] else DataError)(answer["refused"], settings=settings)
        raise self._failure(status, answer.get("crashed"), words)

    def cancel(self) -> None:
        """End the child, and start none any more; `run` raises DataError."""
        with self._lock:
            self._is_cancelled = True
            if self._process is not None:
                self._process.kill()

    def _start(self, errand: str, stderr: IO[bytes]) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._is_cancelled:
                raise DataError(f"{self._subject}: cancelled before it was done")
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
                [sys.executable, "-P", "-m", "meantime.child", errand],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=_environment(),
            )
            return self._process

    def _failure(self, status: int, crash: str | None, stderr: str) -> DataError:
        """Return the error of a child that ended without a result, and log all that it said."""
        with self._lock:
            if self._is_cancelled:
                return DataError(f"{self._subject}: cancelled before it was done")
        words = crash or stderr
        if words:
            _log.error("%s: the child process failed:\n%s", self._subject, words)
        end = f"the child process ended with status {status} before it was done"
        if crash:
            end = "the child process failed"
        elif status == -signal.SIGALRM:
            end = f"took longer than {self._time_limit_s} s"
        elif status < 0:
            end = f"the child process was ended by {signal.Signals(-status).name}; perhaps memory ran out"
        return DataError(": ".join((self._subject, end, *words.strip().splitlines()[-1:])))


def _environment() -> dict[str, str]:
    """Return the environment in which a child finds this very package, and with ``-P`` nothing beside it."""
    package_root = str(Path(meantime.__file__).parent.parent)
    paths = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1"}


def _answer(process: subprocess.Popen[bytes], request: bytes, progress: Progress | None) -> dict[str, Any]:
    """Return the child's last message, which is empty when it ended without one."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the child was started without pipes")
    message: dict[str, Any] = {}
    try:
        process.stdin.write(request)
        process.stdin.flush()  # and stays open: its end would be the child's signal to end
    except BrokenPipeError:
        return message
    for line in process.stdout:
        message = json.loads(line) if line.endswith(b"\n") else {}
        if progress and "progress" in message:
            progress(*message["progress"])
    return message
