"""The cubes of earlier ingests, one file a version, and notes of the dataset versions that they belong to.

Datasets with other words about the same figures share a cube; each has a note of its own. A damaged cube or note is
as good as none.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from meantime.errors import DataError

if TYPE_CHECKING:
    from meantime.survey.cube.survey_cube import SurveyCube
    from meantime.survey.ingest.dataset import Dataset
    from meantime.survey.ingest.ingest_report import IngestReport
    from meantime.survey.ingest.provenance import Provenance

KEPT_CUBES = 8
_KEPT_NOTES = 1000
_STALE_S = 3600.0
_CLOCK_TOLERANCE_S = 60.0
_CUBES, _NOTES, _UNFINISHED = "*.cube", "*.dataset.json", ".writing-*"


@dataclass(frozen=True, slots=True)
class _Noted:
    """What is noted of a dataset version; no provenance where nothing is. ``names`` are those of its datasets."""

    cube_version: str = ""
    provenance: Provenance | None = None
    names: tuple[str, ...] = ()


class CubeCache:
    """A directory of cube files.

    Parameters
    ----------
    directory
        Made when it is missing, for this user alone.
    kept_cubes
        How many cubes ``prune`` leaves.

    Raises
    ------
    DataError
        It can't be made.
    """

    def __init__(self, directory: Path, *, kept_cubes: int = KEPT_CUBES) -> None:
        self._directory = directory
        self._kept_cubes = kept_cubes
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
        """Note which cube a dataset version has and where it comes from, for who needs it later; both are new again."""
        path = self._note_path(dataset.version)
        unfinished = path.with_name(f".writing-{path.name}")
        names = sorted({dataset.name, *self._read_note(dataset.version).names})
        content = {"cube_version": dataset.cube.version, "provenance": asdict(dataset.provenance), "names": names}
        with contextlib.suppress(OSError):  # without it a lost result can't be computed again, and that is all
            unfinished.write_text(json.dumps(content), encoding="utf-8")
            unfinished.replace(path)
            os.utime(self.path(dataset.cube.version))

    def find_dataset(self, name: str, version: str) -> Dataset | None:
        """Return an older version of a dataset, without its single estimates; None when it's not here or damaged."""
        from meantime.survey.ingest.dataset import Dataset

        noted = self._read_note(version)
        if noted.provenance is None or (noted.names and name not in noted.names):
            return None
        found = self.find(noted.cube_version)
        dataset = Dataset(name, found[0], noted.provenance, found[1]) if found else None
        return dataset if dataset and dataset.version == version else None

    def find_provenance(self, name: str, version: str) -> Provenance | None:
        """Return where a dataset's version comes from, whose cube may be gone; None when no note of it is here."""
        noted = self._read_note(version)
        return noted.provenance if name in noted.names else None

    def _read_note(self, version: str) -> _Noted:
        from meantime.survey.ingest.provenance import Provenance

        try:
            content = json.loads(self._note_path(version).read_text(encoding="utf-8"))
            names = tuple(map(str, content.get("names", ())))  # older notes have none
            return _Noted(str(content["cube_version"]), Provenance(**content["provenance"]), names)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return _Noted()

    def prune(self) -> None:
        """Remove all but the newest cubes and notes, and what was left of writers that were killed."""
        stale = [path for path in self._directory.glob(_UNFINISHED) if _age_s(path) > _STALE_S]
        for path in self._oldest(_CUBES, self._kept_cubes) + self._oldest(_NOTES, _KEPT_NOTES) + stale:
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
