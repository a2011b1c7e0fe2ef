"""A real server process under test: started, asked, killed, started again on the same state directory."""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, NamedTuple

PROJECT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 60.0
STOP_LIMIT_S = 60.0
ANSWER_LIMIT_S = 30.0
PLAIN = "meantime"
MISBEHAVING = "tests.acceptance.misbehaving_server"
"""A server whose catalogue has statistics that no catalogue should have."""

PATIENT = "tests.acceptance.patient_server"
"""A server with a statistic whose job waits for the test."""

_READY = re.compile(rb" at http://127\.0\.0\.1:(\d+)[ /]")
_COMMANDS = {
    PATIENT: [sys.executable, "-m", PATIENT],
    PLAIN: [sys.executable, "-c", "from meantime.cli import main; main()"],
    MISBEHAVING: [sys.executable, "-m", MISBEHAVING],
}


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> dict[str, object]:
        """Return the body as a JSON object."""
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


class NotReadyError(Exception):
    """The server ended, or wasn't ready in time; the message is what it printed."""


class Server:
    """One server, over all its lives on one state directory.

    ``limits`` go to prlimit, such as ``--nofile=256``.
    """

    def __init__(
        self,
        folder: Path,
        data: Path,
        *,
        program: str = PLAIN,
        state: Path | None = None,
        options: Sequence[str] = (),
        limits: Sequence[str] = (),
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.state = state or folder / "state"
        self.port = 0
        self.ready_s: list[float] = []
        self._limits = ["prlimit", *limits, "--"] if limits else []
        self._serve = [*_COMMANDS[program], "serve", str(data), "--state-dir", str(self.state), "--port", "0", *options]
        self._process: subprocess.Popen[bytes] | None = None

    # Life ----------------------------------------------------------------------------------------------------------

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the process; don't wait for it."""
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(PROJECT / "src"), str(PROJECT)])}
        with self.errors_file.open("ab") as errors:
            self._process = subprocess.Popen(
                [*self._limits, *self._serve],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                start_new_session=True,
            )
        return self._process

    def start(self) -> Server:
        """Start the process and wait until it says that it serves."""
        started = time.perf_counter()
        self.launch()
        self.wait_ready()
        self.ready_s.append(time.perf_counter() - started)
        return self

    def wait_ready(self) -> None:
        """Wait until it says that it serves; NotReadyError when it ends before."""
        assert self.process.stdout is not None
        self.port = self._read_port(self.process.stdout)

    def _read_port(self, stdout: IO[bytes]) -> int:
        said = b""
        deadline = time.monotonic() + START_LIMIT_S
        while (found := _READY.search(said)) is None:
            readable, _, _ = select.select([stdout], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(stdout.fileno(), 65536) if readable else b""
            if not chunk:
                self.kill()
                raise NotReadyError(self.errors)
            said += chunk
        return int(found[1])

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The main process of this life."""
        assert self._process is not None
        return self._process

    @property
    def worker_pid(self) -> int:
        """The process that serves: the main process's child."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text("ascii").split()
        assert len(children) == 1
        return int(children[0])

    def kill(self, whom: str = "group") -> None:
        """End it by SIGKILL, the whole group, the main process or the worker alone, and wait for the main process."""
        if self._process is None:
            return
        with suppress(ProcessLookupError, FileNotFoundError):
            if whom == "worker":
                os.kill(self.worker_pid, signal.SIGKILL)
            elif whom == "main":
                os.kill(self._process.pid, signal.SIGKILL)
            else:
                os.killpg(self._process.pid, signal.SIGKILL)
        self.wait()

    def kill_after(self, delay_s: float) -> None:
        """End it by SIGKILL at a point of its start, unless it ends before."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(delay_s)
        self.kill()

    def stop(self) -> int:
        """End it by SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self, limit_s: float = STOP_LIMIT_S) -> int:
        """Wait for the main process's end and return its exit code."""
        code = self.process.wait(limit_s)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    @property
    def is_alive(self) -> bool:
        """Whether the main process runs."""
        return self._process is not None and self._process.poll() is None

    # What it leaves ------------------------------------------------------------------------------------------------

    @property
    def store_file(self) -> Path:
        """The job store's database."""
        return self.state / ".meantime" / "jobs.sqlite3"

    @property
    def errors_file(self) -> Path:
        """Where the standard error of all its lives goes."""
        return self.folder / "stderr.txt"

    @property
    def errors(self) -> str:
        """What all its lives have printed to standard error."""
        return self.errors_file.read_text("utf-8", "replace")

    def resident_bytes(self) -> int:
        """Return the resident memory of the worker."""
        return memory_of(self.worker_pid, "VmRSS")

    # Asking --------------------------------------------------------------------------------------------------------

    def connect(self, timeout_s: float = ANSWER_LIMIT_S) -> http.client.HTTPConnection:
        """Return a connection to it."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)

    def ask(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Send one request on a connection of its own."""
        with closing(self.connect()) as connection:
            return ask(connection, method, path, body)

    def post(self, endpoint: str, body: bytes) -> Answer:
        """Submit a job."""
        return self.ask("POST", f"/api/{endpoint}", body)

    def result(self, job_id: str, limit_s: float = ANSWER_LIMIT_S) -> dict[str, object]:
        """Ask for a job until it has ended, and return the answer."""
        with closing(self.connect()) as connection:
            return final_answer(connection, job_id, limit_s)

    def wait_idle(self, limit_s: float = STOP_LIMIT_S) -> None:
        """Wait until no accepted job is unfinished."""
        deadline = time.monotonic() + limit_s
        while self.ask("GET", "/api/num_jobs").json()["num_jobs"]:
            assert time.monotonic() < deadline, "jobs remain unfinished"


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> Answer:
    """Send one request and read its answer."""
    connection.request(method, path, body, {"Content-Type": "application/json"} if body is not None else {})
    response = connection.getresponse()
    return Answer(response.status, response.read(), dict(response.headers))


def final_answer(connection: http.client.HTTPConnection, job_id: str, limit_s: float) -> dict[str, object]:
    """Ask for a job until it has ended; the server itself waits a little before it says that a job runs."""
    deadline = time.monotonic() + limit_s
    while (answer := ask(connection, "GET", f"/api/get_results/{job_id}").json()) == {"status": "running"}:
        assert time.monotonic() < deadline, f"{job_id} is still running after {limit_s} s"
    return answer


def memory_of(pid: int, field: str) -> int:
    """Return a field of /proc/<pid>/status that is in kB, in bytes."""
    found = re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text("ascii"), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024
