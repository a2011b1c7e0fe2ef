"""A server with one statistic more, whose job waits until somebody opens a named pipe for writing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from meantime.cli import main
from meantime.statistics.catalogue import Statistic, Surface, register
from meantime.statistics.statistic import StatisticData

WAITING = "wait_for_gate"
GATE_VARIABLE = "TEST_GATE"


@dataclass(frozen=True, kw_only=True)
class WaitForGate(Statistic):
    """Wait until the pipe has been opened for writing and closed again."""

    name = WAITING
    title = "Wait"
    summary = "Wait for the gate."
    surface = Surface.CONTRACT
    unit = "percent"
    method = "wait/1"
    example: ClassVar = {}
    documentation = ""

    def compute(self, data: StatisticData) -> dict[str, bool]:
        """Return when the gate has been opened."""
        Path(os.environ[GATE_VARIABLE]).read_bytes()
        return {"waited": True}


if __name__ == "__main__":
    register(WaitForGate)
    main()
