"""Result files: ``results/job_id_7.json``, each a link to the one stored copy of that result.

A result appears atomically and is never written in place. Nothing here needs a sync: the checksum in the store tells
a damaged file from a good one, and a result can be computed again.

The stored copy is the result; the file is its face. Where the file can't be made, it follows when it can.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import re
import stat
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from meantime.jobs.job import EncodedResult
from meantime.jobs.job_store import HIGHEST_NUMBER
from meantime.jobs.state_directory import storage_error

_log = logging.getLogger(__name__)

SPARE_BYTES = 1024 * 1024
SPARE_FILE_COUNT = 1000
"""Room for results of jobs that are accepted already: with less, no more are. Of a small disk's files an eighth."""

REMEMBERED_COUNT = 10_000
"""How many missing result files follow by themselves; those of more jobs when their results are asked for."""

DESCRIPTOR_PATIENCE_S = 15.0
"""How long a result waits where no file can be opened; clients that hold connections are cut off sooner."""

_PAUSE_S = 0.1

_RESULT = re.compile(r"job_id_([1-9][0-9]{0,15})\.json", re.ASCII)


def highest_result_number(directory: Path) -> int:
    """Return the highest number of a job in the name of a result file; 0 when there is none.

    Raises
    ------
    StoreUnavailableError
        The folder is there, but can't be read.
    """
    try:
        names = os.listdir(directory)  # noqa: PTH208  # names are all that is wanted
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise storage_error(error, f"{directory} can't be read") from error
    numbers = (int(found[1]) for name in names if (found := _RESULT.fullmatch(name)))
    return max((number for number in numbers if number <= HIGHEST_NUMBER), default=0)


def find_result(directory: Path | str, stored: Path | str, number: int, sha256: str) -> bytes | None:
    """Return a job's result, from its file or from the stored copy; None when both are missing or damaged.

    Nothing is made or changed: see ResultsDirectory for the two folders.
    """
    for name in (_result_name(directory, number), _stored_name(stored, sha256)):
        content = _content_of_file(name)
        if content is not None and hashlib.sha256(content).hexdigest() == sha256:
            return content
    return None


def _content_of_file(name: str) -> bytes | None:
    """Return a file's bytes; None where there is none, or a pipe or a device, which may never give or never end."""
    try:
        with open(name, "rb", buffering=0, opener=_open_without_waiting) as file:
            return file.read() if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
    except OSError:
        return None


def _open_without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _result_name(directory: Path | str, number: int) -> str:
    return f"{directory}/job_id_{number}.json"


def _stored_name(stored: Path | str, sha256: str) -> str:
    return f"{stored}/{sha256}.json"


class ResultsDirectory:
    """Publishes results of jobs as files.

    Parameters
    ----------
    directory
        Where ``job_id_<number>.json`` appears; others may empty it at any time.
    stored
        Where one copy of each different result is kept, named by its SHA-256.
    wait
        Lets so many seconds pass.
    """

    def __init__(self, directory: Path, stored: Path, *, wait: Callable[[float], object] = time.sleep) -> None:
        self._wait = wait
        self._directory = str(directory)
        self._stored = str(stored)
        self._lock = threading.Lock()
        self._trusted: set[str] = set()  # guarded by self._lock; stored copies that this process wrote or checked
        self._missing: OrderedDict[int, str] = OrderedDict()  # guarded by self._lock; SHA-256 by number, oldest first
        self._has_failed = False  # guarded by self._lock; whether the last result couldn't be stored
        try:
            _make_folder(self._stored)
        except OSError as error:
            raise storage_error(error, f"{stored} can't be made") from error
        try:
            _make_folder(self._directory)
        except OSError as error:
            _log.error("%s can't be made: %s; results are kept in %s", directory, error.strerror, stored)

    def path_of(self, number: int) -> Path:
        """Return where the result of a job is published."""
        return Path(_result_name(self._directory, number))

    def publish(self, number: int, result: EncodedResult) -> None:
        """Store a result, and make the result file of a job appear, whole; a file that can't be made follows later.

        Raises
        ------
        StorageFullError
            No space is left to store it.
        StoreUnavailableError
            It can't be stored for another reason.
        """
        try:
            self._store(result)
        except OSError as error:
            with self._lock:
                self._has_failed = True
            raise storage_error(error, f"the result of job {number} can't be written") from error
        try:
            self._publish(number, result)
        except OSError as error:
            self._remember_missing(number, result.sha256, error)
        else:
            if self._missing:
                with self._lock:
                    self._missing.pop(number, None)

    def publish_missing(self) -> int:
        """Make the result files that could not be made before; return how many are still missing."""
        with self._lock:
            missing = list(self._missing.items())
        for number, sha256 in missing:
            content = self.read(number, sha256)
            if content is not None:  # otherwise it is computed again when somebody asks
                try:
                    self._publish(number, EncodedResult(content, sha256))
                except OSError:
                    break
            with self._lock:
                self._missing.pop(number, None)
        with self._lock:
            return len(self._missing)

    def check_room(self) -> None:
        """Look whether further results can be stored; cheap as long as the last one could.

        Raises
        ------
        StorageFullError
            There is hardly any room left, for bytes or for files.
        StoreUnavailableError
            The last result could not be stored for another reason, and another one still can't.
        """
        with self._lock:
            has_failed = self._has_failed
        try:
            _check_volume(self._stored)
            if has_failed:
                probe = f"{self._stored}/.probe"
                self._write(probe, bytes(4096))
                Path(probe).unlink()
        except FileNotFoundError:
            self._make_stored_again()
        except OSError as error:
            raise storage_error(error, f"results can't be written to {self._stored}") from error
        with self._lock:
            self._has_failed = False

    def read(self, number: int, sha256: str) -> bytes | None:
        """Return a job's result, from its file or from the stored copy; None when both are missing or damaged."""
        content = find_result(self._directory, self._stored, number, sha256)
        if content is None:
            with self._lock:
                self._trusted.discard(sha256)
        return content

    def is_published(self, number: int) -> bool:
        """Whether the result file of a job is there."""
        return os.path.exists(_result_name(self._directory, number))  # noqa: PTH110  # a Path costs as much as the call

    def withdraw(self, number: int, sha256: str | None) -> None:
        """Remove a job's result file, and the stored copy if no other job uses it. What can't be removed stays."""
        with self._lock:
            self._missing.pop(number, None)
        with contextlib.suppress(OSError):
            Path(_result_name(self._directory, number)).unlink(missing_ok=True)
        if sha256 is None:
            return
        stored = Path(_stored_name(self._stored, sha256))
        with self._lock, contextlib.suppress(OSError):
            if not stored.exists() or stored.stat().st_nlink == 1:
                self._trusted.discard(sha256)
                stored.unlink(missing_ok=True)

    def _publish(self, number: int, result: EncodedResult) -> None:
        """Make a result file; a stored copy that is gone is made again."""
        name, stored = _result_name(self._directory, number), _stored_name(self._stored, result.sha256)
        try:
            os.link(stored, name)
        except FileExistsError:
            # An earlier attempt of this job, or somebody's file: ours takes its place.
            self._replace(name, result.content)
        except FileNotFoundError:
            _make_folder(self._stored)
            self._ensure_stored(result, anew=True)
            _make_folder(self._directory)
            self._link_or_write(stored, name, result.content)
        except OSError as error:
            if error.errno == errno.EMLINK:
                # A file takes 65,000 links on ext4: a fresh copy takes the next ones.
                self._ensure_stored(result, anew=True)
            self._link_or_write(stored, name, result.content)

    def _remember_missing(self, number: int, sha256: str, error: OSError) -> None:
        with self._lock:
            is_first = not self._missing
            self._missing[number] = sha256
            if len(self._missing) > REMEMBERED_COUNT:
                self._missing.popitem(last=False)
        if is_first:
            reason, name = error.strerror, _result_name(self._directory, number)
            _log.error("%s can't be made: %s; results are kept in %s, the files follow", name, reason, self._stored)

    def _make_stored_again(self) -> None:
        try:
            _make_folder(self._stored)
        except OSError as error:
            raise storage_error(error, f"{self._stored} can't be made") from error

    def _link_or_write(self, stored: str, name: str, content: bytes) -> None:
        """Link, or write a file of its own where links don't work."""
        try:
            os.link(stored, name)
        except OSError:
            self._replace(name, content)

    def _store(self, result: EncodedResult) -> None:
        """Have a stored copy; a moment without descriptors is waited out, since the job would fail for good."""
        for _ in range(round(DESCRIPTOR_PATIENCE_S / _PAUSE_S)):
            try:
                self._ensure_stored(result, anew=False)
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE):
                    raise
            else:
                return
            self._wait(_PAUSE_S)
        self._ensure_stored(result, anew=False)

    def _ensure_stored(self, result: EncodedResult, *, anew: bool) -> None:
        """Have one good stored copy of a result; ``anew`` writes a fresh one."""
        with self._lock:
            if result.sha256 in self._trusted and not anew:
                return
        self._replace(_stored_name(self._stored, result.sha256), result.content)
        with self._lock:
            self._trusted.add(result.sha256)

    def _replace(self, name: str, content: bytes) -> None:
        """Write a file beside its place and move it there."""
        temporary = f"{self._stored}/.{threading.get_ident()}.new"
        try:
            self._write(temporary, content)
        except FileNotFoundError:
            _make_folder(self._stored)
            self._write(temporary, content)
        try:
            os.replace(temporary, name)  # noqa: PTH105  # see is_published
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            # The two folders are on different file systems: move within the target's own.
            beside = f"{name}.{threading.get_ident()}.new"
            Path(beside).unlink(missing_ok=True)
            self._write(beside, content)
            os.replace(beside, name)  # noqa: PTH105

    @staticmethod
    def _write(name: str, content: bytes) -> None:
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)


def _make_folder(folder: str) -> None:
    Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)


def _check_volume(folder: str) -> None:
    """Raise unless the results of the jobs that are accepted already still have room."""
    volume = os.statvfs(folder)
    if volume.f_flag & os.ST_RDONLY:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    has_files = not volume.f_files or volume.f_favail >= min(SPARE_FILE_COUNT, volume.f_files // 8)
    if not has_files or volume.f_bavail * volume.f_frsize < SPARE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
