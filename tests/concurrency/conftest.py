"""A pool over a real store, closed at the end of the test, and a task body that a test holds up."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meantime.jobs.job import Checkpoint, EncodedResult, Job, Perform, Task
from meantime.jobs.job_store import JobStore
from meantime.jobs.results.results_directory import ResultsDirectory
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.jobs.thread_pool import ThreadPool

OpenPool = Callable[..., ThreadPool]

LIMIT_S = 30.0
"""How long a test waits for something that happens in milliseconds."""


class Bench:
    """Opens pools on one state directory, one after the other, and closes the last one."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store: JobStore | None = None
        self.pool: ThreadPool | None = None

    @property
    def results(self) -> ResultsDirectory:
        return ResultsDirectory(self.directory / "results", self.directory / "state" / "stored")

    def open(
        self,
        perform: Perform,
        *,
        threads: int = 2,
        capacity: int = 1000,
        owner_percent: int = 100,
        start: bool = True,
        on_end: Callable[[Job], None] | None = None,
    ) -> ThreadPool:
        self.close()
        self.store = SqliteJobStore(self.directory / "state")
        self.pool = ThreadPool(
            perform,
            self.store,
            self.results,
            thread_count=threads,
            capacity=capacity,
            owner_percent=owner_percent,
            on_end=on_end,
        )
        if start:
            self.pool.start()
        return self.pool

    def close(self) -> None:
        if self.pool is not None:
            assert self.pool.close(LIMIT_S)
            self.pool = None
        if self.store is not None:
            self.store.close()
            self.store = None


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opened = Bench(tmp_path)
    yield opened
    opened.close()


class Gate:
    """A task body that waits until the test opens the gate, then returns the task's own arguments."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.entered = threading.Semaphore(0)

    def __call__(self, task: Task, checkpoint: Checkpoint) -> EncodedResult:
        self.entered.release()
        assert self.may_go_on.wait(LIMIT_S)
        checkpoint()
        return echo(task, checkpoint)


def echo(task: Task, checkpoint: Checkpoint) -> EncodedResult:
    """Return the task's own arguments as its result."""
    return EncodedResult.of(task.arguments.encode("utf-8"))


def number_task(number: int) -> Task:
    return Task("echo", f'{{"n":{number}}}', "v1")


@pytest.fixture
def small_files(tmp_path: Path) -> Iterator[Path]:
    """A file system that holds 400 files."""
    folder = tmp_path / "few-files"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=32m,nr_inodes=400", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
