"""What is constant per cube is found once and kept as long as the cube lives. What is found is in its own module."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from typing import TypeVar, TypeVarTuple
from weakref import WeakKeyDictionary

from meantime.survey.cube.survey_cube import SurveyCube

Places = TypeVarTuple("Places")
Found = TypeVar("Found")


def kept_per_cube(find: Callable[[SurveyCube, *Places], Found]) -> Callable[[SurveyCube, *Places], Found]:
    """Return the function with a memory, for arguments of which a cube has only so many.

    What it finds is shared by all threads, so it has to be immutable; it must not refer to the cube, which then would
    never go.
    """
    # Two threads may find the same at once: both find equal values, and either assignment (one dict operation) may
    # win. A value is complete before it is assigned and never changes, so no lock is needed.
    kept: WeakKeyDictionary[SurveyCube, dict[tuple[Hashable, ...], Found]] = WeakKeyDictionary()

    @wraps(find)
    def found(cube: SurveyCube, *places: *Places) -> Found:
        of_cube = kept.get(cube)
        if of_cube is None:
            of_cube = kept.setdefault(cube, {})
        if places not in of_cube:
            of_cube[places] = find(cube, *places)
        return of_cube[places]

    return found
