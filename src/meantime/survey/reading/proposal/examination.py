"""The errand of the child that looks at a whole table and writes the proposal.

It opens the table its own way, since ``table_reader.py`` reads only what is described already.
"""

from __future__ import annotations

import csv
import itertools
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import narwhals as nw

from meantime.child import Progress
from meantime.child.child_process import ChildProcess
from meantime.errors import DataError
from meantime.survey.reading.engines import EngineError
from meantime.survey.reading.engines.duckdb import DuckDBEngine
from meantime.survey.reading.estimate_rows import column_name
from meantime.survey.reading.files.packing import SourceKind
from meantime.survey.reading.layouts import find_columns, with_layout
from meantime.survey.reading.profile import Profile
from meantime.survey.reading.proposal.cell_keys import release_column, settle_keys
from meantime.survey.reading.proposal.column_facts import MOST_ROWS, column_facts, trimmed
from meantime.survey.reading.proposal.column_guesses import KnownColumns, guess_columns
from meantime.survey.reading.proposal.mapping_proposal import Proposal
from meantime.survey.reading.proposal.table_samples import TableShape, rows_alike, table_shape
from meantime.survey.reading.row_faults import NEEDED_ROLES
from meantime.survey.reading.sources import DEFAULT_SIZE_LIMIT_BYTES, OpenedSource, open_source
from meantime.survey.reading.table_rows import TableRows

if TYPE_CHECKING:
    from meantime.survey.reading.engines import Engine, Frame


@dataclass(frozen=True, slots=True)
class ProposedMapping:
    """The text of a mapping file; ``is_known`` where the table's columns are known without one."""

    text: str
    is_known: bool


def propose_mapping(source: Path, *, size_limit_bytes: int = DEFAULT_SIZE_LIMIT_BYTES) -> ProposedMapping:
    """Propose a mapping file for a table, whatever its columns are, in a child process.

    Raises
    ------
    DataError
        It can't be opened, or is no table.
    """
    with tempfile.TemporaryDirectory() as scratch:
        text, is_known = ChildProcess(source.name).run(
            write_proposal, None, str(source), size_limit_bytes=size_limit_bytes, scratch_directory=scratch
        )
    return ProposedMapping(text, is_known)


def write_proposal(_: Progress, source: str, *, size_limit_bytes: int, scratch_directory: str) -> tuple[str, bool]:
    """Return the text of a mapping file, and whether the columns were known; the errand of `propose_mapping`.

    Raises
    ------
    DataError
        It can't be opened, or is no table.
    """
    scratch = Path(scratch_directory)
    with open_source(Path(source), size_limit_bytes=size_limit_bytes, scratch_directory=scratch) as opened:
        engine = DuckDBEngine(scratch_directory)
        try:
            with _columns(opened, engine, scratch) as (shape, frame):
                return _proposal(Path(source), shape, frame, engine)
        except EngineError as error:
            raise DataError(f"{opened.name}: {error}") from error
        finally:
            engine.close()


def _proposal(source: Path, shape: TableShape, frame: Frame, engine: Engine) -> tuple[str, bool]:
    known = _known_columns(shape.headers)
    facts, row_count = column_facts(engine, frame, shape.headers)
    guesses = guess_columns(facts, is_complete=row_count < MOST_ROWS and not shape.other_lines, known=known)
    distinct = frame.unique()

    def varying(keys: Sequence[int]) -> set[int]:
        needed = {guesses.roles[role] for role in NEEDED_ROLES if role in guesses.roles}.intersection(keys)
        rows = distinct.filter(*(nw.col(column_name(place)) != "" for place in needed)) if needed else distinct
        return _varying(engine, rows, keys, len(shape.headers))

    remaining = settle_keys(guesses, varying)
    release = release_column(guesses, remaining, varying)
    return Proposal(source, shape, guesses, row_count, remaining, release).text(), known is not None


def _known_columns(headers: Sequence[str]) -> KnownColumns | None:
    """Return the columns of a table of CDC's family or of a known layout; None for any other."""
    profile = with_layout(Profile(), headers)
    try:
        return KnownColumns(find_columns(headers, profile, ""), profile)
    except DataError:
        return None


def _varying(engine: Engine, frame: Frame, keys: Sequence[int], count: int) -> set[int]:
    """Return the columns that have several texts where all keys are the same."""
    others = [place for place in range(count) if place not in keys]
    if not others or not keys:
        return set()
    cells = frame.group_by(*(f"c{place}" for place in keys)).agg(*(nw.col(f"c{p}").n_unique() for p in others))
    [row] = engine.rows(cells.select(*(nw.col(f"c{place}").max() for place in others)))
    return {place for place, most in zip(others, row, strict=True) if isinstance(most, int) and most > 1}


@contextmanager
def _columns(opened: OpenedSource, engine: Engine, scratch: Path) -> Iterator[tuple[TableShape, Frame]]:
    """Give the shape of a table and its columns as texts, kept by the engine."""
    if opened.kind is SourceKind.PARQUET:
        shape = TableShape(engine.parquet_columns(opened.engine_path), "")
    else:
        shape = table_shape(opened)
    stated = Profile(file=shape.form)
    count = len(shape.headers)
    with ExitStack() as copies:
        rows = TableRows(
            opened, stated, engine, lambda _: False, lambda: copies.enter_context(tempfile.TemporaryFile(dir=scratch))
        )
        try:
            frame = _kept(engine, rows.frame(range(count)), count)
        except EngineError:
            copy = copies.enter_context(
                tempfile.NamedTemporaryFile("w", dir=scratch, suffix=".csv", newline="", encoding="utf-8")
            )
            writer = csv.writer(copy)
            writer.writerow(shape.headers)
            writer.writerows(itertools.islice(rows_alike(opened, shape), MOST_ROWS))
            copy.flush()
            wanted = {column_name(place): place for place in range(count)}
            frame = _kept(engine, engine.open_csv(copy.name, ",", count, wanted), count)
        yield shape, frame


def _kept(engine: Engine, frame: Frame, count: int) -> Frame:
    return engine.keep(trimmed(frame.head(MOST_ROWS), count))
