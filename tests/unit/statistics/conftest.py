"""A cube of two questions, four places, three years and three strata, where its figures don't matter."""

from __future__ import annotations

import pytest

from meantime.survey.cube.survey_cube import SurveyCube
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY, STRENGTH


@pytest.fixture(scope="module")
def cube() -> SurveyCube:
    places = [
        (question, code, name, short, year, category, stratum)
        for question, code in ((OBESITY, "Q036"), (STRENGTH, "Q046"))
        for name, short in (("Alabama", "AL"), ("Alaska", "AK"), ("Guam", "GU"), ("National", "US"))
        for year in (2011, 2013, 2014)
        for category, stratum in (("Total", "Total"), ("Sex", "Male"), ("Sex", "Female"))
    ]
    return cube_of(Row(*place, 30.0, 29.0, 31.0, 1000.0) for place in places)
