"""What a server's own directory holds beside the store: its lock, spare space; files that survive a power cut.

On a full disk not even "this job failed" can be written. Then the spare space is released, and there is room for that.
Nothing is accepted until it is taken again.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from meantime.errors import StorageFullError, StoreLockedError, StoreUnavailableError

SPARE_BYTES = 8 * 1024 * 1024
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_PATIENCE_S = 0.5
_PAUSE_S = 0.02


class StateLock:
    """Holds ``<directory>/lock`` from ``acquire`` to ``release``; the file names the process that took it.

    An advisory lock that the kernel frees when the processes that hold it end: the main process takes it before it does
    anything else, and the worker that it forks holds it with it.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "lock"
        self._descriptor: int | None = None  # written by the thread that opens and closes the store

    def acquire(self) -> None:
        """Take the lock, unless it is held already; wait half a second at most for a predecessor that is just ending.

        Raises
        ------
        StoreLockedError
            Another process holds it.
        StoreUnavailableError
            The lock file can't be written, or another user made the directory or something in it.
        """
        if self._descriptor is not None:
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            check_is_ours(self._path.parent)
            self._path.parent.chmod(0o700)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                self._take(descriptor)
            except BaseException:
                os.close(descriptor)
                raise
        except OSError as error:
            raise StoreUnavailableError(
                f"can't write {self._path}: {error.strerror}; choose another --state-dir"
            ) from error
        self._descriptor = descriptor

    def _take(self, descriptor: int) -> None:
        """Lock the file that is open, and write into it who has done so."""
        give_up_at = time.monotonic() + _PATIENCE_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() < give_up_at:
                    time.sleep(_PAUSE_S)  # flock has no wait with a limit
                    continue
                owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
                raise StoreLockedError(
                    f"another server (process {owner}) uses the state directory {self._path.parent}; "
                    "stop it or choose another --state-dir"
                ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Free the lock; harmless when it isn't held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def check_is_ours(directory: Path) -> None:
    """Look whose a directory is, and what is in it: whoever made either could change it, or have put a link there.

    Raises
    ------
    StoreUnavailableError
        Another user made it, or something in it.
    OSError
        It can't be read.
    """
    owners = {directory: directory.stat().st_uid}
    for place in directory.iterdir():
        with contextlib.suppress(FileNotFoundError):  # a server that uses it may have removed it just now
            owners[place] = place.lstat().st_uid
    for place, uid in owners.items():
        if uid != os.geteuid():
            raise StoreUnavailableError(
                f"{place} belongs to another user (uid {uid}), who could change what is in it; "
                f"run this as that user, or look at it and chown -R {os.geteuid()} {directory}, "
                "or choose another --state-dir"
            )


@contextlib.contextmanager
def unchanging(directory: Path) -> Iterator[None]:
    """Keep servers off a directory that none uses while the block runs, and change nothing in it.

    Raises
    ------
    StoreLockedError
        A server, or another command, uses it.
    """
    try:
        descriptor = os.open(directory / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # nobody has opened the store yet
        yield
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise StoreLockedError(f"a server (process {owner}) uses the state directory {directory}") from None
        yield
    finally:
        os.close(descriptor)


class SpareSpace:
    """A file of blocks that are taken but not used: it keeps some space for the moment when the disk is full.

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


def write_durably(path: Path, text: str) -> None:
    """Write an ASCII file for its owner alone, in the place of an earlier one."""
    unfinished = path.with_name(path.name + ".new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:  # os.write may write a part on a disk that is nearly full
        file.write(text.encode("ascii"))
    move_durably(unfinished, path)


def move_durably(unfinished: Path, target: Path) -> None:
    """Sync a file and give it its name."""
    _sync(unfinished)
    unfinished.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
