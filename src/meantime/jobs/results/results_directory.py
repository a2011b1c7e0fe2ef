"""Result files: ``results/job_id_7.json``, each a link to the one stored copy of that result.

A result appears atomically and is never written in place. Nothing here needs a sync: the checksum in the store tells
a damaged file from a good one, and a result can be computed again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import threading
from pathlib import Path

from meantime.jobs.job import EncodedResult
from meantime.jobs.job_store import HIGHEST_NUMBER
from meantime.jobs.state_directory import storage_error

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
        try:
            content = Path(name).read_bytes()
        except OSError:
            continue
        if hashlib.sha256(content).hexdigest() == sha256:
            return content
    return None


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
    """

    def __init__(self, directory: Path, stored: Path) -> None:
        self._directory = str(directory)
        self._stored = str(stored)
        self._lock = threading.Lock()
        self._trusted: set[str] = set()  # guarded by self._lock; stored copies that this process wrote or checked
        self._make_folders()

    def path_of(self, number: int) -> Path:
        """Return where the result of a job is published."""
        return Path(_result_name(self._directory, number))

    def publish(self, number: int, result: EncodedResult) -> None:
        """Make the result file of a job appear, whole.

        Raises
        ------
        StorageFullError
            No space is left.
        StoreUnavailableError
            The file can't be written for another reason.
        """
        try:
            self._publish(number, result)
        except OSError as error:
            raise storage_error(error, f"the result of job {number} can't be written") from error

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
        self._ensure_stored(result, anew=False)
        name, stored = _result_name(self._directory, number), _stored_name(self._stored, result.sha256)
        try:
            os.link(stored, name)
        except FileExistsError:
            # An earlier attempt of this job, or somebody's file: ours takes its place.
            self._replace(name, result.content)
        except FileNotFoundError:
            self._make_folders()
            self._ensure_stored(result, anew=True)
            self._link_or_write(stored, name, result.content)
        except OSError as error:
            if error.errno == errno.EMLINK:
                # A file takes 65,000 links on ext4: a fresh copy takes the next ones.
                self._ensure_stored(result, anew=True)
            self._link_or_write(stored, name, result.content)

    def _link_or_write(self, stored: str, name: str, content: bytes) -> None:
        """Link, or write a file of its own where links don't work."""
        try:
            os.link(stored, name)
        except OSError:
            self._replace(name, content)

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
            self._make_folders()
            self._write(temporary, content)
        try:
            os.replace(temporary, name)  # noqa: PTH105  # see is_published
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            # The two folders are on different file systems: move within the target's own.
            beside = f"{name}.{threading.get_ident()}.new"
            self._write(beside, content)
            os.replace(beside, name)  # noqa: PTH105

    @staticmethod
    def _write(name: str, content: bytes) -> None:
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)

    def _make_folders(self) -> None:
        for folder in (self._directory, self._stored):
            Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
