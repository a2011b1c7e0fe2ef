"""One ingest, in this process: a source and a profile -> a cube and a report.

The server runs it in a child (``ingest_process.py``), since an engine takes memory that it doesn't give back.
What a column or a name means is not decided here, nor how cells are computed.
"""

from __future__ import annotations

import dataclasses
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from meantime.errors import DataChangedError, DataError
from meantime.survey.cube import SurveyCube
from meantime.survey.cube_builder import Attributes, BuiltCube, UnreadableNumberError, build_cube
from meantime.survey.cube_file import cube_version
from meantime.survey.dataset import IngestReport
from meantime.survey.engines import Arrays, Engine, EngineError
from meantime.survey.engines.duckdb import DuckDBEngine
from meantime.survey.profile import Profile
from meantime.survey.report_warnings import report_warnings
from meantime.survey.rollup import (
    COUNTS,
    EXTREMES,
    SUMS,
    TEXT_KEYS,
    exact_footnote_counts,
    footnote_counts,
    location_attributes,
    question_attributes,
    rollup,
)
from meantime.survey.sources import DEFAULT_SIZE_LIMIT_BYTES, OpenedSource, Progress, open_source
from meantime.survey.table_reader import TableReader

if TYPE_CHECKING:
    from meantime.survey.engines import Frame

_LEFT_OUT_EXAMPLES = 5
_PROGRESS_PERIOD_S = 0.2


def ingest(
    source: Path,
    profile: Profile,
    *,
    expected_sha256: str | None = None,
    size_limit_bytes: int = DEFAULT_SIZE_LIMIT_BYTES,
    scratch_directory: Path | None = None,
    progress: Progress | None = None,
) -> tuple[SurveyCube, IngestReport]:
    """Read a source.

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

    Returns
    -------
    tuple
        The cube and what reading found.

    Raises
    ------
    DataError
        The source can't be read; one line that names file, line and column.
    DataChangedError
        Its bytes are not the expected ones, or were changed meanwhile.
    """
    started_s = time.monotonic()
    scratch = scratch_directory or Path(tempfile.gettempdir())
    with open_source(source, size_limit_bytes=size_limit_bytes, scratch_directory=scratch, progress=progress) as opened:
        if expected_sha256 not in {None, opened.sha256}:
            raise DataChangedError(f"{opened.name}: the file was replaced after it was hashed; try again")
        engine = DuckDBEngine(str(scratch))
        try:
            with _watched(engine, progress):
                cube, report = _read(opened, profile, engine)
        finally:
            # A file that is being written looks like a faulty one: say which it is.
            opened.check_unchanged()
            engine.close()
    return cube, dataclasses.replace(report, duration_s=time.monotonic() - started_s)


def _read(opened: OpenedSource, profile: Profile, engine: Engine) -> tuple[SurveyCube, IngestReport]:
    try:
        reader = TableReader(opened, profile, engine)
    except EngineError as error:
        raise DataError(f"{opened.name}: {error}") from error
    try:
        cells, arrays, trim = _rolled_up(reader, engine)
        version = cube_version(opened.sha256, opened.kind, profile)
        questions = {str(text): row for text, *row in engine.rows(question_attributes(cells))}
        locations = {str(name): row for name, *row in engine.rows(location_attributes(cells))}
        built = build_cube(arrays, _texts(questions), _texts(locations), profile, version)
    except (EngineError, UnreadableNumberError) as error:
        raise reader.explained(error) from error
    if len(built.cube.cells) == 0 and built.left_out_count == 0:
        raise DataError(f"{opened.name}: has no rows below its header")
    if len(built.cube.cells) == 0:
        raise DataError(
            f"{opened.name}: none of its {built.left_out_count:,} rows has a question, a location and a year"
        )
    footnotes = _footnotes(engine, cells, reader.estimates(trim=trim))
    conflicts = {name: int(str(row[-1])) for found in (questions, locations) for name, row in found.items()}
    return built.cube, _report(built, reader, engine, footnotes, conflicts)


def _rolled_up(reader: TableReader, engine: Engine) -> tuple[Frame, Arrays, bool]:
    """Roll up without trimming, and again with it if any field turns out to have blanks around it."""
    numbers = ("year", *COUNTS, *SUMS, *EXTREMES)
    try:
        cells = engine.keep(rollup(reader.estimates(trim=False), reader.columns))
        arrays = engine.arrays(cells, numbers, TEXT_KEYS)
        padded = any(text != text.strip() for texts in arrays.dictionaries.values() for text in texts)
    except EngineError:
        padded = True  # perhaps a number of nothing but blanks
    if not padded:
        return cells, arrays, False
    cells = engine.keep(rollup(reader.estimates(trim=True), reader.columns))
    return cells, engine.arrays(cells, numbers, TEXT_KEYS), True


def _texts(rows: dict[str, list[object]]) -> Attributes:
    return {name: (str(first), str(second)) for name, (first, second, _) in rows.items()}


def _footnotes(engine: Engine, cells: Frame, rows: Frame) -> dict[str, int]:
    """Count rows by footnote, from the cells where each has one footnote at most."""
    counts = [(str(first), str(last), int(str(count))) for first, last, count in engine.rows(footnote_counts(cells))]
    if any(first != last for first, last, _ in counts):
        counts = [(str(note), str(note), int(str(count))) for note, count in engine.rows(exact_footnote_counts(rows))]
    found: dict[str, int] = {}
    for note, _, count in sorted(counts):
        if count:
            found[note.strip()] = found.get(note.strip(), 0) + count
    return found


def _report(
    built: BuiltCube, reader: TableReader, engine: Engine, footnotes: dict[str, int], conflicts: dict[str, int]
) -> IngestReport:
    cube, cells = built.cube, built.cube.cells
    row_count, value_count = int(cells.row_count.sum()), int(cells.value_count.sum())
    return IngestReport(
        row_count=row_count + built.left_out_count,
        value_count=value_count,
        suppressed_count=row_count - value_count,
        left_out_count=built.left_out_count,
        left_out_examples=reader.left_out_rows(_LEFT_OUT_EXAMPLES) if built.left_out_count else (),
        question_count=len(cube.questions),
        location_count=len(cube.locations),
        segment_count=len(cube.segments),
        years=cube.years,
        columns={str(role): header for role, header in reader.columns.header.items()},
        columns_missing=tuple(str(role) for role in reader.columns.missing),
        footnotes=footnotes,
        duration_s=0.0,
        engine=engine.name,
        warnings=report_warnings(cube, sorted(name for name, count in conflicts.items() if count > 1)),
    )


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
