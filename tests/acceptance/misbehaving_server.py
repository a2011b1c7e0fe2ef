"""``meantime`` with statistics in its catalogue that no catalogue should have; run as a module.

Each takes only the ``question``, which says which fault is wanted where there are several.
"""

from __future__ import annotations

import ctypes
import math
import os
import time
from pathlib import Path

from meantime.cli import main
from meantime.statistics.catalogue import CATALOGUE, Statistic, Surface, register
from meantime.statistics.statistic import StatisticFunction
from meantime.survey.cube.survey_cube import SurveyCube

GO_FILE = "go"
"""``wait_for_go`` lasts until a file of this name is in the server's working directory."""

_PAUSE_S = 0.01
"""These jobs misbehave on purpose: they wait on the clock and on nothing that could wake them."""


def wait_for_go(cube: SurveyCube, *, question: str) -> object:
    """Last until the test says go."""
    while not Path(GO_FILE).exists():
        time.sleep(_PAUSE_S)
    return {"question": question}


def loop(cube: SurveyCube, *, question: str) -> object:
    """Never end, without ever looking at a checkpoint."""
    while question:
        time.sleep(_PAUSE_S)
    return None


def allocate(cube: SurveyCube, *, question: str) -> object:
    """Take memory without end."""
    taken = []
    while question:
        taken.append(bytes(64 * 1024 * 1024))
    return len(taken)


def raise_error(cube: SurveyCube, *, question: str) -> object:
    """Fail as functions do."""
    raise ValueError(f"no answer to {len(question)} characters")


def leave(cube: SurveyCube, *, question: str) -> object:
    """Try to end the process as scripts do."""
    raise SystemExit(3)


def interrupt(cube: SurveyCube, *, question: str) -> object:
    """Raise what Ctrl+C raises."""
    raise KeyboardInterrupt


def return_set(cube: SurveyCube, *, question: str) -> object:
    """Return what JSON has no word for."""
    return {"questions": {question}}


def return_nan(cube: SurveyCube, *, question: str) -> object:
    """Return a number that JSON has no word for."""
    return {"mean": [1.0, math.nan]}


def crash(cube: SurveyCube, *, question: str) -> object:
    """Take the whole process along."""
    ctypes.string_at(0)
    os.abort()


FAULTS: tuple[StatisticFunction, ...] = (
    wait_for_go,
    loop,
    allocate,
    raise_error,
    leave,
    interrupt,
    return_set,
    return_nan,
    crash,
)


def register_faults() -> None:
    """Put the faults into the catalogue; each is asked as ``states_mean`` is."""
    model = CATALOGUE["states_mean"]
    for function in FAULTS:
        name = function.__name__
        register(
            Statistic(
                name=name,
                title=name,
                summary=(function.__doc__ or "").strip(),
                surface=Surface.CONTRACT,
                parameters=model.parameters,
                unit="none",
                method=f"{name}/1",
                function=function,
                example=model.example,
                documentation=model.documentation,
            )
        )


if __name__ == "__main__":
    register_faults()
    main()
