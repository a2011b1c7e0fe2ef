"""What the survey's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import narwhals._duckdb.utils as narwhals_duckdb
import pytest


@pytest.fixture(scope="session", autouse=True)
def quiet_end() -> Iterator[None]:
    """Empty narwhals' cache of DuckDB's types, over which DuckDB prints a leak report when the interpreter ends."""
    yield
    for held in vars(narwhals_duckdb).values():
        if hasattr(held, "cache_clear"):
            held.cache_clear()
