"""How long charts of the bundled table take as specs and as pictures, drawn first and then cached, and their memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

import orjson

from benchmarks.figures import Figure
from meantime.charts import KINDS, chart_of, gathered
from meantime.charts.rendering.picture_renderer import MEGABYTE, PictureRenderer
from meantime.formats import Answer
from meantime.statistics.catalogue import find_statistic
from meantime.statistics.requests import read_request
from meantime.statistics.result import Result
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.data_ingestor import DataIngestor

CACHED_GOAL_MS = 20.0

_QUESTION = {"question": "Q036"}
_ALL_PLACES = {"include": ["states", "territories"]}
ASKED: dict[str, tuple[str, Mapping[str, object]]] = {
    "map": ("difference", _ALL_PLACES),
    "bars": ("difference", _ALL_PLACES),
    "ranks": ("ranking", {}),
    "pairs": ("pairwise", {}),
    "trend": ("trend", {"locations": ["Ohio", "National", "Florida"], "by": ["location"], "explain": True}),
    "gaps": ("disparity", {"categories": ["Education"]}),
    "strata": ("mean", {"locations": ["Ohio"], "by": ["stratum"], "categories": ["Race/Ethnicity"]}),
    "heat": ("mean", {"by": ["location", "stratum"], "categories": ["Race/Ethnicity"]}),
    "spread": ("distribution", {"by": ["year"], "years": {"from": 2011}}),
    "funnel": ("difference", _ALL_PLACES),
    "spine": ("difference", {"locations": ["Ohio"]}),
    "spine_se": ("difference", {"locations": ["Ohio"]}),
    "rug": ("difference", {}),
    "courses": ("profile", {"place": "Ohio"}),
}
"""What is asked for each kind of chart."""

T = TypeVar("T")

_OF_ALL_QUESTIONS = {"spine", "spine_se", "rug"}


def measure_charts(table: Path) -> Iterator[Figure]:
    """Yield, for each kind, the times of its spec, its first pictures and a cached one, and the process's memory."""
    cube = DataIngestor(table).ingest().cube
    renderer = PictureRenderer(time_limit_s=120.0)
    try:
        started_s = time.perf_counter()
        renderer.render({"mark": "point"}, "svg")
        yield Figure("charts: start of the process that draws", time.perf_counter() - started_s, "s")
        for kind in KINDS:
            yield from _figures_of(kind, cube, renderer)
    finally:
        renderer.close()


def _figures_of(kind: str, cube: SurveyCube, renderer: PictureRenderer) -> Iterator[Figure]:
    document, statistic = _document(kind, cube), ASKED[kind][0]
    spec_s, spec = _timed(partial(chart_of, document, statistic, kind))
    yield Figure(f"chart {kind}: spec", spec_s * 1000, "ms", note=f"{len(orjson.dumps(spec)) / 1000:,.0f} KB")
    for form, scale in (("svg", 1.0), ("png", 2.0)):
        first_s, picture = _timed(partial(renderer.render, spec, form, scale))
        yield Figure(f"chart {kind}: first {form}", first_s, "s", note=f"{len(picture) / 1000:,.0f} KB")
    cached_s, _ = _timed(partial(renderer.render, spec, "svg"))
    memory = _memory_bytes(renderer.process_id) / MEGABYTE
    yield Figure(f"chart {kind}: cached svg", cached_s * 1000, "ms", CACHED_GOAL_MS, note=f"process: {memory:,.0f} MB")


def _document(kind: str, cube: SurveyCube) -> Answer:
    statistic, parameters = ASKED[kind]
    if statistic == "profile":
        return _result(cube, statistic, parameters)
    if kind not in _OF_ALL_QUESTIONS:
        return _result(cube, statistic, {**_QUESTION, **parameters})
    questions = {question.text: question.direction for question in cube.questions}
    found = [_result(cube, statistic, {"question": text, **parameters}) for text in questions]
    return gathered(found, statistic, {text: each and each.value for text, each in questions.items()})


def _result(cube: SurveyCube, statistic: str, parameters: Mapping[str, object]) -> Answer:
    request = read_request(find_statistic(statistic), cube, parameters)
    result = request.compute(StatisticData(cube))
    if not isinstance(result, Result):
        raise TypeError(f"{statistic} is no statistic of v1")
    asked = {"parameters": orjson.loads(orjson.dumps(request))}
    document: Answer = orjson.loads(orjson.dumps(result.to_json({"request": asked})))
    return document


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    started_s = time.perf_counter()
    found = work()
    return time.perf_counter() - started_s, found


def _memory_bytes(process_id: int | None) -> int:
    """Return the resident memory of a process; 0 where there is none."""
    if process_id is None:
        return 0
    pages = Path(f"/proc/{process_id}/statm").read_text("utf-8").split()[1]
    return int(pages) * 4096
