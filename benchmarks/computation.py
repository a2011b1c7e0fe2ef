"""How long one statistic takes on the cube of the bundled table, without any server."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure
from meantime.statistics.catalogue import Surface, find_statistic
from meantime.statistics.requests import read_request
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.data_ingestor import DataIngestor


@dataclass(frozen=True, slots=True)
class Computation:
    """One statistic, the most that its median may be (None: no goal), and what it is asked besides the question."""

    statistic: str
    surface: Surface
    goal_ms: float | None
    parameters: Mapping[str, object] = field(default_factory=dict)


ALL_YEARS: dict[str, object] = {"years": {"from": 2011, "to": 2023}}
COMPUTATIONS = (
    Computation("states_mean", Surface.CONTRACT, 0.1),
    Computation("mean_by_category", Surface.CONTRACT, 1.0),
    Computation("mean", Surface.V1, 2.0, {"by": ["location"], **ALL_YEARS}),
    Computation("mean", Surface.V1, None, {"by": ["location", "year"], **ALL_YEARS}),  # 700 records; no goal is set
    Computation("ranking", Surface.V1, 50.0, {"end": "lowest", **ALL_YEARS}),  # simulates
    Computation("ranking", Surface.V1, 2.0, {"end": "lowest", "rank_intervals": "pairwise", **ALL_YEARS}),
    Computation("difference", Surface.V1, 2.0, {"against": "National", **ALL_YEARS}),
    Computation("change", Surface.V1, 5.0),
    Computation("change", Surface.V1, 5.0, {"of": "trend"}),
    Computation("trend", Surface.V1, 2.0),
)


def measure_computation(table: Path, *, repeats: int) -> Iterator[Figure]:
    """Yield the median time of each statistic that has a goal, over all questions, in milliseconds."""
    cube = DataIngestor(table).ingest().cube
    for computation in COMPUTATIONS:
        asked = "".join(f"; {name} {value}" for name, value in computation.parameters.items())
        yield Figure(
            f"computing {computation.statistic}",
            _median_ms(cube, computation, repeats=repeats),
            "ms",
            computation.goal_ms,
            note=f"{len(cube.questions)} questions, {len(cube.cells):,} cells{asked}",
        )


def _median_ms(cube: SurveyCube, computation: Computation, *, repeats: int) -> float:
    statistic = find_statistic(computation.statistic, surface=computation.surface)
    asked = [{"question": question.text, **computation.parameters} for question in cube.questions]
    requests = [read_request(statistic, cube, parameters) for parameters in asked]
    data, times = StatisticData(cube), []
    for _ in range(repeats):
        for request in requests:
            started_s = time.perf_counter()
            request.compute(data)
            times.append(time.perf_counter() - started_s)
    return median(times) * 1000
