"""One ingest: an open table -> a cube and a report.

The server has it run in a child process (``errands.py``), since an engine takes memory that it doesn't give back.
What a column or a name means is not decided here, nor how cells are computed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from meantime.errors import DataError
from meantime.survey.cube.cell_names import UnreadableTextError, cell_names
from meantime.survey.cube.cube_builder import UnreadableNumberError, blank_cells, build_cube, check_numbers
from meantime.survey.cube.cube_version import cube_version
from meantime.survey.cube.limits import limit_symmetry
from meantime.survey.cube.rollup import (
    COUNTS,
    EXTREMES,
    SUMS,
    TEXT_KEYS,
    exact_footnote_counts,
    footnote_counts,
    rollup,
)
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.cell_guard import are_shared, pooled_in_one_pass, settled_rows
from meantime.survey.ingest.implausible import implausible_notes
from meantime.survey.ingest.ingest_report import IngestReport, notes_on_cube, spelling_notes, unmatched_names_notes
from meantime.survey.ingest.name_attributes import NameAttributes, name_attributes
from meantime.survey.ingest.notes import Note
from meantime.survey.ingest.reading_notes import reading_notes
from meantime.survey.reading.engines import Arrays, EngineError
from meantime.survey.reading.forms.grouped_points import may_be_grouped
from meantime.survey.reading.forms.year_forms import are_years
from meantime.survey.reading.layouts import layout_title
from meantime.survey.reading.table_reader import TableReader

if TYPE_CHECKING:
    from meantime.survey.reading.engines import Frame

_LEFT_OUT_EXAMPLES = 5
_NUMBERS = ("year", *COUNTS, *SUMS, *EXTREMES)


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
        found = _read(table)
        version = cube_version(source.sha256, source.kind, table.stated)
        attributes = found.attributes
        built = build_cube(found.arrays, attributes.questions, attributes.locations, table.profile, version)
    except (EngineError, UnreadableNumberError, UnreadableTextError) as error:
        raise table.explained(error) from error
    left_out_count = built.left_out_count + found.left_out_count
    if len(built.cube.cells) == 0 and left_out_count == 0:
        raise DataError(f"{source.name}: has no rows below its header")
    if len(built.cube.cells) == 0:
        raise DataError(f"{source.name}: none of its {left_out_count:,} rows has a question, a location and a year")
    return built.cube, _report(built.cube, table, found, left_out_count, started_s)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was read: cells, and the rows that they are made of, under the names of the cube."""

    rows: Frame
    cells: Frame
    arrays: Arrays
    attributes: NameAttributes
    left_out_count: int = 0  # rows that are not in the cells
    duplicate_count: int = 0
    notes: tuple[Note, ...] = ()


def _read(table: TableReader) -> _Found:
    """Roll the rows up to cells of one estimate each."""
    cells, raw, trim = _rolled_up(table)
    names = cell_names(raw, table.profile)
    arrays = names.renamed(raw)
    spellings = spelling_notes(names.spellings)
    if not are_shared(arrays, are_merged=names.are_merged):
        rows = table.estimates(trim=trim)
        return _Found(rows, cells, arrays, name_attributes(table, cells, names), notes=spellings)
    in_one_pass = pooled_in_one_pass(table, names, cells, arrays)
    if in_one_pass:
        rows, attributes = table.estimates(trim=trim), name_attributes(table, cells, names)
        return _Found(rows, cells, arrays, attributes, notes=(in_one_pass, *spellings))
    check_numbers(arrays)  # a number that is none is the nearer fault
    left_out_count = int(arrays.numbers["row_count"][blank_cells(arrays)].sum())
    settled = settled_rows(table, names, trim=trim)
    level, pool = table.profile.confidence_percent, table.profile.pool
    cells = table.engine.keep(rollup(settled.rows, table.columns, level, pool=pool))
    arrays = table.engine.arrays(cells, _NUMBERS, TEXT_KEYS)
    notes = (*settled.notes, *spellings)
    return _Found(settled.rows, cells, arrays, settled.attributes, left_out_count, settled.duplicate_count, notes)


def _rolled_up(table: TableReader) -> tuple[Frame, Arrays, bool]:
    """Roll up as the engine reads the texts by itself; again when there are blanks to trim or numbers to understand."""
    engine, level, pool = table.engine, table.profile.confidence_percent, table.profile.pool
    try:
        cells = engine.keep(rollup(table.estimates(trim=False), table.columns, level, pool=pool))
        arrays = engine.arrays(cells, _NUMBERS, TEXT_KEYS)
        years = np.unique(arrays.numbers["year"])
        is_read = are_years(years[years != 0].tolist())
    except EngineError:
        is_read = False  # perhaps a number of nothing but blanks, or one that isn't written plainly
    if not is_read:
        table.adapt()
    elif table.forms is None and _may_be_grouped(arrays):
        table.number_form()  # or refuses
    if is_read and not any(text != text.strip() for texts in arrays.dictionaries.values() for text in texts):
        table.check_texts(arrays)
        return cells, arrays, False
    cells = engine.keep(rollup(table.estimates(trim=True), table.columns, level, pool=pool))
    arrays = engine.arrays(cells, _NUMBERS, TEXT_KEYS)
    table.check_texts(arrays)
    return cells, arrays, True


def _may_be_grouped(arrays: Arrays) -> bool:
    """Whether points in the plainly read numbers may group thousands; several rows of a cell show their extremes."""
    figures = np.concatenate([arrays.numbers[name] for name in EXTREMES]).astype(np.float64)
    return may_be_grouped(figures) or may_be_grouped(arrays.numbers["sample_size_sum"].astype(np.float64))


def _footnotes(table: TableReader, cells: Frame, rows: Frame) -> dict[str, int]:
    """Count rows by footnote, from the cells where each has one footnote at most."""
    counts = _footnote_table(table, footnote_counts(cells))
    if any(first != last for first, last, _ in counts):
        counts = _footnote_table(table, exact_footnote_counts(rows))
    found: dict[str, int] = {}
    for note, _, count in sorted(counts):
        if count:
            found[note.strip()] = found.get(note.strip(), 0) + count
    return found


def _footnote_table(table: TableReader, frame: Frame) -> list[tuple[str, str, int]]:
    texts = ("footnote_first", "footnote_last")
    found = table.engine.arrays(table.engine.keep(frame), ("footnote_count",), texts)
    return list(zip(*(found.texts(name) for name in texts), found.counts("footnote_count"), strict=True))


def _report(cube: SurveyCube, table: TableReader, found: _Found, left_out_count: int, started_s: float) -> IngestReport:
    row_count, value_count = int(cube.cells.row_count.sum()), int(cube.cells.value_count.sum())
    return IngestReport(
        row_count=row_count + left_out_count + found.duplicate_count,
        value_count=value_count,
        suppressed_count=row_count - value_count,
        left_out_count=left_out_count,
        left_out_examples=table.left_out_rows(_LEFT_OUT_EXAMPLES) if left_out_count else (),
        duplicate_count=found.duplicate_count,
        question_count=len(cube.questions),
        location_count=len(cube.locations),
        segment_count=len(cube.segments),
        years=cube.years,
        layout=layout_title(table.profile.layout),
        columns={str(role): header for role, header in table.columns.header.items()},
        columns_missing=tuple(str(role) for role in table.columns.missing),
        footnotes=_footnotes(table, found.cells, found.rows),
        limits=limit_symmetry(cube),
        duration_s=time.monotonic() - started_s,
        engine=table.engine.name,
        notes=(
            *found.notes,
            *reading_notes(table, row_count),
            *implausible_notes(cube, table),
            *found.attributes.notes,
            *notes_on_cube(cube),
            *unmatched_names_notes(cube, table.profile),
        ),
    )
