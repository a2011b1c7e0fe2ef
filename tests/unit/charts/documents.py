"""Results for the tests of charts: real ones of CDC's table, and made-up ones that are hard to draw."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import orjson

from meantime.charts import gathered
from meantime.statistics.catalogue import find_statistic
from meantime.statistics.citation import notes_on, provenance_of
from meantime.statistics.requests import read_request
from meantime.statistics.result import Result
from meantime.statistics.statistic import StatisticData
from meantime.survey.ingest.dataset import Dataset
from meantime.survey.ingest.provenance import Provenance
from tests.bundled import bundled_cube
from tests.datasets import report_of

Document = dict[str, object]
Record = dict[str, object]

SOURCE = Provenance("CDC", "A survey", "hn4x-zwk7", "survey.csv", "ab" * 32, export_date="2025-09-06")

_EVERYBODY = {"include": ["states", "territories", "nation"]}
_FEW = {"locations": ["Ohio", "National", "Florida"], "by": ["location"]}

ASKED: dict[str, tuple[str, Mapping[str, object]]] = {
    "map": ("difference", {"include": ["states", "territories"]}),
    "map by value": ("mean", {"by": ["location"], **_EVERYBODY}),
    "map of few": ("mean", {"by": ["location"], "locations": ["Ohio", "Guam"]}),
    "bars": ("difference", {"include": ["states", "territories"]}),
    "bars of values": ("mean", {"by": ["location"], **_EVERYBODY}),
    "bars of slopes": ("trend", _FEW),
    "bars of a correlation": ("correlation", {"against_question": "Q047"}),
    "bars of a comparison": ("compare", {"strata": ["Female"], "against_stratum": "Male"}),
    "ranks": ("ranking", {}),
    "pairs": ("pairwise", {"locations": ["Ohio", "Utah", "Iowa", "Guam", "Maine"]}),
    "trend": ("trend", {**_FEW, "explain": True}),
    "trend without its points": ("trend", _FEW),
    "trend of values": ("mean", {"years": {"from": 2011}, **_FEW, "by": ["location", "year"]}),
    "trend of many": ("mean", {"years": {"from": 2011}, "by": ["location", "year"]}),
    "gaps": ("disparity", {"categories": ["Education"]}),
    "strata": ("mean", {**_FEW, "by": ["location", "stratum"], "categories": ["Race/Ethnicity"]}),
    "heat": ("mean", {"by": ["location", "stratum"], "categories": ["Race/Ethnicity"]}),
    "map of pairs": ("pairwise", {"place": "Ohio"}),
    "spread": ("distribution", {"by": ["year"], "years": {"from": 2015}, "quantiles": [0.1, 0.9]}),
    "funnel": ("difference", {"include": ["states", "territories"]}),
    "funnel of values": ("mean", {"by": ["location"], **_EVERYBODY}),
    "spine": ("difference", {"locations": ["Ohio"]}),
    "spine_se": ("difference", {"locations": ["Ohio"]}),
    "rug": ("difference", {}),
    "courses": ("profile", {"place": "Ohio"}),
    "spine of a profile": ("profile", {"place": "Ohio"}),
    "courses of the nation": ("profile", {"place": "National"}),
}
"""What is asked for each kind of chart; the first word is the kind."""

_OF_ALL_QUESTIONS = {"spine", "spine_se", "rug"}


@cache
def asked(name: str) -> tuple[str, Document]:
    """Return the statistic and the stored result for a row of ``ASKED``, as JSON gives it back."""
    statistic, parameters = ASKED[name]
    if statistic == "profile":
        return statistic, answer_of(statistic, parameters)
    if name not in _OF_ALL_QUESTIONS:
        return statistic, answer_of(statistic, {"question": "Q036", **parameters})
    questions = bundled_cube().questions
    found = [answer_of(statistic, {"question": question.text, **parameters}) for question in questions]
    directions = {question.text: question.direction and question.direction.value for question in questions}
    return statistic, gathered(found, statistic, directions)


def answer_of(statistic: str, parameters: Mapping[str, object]) -> Document:
    """Return what is stored of a real request."""
    cube = bundled_cube()
    dataset = Dataset("default", cube, SOURCE, report_of(cube, {}))
    request = read_request(find_statistic(statistic), cube, parameters)
    result = request.compute(StatisticData(cube))
    assert isinstance(result, Result)
    document: Document = orjson.loads(
        orjson.dumps(result.to_json(provenance_of(dataset, request), notes_on(dataset, request)))
    )
    return document


def made_up(records: list[Record], **parameters: object) -> Document:
    """Return a result that nobody computed."""
    asked_for = {"question": "Percent who are well", "years": [2023], "level": 0.95, **parameters}
    provenance = {"dataset": {"title": "A survey"}, "request": {"parameters": asked_for}, "method": "toy/1"}
    return {"records": records, "unit": "percent", "method": "", "cautions": ["beware"], "provenance": provenance}


def record(location: str, value: float | None = 30.0, **further: object) -> Record:
    """Return a record that fits every kind of chart; without a value it has none of what follows from one."""
    known = value is not None
    low, high = (value - 2.0, value + 2.0) if value is not None else (None, None)
    numbers: Record = {
        "value": value,
        "standard_error": 1.0 if known else None,
        "low": low,
        "high": high,
        "sample_size": 1000 if known else None,
        "cells_used": int(known),
        "cells_suppressed": int(not known),
        "reliability": "ok" if known else "suppressed",
    }
    return {"location": location, "year": 2023, "category": "Total", "stratum": "Total", **numbers, **further}


def difference(location: str, value: float | None = 30.0, **further: object) -> Record:
    """Return a record of ``difference``."""
    known = value is not None
    compared: Record = {
        "reference": 31.0,
        "reference_low": 30.5,
        "reference_high": 31.5,
        "difference": value - 31.0 if value is not None else None,
        "difference_standard_error": 1.1 if known else None,
        "difference_low": value - 33.0 if value is not None else None,
        "difference_high": value - 29.0 if value is not None else None,
        "p_adjusted": 0.01 if known else None,
        "verdict": "worse" if known else None,
    }
    return record(location, value, **{**compared, **further})


def kind_records(kind: str, names: list[str], values: list[float | None]) -> list[Record]:  # noqa: C901, PLR0911
    """Return records with these names and values that a kind of chart fits; one return for each kind."""
    pairs = list(zip(names, values, strict=True))
    if kind in {"spine", "spine_se"}:
        directions = ("lower_is_better", "higher_is_better", None)
        return [
            {"question": name, **difference("Ohio", value, direction=directions[i % 3])}
            for i, (name, value) in enumerate(pairs)
        ]
    if kind == "courses":
        own = {"part": "year", "unit": "percent", "stretch": 0, "against": "National"}
        return [
            {"question": name, **record("Ohio", value, reference=31.0, **own), "year": year}
            for name, value in pairs
            for year in (2021, 2022, 2023)
        ]
    if kind == "rug":
        return [{"question": question, **difference(name, value)} for name, value in pairs for question in ("A", "B")]
    if kind == "pairs":
        return [difference(name, value, against=other) for name, value in pairs for other in ("P", "Q")]
    if kind == "ranks":
        ranks = {"rank_low": 1, "rank_high": len(names), "ranked_count": len(names), "direction": None}
        among = {"surely_among_k": False, "possibly_among_k": True}
        return [record(name, 30.0, rank=i + 1, **ranks, **among) for i, name in enumerate(names)]
    if kind == "trend":
        return [record(name, value, year=year) for name, value in pairs for year in (2021, 2022, 2023)]
    if kind == "gaps":
        return [_gap(name, value) for name, value in pairs]
    if kind == "strata":
        return [record("Ohio", value, stratum=name, category="Sex") for name, value in pairs]
    if kind == "heat":
        return [record(name, value, stratum=stratum, category="Sex") for name, value in pairs for stratum in "MF"]
    if kind == "spread":
        return [record(name, value, minimum=_less(value, 9), maximum=_less(value, -9)) for name, value in pairs]
    if kind in {"map", "funnel"}:
        return [difference(name, value) for name, value in pairs]
    return [record(name, value) for name, value in pairs]


def _less(value: float | None, by: float) -> float | None:
    return None if value is None else value - by


def _gap(name: str, value: float | None) -> Record:
    known = value is not None
    ends: Record = {
        "p_value": 0.2 if known else None,
        "highest_stratum": "Male" if known else None,
        "highest_value": 40.0 if known else None,
        "lowest_stratum": "Female" if known else None,
        "lowest_value": 20.0 if known else None,
        "overall_value": 30.0 if known else None,
    }
    return record(name, value, **ends)
