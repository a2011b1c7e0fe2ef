"""Survey cubes for tests, built row by row in plain Python: a second opinion on what ingest builds.

Nothing here is shared with ``rollup.py`` or ``data_ingestor.py``; the rows come from ``tests/reference.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from meantime.survey.cube.survey_cube import Cells, FloatArray, IntArray, SurveyCube
from meantime.survey.questions import Z_95, Break, Direction, Location, LocationKind, Question, Segment
from tests.reference import BREAKS, CONTRACT_DIRECTIONS, DIRECTIONS, STRATUM_ORDERS, TERRITORIES, Row

CellKey = tuple[int, int, int, int]


def cube_of(rows: Iterable[Row], *, version: str = "test", pool: bool = False) -> SurveyCube:
    """Return the cube of some rows, in whatever order they come.

    Rows that share a cell are independent estimates, or, with ``pool``, estimates from the same people, of which equal
    ones count once.
    """
    rows = list(dict.fromkeys(rows)) if pool else list(rows)
    questions = {row.question: row.question_id for row in rows}
    places = {row.location: row for row in rows}
    segments = sorted({(row.category, row.stratum) for row in rows})
    question_index = {text: i for i, text in enumerate(sorted(questions))}
    location_index = {name: i for i, name in enumerate(sorted(places))}
    segment_index = {segment: i for i, segment in enumerate(segments)}
    groups: dict[CellKey, list[Row]] = {}
    for row in rows:
        key = (
            question_index[row.question],
            location_index[row.location],
            row.year,
            segment_index[row.category, row.stratum],
        )
        groups.setdefault(key, []).append(row)
    return SurveyCube(
        version=version,
        questions=tuple(_question(text, questions[text]) for text in question_index),
        locations=tuple(_location(places[name]) for name in location_index),
        segments=tuple(_segment(category, stratum) for category, stratum in segments),
        cells=_cells(
            [_cell(key, members) | (_dependent(members) if pool else {}) for key, members in sorted(groups.items())]
        ),
    )


def _question(text: str, question_id: str) -> Question:
    found = [Direction(table[text]) if text in table else None for table in (DIRECTIONS, CONTRACT_DIRECTIONS)]
    breaks = tuple(Break(year, "the survey changed", "https://example.org/changes") for year in BREAKS.get(text, ()))
    people = "adults" if text in CONTRACT_DIRECTIONS else ""
    return Question(question_id, text, found[0], contract_direction=found[1], breaks=breaks, people=people)


def _location(row: Row) -> Location:
    kind = LocationKind.STATE
    if row.location == "National":
        kind = LocationKind.NATION
    elif row.location in TERRITORIES:
        kind = LocationKind.TERRITORY
    return Location(row.location, row.abbreviation, kind=kind)


def _segment(category: str, stratum: str) -> Segment:
    order = STRATUM_ORDERS.get(category, {}).get(stratum)
    return Segment(category, stratum, order, is_overall=category == "Total")


def _standard_error(row: Row) -> float | None:
    if row.value is None or row.low is None or row.high is None or row.high < row.low:
        return None
    return (row.high - row.low) / (2 * Z_95)


def _cell(key: CellKey, rows: Sequence[Row]) -> dict[str, float]:
    values = [row.value for row in rows if row.value is not None]
    mean = math.fsum(values) / len(values) if values else 0.0
    estimates = [(row.value, row.sample_size or None, _standard_error(row)) for row in rows if row.value is not None]
    errors = [(value, error) for value, _, error in estimates if error is not None]
    precise = [(value, error) for value, error in errors if error > 0]
    sampled = [(value, size) for value, size, _ in estimates if size is not None]
    complete = [(size, error) for _, size, error in estimates if size is not None and error is not None]
    single = rows[0] if len(rows) == 1 and values else None
    question, location, year, segment = key
    return {
        "question": question,
        "location": location,
        "year": year,
        "segment": segment,
        "row_count": len(rows),
        "value_count": len(values),
        "value_sum": math.fsum(values),
        "value_m2": math.fsum((value - mean) ** 2 for value in values),
        "value_min": min(values, default=math.nan),
        "value_max": max(values, default=math.nan),
        "low": math.nan if single is None or single.low is None else single.low,
        "high": math.nan if single is None or single.high is None else single.high,
        "variance_count": len(errors),
        "variance_sum": math.fsum(error**2 for _, error in errors),
        "precision_count": len(precise),
        "precision_sum": math.fsum(1 / error**2 for _, error in precise),
        "precision_value_sum": math.fsum(value / error**2 for value, error in precise),
        "sample_count": len(sampled),
        "sample_size_sum": math.fsum(size for _, size in sampled),
        "sample_value_sum": math.fsum(value * size for value, size in sampled),
        "sample_variance_count": len(complete),
        "sample_variance_sum": math.fsum((size * error) ** 2 for size, error in complete),
    }


def _dependent(rows: Sequence[Row]) -> dict[str, float]:
    """Return the sums of a cell whose rows come from the same people: as wide, and as large, as one of them."""
    estimates = [(row.value, row.sample_size or None, _standard_error(row)) for row in rows if row.value is not None]
    errors = [error for *_, error in estimates if error is not None]
    precise = [(value, error) for value, _, error in estimates if error]
    sampled = [(value, size) for value, size, _ in estimates if size is not None]
    complete = [size * error for _, size, error in estimates if size is not None and error is not None]
    return {
        "variance_sum": len(errors) * math.fsum(error**2 for error in errors),
        "precision_sum": _mean([1 / error**2 for _, error in precise]),
        "precision_value_sum": _mean([value / error**2 for value, error in precise]),
        "sample_size_sum": _mean([size for _, size in sampled]),
        "sample_value_sum": _mean([value * size for value, size in sampled]),
        "sample_variance_sum": len(complete) * math.fsum(each**2 for each in complete) / max(1, len(sampled)) ** 2,
    }


def _mean(numbers: Sequence[float]) -> float:
    return math.fsum(numbers) / len(numbers) if numbers else 0.0


def _cells(cells: Sequence[dict[str, float]]) -> Cells:
    def integers(name: str) -> IntArray:
        return np.array([cell[name] for cell in cells], dtype=np.int32)

    def floats(name: str) -> FloatArray:
        return np.array([cell[name] for cell in cells], dtype=np.float64)

    return Cells(
        question=integers("question"),
        location=integers("location"),
        year=integers("year"),
        segment=integers("segment"),
        row_count=integers("row_count"),
        value_count=integers("value_count"),
        value_sum=floats("value_sum"),
        value_m2=floats("value_m2"),
        value_min=floats("value_min"),
        value_max=floats("value_max"),
        low=floats("low"),
        high=floats("high"),
        variance_count=integers("variance_count"),
        variance_sum=floats("variance_sum"),
        precision_count=integers("precision_count"),
        precision_sum=floats("precision_sum"),
        precision_value_sum=floats("precision_value_sum"),
        sample_count=integers("sample_count"),
        sample_size_sum=floats("sample_size_sum"),
        sample_value_sum=floats("sample_value_sum"),
        sample_variance_count=integers("sample_variance_count"),
        sample_variance_sum=floats("sample_variance_sum"),
    )
