"""The load's clients against a small real server: what they count, and that they believe nothing.

The stand-in always ends with an answer that stops the clients, so that no test depends on the clock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.load import LoadError, questions_for, run_load

QUESTIONS = questions_for({"Q": {"Ohio": 30.5}})
ACCEPTED = b'{"job_id": "job_id_1"}'
RUNNING = b'{"status":"running"}'
RIGHT = b'{"status":"done","data":{"Ohio":30.5}}'
WRONG = b'{"status":"done","data":{"Ohio":30.6}}'
LONG_S = 60.0

Serve = Callable[..., AbstractContextManager["StandIn"]]


class StandIn(ThreadingHTTPServer):
    """Gives each GET the next of its answers."""

    daemon_threads = True

    def __init__(self, answers: list[bytes], *, protocol: str, accepted: bytes, status: int) -> None:
        self.answers = answers
        self.accepted = accepted
        self.requests: list[str] = []
        self.connection_count = 0
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = protocol

            def setup(self) -> None:
                super().setup()
                stand_in.connection_count += 1

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self._send(stand_in.accepted)

            def do_GET(self) -> None:
                self._send(stand_in.answers.pop(0))

            def _send(self, body: bytes) -> None:
                stand_in.requests.append(f"{self.command} {self.path}")
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep the test's output clean."""

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def serve() -> Serve:
    @contextmanager
    def served(
        answers: list[bytes], *, protocol: str = "HTTP/1.1", accepted: bytes = ACCEPTED, status: int = 200
    ) -> Iterator[StandIn]:
        with StandIn(answers, protocol=protocol, accepted=accepted, status=status) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield server
            finally:
                server.shutdown()
                thread.join()

    return served


def test_a_client_polls_until_done_and_then_begins_again(serve: Serve) -> None:
    with serve([RUNNING, RUNNING, RIGHT, WRONG]) as server:
        with pytest.raises(LoadError, match="wrong answer: answer.data.Ohio is 30.6, expected 30.5"):
            run_load(server.server_port, QUESTIONS, client_count=1, duration_s=LONG_S)
        fetch = "GET /api/get_results/job_id_1"
        assert server.requests == ["POST /api/states_mean", fetch, fetch, fetch, "POST /api/states_mean", fetch]
        assert server.connection_count == 1


def test_a_server_that_closes_connections_gets_new_ones(serve: Serve) -> None:
    with serve([RIGHT, WRONG], protocol="HTTP/1.0") as server:
        with pytest.raises(LoadError, match="wrong answer"):
            run_load(server.server_port, QUESTIONS, client_count=1, duration_s=LONG_S)
        assert server.connection_count == 4


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            b'{"status":"error","reason":"Invalid job_id"}',
            'answer.status is the str "error", expected the str "done"',
        ),
        (b'{"status":"done","data":{"Ohio":30}}', "wrong answer: answer.data.Ohio is the int 30"),
        (b'{"status":"done","data":{}}', "wrong answer: answer.data.Ohio is missing"),
    ],
)
def test_an_answer_that_is_not_the_expected_one_stops_the_load(serve: Serve, answer: bytes, reason: str) -> None:
    with serve([answer]) as server, pytest.raises(LoadError, match=reason):
        run_load(server.server_port, QUESTIONS, client_count=1, duration_s=LONG_S)


def test_an_acceptance_without_an_id_stops_the_load(serve: Serve) -> None:
    with serve([], accepted=b"{}") as server, pytest.raises(LoadError, match="no job_id"):
        run_load(server.server_port, QUESTIONS, client_count=1, duration_s=LONG_S)


def test_a_refusal_stops_the_load(serve: Serve) -> None:
    with serve([], accepted=b"busy", status=503) as server, pytest.raises(LoadError, match=r"503 .*busy"):
        run_load(server.server_port, QUESTIONS, client_count=1, duration_s=LONG_S)
