"""Single bytes flipped in a closed store: what is read is what was written, or the store says that it is damaged."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from meantime.errors import StoreCorruptError, StoreError
from meantime.jobs.job import Job, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import Submission
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from tests.fault_table import Record

JOB_COUNT = 60
FLIP_COUNT = 100
Known = list[tuple[int, Task, str, JobState]]


def _fill(directory: Path) -> None:
    with closing(SqliteJobStore(directory)) as store:
        for i in range(JOB_COUNT):
            task = Task("state_mean", f'{{"question":"Q{i}","state":"Ohio"}}', "brfss@1")
            number, _ = store.add(Submission(task, 1000.0 + i, owner=f"owner-{i % 3}"))
            if i % 4:
                store.record(
                    Job(
                        number=number,
                        task=task,
                        state=JobState.DONE,
                        attempt=1,
                        finished_at=2.0,
                        result_sha256="ab" * 32,
                    )
                )


def _read(directory: Path) -> Known:
    with closing(SqliteJobStore(directory)) as store:
        listed = [number for number, _ in store.states_after(0, 10 * JOB_COUNT)]
        jobs = [store.get(number) for number in listed]
        return [(job.number, job.task, job.owner, job.state) for job in jobs if job is not None]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    _fill(tmp_path / "written")
    return tmp_path / "written"


@pytest.mark.parametrize("column", ["submitted_at", "started_at", "finished_at"])
@pytest.mark.parametrize("value", [1e20, -62_135_596_801.0, 253_402_300_800.0, float("inf"), "now", b"\x00"])
def test_a_time_that_is_none_is_damage(written: Path, column: str, value: object) -> None:
    with closing(sqlite3.connect(written / "jobs.sqlite3")) as connection, connection:
        connection.execute(f"UPDATE jobs SET {column} = ? WHERE number = 6", (value,))
    with closing(SqliteJobStore(written)) as store:
        with pytest.raises(StoreCorruptError, match="job 6 .* is damaged"):
            store.get(6)
        assert store.get(5) is not None


def test_a_job_of_a_clock_that_is_not_set_is_whole(written: Path) -> None:
    with closing(sqlite3.connect(written / "jobs.sqlite3")) as connection, connection:
        connection.execute("UPDATE jobs SET submitted_at = -1001.0 WHERE number = 6")
    with closing(SqliteJobStore(written)) as store:
        job = store.get(6)
    assert job is not None
    assert job.submitted_at == -1001.0


def test_a_job_under_another_number_is_damage(written: Path) -> None:
    with closing(sqlite3.connect(written / "jobs.sqlite3")) as connection, connection:
        connection.execute("UPDATE jobs SET number = 1000 WHERE number = 5")
    with closing(SqliteJobStore(written)) as store, pytest.raises(StoreCorruptError, match="job 1000 .* is damaged"):
        store.get(1000)


def test_a_flipped_byte_never_gives_another_job(written: Path, tmp_path: Path, record: Record) -> None:
    expected = _read(written)
    chooser = random.Random(20261122)
    content = (written / "jobs.sqlite3").read_bytes()
    noticed = 0
    wrong = []
    for i in range(FLIP_COUNT):
        hurt = tmp_path / "hurt"
        shutil.copytree(written, hurt, ignore=shutil.ignore_patterns("spare-space"))
        place, bit = chooser.randrange(len(content)), 1 << chooser.randrange(8)
        flipped = bytearray(content)
        flipped[place] ^= bit
        (hurt / "jobs.sqlite3").write_bytes(flipped)
        try:
            found = _read(hurt)
        except StoreError:
            noticed += 1
        else:
            if found != expected:
                wrong.append((i, place, bit))
        shutil.rmtree(hurt)
    record(
        f"{FLIP_COUNT} flipped bytes in the store",
        "never a wrong answer",
        f"{noticed} refused, {FLIP_COUNT - noticed - len(wrong)} harmless, {len(wrong)} wrong",
    )
    assert wrong == []
    assert noticed > 0
