"""Mixed load with faults at random, one after the other: what an hour of it does to a server. Seeded.

Each episode has honest clients at work and one fault. After it everybody leaves, and the server is looked at when it
is quiet: whatever a client has held must have come back by then.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.acceptance.load import Acknowledged, Journal, running_load
from tests.acceptance.server import ANSWER_LIMIT_S, Server
from tests.acceptance.small_table import QUESTIONS, Request

THINK_S = 0.3
EPISODE_S = (4.0, 20.0)
UNREAD_COUNT = 40
DISCONNECT_COUNT = 200
ONE_LIFE_AFTER = 2 / 3
"""The last part of the time is one life of the server, so that a slow growth shows."""

_RESET_AT_CLOSE = struct.pack("ii", 1, 0)
_BODY = json.dumps({"question": QUESTIONS[0]}).encode()


class SoakJournal(Journal):
    """A journal of a server whose disk is full at times: a job may have failed of that, and then stays so."""

    def __init__(self) -> None:
        super().__init__()
        self.full_count = 0  # guarded by self.lock

    def judge(self, job: Acknowledged, answer: dict[str, object]) -> None:
        """Hold a final answer against the reference."""
        if answer.get("status") == "error" and str(answer.get("reason")).startswith("storage full"):
            with self.lock:
                self.full_count += 1
            return
        super().judge(job, answer)


class Sample(NamedTuple):
    """The worker, when it is quiet."""

    episode: int
    fault: str
    at_s: float
    life: int
    acknowledged_count: int
    resident_bytes: int
    descriptor_count: int
    thread_count: int


@dataclass
class Soak:
    """One run.

    ``disk`` is a small file system that can be filled, or None where there is none.
    """

    server: Server
    requests: Sequence[Request]
    disk: Path | None
    seed: int
    journal: SoakJournal = field(default_factory=SoakJournal)
    samples: list[Sample] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    exit_codes: Counter[int] = field(default_factory=Counter)
    life: int = 0

    def run(self, duration_s: float) -> None:
        """Run episodes until the time is over, then drain."""
        chooser = random.Random(self.seed)
        self._start()
        began = time.monotonic()
        while (passed_s := time.monotonic() - began) < duration_s:
            fault = chooser.choice(list(self._faults(is_one_life=passed_s > ONE_LIFE_AFTER * duration_s)))
            self.faults[fault.__name__] += 1
            with running_load(self.server, self.requests, self.journal, seed=len(self.samples), pause_s=THINK_S):
                fault(chooser)
            if not self.server.is_alive:
                self._start()
            self._wait_quiet()
            self._sample(fault.__name__, time.monotonic() - began)

    def _faults(self, *, is_one_life: bool) -> Iterator[Callable[[random.Random], None]]:
        yield from (self.nothing, self.disconnects, self.unread_answers, self.reloads)
        if self.disk is not None:
            yield self.full_disk
        if not is_one_life:
            yield from (self.kill, self.drain)

    def _start(self) -> None:
        self.server.start()
        self.life += 1

    # Faults --------------------------------------------------------------------------------------------------------

    def nothing(self, chooser: random.Random) -> None:
        """Load alone."""
        time.sleep(chooser.uniform(*EPISODE_S))  # how long an episode lasts is what chance chooses

    def disconnects(self, chooser: random.Random) -> None:
        """Clients that leave in the middle of a request or before its answer."""
        head = b"POST /api/states_mean HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        openings = [
            b"",
            head[: chooser.randint(1, len(head))],
            head + b"Content-Length: 500\r\n\r\n{",
            b"GET /api/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ]
        for _ in range(DISCONNECT_COUNT):
            with self._connection() as client, suppress(OSError):
                client.sendall(chooser.choice(openings))
                if chooser.random() < 0.5:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
            time.sleep(chooser.random() * EPISODE_S[1] / DISCONNECT_COUNT)  # when the next one leaves is up to chance

    def unread_answers(self, chooser: random.Random) -> None:
        """Clients that ask for long answers and read nothing."""
        with self._unread():
            time.sleep(chooser.uniform(*EPISODE_S))  # doing nothing is what these clients do

    def reloads(self, chooser: random.Random) -> None:
        """The tables are read again, and again while they are read."""
        for _ in range(chooser.randint(1, 5)):
            self.server.process.send_signal(signal.SIGHUP)
            time.sleep(chooser.random() * 2)  # some come while the one before is still read

    def full_disk(self, chooser: random.Random) -> None:
        """Nothing can be written for a while; then space alone has to mend it."""
        assert self.disk is not None
        filler = self.disk / "filler"
        descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
        for size in (1 << 20, 4096):
            with suppress(OSError):
                while True:
                    os.write(descriptor, b"x" * size)
        os.close(descriptor)
        time.sleep(chooser.uniform(*EPISODE_S))  # the load goes on against the full disk meanwhile
        filler.unlink()
        deadline = time.monotonic() + ANSWER_LIMIT_S
        while (answer := self.server.post("states_mean", _BODY)).status >= 500:
            assert time.monotonic() < deadline, f"space alone does not mend it: {answer}"
            time.sleep(0.1)  # a server that answers says nothing when it has changed its mind

    def kill(self, chooser: random.Random) -> None:
        """SIGKILL at any point, for the group, the main process or the worker."""
        time.sleep(chooser.uniform(*EPISODE_S))
        self.server.kill(chooser.choice(["group", "main", "worker"]))

    def drain(self, chooser: random.Random) -> None:
        """SIGTERM, while some clients read nothing."""
        with self._unread():
            time.sleep(chooser.uniform(0.0, EPISODE_S[0]))
            self.exit_codes[self.server.stop()] += 1

    def _connection(self) -> socket.socket:
        client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", self.server.port))
        return client

    @contextmanager
    def _unread(self) -> Iterator[None]:
        with ExitStack() as held:
            for i in range(UNREAD_COUNT):
                client = held.enter_context(self._connection())
                path = (b"/api/jobs", b"/docs/swagger-ui-bundle.js")[i % 2]
                client.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
            yield

    # Looking -------------------------------------------------------------------------------------------------------

    def _wait_quiet(self) -> None:
        """Wait until no job is unfinished and no client's connection is open."""
        self.server.wait_idle()
        deadline = time.monotonic() + ANSWER_LIMIT_S
        while connection_count(self.server.port):
            assert time.monotonic() < deadline, "connections of clients that have left are still open"
            time.sleep(0.05)

    def _sample(self, fault: str, at_s: float) -> None:
        process = Path(f"/proc/{self.server.worker_pid}")
        self.samples.append(
            Sample(
                len(self.samples) + 1,
                fault,
                at_s,
                self.life,
                len(self.journal.acknowledged),
                self.server.resident_bytes(),
                len(list((process / "fd").iterdir())),
                len(list((process / "task").iterdir())),
            )
        )

    def table(self) -> str:
        """Return the samples and the counts as a table."""
        lines = [f"{'#':>4} {'fault':<15} {'at s':>6} {'life':>4} {'jobs':>8} {'MB':>6} {'fds':>5} {'threads':>7}"]
        lines += [
            f"{s.episode:>4} {s.fault:<15} {s.at_s:>6.0f} {s.life:>4} {s.acknowledged_count:>8,} "
            f"{s.resident_bytes / 1e6:>6.0f} {s.descriptor_count:>5} {s.thread_count:>7}"
            for s in self.samples
        ]
        return "\n".join(lines)


def connection_count(port: int) -> int:
    """Return how many connections to a port of 127.0.0.1 its server holds."""
    local = f"0100007F:{port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    return sum(1 for row in rows if row[1] == local and row[3] in ("01", "08"))  # established, close-wait
