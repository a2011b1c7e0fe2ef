"""A server with one statistic more, whose job waits until somebody opens a named pipe for writing.

It can also be told to go on answering longer than others once it has drained, for clients that get little time from a
busy machine.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from meantime.cli import main
from meantime.serving import serving_worker
from meantime.statistics.catalogue import Statistic, Surface, register
from meantime.statistics.statistic import StatisticData

WAITING = "wait_for_gate"
GATE_VARIABLE = "TEST_GATE"
LAST_ANSWERS_VARIABLE = "TEST_LAST_ANSWERS_S"


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
    serving_worker.LAST_ANSWERS_S = float(os.environ.get(LAST_ANSWERS_VARIABLE, serving_worker.LAST_ANSWERS_S))
    register(WaitForGate)
    main()
