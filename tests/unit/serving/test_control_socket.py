"""How a command reaches a running server: one line each way, for the owner of the state directory alone."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import resource
import select
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from meantime.errors import BackupError, StoreError, StoreUnavailableError
from meantime.serving.control_socket import LINE_LIMIT_BYTES, ControlSocket, ask_server

Open = Callable[..., ControlSocket]
LIMIT_S = 30.0


def echo(request: Mapping[str, object]) -> object:
    return request.get("text")


def refuse(request: Mapping[str, object]) -> object:
    raise BackupError("not today")


def babble(request: Mapping[str, object]) -> object:
    return object()


def stumble(request: Mapping[str, object]) -> object:
    raise KeyError("a bug")


@pytest.fixture
def open_socket(tmp_path: Path) -> Iterator[Open]:
    opened: list[ControlSocket] = []

    def open_one(folder: Path = tmp_path, *, request_limit_s: float = LIMIT_S) -> ControlSocket:
        commands = {"echo": echo, "refuse": refuse, "stumble": stumble, "babble": babble}
        made = ControlSocket(folder, commands, request_limit_s=request_limit_s)
        opened.append(made)
        made.start()
        return made

    yield open_one
    for each in opened:
        each.close()


def send(folder: Path, content: bytes) -> dict[str, object]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(LIMIT_S)
        connection.connect(str(folder / "control"))
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        answer: dict[str, object] = json.loads(connection.makefile("rb").readline())
        return answer


def test_a_command_is_done_and_answered(open_socket: Open, tmp_path: Path) -> None:
    open_socket()
    assert ask_server(tmp_path, "echo", text="é\n") == "é\n"
    assert ask_server(tmp_path, "echo", text=None) is None


def test_an_error_is_the_callers_answer(open_socket: Open, tmp_path: Path) -> None:
    open_socket()
    with pytest.raises(StoreError, match="not today"):
        ask_server(tmp_path, "refuse")
    with pytest.raises(StoreError, match="made a mistake"):
        ask_server(tmp_path, "stumble")
    assert ask_server(tmp_path, "echo", text=1) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"[]\n",
        b"{}\n",
        b"\xff\n",
        b'{"command": 7}\n',
        b'{"command": []}\n',
        b"x" * LINE_LIMIT_BYTES,
        b"[" * 60_000 + b"\n",
    ],
    ids=lambda content: repr(content[:12]),
)
def test_nonsense_is_answered_and_the_next_request_too(open_socket: Open, tmp_path: Path, content: bytes) -> None:
    open_socket()
    assert send(tmp_path, content) == {"error": "unknown command; there is echo, refuse, stumble, babble"}
    assert ask_server(tmp_path, "echo", text=1) == 1


def test_an_answer_that_json_cannot_hold_ends_the_request_and_not_the_thread(open_socket: Open, tmp_path: Path) -> None:
    open_socket()
    with pytest.raises(StoreError, match="made a mistake"):
        ask_server(tmp_path, "babble")
    assert ask_server(tmp_path, "echo", text=1) == 1


@contextlib.contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Let this process open nothing more for as long as the block lasts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Noticed(logging.Handler):
    """Tells when something is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.something = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.something.set()


def test_a_server_out_of_descriptors_answers_when_it_has_some_again(open_socket: Open, tmp_path: Path) -> None:
    open_socket()
    noticed = Noticed()
    logging.getLogger("meantime").addHandler(noticed)
    try:
        # Kernels differ in which of them gets the descriptor that the server waits with, and closes the others.
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as first,
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as second,
            no_descriptor_left(),
        ):
            for connection in (first, second):
                connection.connect(str(tmp_path / "control"))
                with contextlib.suppress(BrokenPipeError):
                    connection.sendall(b'{"command": "echo", "text": 1}\n')
            assert noticed.something.wait(LIMIT_S)
    finally:
        logging.getLogger("meantime").removeHandler(noticed)
    assert ask_server(tmp_path, "echo", text=2) == 2


def test_only_the_owner_may_open_the_socket(open_socket: Open, tmp_path: Path) -> None:
    open_socket()
    assert (tmp_path / "control").stat().st_mode & 0o777 == 0o600


def test_a_socket_that_a_killed_server_left_is_replaced(open_socket: Open, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(tmp_path / "control"))
    with pytest.raises(ConnectionError):
        ask_server(tmp_path, "echo")
    open_socket()
    assert ask_server(tmp_path, "echo", text=1) == 1


def test_where_no_server_runs_nobody_answers(open_socket: Open, tmp_path: Path) -> None:
    with pytest.raises(ConnectionError):
        ask_server(tmp_path, "echo")
    open_socket().close()
    with pytest.raises(ConnectionError):
        ask_server(tmp_path, "echo")
    assert not (tmp_path / "control").exists()


def test_a_folder_whose_name_is_longer_than_an_address_may_be_is_no_obstacle(open_socket: Open, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    assert len(os.fsencode(folder)) > 108
    open_socket(folder)
    assert ask_server(folder, "echo", text=1) == 1


def test_who_asks_a_server_that_never_answers_is_told_after_a_limit(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(str(tmp_path / "control"))
        silent.listen()
        with pytest.raises(StoreUnavailableError, match=r"has not answered at .* in 0\.01 s"):
            ask_server(tmp_path, "echo", limit_s=0.01)


def test_who_asks_where_too_many_wait_already_is_told(tmp_path: Path) -> None:
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as waiting,
    ):
        silent.bind(str(tmp_path / "control"))
        silent.listen(0)
        waiting.connect(str(tmp_path / "control"))
        with pytest.raises(StoreUnavailableError, match="too many commands wait"):
            ask_server(tmp_path, "echo")


def test_a_server_that_ends_in_the_middle_of_its_answer_has_not_answered(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as ending:
        ending.bind(str(tmp_path / "control"))
        ending.listen()

        def end_early() -> None:
            connection, _ = ending.accept()
            with connection:
                connection.sendall(b'{"do')

        thread = threading.Thread(target=end_early)
        thread.start()
        with pytest.raises(ConnectionError):
            ask_server(tmp_path, "echo")
        thread.join()


def test_a_caller_that_drips_its_request_is_cut_off(open_socket: Open, tmp_path: Path) -> None:
    open_socket(request_limit_s=0.05)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dripping:
        dripping.connect(str(tmp_path / "control"))
        with pytest.raises(OSError, match=r"reset|pipe"):  # noqa: PT012  # which byte it is depends on the machine
            for _ in range(LINE_LIMIT_BYTES // 2):
                dripping.sendall(b"x")
                select.select([], [], [], 0.001)
    assert ask_server(tmp_path, "echo", text=1) == 1


def test_requests_that_come_together_take_turns(open_socket: Open, tmp_path: Path) -> None:
    open_socket()
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda i=i: answers.append(ask_server(tmp_path, "echo", text=i))) for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers, key=str) == list(range(8))
