"""Surveys: tables of published estimates, read into cubes.

Importing this package imports no engine; ``data_ingestor.py`` is the way in.
"""

from __future__ import annotations

from pathlib import Path


def bundled_table() -> Path:
    """Return the path of the table that the package carries, CDC's of 2011 to 2023; its provenance lies beside it.

    >>> bundled_table().name
    'npao-brfss-2011-2023.csv.gz'
    """
    return Path(__file__).parent.parent / "data" / "npao-brfss-2011-2023.csv.gz"
