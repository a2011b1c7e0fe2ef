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

from meantime.errors import DataChangedError, DataError
from meantime.survey.cube.cube_version import cube_version
from meantime.survey.ingest.child_process import ChildProcess
from meantime.survey.ingest.cube_cache import CubeCache
from meantime.survey.ingest.ingest_request import Errand, IngestRequest
from meantime.survey.reading.mapping import parse_mapping, read_mapping_text
from meantime.survey.reading.sources import DEFAULT_SIZE_LIMIT_BYTES, Progress, source_kind, source_sha256

if TYPE_CHECKING:
    from meantime.survey.cube.survey_cube import SurveyCube
    from meantime.survey.ingest.dataset import Dataset, IngestReport

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
        size_limit_bytes: int = DEFAULT_SIZE_LIMIT_BYTES,
    ) -> None:
        self._source = source
        self._name = name
        self._mapping = mapping
        self._mapping_name = mapping.name if mapping else ""
        self._cache_directory = cache_directory
        self._size_limit_bytes = size_limit_bytes
        self._child = ChildProcess()
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
            sha256 = source_sha256(self._source)
            version = cube_version(sha256, kind, mapping.profile)
            try:
                cube, report = self._cube(version, sha256, mapping_text, progress)
            except DataChangedError:
                if attempt == _ATTEMPTS:
                    raise
                continue
            return self._described(cube, report, sha256, mapping_text, mapping.claims)
        raise AssertionError("the last attempt returns or raises")

    def _described(
        self, cube: SurveyCube, report: IngestReport, sha256: str, mapping_text: str, claims: dict[str, str]
    ) -> Dataset:
        from meantime.survey.ingest.dataset import Dataset
        from meantime.survey.ingest.estimates import SourceEstimates
        from meantime.survey.ingest.provenance import find_provenance

        provenance = find_provenance(self._source, sha256, claims, cube.questions)
        if self._cache_directory is not None:
            CubeCache(self._cache_directory).keep_provenance(cube.version, provenance)
        source = self._source.absolute()
        estimates = SourceEstimates(source, sha256, mapping_text, self._mapping_name, self._size_limit_bytes)
        return Dataset(self._name, cube, provenance, report, estimates)

    def _cube(
        self, version: str, sha256: str, mapping_text: str, progress: Progress | None
    ) -> tuple[SurveyCube, IngestReport]:
        with ExitStack() as stack:
            directory = self._cache_directory or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            cache = CubeCache(directory)
            found = cache.find(version)
            if found is not None:
                return found
            request = IngestRequest(
                errand=Errand.CUBE,
                source=str(self._source),
                output=str(cache.path(version)),
                scratch_directory=str(directory),
                expected_sha256=sha256,
                size_limit_bytes=self._size_limit_bytes,
                mapping_text=mapping_text,
                mapping_name=self._mapping_name,
            )
            self._child.run(request, progress)
            found = cache.find(version)
            if found is None:
                raise DataError(f"{self._source.name}: the cube in {directory} is damaged as soon as it is written")
            cache.prune()
            return found
