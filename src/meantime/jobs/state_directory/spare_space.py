"""Spare space: a file that keeps some space taken, for the moment when the disk is full.

On a full disk not even "this job failed" can be written. Then the spare space is released, and there is room for that.
Nothing is accepted until it is taken again.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from meantime.errors import StorageFullError, StoreUnavailableError

SPARE_BYTES = 8 * 1024 * 1024
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class SpareSpace:
    """A file of blocks that are taken but not used.

    Used by one thread at a time.

    Parameters
    ----------
    path
        Where it is; on the file system that it keeps space on.
    size_bytes
        How much space it keeps.
    """

    def __init__(self, path: Path, size_bytes: int = SPARE_BYTES) -> None:
        self._path = path
        self._size_bytes = size_bytes
        self._is_taken = False

    def ensure(self) -> None:
        """Have the space taken.

        Raises
        ------
        StorageFullError
            There is no space for it.
        StoreUnavailableError
            It can't be written for another reason.
        """
        if self._is_taken:
            return
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._size_bytes)
            except OSError:
                self._path.unlink(missing_ok=True)
                raise
            finally:
                os.close(descriptor)
        except OSError as error:
            raise storage_error(error, f"there is no room for {self._path}") from error
        self._is_taken = True

    def release(self) -> bool:
        """Give the space free; return whether there was any to give."""
        self._is_taken = False
        try:
            self._path.unlink()
        except OSError:
            return False
        return True


def storage_error(error: OSError, what: str) -> StorageFullError | StoreUnavailableError:
    """Return the error of ours that an operating system's error stands for.

    Parameters
    ----------
    error
        Why something could not be written.
    what
        What could not be written, for a person.
    """
    if error.errno in _NO_SPACE:
        return StorageFullError(f"storage full: {what}; free some space")
    return StoreUnavailableError(f"{what}: {error.strerror}")
