"""Surveys: tables of published estimates, read into cubes, served as datasets.

The way of a table, and the order in which to read the rooms; imports go against it only::

    a file -> reading (rows whose columns have roles) -> cube (cells) -> ingest (a child process, a cache) -> datasets

``questions.py`` has the dimensions that all of them speak of. ``bundled.py`` stands beside the way: it makes the table
that the package carries. No statistic is computed here, and nothing knows of jobs or HTTP. Importing a room imports no
engine; DuckDB and narwhals run in the child process.
"""

from __future__ import annotations

from pathlib import Path


def bundled_table() -> Path:
    """Return the path of the table that the package carries, CDC's of 2011 to 2023; its provenance lies beside it.

    >>> bundled_table().name
    'npao-brfss-2011-2023.csv.gz'
    """
    return Path(__file__).parent.parent / "data" / "npao-brfss-2011-2023.csv.gz"
