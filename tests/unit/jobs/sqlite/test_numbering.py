"""No number is used twice: whatever was lost, put back or restored, a store goes on above it or refuses to open."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from meantime.errors import StoreCorruptError, StoreUnavailableError
from meantime.jobs.job import Job, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import HIGHEST_NUMBER, Submission
from meantime.jobs.sqlite.opening import accept_lost_jobs
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from tests.killed_store import open_as_killed

SUBMISSION = Submission(Task("states_mean", '{"question":"Q"}', "brfss@1"), 1.0)


def add_one(directory: Path, *, highest_result: int = 0) -> int:
    """Open a store, add one job, close it, and return the job's number."""
    with closing(SqliteJobStore(directory, highest_result=lambda: highest_result)) as store:
        return store.add(SUBMISSION).number


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Path]:
    """The directory of an open store: job 1 is in the database, jobs 2 to 4 in its log."""
    directory = tmp_path / "busy"
    add_one(directory)
    with closing(SqliteJobStore(directory)) as store:
        for _ in range(3):
            store.add(SUBMISSION)
        yield directory


@pytest.fixture
def without_log(busy: Path, tmp_path: Path) -> Path:
    """The same after a kill, with the log gone."""
    ignored = shutil.ignore_patterns("spare-space", "jobs.sqlite3-wal")
    return Path(shutil.copytree(busy, tmp_path / "without-log", ignore=ignored))


def test_a_killed_store_goes_on_by_one(busy: Path, tmp_path: Path) -> None:
    with closing(open_as_killed(busy, tmp_path / "killed")) as store:
        assert store.add(SUBMISSION).number == 5


OPEN_AND_DIE = """
import os, pathlib, signal, sys
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore

directory, step, seen = sys.argv[1], int(sys.argv[2]), 0

def die_at_step(event, arguments):
    global seen
    seen += any(directory in str(argument) for argument in arguments)
    if seen == step:
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(die_at_step)
SqliteJobStore(pathlib.Path(directory))
"""
"""Dies at the step-th opening, renaming or other change of a file in the directory, as Python audits them."""


@pytest.mark.parametrize("is_copy", [False, True], ids=["new", "copy"])
def test_a_store_that_is_killed_at_any_step_of_its_first_opening_opens_again(tmp_path: Path, *, is_copy: bool) -> None:
    with closing(SqliteJobStore(tmp_path / "whole")) as store:
        store.add(SUBMISSION)
        store.back_up(tmp_path / "copy.sqlite3")
    for step in range(1, 100):
        directory = tmp_path / f"killed-at-{step}"
        directory.mkdir()
        if is_copy:
            shutil.copy(tmp_path / "copy.sqlite3", directory / "jobs.sqlite3")
        ended = subprocess.run([sys.executable, "-c", OPEN_AND_DIE, str(directory), str(step)], check=False)
        number = add_one(directory)
        assert number > 1_000_000 if is_copy else number == 1
        assert add_one(directory) == number + 1
        if ended.returncode == 0:
            break
    assert ended.returncode == 0
    assert step > 10


def test_a_store_whose_log_is_gone_says_what_is_missing_and_is_left_alone(without_log: Path) -> None:
    content = {path.name: path.read_bytes() for path in without_log.iterdir() if path.name != "lock"}
    for _ in range(2):
        with pytest.raises(StoreCorruptError, match=r"3 accepted jobs are missing \(job_id_2 to job_id_4\)"):
            SqliteJobStore(without_log)
    assert {path.name: path.read_bytes() for path in without_log.iterdir() if path.name != "lock"} == content


def test_a_new_store_whose_log_is_gone_is_refused_too(tmp_path: Path) -> None:
    with closing(SqliteJobStore(tmp_path / "new")) as store:
        store.add(SUBMISSION)
        with pytest.raises(StoreCorruptError, match=r"1 accepted job is missing \(job_id_1\)"):
            open_as_killed(tmp_path / "new", tmp_path / "killed", without=["jobs.sqlite3-wal"])


def test_a_new_store_that_lost_its_log_and_no_job_opens(tmp_path: Path) -> None:
    with (
        closing(SqliteJobStore(tmp_path / "new")),
        closing(open_as_killed(tmp_path / "new", tmp_path / "killed", without=["jobs.sqlite3-wal"])) as store,
    ):
        assert store.add(SUBMISSION).number == 1


def test_an_older_file_in_the_stores_place_is_refused(tmp_path: Path) -> None:
    add_one(tmp_path / "state")
    older = (tmp_path / "state" / "jobs.sqlite3").read_bytes()
    add_one(tmp_path / "state")
    (tmp_path / "state" / "jobs.sqlite3").write_bytes(older)
    with pytest.raises(StoreCorruptError, match="job_id_2"):
        SqliteJobStore(tmp_path / "state")


def test_lost_jobs_that_are_accepted_are_named_and_their_numbers_stay_used(without_log: Path) -> None:
    assert "job_id_2 to job_id_4" in accept_lost_jobs(without_log)
    assert add_one(without_log) == 5
    assert accept_lost_jobs(without_log) == "no job is missing"


def test_the_log_of_a_new_range_names_only_what_was_found(
    without_log: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    accept_lost_jobs(without_log)
    assert "ends at job 1, the mark at 4: numbers go on after 4" in caplog.messages[-1]
    other = tmp_path / "other"
    add_one(other)
    (other / "high-water-mark").unlink()
    accept_lost_jobs(other, lambda: 7)
    assert "ends at job 1, results/ at job_id_7: numbers go on after " in caplog.messages[-1]


@pytest.mark.parametrize("content", [None, b"", b"garbage"])
def test_a_lost_mark_is_refused_until_somebody_accepts_that_nobody_knows(tmp_path: Path, content: bytes | None) -> None:
    add_one(tmp_path)
    mark = tmp_path / "high-water-mark"
    mark.unlink()
    if content is not None:
        mark.write_bytes(content)
    with pytest.raises(StoreCorruptError, match="high-water-mark .* is missing or damaged"):
        SqliteJobStore(tmp_path)
    assert "nobody knows" in accept_lost_jobs(tmp_path)
    first = add_one(tmp_path)
    assert first > 1_000_000
    assert add_one(tmp_path) == first + 1


def test_a_mark_that_a_power_cut_left_too_low_is_raised_again(tmp_path: Path) -> None:
    add_one(tmp_path)
    add_one(tmp_path)
    (tmp_path / "high-water-mark").write_text("0000000000000001\n")
    assert add_one(tmp_path) == 3
    assert (tmp_path / "high-water-mark").read_text() == "0000000000000003\n"


def test_a_new_store_beside_old_results_begins_above_them_for_good(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        SqliteJobStore(tmp_path, highest_result=lambda: 9).close()
    assert "job_id_9" in caplog.text
    assert add_one(tmp_path, highest_result=0) == 10
    assert add_one(tmp_path, highest_result=3) == 11


def test_a_new_store_begins_above_the_mark_that_an_old_one_left(tmp_path: Path) -> None:
    add_one(tmp_path)
    for name in ("jobs.sqlite3", "store-id"):
        (tmp_path / name).unlink()
    SqliteJobStore(tmp_path).close()
    assert add_one(tmp_path) == 2


def test_a_backup_restored_twice_gives_no_number_twice(busy: Path, tmp_path: Path) -> None:
    with closing(open_as_killed(busy, tmp_path / "copied")) as store:
        store.back_up(tmp_path / "copy.sqlite3")
    given = set()
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        shutil.copy(tmp_path / "copy.sqlite3", tmp_path / name / "jobs.sqlite3")
        number = add_one(tmp_path / name)
        assert add_one(tmp_path / name) == number + 1  # a range is begun once
        given |= {number, number + 1}
    assert len(given) == 4
    assert min(given) > 1_000_000


@pytest.mark.parametrize("job_count", [0, 2])
def test_a_backup_restored_beside_a_mark_and_results_goes_above_both(tmp_path: Path, job_count: int) -> None:
    state = tmp_path / "state"
    with closing(SqliteJobStore(state)) as store:
        for _ in range(job_count):
            store.add(SUBMISSION)
        store.back_up(tmp_path / "copy.sqlite3")
    (state / "high-water-mark").write_text("0000000700000000\n")
    shutil.copy(tmp_path / "copy.sqlite3", state / "jobs.sqlite3")
    number = add_one(state, highest_result=900_000_000)
    assert number > 900_000_000
    assert int((state / "high-water-mark").read_text()) == number


def test_eviction_by_count_counts_jobs_and_not_the_gap_that_a_restore_makes(tmp_path: Path) -> None:
    with closing(SqliteJobStore(tmp_path / "state")) as store:
        for _ in range(4):
            done = Job(number=store.add(SUBMISSION).number, task=SUBMISSION.task, state=JobState.DONE, finished_at=2.0)
            store.record(done)
        store.back_up(tmp_path / "copy.sqlite3")
    (tmp_path / "restored").mkdir()
    shutil.copy(tmp_path / "copy.sqlite3", tmp_path / "restored" / "jobs.sqlite3")
    add_one(tmp_path / "restored")
    with closing(SqliteJobStore(tmp_path / "restored")) as store:
        assert store.evict(keep_count=5, limit=10) == []
        assert [job.number for job in store.evict(keep_count=3, limit=10)] == [1, 2]


def test_numbers_end_before_they_stop_being_exact(tmp_path: Path) -> None:
    with closing(SqliteJobStore(tmp_path, highest_result=lambda: HIGHEST_NUMBER - 2)) as store:
        assert [store.add(SUBMISSION).number for _ in range(2)] == [HIGHEST_NUMBER - 1, HIGHEST_NUMBER]
        assert not store.is_sound()
        with pytest.raises(StoreUnavailableError, match="no job id is left: numbers end at 9007199254740991"):
            store.add(SUBMISSION)
        found = store.get(HIGHEST_NUMBER)
        assert found is not None
        store.record(found, at_once=True)
        assert len(store.unfinished()) == 2
    with closing(SqliteJobStore(tmp_path)) as store, pytest.raises(StoreUnavailableError, match="no job id is left"):
        store.add(SUBMISSION)
