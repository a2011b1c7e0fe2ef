"""The cubes of earlier ingests, one file a version; a damaged file is as good as none."""

from __future__ import annotations

import time
from pathlib import Path

from meantime.errors import DataError
from meantime.survey.cube import SurveyCube
from meantime.survey.cube_file import read_cube_file
from meantime.survey.dataset import IngestReport

_KEPT = 8
_STALE_S = 3600.0


class CubeCache:
    """A directory of cube files.

    Parameters
    ----------
    directory
        Made when it is missing, for this user alone.

    Raises
    ------
    DataError
        It can't be made.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{directory}: the directory for cubes can't be made: {error.strerror}") from error

    def path(self, version: str) -> Path:
        """Return where the cube of a version is, or will be."""
        return self._directory / f"{version}.cube"

    def find(self, version: str) -> tuple[SurveyCube, IngestReport] | None:
        """Return the cube of a version and its report; None when it's not here or damaged."""
        found = read_cube_file(self.path(version))
        return found if found and found[0].version == version else None

    def prune(self) -> None:
        """Remove all but the newest cubes, and what was left of writers that were killed."""
        cubes = sorted(self._directory.glob("*.cube"), key=_age_s)
        stale = [path for path in self._directory.glob(".writing-*") if _age_s(path) > _STALE_S]
        for path in cubes[_KEPT:] + stale:
            path.unlink(missing_ok=True)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
