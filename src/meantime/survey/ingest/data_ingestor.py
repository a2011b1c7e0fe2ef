"""DataIngestor: a path -> a Dataset, from the cache or through the ingest's child process.

The server's own process imports this; neither an engine nor narwhals is imported here. Numpy, a tenth of a second, is
imported when the child is under way.
"""

from __future__ import annotations

import tempfile
import threading
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from meantime.child import Progress
from meantime.child.child_process import ChildProcess
from meantime.errors import DataChangedError, DataError
from meantime.survey.cube.cube_version import cube_version
from meantime.survey.ingest.cube_cache import KEPT_CUBES, CubeCache
from meantime.survey.ingest.errands import PinnedTable, write_cube
from meantime.survey.reading.mapping import parse_mapping, read_mapping_text
from meantime.survey.reading.sources import DEFAULT_SIZE_LIMIT_BYTES, source_kind, source_sha256

if TYPE_CHECKING:
    from meantime.survey.cube.survey_cube import SurveyCube
    from meantime.survey.ingest.dataset import Dataset
    from meantime.survey.ingest.ingest_report import IngestReport

_ATTEMPTS = 3


class DataIngestor:
    """Reads one source into a dataset.

    Parameters
    ----------
    source
        A CSV (plain, ``.gz``, ``.zst`` or in a zip) or a Parquet file; never a URL.
    name
        The name of the dataset.
    mapping
        A mapping file for a table that is not of CDC's family.
    cache_directory
        Where cubes are kept for the next start; made when missing. None keeps none.
    kept_versions
        How many of them, all tables together.
    size_limit_bytes
        The most that a packed source may hold when it is unpacked.
    """

    def __init__(
        self,
        source: Path,
        *,
        name: str = "default",
        mapping: Path | None = None,
        cache_directory: Path | None = None,
        kept_versions: int = KEPT_CUBES,
        size_limit_bytes: int = DEFAULT_SIZE_LIMIT_BYTES,
    ) -> None:
        self._source = source
        self._name = name
        self._mapping = mapping
        self._mapping_name = mapping.name if mapping else ""
        self._cache_directory = cache_directory
        self._kept_versions = kept_versions
        self._size_limit_bytes = size_limit_bytes
        self._child = ChildProcess(source.name)
        self._outcome: Future[Dataset] = Future()
        self._thread: threading.Thread | None = None  # written by start(), read-only after

    def start(self, progress: Progress | None = None) -> None:
        """Begin to read and return at once; `result` waits.

        Parameters
        ----------
        progress
            Called with a phase and the part of it that is done, from another thread; not called on a cache hit.
        """
        if self._thread is not None:
            raise RuntimeError("this ingest has been started; make another DataIngestor to read again")
        # A daemon, so that a server that fails at its start needn't wait: the child ends with this process.
        self._thread = threading.Thread(target=self._run, args=(progress,), name="ingest", daemon=True)
        self._thread.start()

    def result(self) -> Dataset:
        """Wait for the dataset.

        Raises
        ------
        DataError
            The source or the mapping file can't be read: one line that names file, line and column.
        DataChangedError
            The source was changed each time that it was read.
        """
        if self._thread is None:
            raise RuntimeError("this ingest has not been started")
        self._thread.join()
        return self._outcome.result()

    def ingest(self, progress: Progress | None = None) -> Dataset:
        """Read and wait: `start` and `result`."""
        self.start(progress)
        return self.result()

    def cancel(self) -> None:
        """Give up; `result` raises DataError unless the dataset is there already."""
        self._child.cancel()

    def _run(self, progress: Progress | None) -> None:
        try:
            self._outcome.set_result(self._dataset(progress))
        except BaseException as error:  # noqa: BLE001  # raised again by result()
            self._outcome.set_exception(error)

    def _dataset(self, progress: Progress | None) -> Dataset:
        kind = source_kind(self._source)
        mapping_text = read_mapping_text(self._mapping) if self._mapping else ""
        mapping = parse_mapping(mapping_text, self._mapping_name)
        for attempt in range(1, _ATTEMPTS + 1):
            table = PinnedTable(
                source=str(self._source.absolute()),
                sha256=source_sha256(self._source),
                mapping_text=mapping_text,
                mapping_name=self._mapping_name,
                size_limit_bytes=self._size_limit_bytes,
            )
            try:
                return self._read(table, cube_version(table["sha256"], kind, mapping.profile), mapping.claims, progress)
            except DataChangedError:
                if attempt == _ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _read(self, table: PinnedTable, version: str, claims: dict[str, str], progress: Progress | None) -> Dataset:
        with ExitStack() as stack:
            directory = self._cache_directory or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            cache = CubeCache(directory, kept_cubes=self._kept_versions)
            cube, report = cache.find(version) or self._build(cache, table, version, progress)
            # Numpy comes along with these, and was needed no sooner than now.
            from meantime.survey.ingest.dataset import Dataset
            from meantime.survey.ingest.provenance import find_provenance
            from meantime.survey.ingest.single_estimates import SourceEstimates

            provenance = find_provenance(self._source, table["sha256"], claims, cube.questions)
            dataset = Dataset(self._name, cube, provenance, report, SourceEstimates(table))
            cache.note(dataset)
            cache.prune()
            return dataset

    def _build(
        self, cache: CubeCache, table: PinnedTable, version: str, progress: Progress | None
    ) -> tuple[SurveyCube, IngestReport]:
        output = cache.path(version)
        self._child.run(write_cube, progress, table, output=str(output), scratch_directory=str(output.parent))
        found = cache.find(version)
        if found is None:
            raise DataError(f"{self._source.name}: the cube in {output.parent} is damaged as soon as it is written")
        return found
