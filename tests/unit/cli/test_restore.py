"""``meantime restore``: store and access keys come back whole, and nothing that was there is lost."""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from meantime.access_keys import AccessKeyFile, Role
from meantime.cli.backup import back_up
from meantime.cli.restore import restore, restore_backup
from meantime.jobs.job import Task
from meantime.jobs.job_store import Submission
from meantime.jobs.sqlite.copies import inspect_copy
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.settings import Settings


class Site:
    """A state directory with a job and an access key, and a backup of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(state_dir=folder / "state")
        self.submit()
        self.secret = self.keys.add("ann", Role.SUBMIT)
        self.backup = back_up(self.settings.store_dir, folder / "backup.sqlite3")

    @property
    def keys(self) -> AccessKeyFile:
        return AccessKeyFile(self.settings.keys_file)

    def submit(self) -> int:
        with closing(SqliteJobStore(self.settings.store_dir)) as store:
            return store.add(Submission(Task("echo", "{}", "v1"), 1000.0)).number

    def numbers(self) -> list[int]:
        with closing(SqliteJobStore(self.settings.store_dir)) as store:
            return [job.number for job in store.unfinished()]

    def restore(self, backup: Path | None = None) -> Result:
        arguments = ["--state-dir", str(self.settings.state_dir), str(backup or self.backup)]
        return CliRunner().invoke(restore, arguments)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_all_that_was_lost_comes_back_whole(site: Site) -> None:
    shutil.rmtree(site.settings.state_dir)
    done = site.restore()
    assert (done.exit_code, done.stdout.splitlines()[0].split(" to ")[0]) == (0, "restored 1 jobs")
    assert site.numbers() == [1]
    found = site.keys.find(site.secret)
    assert found is not None
    assert (found.name, found.role) == ("ann", Role.SUBMIT)
    assert site.submit() > 1_000_000


def test_what_was_there_is_kept_and_no_revoked_key_comes_back(site: Site) -> None:
    later = site.submit()
    site.keys.revoke("ann")
    done = site.restore()
    assert done.exit_code == 0
    assert "stays" in done.stdout
    assert site.numbers() == [1]
    assert site.keys.find(site.secret) is None
    [kept] = site.settings.store_dir.glob("jobs.sqlite3.before-*")
    assert inspect_copy(kept).count_by_state == {"queued": later}
    assert site.submit() > 1_000_000


def test_keys_leave_a_store_that_has_gone_on_from_a_backup(site: Site) -> None:
    shutil.rmtree(site.settings.state_dir)
    site.restore()
    site.numbers()
    facts = inspect_copy(site.settings.store_dir / "jobs.sqlite3")
    assert (facts.is_backup, dict(facts.enclosed)) == (False, {})


def test_only_a_backup_of_this_store_is_taken_and_only_without_a_server(site: Site, tmp_path: Path) -> None:
    other = Site(tmp_path / "other")
    for backup, why in [
        (site.settings.store_dir / "jobs.sqlite3", "was not written by meantime backup"),
        (other.backup, "is of another store"),
        (tmp_path / "gone", "is no file"),
    ]:
        refused = site.restore(backup)
        assert (refused.exit_code, why in refused.stderr) == (2, True), refused.stderr
    with closing(SqliteJobStore(site.settings.store_dir)):
        assert "another server" in site.restore().stderr
    assert site.numbers() == [1]


def test_what_is_kept_aside_is_never_what_the_next_restore_replaces(site: Site) -> None:
    now = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)  # a clock that was set back gives one time twice, too
    stores = []
    for _ in range(3):
        stores.append((site.settings.store_dir / "jobs.sqlite3").read_bytes())
        restore_backup(site.settings, site.backup, now=now)
    kept = sorted(site.settings.store_dir.glob("jobs.sqlite3.before-*"))
    assert sorted(file.read_bytes() for file in kept) == sorted(stores)


def test_keys_that_are_a_link_to_what_is_not_there_now_are_no_missing_keys(site: Site, tmp_path: Path) -> None:
    site.settings.keys_file.unlink()
    site.settings.keys_file.symlink_to(tmp_path / "not-mounted")
    assert "stays" in site.restore().stdout
    assert site.settings.keys_file.is_symlink()
