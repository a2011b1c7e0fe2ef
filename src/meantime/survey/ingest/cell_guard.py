"""The guard of the cube's cells: one cell is one estimate, unless a mapping file says that several may be pooled.

Rows that are equal in every column count once. Whatever else shares a cell is refused, with the columns that vary, an
example and the lines of a mapping file that settle it (``cell_choices.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np

from meantime.survey.cube.cell_names import CellNames
from meantime.survey.cube.cube_builder import blank_cells
from meantime.survey.cube.rollup import TEXT_KEYS, distinct
from meantime.survey.ingest.cell_choices import SharedCells, refusal
from meantime.survey.ingest.name_attributes import NameAttributes, name_attributes
from meantime.survey.ingest.notes import Note
from meantime.survey.ingest.row_places import Place, rows_at
from meantime.survey.reading.columns import Role
from meantime.survey.reading.engines import Arrays
from meantime.survey.reading.estimate_rows import column_name
from meantime.survey.reading.table_reader import TableReader

if TYPE_CHECKING:
    from meantime.survey.reading.engines import Frame

KEYS = (*TEXT_KEYS, "year")
"""The place of a cell."""

LARGE_TABLE_ROWS = 5_000_000
"""A table of more rows, which are to be pooled, is read once only."""

_EXAMPLE_CELLS = 500
_FIRST_ROWS = 200_000
_LINES = 5
_PLACE_ROLES = {Role.QUESTION, Role.LOCATION, Role.YEAR, Role.CATEGORY, Role.STRATUM, Role.FOOTNOTE_SYMBOL}


@dataclass(frozen=True, slots=True)
class SettledRows:
    """The rows that count, kept by the engine under the names of the cube, and what is to be known of them."""

    rows: Frame
    attributes: NameAttributes
    duplicate_count: int
    notes: tuple[Note, ...]


def are_shared(arrays: Arrays, *, are_merged: bool) -> bool:
    """Whether several rows have one place among the cells of a rollup, some of which may have got the same name."""
    kept = ~blank_cells(arrays)
    if np.any(arrays.numbers["row_count"][kept] > 1):
        return True
    if not are_merged:
        return False
    columns = [*(arrays.codes[key][kept] for key in TEXT_KEYS), arrays.numbers["year"][kept].astype(np.int32)]
    return len(np.unique(np.stack(columns), axis=1).T) < int(kept.sum())


def named_rows(table: TableReader, names: CellNames, *, trim: bool, beside: Sequence[int] = ()) -> Frame:
    """Return the rows that have a place in the cube under its names; nothing is read yet."""
    rows = table.estimates(trim=trim, beside=beside)
    for key, known in (("question", names.questions), ("location", names.locations)):
        if any(text != name for text, name in known.items()):
            spelt = table.engine.texts({key: list(known), "name": list(known.values())})
            rows = rows.join(spelt, on=key, how="inner").drop(key).rename({"name": key})
    if any(pair != name for pair, name in names.segments.items()):
        pairs, named = list(names.segments), list(names.segments.values())
        columns = {"category": 0, "stratum": 1}
        spelt = table.engine.texts(
            {key: [pair[place] for pair in pairs] for key, place in columns.items()}
            | {f"{key}_name": [name[place] for name in named] for key, place in columns.items()}
        )
        rows = rows.join(spelt, on=list(columns), how="inner").drop(*columns)
        rows = rows.rename({f"{key}_name": key for key in columns})
    return rows.filter((nw.col("question") != "") & (nw.col("location") != "") & ~nw.col("year").is_null())


def rows_once(table: TableReader, names: CellNames, *, trim: bool) -> Frame:
    """Return the rows with a place in the cube, with their number of `copies`: equal in every column, they are one."""
    rows = named_rows(table, names, trim=trim, beside=_beside(table))
    return rows.group_by(*rows.collect_schema().names()).agg(copies=nw.len().cast(nw.Int32))


def settled_rows(table: TableReader, names: CellNames, *, trim: bool) -> SettledRows:
    """Return the rows that count where some share a cell.

    Parameters
    ----------
    table
        The table.
    names
        The names of the texts in its rows.
    trim
        Whether the rows' texts were trimmed when these were found.

    Raises
    ------
    DataError
        Rows that aren't equal share a cell, and the mapping doesn't allow that; or a question or location stands for
        several.
    """
    rows = table.engine.keep(rows_once(table, names, trim=trim))
    attributes = name_attributes(table, rows, names)
    notes = []
    [(row_count, copy_count)] = table.engine.rows(rows.select(nw.len().alias("rows"), nw.col("copies").sum()))
    duplicate_count = _whole(copy_count) - _whole(row_count)
    if duplicate_count:
        notes.append(_duplicates(table, names, rows, duplicate_count))
    shared = _shared_cells(table, rows)
    if shared is not None and not table.profile.pool:
        lines = rows_at(table, names, [shared.place])
        raise refusal(table, shared, [(line, _by_column(table, shared.headers, fields)) for line, fields in lines])
    if shared is not None:
        several = rows.group_by(*KEYS).agg(row_count=nw.len()).filter(nw.col("row_count") > 1)
        notes.append(_pooled(shared, shared.cell_count, _questions(table, several)))
    return SettledRows(rows, attributes, duplicate_count, tuple(notes))


def pooled_in_one_pass(table: TableReader, names: CellNames, cells: Frame, arrays: Arrays) -> Note | None:
    """Return the note on a large table whose rollup has pooled its rows already; None where that isn't enough.

    Equal rows aren't looked for in a table of so many rows, and only its first ones are looked at for what varies.
    It isn't enough where one cell has several units, types of values or codes, or where names have come together.
    """
    several = arrays.numbers["row_count"] > 1
    if not table.profile.pool or names.are_merged or int(arrays.numbers["row_count"].sum()) <= LARGE_TABLE_ROWS:
        return None
    [(mixed,)] = table.engine.rows(cells.select(nw.col("mixed_count").sum()))
    if mixed:
        return None
    first = table.engine.keep(named_rows(table, names, trim=False, beside=_beside(table)).head(_FIRST_ROWS))
    asked = np.unique(arrays.codes["question"][several]).tolist()
    questions = frozenset(arrays.dictionaries["question"][code] for code in asked)
    return _pooled(_shared_cells(table, first), int(several.sum()), questions)


def _shared_cells(table: TableReader, rows: Frame) -> SharedCells | None:
    """Return what is shared after equal rows count once; None where nothing is."""
    headers = _headers(table)
    several = table.engine.keep(_several(rows, list(headers)))
    counted = several.select(nw.len().alias("cell_count"), *(_varies(column).sum().alias(column) for column in headers))
    [(cell_count, *counts)] = table.engine.rows(counted)
    if not cell_count:
        return None
    examples = several.select(*KEYS).sort(*KEYS).head(_EXAMPLE_CELLS)
    found = rows.join(examples, on=list(KEYS), how="inner").select(*KEYS, *headers).sort(*KEYS, *headers)
    cells: dict[Place, list[dict[str, str]]] = {}
    for row in table.engine.rows(found):
        texts = {column: _text(value) for column, value in zip(headers, row[len(KEYS) :], strict=True)}
        cells.setdefault(row[: len(KEYS)], []).append(texts)
    place = next(iter(cells))
    return SharedCells(
        cell_count=_whole(cell_count),
        headers=headers,
        varying=tuple(column for column, count in zip(headers, counts, strict=True) if count),
        cells=tuple(map(tuple, cells.values())),
        place=place,
    )


def _several(rows: Frame, columns: Sequence[str]) -> Frame:
    """Return the places that several rows share, with what `_varies` needs of the columns."""
    found = [nw.col(column).min().alias(f"{column}_low") for column in columns]
    found += [nw.col(column).max().alias(f"{column}_high") for column in columns]
    found += [nw.col(column).count().alias(f"{column}_count") for column in columns]
    return rows.group_by(*KEYS).agg(*found, row_count=nw.len()).filter(nw.col("row_count") > 1)


def _varies(column: str) -> nw.Expr:
    """Return 1 where a column has several texts or numbers, or one only in some rows, else 0."""
    count = nw.col(f"{column}_count")
    differs = (count > 0) & ((nw.col(f"{column}_low") != nw.col(f"{column}_high")) | (count < nw.col("row_count")))
    return nw.when(differs).then(nw.lit(1)).otherwise(nw.lit(0))


def _headers(table: TableReader) -> dict[str, str]:
    """Return the columns of the distinct rows that may vary inside a cell, with what the file calls them."""
    found = {str(role): header.strip() for role, header in table.columns.header.items() if role not in _PLACE_ROLES}
    return found | {column_name(position): table.header[position].strip() for position in _beside(table)}


def _beside(table: TableReader) -> list[int]:
    """Return the columns of the file that are no role's by themselves."""
    played = set(table.columns.position.values())
    return [position for position in range(len(table.header)) if position not in played]


def _by_column(table: TableReader, headers: Mapping[str, str], fields: Sequence[str]) -> dict[str, str]:
    """Return the texts of a row of the file by column."""
    own = {column_name(position): field for position, field in enumerate(fields)}
    return own | {str(role): recipe.text(fields) for role, recipe in table.columns.recipes.items() if role in headers}


def _duplicates(table: TableReader, names: CellNames, rows: Frame, count: int) -> Note:
    repeated = rows.filter(nw.col("copies") > 1)
    places = list(table.engine.rows(repeated.select(*KEYS).sort(*KEYS).head(_LINES)))
    seen: set[tuple[str, ...]] = set()
    lines = []
    for line, fields in rows_at(table, names, places):
        if fields in seen:
            lines.append(line)
        seen.add(fields)
    rows_are = f"{count:,} rows are" if count > 1 else "1 row is"
    where = f" (such as {table.place} {lines[0]})" if lines else ""
    text = f"{rows_are} in the file a second time, equal in every column{where}, and not counted again"
    questions = _questions(table, repeated)
    return Note(kind="duplicate_rows", text=text, count=count, lines=tuple(lines[:_LINES]), questions=questions)


def _pooled(shared: SharedCells | None, cell_count: int, questions: frozenset[str]) -> Note:
    differ = f", which differ in {', '.join(map(shared.headers.__getitem__, shared.varying))}" if shared else ""
    cells = f"{cell_count:,} cells hold" if cell_count > 1 else "1 cell holds"
    text = (
        f"{cells} several rows{differ}; they are pooled, as the mapping file allows, and not taken as independent of "
        "each other"
    )
    return Note(kind="pooled_rows", text=text, count=cell_count, questions=questions)


def _questions(table: TableReader, rows: Frame) -> frozenset[str]:
    return frozenset(str(text) for (text,) in table.engine.rows(distinct(rows, "question")))


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _whole(value: object) -> int:
    return int(str(value or 0))
