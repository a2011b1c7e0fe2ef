"""The parent's handle on the process that draws: start it, send it an order, get the picture or know why not."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import socket
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO, Self, cast

from meantime.charts.rendering import drawing
from meantime.errors import InvalidParameterError, PictureError, PictureUnavailableError

_DRAWING = Path(drawing.__file__)

_log = logging.getLogger(__name__)


class LostProcessError(Exception):
    """The process ended before it answered."""


class DrawingProcess:
    """One process that draws one picture after another; used by one thread at a time.

    ``memory_bytes`` is the most that it has held, as of its last answer.
    """

    def __init__(self, process: subprocess.Popen[bytes], own: socket.socket) -> None:
        self._process = process
        self._socket = own
        self._stream = cast("BinaryIO", own.makefile("rwb"))
        self.memory_bytes = 0

    @classmethod
    def start(cls) -> Self:
        """Start a process; it makes itself ready while this returns.

        Raises
        ------
        PictureUnavailableError
            The engine isn't installed, or the system starts no process.
        """
        if importlib.util.find_spec("vl_convert") is None:
            raise PictureUnavailableError(
                "pictures are drawn by vl-convert, which isn't installed here; install meantime[charts], or ask for"
                " vl.json and draw it yourself",
                retry_after_s=3600,
            )
        own, its = socket.socketpair()
        try:
            with its:
                process = subprocess.Popen(  # noqa: S603  # our own interpreter and file
                    [sys.executable, "-P", str(_DRAWING)],
                    stdin=its.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
        except OSError as error:
            own.close()
            raise PictureUnavailableError(
                f"no process can be started to draw pictures: {error.strerror}; try again later", retry_after_s=10
            ) from error
        return cls(process, own)

    @property
    def process_id(self) -> int:
        """Its number, as the system has it."""
        return self._process.pid

    def draw(self, spec: bytes, form: str, scale: float, *, time_limit_s: float) -> bytes:
        """Return a picture of an encoded spec.

        Raises
        ------
        TimeoutError
            There was no answer in this time; end the process.
        LostProcessError
            The process ended before it answered.
        InvalidParameterError
            The picture would be too large (field ``scale``).
        PictureError
            The spec can't be drawn.
        """
        order = json.dumps({"form": form, "scale": scale, "size": len(spec)}).encode()
        self._socket.settimeout(time_limit_s)
        try:
            self._stream.write(order + b"\n" + spec)
            self._stream.flush()
            line = self._stream.readline()
            answer: dict[str, object] = json.loads(line) if line.endswith(b"\n") else {}
            size = answer.get("size")
            picture = self._stream.read(size) if isinstance(size, int) else b""
        except TimeoutError:
            raise
        except OSError as error:
            raise LostProcessError(str(error)) from error
        if "refused" in answer:
            raise InvalidParameterError(f"scale: {answer['refused']}", field="scale")
        if "failed" in answer:
            _log.error("a chart can't be drawn: %s", answer["failed"])
            raise PictureError(f"the chart can't be drawn: {_reason(str(answer['failed']))}; report this as a bug")
        if not isinstance(size, int) or len(picture) < size:
            raise LostProcessError("it ended in the middle of a picture")
        self.memory_bytes = int(str(answer["memory_bytes"]))
        return picture

    def end(self) -> None:
        """End the process and wait until it is gone."""
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._stream.close()
        self._socket.close()


def _reason(said: str) -> str:
    """Return what went wrong, without where in the engine."""
    lines = [line for line in said.splitlines() if line and not line.startswith("    at ")]
    return lines[-1][:200] if lines else "for no stated reason"
