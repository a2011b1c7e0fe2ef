"""``meantime doctor``: each thing that can be wrong is found, and a healthy machine is called healthy."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from meantime.cli.doctor import Finding, Level, check_clock, check_file_system, doctor, examine
from meantime.jobs.job import EncodedResult, Task
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import Submission
from meantime.jobs.results.results_directory import ResultsDirectory
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.jobs.state_directory import StateLock
from meantime.settings import NamedPath, Settings

NOW = 1_795_000_000.0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A state directory with a store of three done jobs and their results."""
    found = Settings(state_dir=tmp_path)
    store = SqliteJobStore(found.store_dir)
    results = ResultsDirectory(found.results_dir, found.store_dir / "stored")
    for i in range(3):
        result = EncodedResult.of(f'{{"n":{i}}}'.encode())
        job = store.get(store.add(Submission(Task("echo", "{}", "v1"), NOW - 10 + i)).number)
        assert job is not None
        store.record(job.evolve(state=JobState.DONE, result_sha256=result.sha256), at_once=True)
        results.publish(job.number, result)
    store.close()
    return found


def findings(settings: Settings, now: float = NOW) -> dict[str, Finding]:
    """Return the worst finding of each check."""
    order = list(Level)
    found = sorted(examine(settings, now=lambda: now), key=lambda each: order.index(each.level))
    return {finding.check: finding for finding in found}


def test_a_healthy_state_directory_has_no_problem(settings: Settings) -> None:
    found = findings(settings)
    assert [each for each in found.values() if each.level is Level.PROBLEM] == []
    assert found["store"].message == "3 done"
    assert found["results"].message == "the newest 3 are whole"


def everything_below(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return every file and folder with its mode, the time of its last change, and its content."""
    return {
        str(path): (path.stat().st_mode, path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
    }


def healthy(settings: Settings) -> None:
    pass


def restore_a_backup(settings: Settings) -> None:
    with closing(SqliteJobStore(settings.store_dir)) as store:
        store.back_up(settings.state_dir / "copy")
    (settings.state_dir / "copy").replace(settings.store_dir / "jobs.sqlite3")


def lose_every_result(settings: Settings) -> None:
    for folder in (settings.results_dir, settings.store_dir / "stored"):
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def lose_what_is_beside_the_store(settings: Settings) -> None:
    for name in ("lock", "store-id", "high-water-mark", "spare-space"):
        (settings.store_dir / name).unlink()


@pytest.mark.parametrize(
    "prepare",
    [healthy, restore_a_backup, lose_every_result, lose_what_is_beside_the_store],
    ids=lambda each: each.__name__,
)
def test_the_doctor_changes_nothing(
    settings: Settings, prepare: Callable[[Settings], None], caplog: pytest.LogCaptureFixture
) -> None:
    prepare(settings)
    before = everything_below(settings.state_dir)
    with caplog.at_level("INFO"):
        findings(settings)
    assert everything_below(settings.state_dir) == before
    assert caplog.messages == []  # where the numbers of a copy go on is true of the copy alone


def test_the_doctor_names_the_folder_that_it_looked_at(settings: Settings) -> None:
    assert findings(settings)["state"].message == str(settings.state_dir)
    told = CliRunner().invoke(doctor, ["--state-dir", str(settings.state_dir / "elsewhere")])
    assert str(settings.state_dir / "elsewhere") in told.stdout


def test_where_no_store_is_the_doctor_says_where_it_looked_and_ends_with_1(tmp_path: Path) -> None:
    told = CliRunner().invoke(doctor, ["--state-dir", str(tmp_path)])
    assert f"there is no store in {tmp_path / '.meantime'}" in told.stdout
    assert "--state-dir" in told.stdout
    assert told.exit_code == 1


def test_a_store_that_was_restored_beside_its_place_is_found(settings: Settings) -> None:
    (settings.store_dir / "jobs.sqlite3").replace(settings.state_dir / "jobs.sqlite3")
    (settings.store_dir / "store-id").unlink()
    found = findings(settings)["store"]
    assert found.level is Level.PROBLEM
    assert f"{settings.state_dir / 'jobs.sqlite3'} is not where a server looks; move it to" in found.message


def test_a_doctor_inside_the_store_says_which_folder_to_name(settings: Settings) -> None:
    found = findings(Settings(state_dir=settings.store_dir))["store"]
    assert found.level is Level.PROBLEM
    assert f"--state-dir {settings.state_dir}" in found.message


def test_a_store_that_another_program_holds_without_answering_is_a_problem(settings: Settings) -> None:
    lock = StateLock(settings.store_dir)
    lock.acquire()
    try:
        found = findings(settings)["store"]
    finally:
        lock.release()
    assert found.level is Level.PROBLEM
    assert "doesn't answer" in found.message


def remove_results(settings: Settings) -> None:
    for path in [settings.results_dir / "job_id_2.json", *(settings.store_dir / "stored").iterdir()]:
        path.write_text("{}")


def open_to_others(settings: Settings) -> None:
    (settings.store_dir / "jobs.sqlite3").chmod(0o640)


def lose_store(settings: Settings) -> None:
    (settings.store_dir / "jobs.sqlite3").unlink()


def empty_store(settings: Settings) -> None:
    (settings.store_dir / "jobs.sqlite3").write_bytes(b"")


def lose_jobs(settings: Settings) -> None:
    (settings.store_dir / "high-water-mark").write_text("0000000000000005\n")


def change_a_job(settings: Settings) -> None:
    with closing(sqlite3.connect(settings.store_dir / "jobs.sqlite3")) as connection, connection:
        connection.execute("""UPDATE jobs SET arguments = '{"n":9}' WHERE number = 2""")


@pytest.mark.parametrize(
    ("harm", "check", "level", "message"),
    [
        (remove_results, "results", Level.WARNING, "3 of the newest 3 are missing or damaged"),
        (open_to_others, "permissions", Level.PROBLEM, "others may use"),
        (lose_store, "store", Level.PROBLEM, "restore a backup"),
        (empty_store, "store", Level.PROBLEM, "restore a backup"),
        (lose_jobs, "store", Level.PROBLEM, "2 accepted jobs are missing (job_id_4 to job_id_5)"),
        (change_a_job, "store", Level.PROBLEM, "1 damaged jobs, such as 2"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_harm_is_found(
    settings: Settings, harm: Callable[[Settings], None], check: str, level: Level, message: str
) -> None:
    harm(settings)
    found = findings(settings)[check]
    assert (found.level, message in found.message) == (level, True), found


def test_how_long_jobs_are_kept_is_said(settings: Settings) -> None:
    assert findings(settings)["retention"] == Finding(
        "retention", Level.OK, "finished jobs go after 90 days, beyond 4,096 MiB"
    )
    forever = replace(settings, retention_age_s=0.0, retention_bytes=0)
    assert findings(forever)["retention"].level is Level.WARNING
    assert "lower --retention-bytes" in findings(replace(settings, retention_bytes=10**15))["retention"].message


def test_lost_jobs_are_given_up_on_demand_alone(settings: Settings) -> None:
    lose_jobs(settings)
    arguments = ["--state-dir", str(settings.state_dir)]
    assert CliRunner().invoke(doctor, arguments).exit_code == 1
    accepted = CliRunner().invoke(doctor, [*arguments, "--accept-lost-jobs"])
    assert accepted.stdout.startswith("accepted: 2 accepted jobs are missing (job_id_4 to job_id_5)\n")
    assert accepted.exit_code == 0
    assert CliRunner().invoke(doctor, arguments).exit_code == 0
    with closing(SqliteJobStore(settings.store_dir)) as store:
        assert store.add(Submission(Task("echo", "{}", "v1"), NOW)).number == 6


def test_without_a_store_there_is_nothing_to_accept_and_nothing_is_made(tmp_path: Path) -> None:
    asked = CliRunner().invoke(doctor, ["--state-dir", str(tmp_path / "new"), "--accept-lost-jobs"])
    assert asked.stdout.startswith(f"nothing to accept: there is no store in {tmp_path / 'new' / '.meantime'}\n")
    assert not (tmp_path / "new").exists()


def test_a_clock_that_was_set_back_is_found_by_the_newest_job(settings: Settings) -> None:
    assert findings(settings, NOW - 3600.0)["clock"].level is Level.PROBLEM
    assert "before the newest job" in findings(settings, NOW - 3600.0)["clock"].message


def test_a_clock_that_shows_a_time_before_this_version_is_wrong() -> None:
    assert check_clock(0.0).level is Level.PROBLEM
    assert check_clock(NOW).level is Level.OK


def test_a_table_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    settings = Settings(data=(NamedPath("brfss", tmp_path / "gone.csv"),), state_dir=tmp_path / "new")
    assert findings(settings)["data"].message == f"brfss: {tmp_path / 'gone.csv'} can't be read as a file"
    assert findings(settings)["state"].level is Level.PROBLEM


@pytest.mark.parametrize(
    ("kind", "level"), [("nfs4", Level.PROBLEM), ("9p", Level.PROBLEM), ("ext4", Level.OK), ("xfs", Level.OK)]
)
def test_a_network_file_system_is_a_problem(tmp_path: Path, kind: str, level: Level) -> None:
    mounts = tmp_path / "mounts"
    point = str((tmp_path / "two words").resolve()).replace(" ", "\\040")
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/x {point} {kind} rw 0 0\n")
    (tmp_path / "two words" / "state").mkdir(parents=True)
    assert check_file_system(tmp_path / "two words" / "state", mounts=mounts).level is level
    assert check_file_system(tmp_path, mounts=mounts).message == "ext4"


def test_the_exit_code_and_the_json_say_whether_there_is_a_problem(settings: Settings) -> None:
    arguments = ["--state-dir", str(settings.state_dir), "--json"]
    healthy = CliRunner().invoke(doctor, arguments)
    assert healthy.exit_code == 0
    assert {each["level"] for each in json.loads(healthy.stdout)} <= {"ok", "warning"}
    open_to_others(settings)
    ill = CliRunner().invoke(doctor, arguments)
    assert ill.exit_code == 1
    assert "problem" in {each["level"] for each in json.loads(ill.stdout)}


@pytest.mark.parametrize(
    ("file", "limit_bytes", "told"),
    [("", 0, "No usable temporary directory"), ("", 8192, "free some space"), ("store-id", None, "is a named pipe")],
    ids=["no place for a copy", "no room for all of it", "a pipe in the place of a file"],
)
def test_what_keeps_the_doctor_from_looking_is_said_with_what_helps(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, file: str, limit_bytes: int | None, told: str
) -> None:
    if file:
        (settings.store_dir / file).unlink()
        os.mkfifo(settings.store_dir / file, 0o600)
    monkeypatch.setattr(tempfile, "tempdir", None)  # found anew, by writing a file
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (before[0] if limit_bytes is None else limit_bytes, before[1]))
    try:
        found = [finding for finding in examine(settings) if finding.check == "state" and finding.level != Level.OK]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [(finding.level, told in finding.message) for finding in found] == [(Level.PROBLEM, True)]
    assert "None" not in found[0].message
    assert "run this as" not in found[0].message
