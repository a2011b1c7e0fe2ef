"""A log file and the one thread that writes it: rotating, a few lines at a time, never in the way of a request.

Whoever has a line leaves it in memory; the writer thread takes all lines there are and appends them in one write. So a
slow or full disk costs lines, which are counted, never a request. What the lines say is not decided here.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from pathlib import Path

from meantime.supervisor import KeptThread

MAXIMUM_FILE_BYTES = 10_000_000
FILE_COUNT = 5
PENDING_LIMIT = 50_000
"""How many lines may wait for the disk; later ones are lost, and counted."""

_BATCH_S = 0.05


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


class LogWriter(ABC):
    """A log of one process. ``start`` it before the first line and ``close`` it after the last.

    Parameters
    ----------
    path
        The file; its folder must be there, and if it goes away lines are lost until it comes back.
    thread_name
        Of the writer thread.
    maximum_bytes, file_count
        When a file is full, and how many files are kept.
    """

    def __init__(
        self,
        path: Path,
        *,
        thread_name: str,
        maximum_bytes: int = MAXIMUM_FILE_BYTES,
        file_count: int = FILE_COUNT,
    ) -> None:
        self._file = RotatingFile(path, maximum_bytes=maximum_bytes, file_count=file_count)  # the writer thread's own
        self._pending: deque[str] = deque()  # append and popleft are atomic
        self._lost_count = 0  # guarded by self._lock; not yet told
        self._lost_in_all_count = 0  # guarded by self._lock
        self._lock = threading.Lock()
        self._something_to_write = threading.Event()
        self._closing = threading.Event()
        self._second = (0, "")  # the last second and its text; replaced as a whole
        self.thread = KeptThread(self._write_until_closed, name=thread_name)

    def start(self) -> None:
        """Start the writer thread."""
        self.thread.start()

    def close(self, timeout_s: float = 2.0) -> None:
        """Write what waits, end the writer thread and close the file; give up after the timeout."""
        self.thread.end(self._wake_to_close, timeout_s)

    def _wake_to_close(self) -> None:
        self._closing.set()
        self._something_to_write.set()

    def lost_line_count(self) -> int:
        """Return how many lines could not be written since the start."""
        with self._lock:
            return self._lost_in_all_count

    def waiting_line_count(self) -> int:
        """Return how many lines wait for the disk."""
        return len(self._pending)

    def put_line(self, line: str) -> None:
        """Leave one line, with its end, for the writer; never blocks."""
        if len(self._pending) >= PENDING_LIMIT:
            self._count_lost(1)
            return
        self._pending.append(line)
        if not self._something_to_write.is_set():
            self._something_to_write.set()

    @abstractmethod
    def lost_lines_note(self, lost_count: int) -> str:
        """Return the line that says how many lines are missing."""

    def timestamp(self) -> str:
        """Return the time, UTC, with milliseconds."""
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
            self.write_pending()
        self.write_pending()  # what the last time has lost is told, if it can be
        self._file.close()

    def write_pending(self) -> None:
        """Write what waits; the writer thread does so by itself."""
        lines = [self._pending.popleft() for _ in range(len(self._pending))]
        with self._lock:
            lost_count, self._lost_count = self._lost_count, 0
        if not lines and not lost_count:
            return
        note = self.lost_lines_note(lost_count) if lost_count else ""
        try:
            self._file.append(("".join(lines) + note).encode("utf-8"))
        except Exception:  # noqa: BLE001  # whatever it is, lines are lost and the thread goes on
            self._file.close()
            with self._lock:
                self._lost_count += lost_count
            self._count_lost(len(lines))

    def _count_lost(self, count: int) -> None:
        with self._lock:
            self._lost_count += count
            self._lost_in_all_count += count
