"""What the ingest's child process does: a table's cube, or its values for one question, into a file.

The parent imports this to name an errand, so what an errand needs is imported when it runs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from meantime.child import Progress
from meantime.errors import DataError

if TYPE_CHECKING:
    from meantime.survey.reading.table_reader import TableReader

TEXTS = ("location", "category", "stratum")


class PinnedTable(TypedDict):
    """Very bytes and how they are read, as a message to the child.

    ``mapping_text`` is the content of a mapping file, since the file itself may change meanwhile. A source whose
    checksum is not ``sha256`` is refused.
    """

    source: str
    sha256: str
    mapping_text: str
    mapping_name: str
    size_limit_bytes: int


def write_cube(progress: Progress, table: PinnedTable, *, output: str, scratch_directory: str) -> None:
    """Read a table and write its cube file.

    Raises
    ------
    DataError
        The table can't be read, or the file can't be written.
    DataChangedError
        The source is not, or no longer, the pinned one.
    """
    started_s = time.monotonic()
    from meantime.survey.ingest.cube_file import write_cube_file
    from meantime.survey.ingest.ingest import ingest

    with _opened(progress, table, scratch_directory) as opened:
        cube, report = ingest(opened, started_s=started_s)
    with _writing(output):
        write_cube_file(Path(output), cube, report)


def write_values(
    progress: Progress,
    table: PinnedTable,
    *,
    filters: dict[str, list[str]],
    output: str,
    scratch_directory: str,
) -> dict[str, list[str]]:
    """Write the values that a table has for some names, as an ``.npz`` file.

    Parameters
    ----------
    progress
        Told while the source is read.
    table
        The table.
    filters
        Column to wanted names: ``question``, ``location``, ``category``, ``stratum``, ``year``.
    output
        Where ``year``, ``value`` and the codes of `TEXTS` go.
    scratch_directory
        Where unpacked bytes and what doesn't fit in memory go.

    Returns
    -------
    dict
        The dictionary of each of `TEXTS`.

    Raises
    ------
    DataError
        The table can't be read, or the file can't be written.
    DataChangedError
        The source is not, or no longer, the pinned one.
    """
    import narwhals as nw
    import numpy as np

    from meantime.survey.cube.cell_names import cell_names
    from meantime.survey.cube.rollup import TEXT_KEYS, distinct
    from meantime.survey.ingest.cell_guard import rows_once
    from meantime.survey.reading.engines import EngineError

    with _opened(progress, table, scratch_directory) as opened:
        try:
            opened.settle()
            named = opened.engine.keep(distinct(opened.estimates(trim=True), *TEXT_KEYS))
            names = cell_names(opened.engine.arrays(named, (), TEXT_KEYS), opened.profile)
            rows = rows_once(opened, names, trim=True).filter(~nw.col("value").is_null())
            for column, texts in filters.items():
                wanted = [float(text) for text in texts] if column == "year" else texts
                rows = rows.filter(nw.col(column).is_in(wanted))
            kept = opened.engine.keep(rows.select(*TEXTS, "year", "value"))
            arrays = opened.engine.arrays(kept, ("year", "value"), TEXTS)
        except EngineError as error:
            raise opened.explained(error) from error
    with _writing(output):
        np.savez(output, allow_pickle=False, **arrays.codes, **arrays.numbers)
    return {name: list(texts) for name, texts in arrays.dictionaries.items()}


@contextmanager
def _opened(progress: Progress, table: PinnedTable, scratch_directory: str) -> Iterator[TableReader]:
    from meantime.survey.reading.mapping import parse_mapping
    from meantime.survey.reading.opened_tables import open_table

    with open_table(
        Path(table["source"]),
        parse_mapping(table["mapping_text"], table["mapping_name"]).profile,
        expected_sha256=table["sha256"],
        size_limit_bytes=table["size_limit_bytes"],
        scratch_directory=Path(scratch_directory),
        progress=progress,
    ) as opened:
        yield opened


@contextmanager
def _writing(output: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{output}: can't be written: {error.strerror}") from error
