"""Single values out of a source, for one question: the child's side of ``estimates.py``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import narwhals as nw

from meantime.survey.cube.array_file import write_array_file
from meantime.survey.reading.engines import EngineError

if TYPE_CHECKING:
    from meantime.survey.ingest.table_reader import TableReader

TEXTS = ("location", "category", "stratum")


def write_values(table: TableReader, filters: dict[str, tuple[str, ...]], output: Path) -> None:
    """Write the values that a table has for some names, with location, year, category and stratum.

    Parameters
    ----------
    table
        The table.
    filters
        Column to wanted names: ``question``, ``location``, ``category``, ``stratum``, ``year``.
    output
        An array file: ``year`` and ``value``, codes of ``TEXTS``, whose dictionaries are its header.

    Raises
    ------
    DataError
        The table can't be read.
    OSError
        The output can't be written.
    """
    try:
        rows = table.estimates(trim=True).filter(~nw.col("value").is_null())
        for column, names in filters.items():
            wanted = [float(name) for name in names] if column == "year" else list(names)
            rows = rows.filter(nw.col(column).is_in(wanted))
        kept = table.engine.keep(rows.select(*TEXTS, "year", "value"))
        arrays = table.engine.arrays(kept, ("year", "value"), TEXTS)
    except EngineError as error:
        raise table.explained(error) from error
    write_array_file(output, json.dumps(dict(arrays.dictionaries)), dict(arrays.codes) | dict(arrays.numbers))
