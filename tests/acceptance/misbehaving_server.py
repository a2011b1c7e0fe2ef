"""``meantime`` with statistics in its catalogue that no catalogue should have; run as a module.

Each takes only the ``question``, which says which fault is wanted where there are several.
"""

from __future__ import annotations

import ctypes
import math
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from meantime.cli import main
from meantime.statistics.catalogue import Statistic, register
from meantime.statistics.measures.contract import OfQuestion
from meantime.statistics.statistic import StatisticData

GO_FILE = "go"
"""``wait_for_go`` lasts until a file of this name is in the server's working directory."""

KEPT_THREADS = frozenset(
    ["control", "event-log", "evictor", "pool-inspector", "reload", "slow-bodies", "webserver-log"]
)
"""All but the one that listens to the main process: ended in the middle of a word, it has to end the server."""

_PAUSE_S = 0.01
"""These jobs misbehave on purpose: they wait on the clock and on nothing that could wake them."""


def wait_for_go(question: str) -> dict[str, object]:
    """Last until the test says go."""
    while not Path(GO_FILE).exists():
        time.sleep(_PAUSE_S)  # a file can't wake anybody, and no job may know of the test's threads
    return {"question": question}


def hang(question: str) -> dict[str, object]:
    """Wait for the test, and then never let another thread of the process run again."""
    waited = wait_for_go(question)
    ctypes.PyDLL(None).pause()  # unlike CDLL, it keeps the interpreter's lock
    return waited


def loop(question: str) -> dict[str, object]:
    """Never end, without ever looking at a checkpoint."""
    while question:
        time.sleep(_PAUSE_S)  # else it would take the interpreter's lock from the runners that are looked at
    return {}


def allocate(question: str) -> dict[str, object]:
    """Take memory without end."""
    taken = []
    while question:
        taken.append(bytes(64 * 1024 * 1024))
    return {"taken": len(taken)}


def raise_error(question: str) -> dict[str, object]:
    """Fail as functions do."""
    raise ValueError(f"no answer to {len(question)} characters")


def leave(question: str) -> dict[str, object]:
    """Try to end the process as scripts do."""
    raise SystemExit(3)


def interrupt(question: str) -> dict[str, object]:
    """Raise what Ctrl+C raises."""
    raise KeyboardInterrupt


def return_set(question: str) -> dict[str, object]:
    """Return what JSON has no word for."""
    return {"questions": {question}}


def return_nan(question: str) -> dict[str, object]:
    """Return a number that JSON has no word for."""
    return {"mean": [1.0, math.nan]}


def return_much(question: str) -> dict[str, object]:
    """Return 5 MB."""
    return {"questions": [question] * (5_000_000 // len(question))}


def crash(question: str) -> NoReturn:
    """Take the whole process along."""
    ctypes.string_at(0)
    os.abort()


def end_threads(question: str) -> dict[str, object]:
    """End every thread that the server keeps, as a bug in it would: each as soon as it is awake."""
    ended = [thread for thread in threading.enumerate() if thread.name in KEPT_THREADS]
    for thread in ended:
        assert thread.ident is not None
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
    return {"question": question, "ended": sorted(thread.name for thread in ended)}


FAULTS: tuple[Callable[[str], dict[str, object]], ...] = (
    wait_for_go,
    hang,
    loop,
    allocate,
    raise_error,
    leave,
    interrupt,
    return_set,
    return_nan,
    return_much,
    crash,
    end_threads,
)


def statistic_of(fault: Callable[[str], dict[str, object]]) -> type[Statistic]:
    """Return a statistic that is asked as ``states_mean`` is, and then does this."""

    @dataclass(frozen=True, kw_only=True)
    class Fault(OfQuestion):
        name = fault.__name__
        title = fault.__name__
        summary = (fault.__doc__ or "").strip()

        def compute(self, data: StatisticData) -> dict[str, object]:
            return fault(self.question)

    return Fault


def register_faults() -> None:
    """Put the faults into the catalogue."""
    for fault in FAULTS:
        register(statistic_of(fault))


if __name__ == "__main__":
    register_faults()
    main()
