"""The lock of a state directory, and whom it leaves the directory to."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from meantime.errors import StoreLockedError
from meantime.jobs.state_directory.state_lock import StateLock


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
