"""The power goes at any moment: what was acknowledged is there, once, whatever the disk kept of the rest."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from meantime.jobs.job import Task
from meantime.jobs.job_store import Submission
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from tests.acceptance.conftest import require
from tests.acceptance.written_disk import Entry, WrittenDisk, read_journal
from tests.fault_table import Record

ACKNOWLEDGED = "acknowledged"
RUN_LIMIT_S = 120.0


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    """What a process that accepted jobs has written and synced, in its order."""
    require(shutil.which("gcc") is not None, "gcc (Debian: apt-get install gcc libc6-dev)")
    require(sys.platform == "linux", "Linux")
    folder = tmp_path_factory.mktemp("power")
    library, journal = folder / "written_disk.so", folder / "journal"
    source = Path(__file__).with_name("written_disk.c")
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl", "-lpthread"], check=True)
    root = folder / "state"
    root.mkdir()
    hooks = {"LD_PRELOAD": str(library), "WRITTEN_ROOT": str(root), "WRITTEN_JOURNAL": str(journal)}
    command = [sys.executable, "-m", "tests.acceptance.written_jobs", str(root), str(root / ACKNOWLEDGED)]
    subprocess.run(command, check=True, env=os.environ | hooks, timeout=RUN_LIMIT_S)
    return read_journal(journal)


def _acknowledgements(entries: list[Entry]) -> dict[int, tuple[int, str, int]]:
    """Return by place in the journal what was acknowledged there: number, task's name, length of its arguments."""
    found, inode = {}, 0
    for place, entry in enumerate(entries):
        if entry.operation == "o" and entry.path.endswith(ACKNOWLEDGED):
            inode = entry.inode
        if entry.operation == "w" and entry.inode == inode and inode:
            number, name, length = entry.data.decode().split()
            found[place] = (int(number), name, int(length))
    return found


def _is_kept(store: SqliteJobStore, number: int, name: str, length: int) -> bool:
    job = store.get(number)
    return job is not None and (job.task.name, len(job.task.arguments)) == (name, length)


def _is_new(store: SqliteJobStore, key: str, number: int) -> bool:
    """Whether a job's key, sent again, gets another job."""
    return store.add(Submission(Task(key, "", ""), 1002.0, "ann", key)) != (number, False)


def _lose_power(journal: list[Entry], trial_count: int, folder: Path) -> tuple[int, int, int]:
    """Cut the power at so many places; return how many acknowledged jobs there were, were lost and were doubled."""
    chance = random.Random(8)
    acknowledged = _acknowledgements(journal)
    places = sorted(chance.randint(min(acknowledged) + 1, len(journal)) for _ in range(trial_count))
    disk, taken = WrittenDisk(), 0
    seen = lost = doubled = 0
    for place in places:
        for entry in journal[taken:place]:
            disk.take(entry)
        taken = place
        state = folder / f"after-{place}"
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir()
        for name, content in disk.after_power_loss(chance):
            (state / Path(name).name).write_bytes(content)
        told = [job for at, job in acknowledged.items() if at < place]
        if chance.random() < 0.5:  # a mapped page, which the kernel may write when it likes
            (state / "high-water-mark").write_text(f"{max(number for number, _, _ in told):016d}\n")
        with closing(SqliteJobStore(state)) as store:
            seen += len(told)
            lost += sum(not _is_kept(store, *job) for job in told)
            new = store.add(Submission(Task("new", "{}", "v1"), 1002.0)).number
            doubled += sum(new == number or _is_new(store, name, number) for number, name, _ in told)
        shutil.rmtree(state)
    return seen, lost, doubled


def _hold(journal: list[Entry], trial_count: int, folder: Path, record: Record) -> None:
    seen, lost, doubled = _lose_power(journal, trial_count, folder)
    record(
        f"power lost {trial_count} times, unsynced sectors and names at random",
        "0 acknowledged lost, none doubled",
        f"{seen:,} acknowledged: {lost} lost, {doubled} doubled; {len(journal):,} steps journalled",
    )
    assert (lost, doubled) == (0, 0)
    assert seen > trial_count


def test_no_acknowledged_job_is_lost_or_doubled_when_the_power_goes(
    journal: list[Entry], tmp_path: Path, record: Record
) -> None:
    _hold(journal, 20, tmp_path, record)


@pytest.mark.soak
def test_no_acknowledged_job_is_lost_or_doubled_over_300_power_losses(
    journal: list[Entry], tmp_path: Path, record: Record
) -> None:
    _hold(journal, 300, tmp_path, record)
