"""Clients that submit jobs and note what they were told: a journal, held against the server after every fault.

The journal is what Jepsen calls a history: what was acknowledged must be there after the final drain (total queue),
each id once (unique ids), and every result must equal the reference's.
"""

from __future__ import annotations

import http.client
import itertools
import random
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.acceptance.server import ANSWER_LIMIT_S, Answer, Server, ask, final_answer
from tests.acceptance.small_table import Request, same

CLIENT_COUNT = 8


class Acknowledged(NamedTuple):
    """A job whose id a client has received."""

    job_id: str
    request: Request


@dataclass
class Journal:
    """What all clients were told, over all lives of a server."""

    acknowledged: list[Acknowledged] = field(default_factory=list)  # appends are atomic
    wrong: list[str] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)  # guarded by lock
    unheard: Counter[str] = field(default_factory=Counter)  # guarded by lock; requests without an answer, by error
    right_count: int = 0  # guarded by lock; results that a client saw and found right
    lock: threading.Lock = field(default_factory=threading.Lock)

    def judge(self, job: Acknowledged, answer: dict[str, object]) -> None:
        """Hold a final answer against the reference."""
        if answer.get("status") == "done" and same(job.request.expected, answer.get("data")):
            with self.lock:
                self.right_count += 1
        else:
            self.wrong.append(f"{job.job_id} ({job.request.endpoint}): {str(answer)[:200]}")

    def duplicates(self) -> list[str]:
        """Return the ids that were given twice."""
        return [job_id for job_id, count in Counter(job.job_id for job in self.acknowledged).items() if count > 1]

    def check(self, server: Server) -> list[str]:
        """Ask a running server for every acknowledged job, and return the ids it has lost."""
        lost = []
        with closing(server.connect()) as connection:
            for job in self.acknowledged:
                answer = final_answer(connection, job.job_id, ANSWER_LIMIT_S)
                if answer.get("reason") == "Invalid job_id":
                    lost.append(job.job_id)
                else:
                    self.judge(job, answer)
        return lost


class Load:
    """Clients that submit jobs and fetch their results until they are stopped or the server is gone.

    Each thinks for up to ``pause_s`` seconds after a round trip.
    """

    def __init__(
        self, server: Server, requests: Sequence[Request], journal: Journal, *, seed: int = 0, pause_s: float = 0.0
    ) -> None:
        self._pause_s = pause_s
        self._server = server
        self._requests = requests
        self._journal = journal
        self._seed = seed
        self._stop = threading.Event()
        self._acknowledgements = itertools.count(1)  # next() is atomic
        self._kill_at = 0
        self._kill: Callable[[], None] = self._stop.set
        self._threads = [threading.Thread(target=self._run, args=(i,), name=f"client-{i}") for i in range(CLIENT_COUNT)]

    def at_acknowledgement(self, count: int, action: Callable[[], None]) -> None:
        """Have the client that receives the ``count``-th acknowledgement call something; call this before ``start``."""
        self._kill_at, self._kill = count, action

    def start(self) -> None:
        """Start the clients."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each client finish its round trip, and wait for all."""
        self._stop.set()
        self.join()

    def join(self) -> None:
        """Wait until the clients have ended, as they do when the server is gone or refuses because it drains."""
        for thread in self._threads:
            thread.join(ANSWER_LIMIT_S * 2)
            assert not thread.is_alive()

    def _run(self, index: int) -> None:
        chooser = random.Random(f"{self._seed}/{index}")
        with closing(self._server.connect()) as connection:
            try:
                while not self._stop.is_set() and self._round_trip(connection, chooser.choice(self._requests)):
                    self._stop.wait(chooser.random() * self._pause_s)
            except (OSError, http.client.HTTPException) as error:
                with self._journal.lock:
                    self._journal.unheard[type(error).__name__] += 1

    def _round_trip(self, connection: http.client.HTTPConnection, request: Request) -> bool:
        """Submit a job and fetch its result; return whether to go on."""
        answer = ask(connection, "POST", f"/api/{request.endpoint}", request.body)
        if answer.status != 200:
            return self._note_refusal(answer)
        job = Acknowledged(str(answer.json()["job_id"]), request)
        self._journal.acknowledged.append(job)
        if next(self._acknowledgements) == self._kill_at:
            self._kill()
        self._journal.judge(job, final_answer(connection, job.job_id, ANSWER_LIMIT_S))
        return True

    def _note_refusal(self, answer: Answer) -> bool:
        with self._journal.lock:
            self._journal.refused[answer.status] += 1
        return answer.json()["reason"] != "shutting down"


@contextmanager
def running_load(
    server: Server, requests: Sequence[Request], journal: Journal, *, seed: int = 0, pause_s: float = 0.0
) -> Iterator[Load]:
    """Have clients at work for as long as the block lasts."""
    load = Load(server, requests, journal, seed=seed, pause_s=pause_s)
    load.start()
    try:
        yield load
    finally:
        load.stop()


def store_problems(store_file: Path) -> list[str]:
    """Let SQLite check a store that no server uses; empty when it is intact."""
    with closing(sqlite3.connect(store_file)) as connection:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    return [] if found == ["ok"] else found
