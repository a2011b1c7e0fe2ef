"""Starting and stopping the servers that are measured, each as a process of its own."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

START_LIMIT_S = 60.0
STOP_LIMIT_S = 30.0
_TRY_EVERY_S = 0.005

MEANTIME = [sys.executable, "-c", "from meantime.cli import main; main()"]


class StartError(Exception):
    """A server ended, or was not ready in time; the message ends with what it printed."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers.

    ``process_id`` is that of the process started, ``ready_s`` the seconds from there to the first good answer.
    """

    port: int
    process_id: int
    ready_s: float


@contextlib.contextmanager
def running_server(command: Sequence[str], port: int, *, ready_path: str, folder: Path) -> Iterator[RunningServer]:
    """Start a server, wait until ``ready_path`` answers below 500, and stop it by SIGTERM at the end.

    What it prints goes into ``folder``, which is also where it runs.

    Raises
    ------
    StartError
        When it ends or is not ready within START_LIMIT_S.
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with (folder / f"output-{port}.txt").open("w+b") as output:
        started_s = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
        )
        try:
            while not _answers(port, ready_path):
                if process.poll() is not None or time.perf_counter() - started_s > START_LIMIT_S:
                    output.seek(0)
                    raise StartError(f"{' '.join(command)}: {output.read()[-2000:].decode(errors='replace')}")
                time.sleep(_TRY_EVERY_S)
            yield RunningServer(port, process.pid, time.perf_counter() - started_s)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_LIMIT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
    except OSError:
        return False
    finally:
        connection.close()


def free_port() -> int:
    """Return a port that is free right now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def meantime_command(state_folder: Path, port: int) -> list[str]:
    """Return the command that serves the bundled table with its state in a folder."""
    return [*MEANTIME, "serve", "--port", str(port), "--state-dir", str(state_folder)]


def peer_command(name: str, port: int, *arguments: str) -> list[str]:
    """Return the command that starts one of the peers."""
    return [sys.executable, "-m", f"benchmarks.peers.{name}", str(port), *arguments]
