"""One ingest: an open table -> a cube and a report.

The server has it run in a child process (``errands.py``), since an engine takes memory that it doesn't give back.
What a column or a name means is not decided here, nor how cells are computed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from meantime.errors import DataError
from meantime.survey.cube.cube_builder import Attributes, BuiltCube, UnreadableNumberError, build_cube
from meantime.survey.cube.cube_version import cube_version
from meantime.survey.cube.limits import limit_symmetry
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
from meantime.survey.ingest.ingest_report import IngestReport, report_warnings
from meantime.survey.reading.engines import Arrays, EngineError
from meantime.survey.reading.table_reader import TableReader

if TYPE_CHECKING:
    from meantime.survey.reading.engines import Frame

_LEFT_OUT_EXAMPLES = 5


def ingest(table: TableReader, *, started_s: float) -> tuple[SurveyCube, IngestReport]:
    """Read a table.

    Parameters
    ----------
    table
        The table; it stays the caller's to close.
    started_s
        When reading began, on the monotonic clock, for the report.

    Returns
    -------
    tuple
        The cube and what reading found.

    Raises
    ------
    DataError
        The table can't be read; one line that names file, line and column.
    """
    source = table.source
    try:
        cells, arrays, trim = _rolled_up(table)
        questions, ambiguous_questions = _attributes(table, question_attributes(cells), "question_id", "unit")
        locations, ambiguous_locations = _attributes(table, location_attributes(cells), "abbreviation", "fips")
        version = cube_version(source.sha256, source.kind, table.profile)
        built = build_cube(arrays, questions, locations, table.profile, version)
    except (EngineError, UnreadableNumberError) as error:
        raise table.explained(error) from error
    if len(built.cube.cells) == 0 and built.left_out_count == 0:
        raise DataError(f"{source.name}: has no rows below its header")
    if len(built.cube.cells) == 0:
        raise DataError(
            f"{source.name}: none of its {built.left_out_count:,} rows has a question, a location and a year"
        )
    footnotes = _footnotes(table, cells, trim=trim)
    return built.cube, _report(built, table, footnotes, ambiguous_questions + ambiguous_locations, started_s)


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


def _attributes(table: TableReader, frame: Frame, first: str, second: str) -> tuple[Attributes, list[str]]:
    """Return the attributes of questions or locations, and the names of those that have several of the first one."""
    name = "question" if first == "question_id" else "location"
    found = table.engine.arrays(table.engine.keep(frame), ("conflict_count",), (name, first, second))
    names = found.texts(name)
    pairs = zip(found.texts(first), found.texts(second), strict=True)
    conflicts = zip(names, found.counts("conflict_count"), strict=True)
    return dict(zip(names, pairs, strict=True)), [each for each, count in conflicts if count]


def _footnotes(table: TableReader, cells: Frame, *, trim: bool) -> dict[str, int]:
    """Count rows by footnote, from the cells where each has one footnote at most."""
    counts = _footnote_table(table, footnote_counts(cells))
    if any(first != last for first, last, _ in counts):
        counts = _footnote_table(table, exact_footnote_counts(table.estimates(trim=trim)))
    found: dict[str, int] = {}
    for note, _, count in sorted(counts):
        if count:
            found[note.strip()] = found.get(note.strip(), 0) + count
    return found


def _footnote_table(table: TableReader, frame: Frame) -> list[tuple[str, str, int]]:
    texts = ("footnote_first", "footnote_last")
    found = table.engine.arrays(table.engine.keep(frame), ("footnote_count",), texts)
    return list(zip(*(found.texts(name) for name in texts), found.counts("footnote_count"), strict=True))


def _report(
    built: BuiltCube, table: TableReader, footnotes: dict[str, int], ambiguous: list[str], started_s: float
) -> IngestReport:
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
        limits=limit_symmetry(cube),
        duration_s=time.monotonic() - started_s,
        engine=table.engine.name,
        warnings=report_warnings(cube, sorted(ambiguous)),
    )
