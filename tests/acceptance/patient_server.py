"""A server with one statistic more, whose job waits until somebody opens a named pipe for writing.

It can also be told to go on answering longer than others once it has drained, for clients that get little time from a
busy machine.
"""

from __future__ import annotations

import os
from pathlib import Path

from meantime.cli import main
from meantime.serving import serving_worker
from meantime.statistics.catalogue import Statistic, Surface, register
from meantime.survey.cube.survey_cube import SurveyCube

WAITING = "wait_for_gate"
GATE_VARIABLE = "TEST_GATE"
LAST_ANSWERS_VARIABLE = "TEST_LAST_ANSWERS_S"


def wait_for_gate(_: SurveyCube) -> object:
    """Wait until the pipe has been opened for writing and closed again."""
    Path(os.environ[GATE_VARIABLE]).read_bytes()
    return {"waited": True}


if __name__ == "__main__":
    serving_worker.LAST_ANSWERS_S = float(os.environ.get(LAST_ANSWERS_VARIABLE, serving_worker.LAST_ANSWERS_S))
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
