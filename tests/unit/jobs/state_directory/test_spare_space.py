"""Spare space is kept, given free, and taken again."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from meantime.errors import StorageFullError, StoreUnavailableError
from meantime.jobs.state_directory.spare_space import SpareSpace, storage_error

SIZE_BYTES = 256 * 1024


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
