"""Errands for tests: a child imports this module by its name."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

from meantime.child import Progress
from meantime.errors import DataChangedError, DataError


def add(progress: Progress, numbers: Sequence[int], *, name: str) -> dict[str, int]:
    """Add up, and tell of each number."""
    for i in range(len(numbers)):
        progress("add", (i + 1) / len(numbers))
    return {name: sum(numbers)}


def refuse(_: Progress, *, is_changed: bool) -> None:
    """Refuse."""
    raise (DataChangedError if is_changed else DataError)("the table is odd", settings=[("file", "footer = 2")])


def crash(_: Progress) -> None:
    """Raise what no errand should."""
    raise ZeroDivisionError("seven by nothing")


def run_out_of_memory(_: Progress) -> None:
    """Raise what the interpreter raises."""
    raise MemoryError


def end_at_once(_: Progress, status: int) -> None:
    """End the process without an answer, some words on the standard error."""
    os.write(2, b"first words\nlast words\n")
    os._exit(status)


def wait_for_ever(progress: Progress) -> None:
    """Never come back."""
    progress("wait", 0.0)
    threading.Event().wait()


def print_words(_: Progress) -> str:
    """Print, as a library might."""
    os.write(1, b"words\nof a library")
    return "done"


def print_much(_: Progress, size: int) -> int:
    """Fill the standard error beyond what a pipe holds."""
    os.write(2, b"x" * size)
    return size
