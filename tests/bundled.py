"""The bundled table for tests: its rows as the reference reads them, and its cube, made once."""

from __future__ import annotations

from functools import cache

from meantime.survey.cube.survey_cube import SurveyCube
from tests.cubes import cube_of
from tests.make_cases import BUNDLED
from tests.reference import Row, read_rows


@cache
def bundled_rows() -> list[Row]:
    """Return the rows of CDC's table, read by ``csv``."""
    return read_rows(BUNDLED)


@cache
def bundled_cube() -> SurveyCube:
    """Return their cube, built without the ingest."""
    return cube_of(bundled_rows())
