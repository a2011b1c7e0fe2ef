"""The cubes of earlier ingests, one file a version; a damaged file is as good as none."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from meantime.errors import DataError

if TYPE_CHECKING:
    from meantime.survey.cube.survey_cube import SurveyCube
    from meantime.survey.ingest.dataset import IngestReport, Provenance

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
        if not self.path(version).exists():
            return None
        from meantime.survey.cube.cube_file import read_cube_file

        found = read_cube_file(self.path(version))
        return found if found and found[0].version == version else None

    def keep_provenance(self, version: str, provenance: Provenance) -> None:
        """Note beside a cube where its source comes from, for a job that needs the version when its source is gone."""
        content = json.dumps(asdict(provenance))
        path = self._provenance_path(version)
        try:
            if not path.exists() or path.read_text(encoding="utf-8") != content:
                unfinished = path.with_name(f".writing-{path.name}")
                unfinished.write_text(content, encoding="utf-8")
                unfinished.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()  # none is better than a wrong one

    def find_provenance(self, version: str) -> Provenance | None:
        """Return what was noted beside a cube; None when nothing was, or it can't be read."""
        from meantime.survey.ingest.dataset import Provenance

        try:
            return Provenance(**json.loads(self._provenance_path(version).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _provenance_path(self, version: str) -> Path:
        return self.path(version).with_suffix(".provenance.json")

    def prune(self) -> None:
        """Remove all but the newest cubes, and what was left of writers that were killed."""
        cubes = sorted(self._directory.glob("*.cube"), key=_age_s)
        stale = [path for path in self._directory.glob(".writing-*") if _age_s(path) > _STALE_S]
        for path in cubes[_KEPT:] + stale:
            path.unlink(missing_ok=True)
            path.with_suffix(".provenance.json").unlink(missing_ok=True)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
