"""How long one statistic takes on the cube of the bundled table, without any server."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure
from meantime.statistics.catalogue import Surface, check_parameters, compute, find_statistic
from meantime.survey.cube import SurveyCube
from meantime.survey.data_ingestor import DataIngestor

GOALS_MS = {"states_mean": 0.1, "mean_by_category": 1.0}


def measure_computation(table: Path, *, repeats: int) -> Iterator[Figure]:
    """Yield the median time of each statistic that has a goal, over all questions, in milliseconds."""
    cube = DataIngestor(table).ingest().cube
    for name, goal_ms in GOALS_MS.items():
        requests: list[Mapping[str, object]] = [{"question": question.text} for question in cube.questions]
        yield Figure(
            f"computing {name}",
            _median_ms(cube, name, requests, repeats=repeats),
            "ms",
            goal_ms,
            note=f"median over {len(cube.questions)} questions, {len(cube.cells):,} cells",
        )


def _median_ms(cube: SurveyCube, name: str, requests: list[Mapping[str, object]], *, repeats: int) -> float:
    statistic = find_statistic(name, surface=Surface.CONTRACT)
    arguments = [check_parameters(statistic, cube, request) for request in requests]
    times = []
    for _ in range(repeats):
        for of_question in arguments:
            started_s = time.perf_counter()
            compute(statistic, cube, of_question)
            times.append(time.perf_counter() - started_s)
    return median(times) * 1000
