"""The ballast: space that is kept, given free, and taken again."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from meantime.errors import StorageFullError, StoreUnavailableError
from meantime.jobs.ballast import Ballast, storage_error

SIZE_BYTES = 256 * 1024


def test_ballast_takes_its_blocks_from_the_disk(tmp_path: Path) -> None:
    Ballast(tmp_path / "ballast", SIZE_BYTES).ensure()
    assert (tmp_path / "ballast").stat().st_blocks * 512 >= SIZE_BYTES


def test_thrown_ballast_is_gone_and_can_be_put_back(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", SIZE_BYTES)
    ballast.ensure()
    assert ballast.throw()
    assert not (tmp_path / "ballast").exists()
    assert not ballast.throw()
    ballast.ensure()
    assert (tmp_path / "ballast").stat().st_size == SIZE_BYTES


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_no_space_and_no_quota_are_a_full_storage(number: int) -> None:
    error = storage_error(OSError(number, "why"), "it can't be written")
    assert type(error) is StorageFullError
    assert str(error) == "storage full: it can't be written; free some space"


def test_ballast_that_cannot_be_written_is_another_matter_than_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="No such file"):
        Ballast(tmp_path / "gone" / "ballast", SIZE_BYTES).ensure()
