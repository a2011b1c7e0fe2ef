"""A process that accepts jobs on several threads and says so, for ``test_power_loss.py``: ``FOLDER ACKNOWLEDGED``.

An acknowledgement is a line ``number text`` in a file in the folder, so that the journal of what is written has its
place among the writes of the store.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from meantime.jobs.job import Task
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import Submission
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore

SESSIONS = (15, 15, 60)
THREAD_COUNT = 4
SMALL_BYTES = 200
LARGE_BYTES = 160_000  # the last session's: enough for the log to be folded into the database while it runs


def accept(store: SqliteJobStore, acknowledged: int, thread: int, job_count: int, size_bytes: int) -> None:
    """Submit jobs, acknowledge each, and record that every other one is done."""
    for i in range(job_count):
        name = f"{os.getpid()}-{size_bytes}-{thread}-{i}"
        text = name + "x" * (size_bytes + 37 * i)
        number = store.add(Submission(Task(name, text, "v1"), 1000.0, "ann", name)).number
        os.write(acknowledged, f"{number} {name} {len(text)}\n".encode())
        job = store.get(number)
        if i % 2 and job is not None:
            store.record(job.evolve(state=JobState.DONE, finished_at=1001.0), at_once=i % 4 == 1)


def main(folder: Path, acknowledged: Path) -> None:
    """Work in several sessions; the last one ends without closing the store."""
    descriptor = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for session, job_count in enumerate(SESSIONS):
        store = SqliteJobStore(folder)
        size_bytes = LARGE_BYTES if session == len(SESSIONS) - 1 else SMALL_BYTES + session
        arguments = (store, descriptor, job_count, size_bytes)
        threads = [
            threading.Thread(target=accept, args=(*arguments[:2], thread, *arguments[2:]))
            for thread in range(THREAD_COUNT)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if session < len(SESSIONS) - 1:
            store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
