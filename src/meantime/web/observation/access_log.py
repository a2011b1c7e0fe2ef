"""``webserver.log``: every request on its way in and out, and every error; rotating, UTC, one line an entry.

How lines get to the disk is in ``log_writer.py``. What the lines say is decided by the callers; control characters
never get through, so nobody can forge a line.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import orjson

from meantime.fields.refusals import printable
from meantime.web.observation.log_writer import FILE_COUNT, MAXIMUM_FILE_BYTES, LogWriter

_SHOWN_CHARACTERS = 1000
_PLAIN_WORD = re.compile(r"[!-~]{1,200}")


class AccessLog(LogWriter):
    """The log of one serving process. ``start`` it before the first request and ``close`` it after the last.

    Parameters
    ----------
    path, maximum_bytes, file_count
        See LogWriter.
    level
        The least important level that is written, as in ``logging``; entries and exits are INFO.
    """

    def __init__(
        self,
        path: Path,
        *,
        level: int = logging.INFO,
        maximum_bytes: int = MAXIMUM_FILE_BYTES,
        file_count: int = FILE_COUNT,
    ) -> None:
        super().__init__(path, thread_name="webserver-log", maximum_bytes=maximum_bytes, file_count=file_count)
        self._logs_requests = level <= logging.INFO
        self.handler = _PendingHandler(self, level)  # attach it to a logger; its records become lines

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
        self.put_line(f"{self.timestamp()} {level} {text}\n")

    def lost_lines_note(self, lost_count: int) -> str:
        """Return the line that says how many lines are missing."""
        return f"{self.timestamp()} ERROR {lost_count} lines of this log could not be written\n"


class _PendingHandler(logging.Handler):
    """Turns the records of a logger into lines of the log."""

    def __init__(self, access_log: AccessLog, level: int) -> None:
        super().__init__(level)
        self._access_log = access_log

    def handle(self, record: logging.LogRecord) -> bool:
        """Leave a record for the writer, without the lock that handlers usually take."""
        self._access_log.put(record.levelname, printable(self.format(record)))
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
    text = printable(text)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
