"""A path opened as a table: its source, the engine of one machine, and somebody who is told how far it is.

What the table holds is ``table_reader.py``'s.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from meantime.child import Progress
from meantime.errors import DataChangedError
from meantime.survey.reading.engines import Engine
from meantime.survey.reading.engines.duckdb import DuckDBEngine
from meantime.survey.reading.files.packing import SourceKind
from meantime.survey.reading.profile import Profile
from meantime.survey.reading.sources import DEFAULT_SIZE_LIMIT_BYTES, OpenedSource, open_source
from meantime.survey.reading.table_reader import TableReader

_PROGRESS_PERIOD_S = 0.2
_SMALL_BYTES = 64 * 1024**2


@contextmanager
def open_table(
    source: Path,
    profile: Profile,
    *,
    expected_sha256: str | None = None,
    size_limit_bytes: int = DEFAULT_SIZE_LIMIT_BYTES,
    scratch_directory: Path | None = None,
    progress: Progress | None = None,
) -> Iterator[TableReader]:
    """Open a source with the engine of one machine.

    Parameters
    ----------
    source
        A path; its ending says how it is packed.
    profile
        How its columns and names are read.
    expected_sha256
        Refuse any other bytes.
    size_limit_bytes
        The most that a packed source may hold when it is unpacked.
    scratch_directory
        Where unpacked bytes and what doesn't fit in memory go; None takes the system's.
    progress
        Called from another thread while the source is read.

    Raises
    ------
    DataError
        The source can't be opened as a table.
    DataChangedError
        Its bytes are not the expected ones, or have changed when the block ends.
    """
    scratch = scratch_directory or Path(tempfile.gettempdir())
    with open_source(source, size_limit_bytes=size_limit_bytes, scratch_directory=scratch, progress=progress) as opened:
        if expected_sha256 not in {None, opened.sha256}:
            raise DataChangedError(f"{opened.name}: the file is no longer the one that was hashed; try again")
        engine = DuckDBEngine(str(scratch), _thread_count(opened))
        try:
            with _watched(engine, progress), ExitStack() as copies:
                yield TableReader(
                    opened, profile, engine, lambda: copies.enter_context(tempfile.TemporaryFile(dir=scratch))
                )
        finally:
            # A file that is being written looks like a faulty one: say which it is.
            opened.check_unchanged()
            engine.close()


def _thread_count(source: OpenedSource) -> int | None:
    """Return 1 for a small CSV: a second thread takes twice the processor time there, and longer."""
    plain_bytes = os.fstat(source.plain.fileno()).st_size
    return 1 if source.kind is not SourceKind.PARQUET and plain_bytes < _SMALL_BYTES else None


@contextmanager
def _watched(engine: Engine, progress: Progress | None) -> Iterator[None]:
    """Tell of the engine's progress from another thread as long as the block runs."""
    if progress is None:
        yield
        return
    done = threading.Event()
    told: Progress = progress

    def watch() -> None:
        while not done.wait(_PROGRESS_PERIOD_S):
            told("read", engine.progress())

    thread = threading.Thread(target=watch, name="ingest-progress")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
