"""A pytest plugin: tests of faults record what they saw, and the run ends with a table of it.

A row is printed whether its test passed or not; what decides is the test's own assertions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest


class FaultRow(NamedTuple):
    """One line of the table: the fault, the figure that is promised, and what this run saw."""

    fault: str
    figure: str
    seen: str


Record = Callable[[str, str, str], None]
"""``record(fault, figure, seen)``."""

_ROWS = pytest.StashKey[list[FaultRow]]()


def pytest_configure(config: pytest.Config) -> None:
    """Start with an empty table."""
    config.stash[_ROWS] = []


@pytest.fixture
def record(pytestconfig: pytest.Config) -> Record:
    """Call it with a fault, the figure that is promised for it, and what was seen."""

    def add(fault: str, figure: str, seen: str) -> None:
        pytestconfig.stash[_ROWS].append(FaultRow(fault, figure, seen))

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table, if any test recorded anything."""
    rows = config.stash[_ROWS]
    if not rows:
        return
    terminalreporter.section("faults")
    widths = [max(len(row[i]) for row in [FaultRow("fault", "figure", "seen"), *rows]) for i in range(2)]
    for row in [FaultRow("fault", "figure", "seen"), *rows]:
        terminalreporter.write_line(f"{row.fault:<{widths[0]}}  {row.figure:<{widths[1]}}  {row.seen}")
