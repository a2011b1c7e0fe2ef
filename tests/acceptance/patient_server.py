"""A server with one statistic more, whose job waits until somebody opens a named pipe for writing."""

from __future__ import annotations

import os
from pathlib import Path

from meantime.cli import main
from meantime.statistics.catalogue import Statistic, Surface, register
from meantime.survey.cube.survey_cube import SurveyCube

WAITING = "wait_for_gate"
GATE_VARIABLE = "TEST_GATE"


def wait_for_gate(_: SurveyCube) -> object:
    """Wait until the pipe has been opened for writing and closed again."""
    Path(os.environ[GATE_VARIABLE]).read_bytes()
    return {"waited": True}


if __name__ == "__main__":
    register(
        Statistic(
            name=WAITING,
            title="Wait",
            summary="Wait for the gate.",
            surface=Surface.CONTRACT,
            parameters=(),
            unit="percent",
            method="wait/1",
            function=wait_for_gate,
            example={},
            documentation="",
        )
    )
    main()
