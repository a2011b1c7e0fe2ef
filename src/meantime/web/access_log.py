"""``webserver.log``: every request on its way in and out, and every error; rotating, UTC, one line an entry.

A request's thread formats its line and leaves it in memory; one writer thread takes all lines there are and appends
them in one write. So a slow or full disk costs lines, never a request. What the lines say is decided by the callers;
control characters never get through, so nobody can forge a line.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import re
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import orjson

MAXIMUM_FILE_BYTES = 10_000_000
FILE_COUNT = 5
PENDING_LIMIT = 50_000
"""How many lines may wait for the disk; later ones are lost, and counted."""

_BATCH_S = 0.05
_SHOWN_CHARACTERS = 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PLAIN_WORD = re.compile(r"[!-~]{1,200}")


def on_one_line(text: str) -> str:
    r"""Return a text with every control character, line separator and lone surrogate escaped.

    >>> on_one_line("job\n2026-01-01T00:00:00.000Z ERROR forged")
    'job\\n2026-01-01T00:00:00.000Z ERROR forged'
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


class RotatingFile:
    """Appends to a file and moves it aside when it is full: ``webserver.log.1`` is the youngest of the old ones.

    Used by one thread at a time. The file is opened anew when somebody has moved or deleted it.
    """

    def __init__(self, path: Path, *, maximum_bytes: int = MAXIMUM_FILE_BYTES, file_count: int = FILE_COUNT) -> None:
        self._path = path
        self._maximum_bytes = maximum_bytes
        self._file_count = file_count
        self._descriptor: int | None = None

    def append(self, content: bytes) -> None:
        """Append, in a new file if this one would become too large; OSError when it can't be written."""
        descriptor = self._open()
        size = os.fstat(descriptor).st_size
        if size and size + len(content) > self._maximum_bytes:
            self._rotate()
            descriptor = self._open()
            size = 0
        try:
            while content:
                content = content[os.write(descriptor, content) :]
        except OSError:
            os.ftruncate(descriptor, size)  # no half line stays behind
            raise

    def close(self) -> None:
        """Close the file; a later append opens it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        if self._descriptor is not None and not self._is_in_place(self._descriptor):
            self.close()
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return self._descriptor

    def _is_in_place(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(descriptor))
        except FileNotFoundError:
            return False

    def _rotate(self) -> None:
        self.close()
        old = [self._path, *(Path(f"{self._path}.{i}") for i in range(1, self._file_count))]
        for source, target in reversed(list(itertools.pairwise(old))):
            if source.exists():
                source.replace(target)


class AccessLog:
    """The log of one serving process. ``start`` it before the first request and ``close`` it after the last.

    Parameters
    ----------
    path
        The file; its folder must be there, and if it goes away lines are lost until it comes back.
    level
        The least important level that is written, as in ``logging``; entries and exits are INFO.
    maximum_bytes, file_count
        When a file is full, and how many files are kept.
    """

    def __init__(
        self,
        path: Path,
        *,
        level: int = logging.INFO,
        maximum_bytes: int = MAXIMUM_FILE_BYTES,
        file_count: int = FILE_COUNT,
    ) -> None:
        self._file = RotatingFile(path, maximum_bytes=maximum_bytes, file_count=file_count)  # the writer thread's own
        self._logs_requests = level <= logging.INFO
        self._pending: deque[str] = deque()  # append and popleft are atomic
        self._lost_count = 0  # guarded by self._lock
        self._lock = threading.Lock()
        self._something_to_write = threading.Event()
        self._closing = threading.Event()
        self._second = (0, "")  # the last second and its text; replaced as a whole
        self._writer = threading.Thread(target=self._write_until_closed, name="webserver-log", daemon=True)
        self.handler = _PendingHandler(self, level)  # attach it to a logger; its records become lines

    def start(self) -> None:
        """Start the writer thread."""
        self._writer.start()

    def close(self, timeout_s: float = 2.0) -> None:
        """Write what waits, end the writer thread and close the file; give up after the timeout."""
        self._closing.set()
        self._something_to_write.set()
        self._writer.join(timeout_s)

    def enter(self, method: str, path: str, peer: str, parameters: Mapping[str, object] | None) -> None:
        """Note that a request has come in. ``parameters`` are those of its route, decoded."""
        if self._logs_requests:
            shown = _shown(parameters) if parameters else "{}"
            self.put("INFO", f"enter {_word(method)} {_word(path)} {shown} from {peer}")

    def leave(self, method: str, path: str, status: str, duration_s: float, job: str) -> None:
        """Note that a request was answered; ``job`` is the id of the job that it was about, or empty."""
        if self._logs_requests:
            self.put("INFO", f"exit {_word(method)} {_word(path)} {status} {job or '-'} {duration_s * 1000:.1f} ms")

    def put(self, level: str, text: str) -> None:
        """Leave one line for the writer; never blocks. ``text`` has no control characters."""
        if len(self._pending) >= PENDING_LIMIT:
            with self._lock:
                self._lost_count += 1
            return
        self._pending.append(f"{self._timestamp()} {level} {text}\n")
        if not self._something_to_write.is_set():
            self._something_to_write.set()

    def _timestamp(self) -> str:
        now = time.time()
        second, text = self._second
        if int(now) != second:
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
            self._second = (int(now), text)
        return f"{text}.{int(now % 1 * 1000):03d}Z"

    def _write_until_closed(self) -> None:
        while not (self._closing.is_set() and not self._pending):
            self._something_to_write.wait()
            self._closing.wait(_BATCH_S)  # lines that come meanwhile cost no write of their own
            self._something_to_write.clear()
            self._write_pending()
        self._file.close()

    def _write_pending(self) -> None:
        lines = [self._pending.popleft() for _ in range(len(self._pending))]
        with self._lock:
            lost_count, self._lost_count = self._lost_count, 0
        if lost_count:
            lines.append(f"{self._timestamp()} ERROR {lost_count} lines of this log could not be written\n")
        try:
            self._file.append("".join(lines).encode("utf-8"))
        except OSError:
            self._file.close()
            with self._lock:
                self._lost_count += lost_count + len(lines) - bool(lost_count)


class _PendingHandler(logging.Handler):
    """Turns the records of a logger into lines of the log."""

    def __init__(self, access_log: AccessLog, level: int) -> None:
        super().__init__(level)
        self._access_log = access_log

    def handle(self, record: logging.LogRecord) -> bool:
        """Leave a record for the writer, without the lock that handlers usually take."""
        self._access_log.put(record.levelname, on_one_line(self.format(record)))
        return True


def _word(text: str) -> str:
    """Return a WSGI path (a byte a character) or a method as one word of a line; anything unusual percent-encoded."""
    return text if _PLAIN_WORD.fullmatch(text) else quote(text[:200].encode("latin-1", "replace"))


def _shown(parameters: Mapping[str, object]) -> str:
    """Return parameters as one line of JSON, cut when it is long."""
    try:
        text = orjson.dumps(parameters).decode("utf-8")
    except (TypeError, ValueError):
        text = json.dumps(parameters, default=repr)
    if not text.isprintable():
        text = on_one_line(text)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
