"""The load: clients that submit a job and fetch its result, over and over, and check every answer.

All clients live in one thread over epoll, because a thread or process for each would take from the server the core that
is measured. They are the same for every server: keep-alive where the server allows it, else a new connection.
"""

from __future__ import annotations

import contextlib
import gc
import heapq
import itertools
import re
import selectors
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import orjson

from meantime.cli.check import differences

POLL_INTERVAL_S = 0.005
"""How long a client waits before it asks again for a result that is not ready."""

_STALL_LIMIT_S = 30.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"\AHTTP/1\.0|\r\nconnection: *close", re.IGNORECASE)
_JOB_ID = re.compile(rb'"job_id": ?"([^"]+)"')
_RUNNING = re.compile(rb'\{"status": ?"running"\}\s*\Z')


class LoadError(Exception):
    """A server gave an answer that is not the expected one, or none."""


@dataclass(frozen=True, slots=True)
class Question:
    """One request, ready to send, and the data that its answer has to hold."""

    request: bytes
    expected: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Load:
    """What a load gave: round trips, how long each took, and how busy the clients themselves were."""

    duration_s: float
    latencies_s: tuple[float, ...]
    client_busy: float  # share of one core

    @property
    def rate(self) -> float:
        """Round trips a second."""
        return len(self.latencies_s) / self.duration_s

    def latency_ms(self, quantile: float) -> float:
        """Return the latency below which this share of the round trips lies, in milliseconds."""
        ordered = sorted(self.latencies_s)
        return ordered[min(int(len(ordered) * quantile), len(ordered) - 1)] * 1000


def questions_for(expected: Mapping[str, Mapping[str, float]]) -> list[Question]:
    """Return one states_mean request for each question."""
    return [Question(_post("/api/states_mean", {"question": text}), means) for text, means in expected.items()]


def _post(path: str, body: object) -> bytes:
    encoded = orjson.dumps(body)
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(encoded)}\r\n\r\n"
    ).encode() + encoded


def _get(path: bytes) -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class AnswerJudge:
    """Compares results with the expected ones; the same bytes are compared once."""

    def __init__(self) -> None:
        self._right: set[tuple[int, bytes]] = set()

    def judge(self, question: Question, body: bytes) -> None:
        """Raise LoadError unless the body is the finished result of the question."""
        key = (id(question), body)
        if key in self._right:
            return
        answer = orjson.loads(body)
        if wrong := differences(
            {"status": "done", "data": dict(question.expected)}, answer, tolerance=1e-9, place="answer"
        ):
            raise LoadError(f"wrong answer: {wrong[0]}")
        self._right.add(key)


class Client:
    """One client: one connection, one round trip at a time."""

    def __init__(
        self, port: int, selector: selectors.BaseSelector, questions: Iterator[Question], judge: AnswerJudge
    ) -> None:
        self._port = port
        self._selector = selector
        self._questions = questions
        self._judge = judge
        self._socket: socket.socket | None = None
        self._received = b""
        self._fetch = b""  # the request for the result, once there is a job
        self._question = next(questions)
        self._started_s = 0.0
        self.latencies_s: list[float] = []
        self.poll_at_s: float | None = None

    def begin(self) -> None:
        """Submit the next job."""
        self._question = next(self._questions)
        self._fetch = b""
        self._started_s = time.perf_counter()
        self._send(self._question.request)

    def poll(self) -> None:
        """Ask for the result again."""
        self.poll_at_s = None
        self._send(self._fetch)

    def receive(self) -> None:
        """Take what has arrived; when the answer is whole, take the next step."""
        assert self._socket is not None
        chunk = self._socket.recv(1 << 18)
        if not chunk:
            raise LoadError("the server closed the connection in the middle of an answer")
        self._received += chunk
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = _LENGTH.search(head)
        if length is None:
            raise LoadError(f"an answer without Content-Length: {head!r}")
        if len(body) < int(length[1]):
            return
        self._received = b""
        if head[9:10] != b"2":
            raise LoadError(f"{head.splitlines()[0].decode('latin-1')}: {body[:200]!r}")
        if _CLOSES.search(head):
            self.close()
        self._step(body)

    def _step(self, body: bytes) -> None:
        if not self._fetch:
            job_id = _JOB_ID.search(body)
            if job_id is None:
                raise LoadError(f"no job_id in {body[:200]!r}")
            self._fetch = _get(b"/api/get_results/" + job_id[1])
            self._send(self._fetch)
        elif _RUNNING.match(body):
            self.poll_at_s = time.perf_counter() + POLL_INTERVAL_S
        else:
            self._judge.judge(self._question, body)
            self.latencies_s.append(time.perf_counter() - self._started_s)
            self.begin()

    def _send(self, request: bytes) -> None:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=_STALL_LIMIT_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(self._socket, selectors.EVENT_READ, self)
        self._socket.sendall(request)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None


def run_load(port: int, questions: list[Question], *, client_count: int, duration_s: float) -> Load:
    """Let clients make round trips for a while.

    Parameters
    ----------
    port
        Where the server listens, on 127.0.0.1.
    questions
        What to ask, in turn.
    client_count
        Clients at once.
    duration_s
        For how long, in seconds.

    Raises
    ------
    LoadError
        At the first answer that is not the expected one.
    """
    turn = itertools.cycle(questions)
    judge = AnswerJudge()
    gc.collect()
    with contextlib.ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        clients = [Client(port, selector, turn, judge) for _ in range(client_count)]
        for client in clients:
            stack.callback(client.close)
        busy_s, started_s = time.process_time(), time.perf_counter()
        for client in clients:
            client.begin()
        _drive(selector, until_s=started_s + duration_s)
        elapsed_s = time.perf_counter() - started_s
        busy_s = time.process_time() - busy_s
    latencies = tuple(itertools.chain.from_iterable(client.latencies_s for client in clients))
    return Load(elapsed_s, latencies, busy_s / elapsed_s)


def _drive(selector: selectors.BaseSelector, *, until_s: float) -> None:
    waiting: list[tuple[float, int, Client]] = []
    counter = itertools.count()
    heard_s = time.perf_counter()
    while (now_s := time.perf_counter()) < until_s:
        while waiting and waiting[0][0] <= now_s:
            heapq.heappop(waiting)[2].poll()
        next_s = min(until_s, waiting[0][0]) if waiting else until_s
        for key, _ in selector.select(max(0.0, next_s - now_s)):
            client: Client = key.data
            client.receive()
            heard_s = now_s
            if client.poll_at_s is not None:
                heapq.heappush(waiting, (client.poll_at_s, next(counter), client))
        if now_s - heard_s > _STALL_LIMIT_S:
            raise LoadError(f"no answer for {_STALL_LIMIT_S:g} s")
