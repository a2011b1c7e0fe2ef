"""What is constant per cube is found once, and goes when the cube goes."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass

from meantime.survey.cube.survey_cube import SurveyCube, kept_per_cube
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY


@dataclass(frozen=True)
class Found:
    """Something that was found, and where."""

    version: str
    place: int


@kept_per_cube
def find(cube: SurveyCube, place: int) -> Found:
    return Found(cube.version, place)


def cube(version: str) -> SurveyCube:
    row = Row(OBESITY, "Q036", "Ohio", "OH", 2020, "Total", "Total", 30.0, None, None, None)
    return cube_of([row], version=version)


def test_each_place_of_each_cube_is_looked_for_once() -> None:
    first, second = cube("first"), cube("second")
    assert find(first, 1) is find(first, 1)
    assert find(first, 1) == Found("first", 1)
    assert find(first, 2) == Found("first", 2)
    assert find(second, 1) == Found("second", 1)


def test_what_was_found_goes_with_its_cube() -> None:
    short_lived = cube("short")
    found = weakref.ref(find(short_lived, 1))
    assert found() is not None
    del short_lived
    gc.collect()
    assert found() is None
