"""The control socket: how commands on the same machine reach a running server, past HTTP and its keys.

A socket in the state directory, which only the server's own user may enter: who can open it could also read the store.
One request a connection, each way one line of JSON: ``{"command": "back_up", "target": "/srv/copy.sqlite3"}`` gets
``{"done": ...}`` or ``{"error": "..."}``. What the commands do is decided by whoever opens the socket.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from meantime.errors import MeantimeError, StoreError, StoreUnavailableError
from meantime.supervisor import KeptThread

NAME = "control"
LINE_LIMIT_BYTES = 65_536
ANSWER_LIMIT_S = 600.0
"""How long whoever asks waits for the answer."""

REQUEST_LIMIT_S = 5.0
_ACCEPT_PAUSE_S = 1.0

_log = logging.getLogger(__name__)

Command = Callable[[Mapping[str, object]], object]
"""Given a request, does it and returns what JSON can hold; a MeantimeError is the caller's answer."""


class ControlSocket:
    """Answers on ``<directory>/control``, one request at a time.

    Parameters
    ----------
    directory
        The state directory of a server that holds its lock; nobody else may enter it.
    commands
        By name.
    request_limit_s
        How many seconds a caller may take to say what it wants; others wait meanwhile.
    """

    def __init__(
        self, directory: Path, commands: Mapping[str, Command], *, request_limit_s: float = REQUEST_LIMIT_S
    ) -> None:
        self._request_limit_s = request_limit_s
        self._directory = directory
        self._commands = commands
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._closing = threading.Event()
        self.thread = KeptThread(self._answer_all, name="control")

    def start(self) -> None:
        """Listen from now on.

        Raises
        ------
        StoreUnavailableError
            There is no socket in this directory, and none can be made.
        """
        try:
            (self._directory / NAME).unlink(missing_ok=True)  # an earlier server's: we hold the lock
            with _short_address(self._directory) as address:
                self._socket.bind(address)
            (self._directory / NAME).chmod(0o600)
            self._socket.listen()
        except OSError as error:
            self._socket.close()
            raise StoreUnavailableError(
                f"can't make the socket {self._directory / NAME}: {error.strerror or error}"
            ) from error
        self.thread.start()

    def close(self) -> None:
        """End the thread after the request that it is at, and remove the socket."""
        self.thread.end(self._wake_to_close)
        self._socket.close()
        (self._directory / NAME).unlink(missing_ok=True)

    def _wake_to_close(self) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _answer_all(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError as error:  # out of descriptors, perhaps: it is tried again
                if not self._closing.is_set():
                    _log.error("the control socket can't take a connection: %s", error.strerror)
                    self._closing.wait(_ACCEPT_PAUSE_S)
                continue
            with connection, contextlib.suppress(OSError):  # the caller is gone
                line = _read_line(connection, time.monotonic() + self._request_limit_s)
                connection.settimeout(self._request_limit_s)
                connection.sendall(self._answer(line) + b"\n")

    def _answer(self, line: bytes) -> bytes:
        """Return the answer to a request, whatever it is and whatever it makes happen."""
        try:
            request = json.loads(line)
            command = self._commands[request["command"]]
        except (ValueError, TypeError, KeyError, RecursionError):
            return _encoded("error", f"unknown command; there is {', '.join(self._commands)}")
        try:
            return _encoded("done", command(request))
        except MeantimeError as error:
            return _encoded("error", str(error))
        except Exception:  # noqa: BLE001  # the next request must find the thread alive
            _log.exception("the command %s failed", request["command"])
            return _encoded("error", "the server made a mistake; see its log")


def ask_server(directory: Path, command: str, *, limit_s: float = ANSWER_LIMIT_S, **details: object) -> object:
    """Ask the server of a state directory to do something, and return what it answers.

    Parameters
    ----------
    directory, command, details
        Whom to ask what.
    limit_s
        How many seconds that may take in all.

    Raises
    ------
    ConnectionError
        No server answers there.
    StoreUnavailableError
        The server hasn't answered in time.
    StoreError
        The server answered that it can't.
    """
    deadline = time.monotonic() + limit_s
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(limit_s)
        try:
            with _short_address(directory) as address:
                connection.connect(address)
            connection.sendall(json.dumps({"command": command, **details}).encode() + b"\n")
            line = _read_line(connection, deadline)
        except FileNotFoundError as error:
            raise ConnectionError(f"no server has opened {directory / NAME}") from error
        except TimeoutError as error:
            raise StoreUnavailableError(
                f"the server has not answered at {directory / NAME} in {limit_s:g} s; "
                "look at its log and at /readyz, give it more time, or start it again"
            ) from error
        except BlockingIOError as error:  # more wait than the socket's queue holds
            raise StoreUnavailableError(
                f"too many commands wait at {directory / NAME}; end those that hang, and try again"
            ) from error
    if not line.endswith(b"\n"):
        raise ConnectionError("the server ended while it was asked")
    answer = json.loads(line)
    if "error" in answer:
        raise StoreError(answer["error"])
    done: object = answer["done"]
    return done


def _encoded(outcome: str, what: object) -> bytes:
    return json.dumps({outcome: what}).encode()


@contextlib.contextmanager
def _short_address(directory: Path) -> Iterator[str]:
    """Yield an address for the socket: its path may be longer than the 107 bytes that an address may have."""
    if sys.platform != "linux":
        yield str(directory / NAME)
        return
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{NAME}"
    finally:
        os.close(descriptor)


def _read_line(connection: socket.socket, deadline: float) -> bytes:
    """Return a line, or what there is when its sender has ended; TimeoutError after the deadline (monotonic)."""
    line = b""
    while not line.endswith(b"\n") and len(line) < LINE_LIMIT_BYTES:
        left_s = deadline - time.monotonic()
        if left_s <= 0.0:
            raise TimeoutError
        connection.settimeout(left_s)
        received = connection.recv(4096)
        if not received:
            break
        line += received
    return line
