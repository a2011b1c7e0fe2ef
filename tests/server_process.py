"""A real server process for tests that need one: started, read until it says where it is, stopped by SIGTERM."""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

START_LIMIT_S = 60.0
STOP_LIMIT_S = 60.0
_URL = re.compile(r" at (http://\S+) ")


@contextlib.contextmanager
def served(command: Sequence[str | Path], folder: Path) -> Iterator[str]:
    """Run ``COMMAND --port 0`` in a folder and yield the URL that it prints when it is ready.

    It has to end with 0.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(
        [*command, "--port", "0"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    with process:
        assert process.stdout is not None
        try:
            printed, url = "", None
            while url is None:  # notes on the tables come first
                answers, _, _ = select.select([process.stdout], [], [], START_LIMIT_S)
                assert answers, f"the server printed no address within {START_LIMIT_S:g} s: {printed}"
                more = os.read(process.stdout.fileno(), 65536).decode()
                printed += more
                url = _URL.search(printed)
                assert url or more, f"the server did not start: {printed}"
            yield url[1]
        finally:
            process.terminate()
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
    assert process.returncode == 0
