"""The event log: one JSON object a line for every request, every job and every message, for programs that read logs.

Each line names the request and the job that it belongs to, also when it was written by a runner. ``webserver.log`` is
for people and for the contract, and says the same to them; how lines get to the disk is in ``log_writer.py``.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from meantime.fields.refusals import printable_json
from meantime.jobs.job import Job
from meantime.jobs.log_context import worked_for
from meantime.web.observation.log_writer import FILE_COUNT, MAXIMUM_FILE_BYTES, LogWriter
from meantime.web.observation.request_facts import JOB_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_SHOWN_CHARACTERS = 2000


class EventLog(LogWriter):
    """The event log of one serving process. ``start`` it before the first event and ``close`` it after the last.

    Parameters
    ----------
    path, maximum_bytes, file_count
        See LogWriter.
    level
        The least important level of messages that is written, as in ``logging``; requests and jobs always are.
    """

    def __init__(
        self,
        path: Path,
        *,
        level: int = logging.INFO,
        maximum_bytes: int = MAXIMUM_FILE_BYTES,
        file_count: int = FILE_COUNT,
    ) -> None:
        super().__init__(path, thread_name="event-log", maximum_bytes=maximum_bytes, file_count=file_count)
        self.handler = _EventHandler(self, level)  # attach it to a logger; its records become events

    def note_answer(self, environ: WSGIEnvironment, status: str, duration_s: float) -> None:
        """Note that the current thread's request was answered; ``status`` has three digits."""
        self.put_event(
            "INFO",
            "request",
            method=environ["REQUEST_METHOD"],
            path=environ["PATH_INFO"][:_SHOWN_CHARACTERS],
            peer=environ.get("REMOTE_ADDR", ""),
            status=int(status),
            duration_s=round(duration_s, 6),
            job_id=environ.get(JOB_KEY) or None,
        )

    def note_job_end(self, job: Job) -> None:
        """Note how a job has ended."""
        self.put_event(
            "INFO" if job.reason is None else "WARNING",
            "job",
            request_id=job.request_id or None,
            job_id=f"job_id_{job.number}",
            statistic=job.task.name,
            version=job.task.version,
            state=job.state.value,
            attempt=job.attempt,
            submitted_at=job.submitted_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            reason=job.reason,
        )

    def put_event(self, level: str, event: str, **members: object) -> None:
        """Leave one event for the writer; never blocks. Members that are None are left out."""
        request_id, job_number = worked_for.get()
        line: dict[str, object] = {"time": self.timestamp(), "level": level, "event": event}
        if request_id:
            line["request_id"] = request_id
        if job_number is not None:
            line["job_id"] = f"job_id_{job_number}"
        line |= {name: value for name, value in members.items() if value is not None}
        self.put_line(_json_line(line))

    def lost_lines_note(self, lost_count: int) -> str:
        """Return the line that says how many lines are missing."""
        message = f"{lost_count} lines of this log could not be written"
        return _json_line({"time": self.timestamp(), "level": "ERROR", "event": "message", "message": message})


class _EventHandler(logging.Handler):
    """Turns the records of a logger into events; runs in the thread that logs, and so knows whose work it does."""

    def __init__(self, event_log: EventLog, level: int) -> None:
        super().__init__(level)
        self._event_log = event_log

    def handle(self, record: logging.LogRecord) -> bool:
        """Leave a record for the writer, without the lock that handlers usually take."""
        self._event_log.put_event(record.levelname, "message", logger=record.name, message=self.format(record))
        return True


def _json_line(members: dict[str, object]) -> str:
    """Return JSON on one line, whatever the reader takes for the end of a line, so that nobody can forge one."""
    try:
        text = orjson.dumps(members).decode("utf-8")
    except orjson.JSONEncodeError:  # a lone surrogate
        plain = {name: _encodable(value) for name, value in members.items()}
        text = orjson.dumps(plain).decode("utf-8")
    return printable_json(text) + "\n"


def _encodable(value: object) -> object:
    return value.encode("utf-8", "backslashreplace").decode("utf-8") if isinstance(value, str) else value
