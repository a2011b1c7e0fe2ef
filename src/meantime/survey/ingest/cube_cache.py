"""The cubes of earlier ingests, one file a version, and notes of the dataset versions that they belong to.

Datasets with other words about the same figures share a cube; each has a note of its own. A damaged cube or note is
as good as none.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from meantime.errors import DataError

if TYPE_CHECKING:
    from meantime.survey.cube.survey_cube import SurveyCube
    from meantime.survey.ingest.dataset import Dataset
    from meantime.survey.ingest.ingest_report import IngestReport

_KEPT_CUBES = 8
_KEPT_NOTES = 64
_STALE_S = 3600.0
_CLOCK_TOLERANCE_S = 60.0
_CUBES, _NOTES, _UNFINISHED = "*.cube", "*.dataset.json", ".writing-*"


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

    def path(self, cube_version: str) -> Path:
        """Return where the cube of a version is, or will be."""
        return self._directory / f"{cube_version}.cube"

    def find(self, cube_version: str) -> tuple[SurveyCube, IngestReport] | None:
        """Return the cube of a version and its report; None when it's not here or damaged."""
        if not self.path(cube_version).exists():
            return None
        from meantime.survey.ingest.cube_file import read_cube_file

        found = read_cube_file(self.path(cube_version))
        return found if found and found[0].version == cube_version else None

    def note(self, dataset: Dataset) -> None:
        """Note which cube a dataset version has and where it comes from, for a job that needs it later."""
        path = self._note_path(dataset.version)
        unfinished = path.with_name(f".writing-{path.name}")
        content = {"cube_version": dataset.cube.version, "provenance": asdict(dataset.provenance)}
        with contextlib.suppress(OSError):  # without it a lost result can't be computed again, and that is all
            unfinished.write_text(json.dumps(content), encoding="utf-8")
            unfinished.replace(path)

    def find_dataset(self, name: str, version: str) -> Dataset | None:
        """Return an older version of a dataset, without its single estimates; None when it's not here or damaged."""
        from meantime.survey.ingest.dataset import Dataset
        from meantime.survey.ingest.provenance import Provenance

        try:
            content = json.loads(self._note_path(version).read_text(encoding="utf-8"))
            provenance = Provenance(**content["provenance"])
            found = self.find(content["cube_version"])
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        dataset = Dataset(name, found[0], provenance, found[1]) if found else None
        return dataset if dataset and dataset.version == version else None

    def prune(self) -> None:
        """Remove all but the newest cubes and notes, and what was left of writers that were killed."""
        stale = [path for path in self._directory.glob(_UNFINISHED) if _age_s(path) > _STALE_S]
        for path in self._oldest(_CUBES, _KEPT_CUBES) + self._oldest(_NOTES, _KEPT_NOTES) + stale:
            path.unlink(missing_ok=True)

    def _note_path(self, version: str) -> Path:
        return self._directory / f"{version}.dataset.json"

    def _oldest(self, pattern: str, kept: int) -> list[Path]:
        return sorted(self._directory.glob(pattern), key=_age_s)[kept:]


def _age_s(path: Path) -> float:
    """Return how long ago a file was written; one from a time when the clock was ahead is older than any other."""
    try:
        age_s = time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
    return age_s if age_s > -_CLOCK_TOLERANCE_S else math.inf
