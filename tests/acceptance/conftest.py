"""Servers on temporary folders, a small table to serve, and the tools that some faults need."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.server import Server
from tests.acceptance.small_table import Request, requests_for, write_table

OpenServer = Callable[..., Server]
IN_CI = bool(os.environ.get("CI"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.acceptance)


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small table; nobody changes it."""
    return write_table(tmp_path_factory.mktemp("table") / "small.csv")


@pytest.fixture(scope="session")
def requests(table: Path) -> list[Request]:
    """Every request that can be made of the small table."""
    return requests_for(table)


@pytest.fixture
def open_server(tmp_path: Path, table: Path) -> Iterator[OpenServer]:
    """Makes a server that has not been started; whatever of it still runs at the end is killed."""
    opened: list[Server] = []

    def make(data: Path | None = None, *, folder: Path | None = None, **details: object) -> Server:
        server = Server(folder or tmp_path / f"server-{len(opened)}", data or table, **details)  # type: ignore[arg-type]
        opened.append(server)
        return server

    yield make
    for server in opened:
        server.kill()


def require(condition: bool, what: str) -> None:
    """Skip a test that needs something this machine lacks, unless this is CI, which has to have it."""
    if not condition:
        (pytest.fail if IN_CI else pytest.skip)(f"needs {what}")


@pytest.fixture
def strace() -> None:
    """A test that watches or disturbs system calls."""
    require(shutil.which("strace") is not None, "strace (Debian: apt-get install strace)")
    works = subprocess.run(["strace", "-o", "/dev/null", "true"], check=False, capture_output=True)
    require(works.returncode == 0, "leave to trace processes")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    require(os.geteuid() == 0 and subprocess.run(command, check=False, capture_output=True).returncode == 0, "root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
