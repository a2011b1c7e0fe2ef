"""The lock of a state directory, and whom it leaves the directory to; space is kept, given free, and taken again."""

from __future__ import annotations

import errno
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from meantime.errors import StorageFullError, StoreLockedError, StoreUnavailableError
from meantime.jobs.state_directory import SpareSpace, StateLock, storage_error, write_durably

SIZE_BYTES = 256 * 1024


def test_a_second_owner_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    first, second = StateLock(tmp_path), StateLock(tmp_path)
    first.acquire()
    with pytest.raises(StoreLockedError, match="another server"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o777])
def test_a_folder_that_was_open_to_others_is_closed(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / ".meantime"
    folder.mkdir()
    folder.chmod(mode)
    lock = StateLock(folder)
    lock.acquire()
    lock.release()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "lock").stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make files of another user")
@pytest.mark.parametrize("planted", ["", "lock", "stored"])
def test_a_folder_that_another_user_made_or_left_something_in_is_refused(tmp_path: Path, planted: str) -> None:
    folder, victim = tmp_path / ".meantime", tmp_path / "victim"
    folder.mkdir(mode=0o777)
    victim.write_text("precious")
    if planted:
        (folder / planted).symlink_to(victim)
    os.chown(folder / planted, 12345, 12345, follow_symlinks=False)
    with pytest.raises(StoreUnavailableError, match="belongs to another user"):
        StateLock(folder).acquire()
    assert victim.read_text() == "precious"


def test_spare_space_takes_its_blocks_from_the_disk(tmp_path: Path) -> None:
    SpareSpace(tmp_path / "spare-space", SIZE_BYTES).ensure()
    assert (tmp_path / "spare-space").stat().st_blocks * 512 >= SIZE_BYTES


def test_released_space_is_free_and_can_be_taken_again(tmp_path: Path) -> None:
    space = SpareSpace(tmp_path / "spare-space", SIZE_BYTES)
    space.ensure()
    assert space.release()
    assert not (tmp_path / "spare-space").exists()
    assert not space.release()
    space.ensure()
    assert (tmp_path / "spare-space").stat().st_size == SIZE_BYTES


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_no_space_and_no_quota_are_a_full_storage(number: int) -> None:
    error = storage_error(OSError(number, "why"), "it can't be written")
    assert type(error) is StorageFullError
    assert str(error) == "storage full: it can't be written; free some space"


def test_spare_space_that_cannot_be_written_is_another_matter_than_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="No such file"):
        SpareSpace(tmp_path / "gone" / "spare-space", SIZE_BYTES).ensure()


@contextmanager
def no_file_larger_than(limit_bytes: int) -> Iterator[None]:
    """Have writes beyond a size fail as on a full disk: what fits is written, and the rest is not."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_of_which_only_a_part_fits_does_not_take_the_earlier_ones_place(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    write_durably(file, "whole")
    with no_file_larger_than(4096), pytest.raises(OSError, match="File too large"):
        write_durably(file, "x" * 5000)
    assert file.read_text() == "whole"
    write_durably(file, "x" * 5000)
    assert file.read_text() == "x" * 5000


@pytest.mark.parametrize("obstacle", ["full", "fifo"])
def test_a_lock_that_cannot_be_written_is_refused_in_words_and_given_free(tmp_path: Path, obstacle: str) -> None:
    if obstacle == "fifo":
        os.mkfifo(tmp_path / "lock")
    with no_file_larger_than(0), pytest.raises(StoreUnavailableError, match="can't write .*lock: .*--state-dir"):
        StateLock(tmp_path).acquire()
    (tmp_path / "lock").unlink()
    lock = StateLock(tmp_path)
    lock.acquire()
    lock.release()
