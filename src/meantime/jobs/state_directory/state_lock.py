"""One server to a state directory: an advisory lock that the kernel frees when the processes that hold it end.

The main process takes it before it does anything else, and the worker that it forks holds it with it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path

from meantime.errors import StoreLockedError, StoreUnavailableError

_PATIENCE_S = 0.5
_PAUSE_S = 0.02


class StateLock:
    """Holds ``<directory>/lock`` from ``acquire`` to ``release``; the file names the process that took it."""

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
            The lock file can't be written.
        """
        if self._descriptor is not None:
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.suppress(PermissionError):  # somebody else's folder, in which we may write
                self._path.parent.chmod(0o700)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailableError(
                f"can't write {self._path}: {error.strerror}; choose another --state-dir"
            ) from error
        give_up_at = time.monotonic() + _PATIENCE_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # flock has no wait with a limit, so this is the one place that looks at a clock.
                if time.monotonic() < give_up_at:
                    time.sleep(_PAUSE_S)
                    continue
                owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
                os.close(descriptor)
                raise StoreLockedError(
                    f"another server (process {owner}) uses the state directory {self._path.parent}; "
                    "stop it or choose another --state-dir"
                ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Free the lock; harmless when it isn't held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
