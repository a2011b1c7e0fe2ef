"""The parent's side of the ingest's child process: start it, hear its progress, turn its end into an error."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import meantime
from meantime.errors import DataChangedError, DataError
from meantime.survey.ingest.ingest_request import IngestRequest
from meantime.survey.reading.sources import Progress

_log = logging.getLogger(__name__)


def child_environment() -> dict[str, str]:
    """Return the environment in which a child finds this very package, wherever the parent found it.

    With ``-P`` it finds nothing in the current directory.
    """
    package_root = str(Path(meantime.__file__).parent.parent)
    paths = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1"}


class ChildProcess:
    """One run of ``ingest_process``; `cancel` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None  # guarded by self._lock
        self._cancelled = False  # guarded by self._lock

    def run(self, request: IngestRequest, progress: Progress | None = None) -> None:
        """Run the child until its output is written.

        Raises
        ------
        DataError
            What the child found wrong with the source; or it was killed, crashed or cancelled.
        DataChangedError
            The source is not, or no longer, the one that the request names.
        """
        source_name = Path(request.source).name
        with tempfile.TemporaryFile() as stderr, self._start(stderr.fileno(), source_name) as process:
            try:
                answer = _answer(process, request, progress)
            except BaseException:
                process.kill()
                raise
            status = process.wait()
            stderr.seek(0)
            last_words = stderr.read().decode(errors="replace").strip().splitlines()[-1:]
        if "error" in answer:
            raise (DataChangedError if answer["changed"] else DataError)(str(answer["error"]))
        if "done" not in answer:
            if "crash" in answer:
                _log.error("the ingest process raised an error that is none of its own:\n%s", answer["crash"])
                last_words = str(answer["crash"]).strip().splitlines()[-1:]
            raise DataError(f"{source_name}: {self._end(status)}{''.join(f': {words}' for words in last_words)}")

    def cancel(self) -> None:
        """End the child; `run` raises DataError."""
        with self._lock:
            self._cancelled = True
            if self._process is not None:
                self._process.kill()

    def _start(self, stderr: int, source_name: str) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._cancelled:
                raise DataError(f"{source_name}: reading was cancelled")
            self._process = subprocess.Popen(  # our own interpreter and module
                [sys.executable, "-P", "-m", "meantime.survey.ingest.ingest_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=child_environment(),
            )
            return self._process

    def _end(self, status: int) -> str:
        with self._lock:
            if self._cancelled:
                return "reading was cancelled"
        if status < 0:
            return f"the ingest process was ended by {signal.Signals(-status).name}; perhaps memory ran out"
        return f"the ingest process ended with status {status} before it was done"


def _answer(process: subprocess.Popen[bytes], request: IngestRequest, progress: Progress | None) -> dict[str, object]:
    """Return the child's last message, which is empty when it ended without one."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the child was started without pipes")
    answer: dict[str, object] = {}
    try:
        process.stdin.write(request.to_line())
        process.stdin.flush()  # and stays open: its end would be the child's signal to end
    except BrokenPipeError:
        return answer
    for line in process.stdout:
        answer = json.loads(line) if line.endswith(b"\n") else {}
        if progress and "phase" in answer:
            progress(str(answer["phase"]), float(str(answer["part"])))
    return answer
