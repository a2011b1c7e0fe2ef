"""One ingest, in this process: a source and a profile -> a cube and a report.

The server runs it in a child (``ingest_process.py``), since an engine takes memory that it doesn't give back.
What a column or a name means is not decided here, nor how cells are computed.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING

from meantime.errors import DataError
from meantime.survey.cube.cube_builder import Attributes, BuiltCube, UnreadableNumberError, build_cube
from meantime.survey.cube.cube_version import cube_version
from meantime.survey.cube.rollup import (
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
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.dataset import IngestReport
from meantime.survey.ingest.report_warnings import report_warnings
from meantime.survey.ingest.table_reader import TableReader, open_table
from meantime.survey.reading.engines import Arrays, EngineError
from meantime.survey.reading.profile import Profile
from meantime.survey.reading.sources import DEFAULT_SIZE_LIMIT_BYTES, Progress

if TYPE_CHECKING:
    from meantime.survey.reading.engines import Frame

_LEFT_OUT_EXAMPLES = 5


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
    with open_table(
        source,
        profile,
        expected_sha256=expected_sha256,
        size_limit_bytes=size_limit_bytes,
        scratch_directory=scratch_directory,
        progress=progress,
    ) as table:
        cube, report = _read(table, profile)
    return cube, dataclasses.replace(report, duration_s=time.monotonic() - started_s)


def _read(table: TableReader, profile: Profile) -> tuple[SurveyCube, IngestReport]:
    engine, source = table.engine, table.source
    try:
        cells, arrays, trim = _rolled_up(table)
        version = cube_version(source.sha256, source.kind, profile)
        questions = {str(text): row for text, *row in engine.rows(question_attributes(cells))}
        locations = {str(name): row for name, *row in engine.rows(location_attributes(cells))}
        built = build_cube(arrays, _texts(questions), _texts(locations), profile, version)
    except (EngineError, UnreadableNumberError) as error:
        raise table.explained(error) from error
    if len(built.cube.cells) == 0 and built.left_out_count == 0:
        raise DataError(f"{source.name}: has no rows below its header")
    if len(built.cube.cells) == 0:
        raise DataError(
            f"{source.name}: none of its {built.left_out_count:,} rows has a question, a location and a year"
        )
    footnotes = _footnotes(table, cells, trim=trim)
    conflicts = {name: int(str(row[-1])) for found in (questions, locations) for name, row in found.items()}
    return built.cube, _report(built, table, footnotes, conflicts)


def _rolled_up(table: TableReader) -> tuple[Frame, Arrays, bool]:
    """Roll up without trimming, and again with it if any field turns out to have blanks around it."""
    engine = table.engine
    numbers = ("year", *COUNTS, *SUMS, *EXTREMES)
    try:
        cells = engine.keep(rollup(table.estimates(trim=False), table.columns))
        arrays = engine.arrays(cells, numbers, TEXT_KEYS)
        padded = any(text != text.strip() for texts in arrays.dictionaries.values() for text in texts)
    except EngineError:
        padded = True  # perhaps a number of nothing but blanks
    if not padded:
        return cells, arrays, False
    cells = engine.keep(rollup(table.estimates(trim=True), table.columns))
    return cells, engine.arrays(cells, numbers, TEXT_KEYS), True


def _texts(rows: dict[str, list[object]]) -> Attributes:
    return {name: (str(first), str(second)) for name, (first, second, _) in rows.items()}


def _footnotes(table: TableReader, cells: Frame, *, trim: bool) -> dict[str, int]:
    """Count rows by footnote, from the cells where each has one footnote at most."""
    engine = table.engine
    counts = [(str(first), str(last), int(str(count))) for first, last, count in engine.rows(footnote_counts(cells))]
    if any(first != last for first, last, _ in counts):
        counts = [
            (str(note), str(note), int(str(count)))
            for note, count in engine.rows(exact_footnote_counts(table.estimates(trim=trim)))
        ]
    found: dict[str, int] = {}
    for note, _, count in sorted(counts):
        if count:
            found[note.strip()] = found.get(note.strip(), 0) + count
    return found


def _report(built: BuiltCube, table: TableReader, footnotes: dict[str, int], conflicts: dict[str, int]) -> IngestReport:
    cube, cells = built.cube, built.cube.cells
    row_count, value_count = int(cells.row_count.sum()), int(cells.value_count.sum())
    return IngestReport(
        row_count=row_count + built.left_out_count,
        value_count=value_count,
        suppressed_count=row_count - value_count,
        left_out_count=built.left_out_count,
        left_out_examples=table.left_out_rows(_LEFT_OUT_EXAMPLES) if built.left_out_count else (),
        question_count=len(cube.questions),
        location_count=len(cube.locations),
        segment_count=len(cube.segments),
        years=cube.years,
        columns={str(role): header for role, header in table.columns.header.items()},
        columns_missing=tuple(str(role) for role in table.columns.missing),
        footnotes=footnotes,
        duration_s=0.0,
        engine=table.engine.name,
        warnings=report_warnings(cube, sorted(name for name, count in conflicts.items() if count > 1)),
    )
