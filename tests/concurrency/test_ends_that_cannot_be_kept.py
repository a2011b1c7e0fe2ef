"""A store or a results folder that can't be written: what is told of a job is what a restart will find."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from meantime.errors import DataError, StorageFullError, StoreUnavailableError
from meantime.jobs.job import Checkpoint, EncodedResult, Job, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.results.results_directory import ResultsDirectory
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.jobs.thread_pool import ThreadPool
from tests.concurrency.conftest import echo, number_task
from tests.fault_table import Record
from tests.faulty_store import FaultyStore
from tests.killed_store import open_as_killed


class Ground:
    """A pool without threads, whose runner the test plays, on a store that the test breaks."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.open()

    def open(self) -> None:
        self.store = FaultyStore(SqliteJobStore(self.directory / "state"))
        self.results = ResultsDirectory(self.directory / "results", self.stored)
        self.pool = ThreadPool(self.perform, self.store, self.results, thread_count=0)
        self.pool.start()

    @property
    def stored(self) -> Path:
        return self.directory / "state" / "stored"

    def perform(self, task: Task, checkpoint: Checkpoint) -> EncodedResult:
        if task.name == "fail":
            raise ValueError("no answer")
        return echo(task, checkpoint)

    def run_next(self) -> Job:
        """Run the next job as a runner does, and return how it then stands."""
        job = self.pool.take()
        assert job is not None
        try:
            result = self.pool.run(job)
        except BaseException as error:  # noqa: BLE001  # as TaskRunner does
            assert self.pool.fail(job, error)  # noqa: PT017  # the call is the step
        else:
            assert self.pool.finish(job, result)
        return self.pool.find(job.number)

    def take_the_ground(self) -> None:
        """Let nothing be written any more."""
        self.store.is_broken = True
        shutil.rmtree(self.stored)
        self.stored.touch()

    def restart(self) -> None:
        self.close()
        if self.stored.is_file():
            self.stored.unlink()
        self.open()

    def close(self) -> None:
        self.pool.close(0.0)
        self.store.close()


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    opened = Ground(tmp_path)
    yield opened
    opened.close()


def test_a_job_isnt_called_failed_that_a_restart_would_do(ground: Ground, record: Record) -> None:
    number = ground.pool.add_task(number_task(1)).number
    ground.take_the_ground()
    told = ground.run_next()
    ground.restart()
    done = ground.run_next()
    record(
        "store turns read-only while a job runs",
        "what is told is what a restart finds",
        f"told {told.state}, after the restart {done.state}",
    )
    assert (told.state, done.state) == (JobState.RUNNING, JobState.DONE)
    assert done.number == number


@pytest.mark.parametrize("name", ["echo", "fail"])
def test_an_end_that_cant_be_recorded_is_told_once_it_is(ground: Ground, name: str) -> None:
    ended: list[JobState] = []
    ground.pool.add_task(Task(name, "{}", "v1"))
    job = ground.pool.take()
    assert job is not None
    ground.store.is_broken = True
    ground.pool.inspect()
    result = ground.pool.run(job) if name == "echo" else None
    assert ground.pool.finish(job, result) if result else ground.pool.fail(job, ValueError("no answer"))
    told = ground.pool.wait(job.number, 0.0)
    assert told.state is JobState.RUNNING
    assert not ground.pool.drain(0.0)
    ground.store.is_broken = False
    ground.pool.inspect()
    ended.append(ground.pool.wait(job.number, 0.0).state)
    recorded = ground.store.get(job.number)
    assert recorded is not None
    assert ended == [recorded.state] == [JobState.DONE if name == "echo" else JobState.FAILED]
    assert ground.pool.drain(0.0)


def test_a_cancellation_that_cant_be_recorded_is_refused_and_follows(ground: Ground) -> None:
    number = ground.pool.add_task(number_task(1)).number
    ground.store.is_broken = True
    with pytest.raises(StoreUnavailableError, match="can't be recorded"):
        ground.pool.cancel(number)
    assert ground.pool.find(number).state is JobState.QUEUED
    assert ground.pool.queue_depth() == 0
    ground.store.is_broken = False
    ground.pool.inspect()
    assert ground.pool.find(number).state is JobState.CANCELLED


def test_an_end_without_a_result_is_recorded_before_it_is_told(ground: Ground, tmp_path: Path) -> None:
    ground.pool.add_task(Task("fail", "{}", "v1"))
    ground.pool.add_task(number_task(2))
    failed, cancelled = ground.run_next(), ground.pool.cancel(2)
    with closing(open_as_killed(tmp_path / "state", tmp_path / "killed")) as left:
        assert [left.get(1), left.get(2)] == [failed, cancelled]


def test_nothing_is_accepted_while_results_cant_be_stored(ground: Ground) -> None:
    ground.pool.add_task(number_task(1))
    shutil.rmtree(ground.stored)
    ground.stored.touch()
    assert ground.run_next().state is JobState.FAILED
    for _ in range(2):
        with pytest.raises(StoreUnavailableError):
            ground.pool.add_task(number_task(2))
        ground.pool.inspect()
    ground.stored.unlink()
    ground.pool.inspect()
    ground.pool.add_task(number_task(2))
    assert ground.run_next().state is JobState.DONE


def test_nothing_is_accepted_while_hardly_another_file_fits(small_files: Path, record: Record) -> None:
    ground = Ground(small_files)
    try:
        ground.pool.inspect()
        fillers = [small_files / f"filler-{i}" for i in range(1000)]
        for filler in fillers:
            try:
                filler.touch()
            except OSError:
                break
        ground.pool.inspect()
        with pytest.raises(StorageFullError):
            ground.pool.add_task(number_task(1))
        for filler in fillers:
            filler.unlink(missing_ok=True)
        ground.pool.inspect()
        ground.pool.add_task(number_task(2))
        assert ground.run_next().state is JobState.DONE
        record("out of inodes", "nothing is accepted, /readyz 503; files alone mend it", "refused, then accepted")
    finally:
        ground.close()


@pytest.mark.parametrize("what", ["file", "dangling link"])
def test_a_result_is_a_result_without_its_file_which_follows(ground: Ground, tmp_path: Path, what: str) -> None:
    ground.pool.add_task(number_task(1))
    results = tmp_path / "results"
    results.rmdir()
    if what == "file":
        results.touch()
    else:
        results.symlink_to(tmp_path / "gone")
    job = ground.run_next()
    assert job.state is JobState.DONE
    assert job.result_sha256 is not None
    assert ground.results.read(job.number, job.result_sha256) == b'{"n":1}'
    ground.restart()
    ground.pool.add_task(number_task(2))
    assert ground.run_next().state is JobState.DONE
    results.unlink()
    ground.pool.inspect()
    assert (results / "job_id_2.json").read_bytes() == b'{"n":2}'


def test_a_reason_that_names_a_file_in_another_encoding_is_recorded(ground: Ground) -> None:
    ground.pool.add_task(Task("fail", "{}", "v1"))
    job = ground.pool.take()
    assert job is not None
    assert ground.pool.fail(job, DataError(f"{os.fsdecode(b'a' + bytes([0xF1]) + b'o.csv')}: is empty"))
    told = ground.pool.find(job.number)
    assert (told.state, told.reason) == (JobState.FAILED, r"a\udcf1o.csv: is empty")
    ground.restart()
    assert ground.pool.find(job.number).reason == told.reason
