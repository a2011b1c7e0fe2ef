"""A whole dataset as a file: one row for each cell, as CSV and as Parquet; made once for each version, in a child.

The files are what their version is, so they are kept beside the cubes and never change. Whoever serves them may hand
out any part.
"""

from __future__ import annotations

import contextlib
import csv
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from meantime.child import Progress
from meantime.child.child_process import ChildProcess
from meantime.errors import DataError
from meantime.formats.csv_file import safe_cell
from meantime.formats.parquet import parquet_of_csv

if TYPE_CHECKING:
    from meantime.survey.cube.survey_cube import SurveyCube
    from meantime.survey.ingest.dataset import Dataset

TIME_LIMIT_S = 600.0

_BLOCK_CELLS = 65_536
_MOST_INTEGER = 2**31

_log = logging.getLogger(__name__)

COLUMNS = {
    "question_id": "VARCHAR",
    "question": "VARCHAR",
    "unit": "VARCHAR",
    "location": "VARCHAR",
    "abbreviation": "VARCHAR",
    "fips": "VARCHAR",
    "location_kind": "VARCHAR",
    "year": "INTEGER",
    "category": "VARCHAR",
    "stratum": "VARCHAR",
    "value": "DOUBLE",
    "low": "DOUBLE",
    "high": "DOUBLE",
    "sample_size": "DOUBLE",
    "row_count": "INTEGER",
    "suppressed_count": "INTEGER",
}
"""The columns with their SQL types. ``value`` is the mean where a cell holds several rows; empty is suppressed."""


class TableKind(StrEnum):
    """A form of a table, which is also the extension."""

    CSV = "csv"
    PARQUET = "parquet"


class TableFiles:
    """The files of dataset versions, in one directory. May be used from any thread.

    Parameters
    ----------
    directory
        Made when it is needed, for this user alone.
    kept_versions
        Of how many versions the files are kept; those that were not used for longest go.
    """

    def __init__(self, directory: Path, *, kept_versions: int) -> None:
        self._directory = directory
        self._kept_versions = kept_versions
        self._making = threading.Lock()  # held while a file is made: a child takes a whole core

    def find(self, dataset: Dataset, kind: TableKind) -> Path | None:
        """Return the file of a dataset version if it has been made."""
        path = self._path(dataset, kind)
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def of(self, dataset: Dataset, kind: TableKind) -> Path:
        """Return the file of a dataset version; makes both forms if they aren't there yet.

        Raises
        ------
        DataError
            They can't be made; the log says why.
        """
        with self._making:
            found = self.find(dataset, kind)
            if found is None:
                self._make(dataset)
                self._prune()
            return found or self._path(dataset, kind)

    def _path(self, dataset: Dataset, kind: TableKind) -> Path:
        return self._directory / f"{dataset.version}.{kind}"

    def _make(self, dataset: Dataset) -> None:
        from meantime.survey.ingest.cube_file import write_cube_file

        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._directory, prefix=".making-") as folder:
                cube, made = Path(folder) / "cube", {kind: str(Path(folder) / kind) for kind in TableKind}
                write_cube_file(cube, dataset.cube, dataset.report)
                child = ChildProcess("the table", time_limit_s=TIME_LIMIT_S)
                child.run(write_table, None, str(cube), made[TableKind.CSV], made[TableKind.PARQUET])
                for kind, path in made.items():
                    Path(path).replace(self._path(dataset, kind))
        except (DataError, OSError) as error:
            _log.error("the table of %s can't be written as files: %s", dataset.name, error)
            raise DataError("the table can't be written as a file; see the server's log") from None

    def _prune(self) -> None:
        def age(path: Path) -> float:
            with contextlib.suppress(OSError):
                return -path.stat().st_mtime
            return 0.0

        files = sorted((path for kind in TableKind for path in self._directory.glob(f"*.{kind}")), key=age)
        for path in files[self._kept_versions * len(TableKind) :]:
            path.unlink(missing_ok=True)


def write_table(_: Progress, cube: str, csv_file: str, parquet_file: str) -> None:
    """Write the cells of a cube file in both forms; the errand of `TableFiles`."""
    from meantime.survey.ingest.cube_file import read_cube_file

    found = read_cube_file(Path(cube))
    if found is None:
        raise DataError("the cube file is damaged")
    with Path(csv_file).open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(COLUMNS)
        writer.writerows(rows_of(found[0], spelt=safe_cell))
    plain = f"{csv_file}.plain"
    with Path(plain).open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows(rows_of(found[0]))
    parquet_of_csv(plain, types_of(found[0]), parquet_file)


def types_of(cube: SurveyCube) -> dict[str, str]:
    """Return the columns with their SQL types: sample sizes are whole numbers where all are."""
    sizes = _sizes(cube)
    is_small = sizes.dtype.kind == "i" and sizes.max(initial=0) < _MOST_INTEGER
    return COLUMNS | ({"sample_size": "INTEGER"} if is_small else {})


def _sizes(cube: SurveyCube) -> npt.NDArray[np.float64] | npt.NDArray[np.int64]:
    sizes = cube.cells.sample_size_sum
    return sizes.astype(np.int64) if (sizes == np.floor(sizes)).all() else sizes


def rows_of(cube: SurveyCube, spelt: Callable[[object], object] = lambda text: text) -> Iterator[tuple[object, ...]]:
    """Yield one row of ``COLUMNS`` for each cell of a cube, in the cube's order; None where nothing is known.

    ``spelt`` says how texts are written.
    """
    cells, count = cube.cells, len(cube.cells)
    questions = [tuple(map(spelt, (each.question_id, each.text, each.unit))) for each in cube.questions]
    locations = [
        tuple(map(spelt, (each.name, each.abbreviation, each.fips, each.kind.value))) for each in cube.locations
    ]
    segments = [tuple(map(spelt, (each.category, each.stratum))) for each in cube.segments]
    for start in range(0, count, _BLOCK_CELLS):
        block = slice(start, start + _BLOCK_CELLS)
        columns = [
            column[block].tolist()
            for column in (
                cells.question,
                cells.location,
                cells.year,
                cells.segment,
                cells.value_sum,
                cells.value_count,
                cells.low,
                cells.high,
                _sizes(cube),
                cells.sample_count,
                cells.row_count,
            )
        ]
        for question, location, year, segment, total, values, low, high, size, sizes, rows in zip(
            *columns, strict=True
        ):
            yield (
                *questions[question],
                *locations[location],
                year,
                *segments[segment],
                total / values if values else None,
                None if low != low else low,  # noqa: PLR0124  # NaN is not itself
                None if high != high else high,  # noqa: PLR0124
                size if sizes else None,
                rows,
                rows - values,
            )
