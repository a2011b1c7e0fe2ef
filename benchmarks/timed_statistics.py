"""A process that times statistics of the checkout that is on its path, one request for each line that it reads.

``earlier_checkout.py`` starts it, also with the modules of an earlier checkout: so it uses only what those have, too.
It first writes the names of the requests that the checkout can answer, then for each name read the time it took.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import orjson

from meantime.statistics.catalogue import CATALOGUE, Surface
from meantime.statistics.requests import read_request
from meantime.statistics.result import Result, encode_answer
from meantime.statistics.statistic import Statistic, StatisticData
from meantime.survey import bundled_table
from meantime.survey.ingest.data_ingestor import DataIngestor

Asked = dict[str, object]

REPEATED_S = 0.03
"""How long one request is repeated; its time is the shortest, of the processor alone, whatever else is running."""

ALL_YEARS = {"from": 2011, "to": 2023}
OBESITY: Asked = {"question": "Q036", "years": [2023]}
OBESITY_EVER: Asked = {"question": "Q036", "years": ALL_YEARS}
BY_EDUCATION: Asked = {**OBESITY_EVER, "categories": ["Education"]}
HEAVIER: dict[str, tuple[str, Asked]] = {
    "mean; every cell": ("mean", {**BY_EDUCATION, "by": ["location", "year", "stratum"]}),
    "mean; pooled": ("mean", BY_EDUCATION),
    "mean; sample sizes": ("mean", {**BY_EDUCATION, "by": ["location"], "weights": "sample_size"}),
    "ranking; pairwise": ("ranking", {**OBESITY, "rank_intervals": "pairwise"}),
    "ranking; 13 years, pairwise": ("ranking", {**OBESITY_EVER, "rank_intervals": "pairwise"}),
    "difference; a goal": ("difference", {**OBESITY, "goal": 30.0}),
    "difference; 13 years": ("difference", OBESITY_EVER),
    "difference; 13 years, 4 strata": ("difference", BY_EDUCATION),
    "compare; two years": ("compare", {**OBESITY, "against_year": 2011}),
    "correlation; 13 years": ("correlation", {**OBESITY_EVER, "against_question": "Q037"}),
    "distribution; 13 years, 4 strata": ("distribution", {**BY_EDUCATION, "by": ["stratum"]}),
    "coverage; everything": ("coverage", {}),
}
"""Besides each statistic's example."""


def main() -> None:
    """Answer until there is nothing more to read."""
    cube = DataIngestor(bundled_table()).ingest().cube
    examples = {name: (name, dict(row.example)) for name, row in CATALOGUE.items() if row.surface is Surface.V1}
    requests: dict[str, Statistic] = {}
    for name, (statistic, parameters) in (examples | HEAVIER).items():
        row = CATALOGUE.get(statistic)
        if row is None:
            continue
        known = {each.name for each in row.parameters()}  # a parameter that came later is left out
        requests[name] = read_request(row, cube, {each: parameters[each] for each in parameters if each in known})
    data = StatisticData(cube)
    _write(sorted(requests))
    for line in sys.stdin:
        request = requests[line.strip()]
        _write(_shortest_ms(lambda request=request: _answer(request, data)))  # type: ignore[misc]


def _answer(request: Statistic, data: StatisticData) -> bytes:
    found = request.compute(data)
    return encode_answer(found.to_json() if isinstance(found, Result) else found)


def _shortest_ms(answer: Callable[[], object]) -> float:
    """Return the shortest time that an answer takes the processor, of at least three."""
    times: list[float] = []
    while len(times) < 3 or sum(times) < REPEATED_S:
        started_s = time.thread_time()
        answer()
        times.append(time.thread_time() - started_s)
    return 1000 * min(times)


def _write(value: object) -> None:
    sys.stdout.write(orjson.dumps(value).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
