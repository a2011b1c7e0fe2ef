"""Properties of the cube of random tables with several rows a cell, against plain Python (``tests.cubes``)."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import hypothesis.strategies as st
import narwhals as nw
import numpy as np
import pandas as pd
from hypothesis import given, settings

from meantime.survey.cube.rollup import COUNTS, EXTREMES, SUMS, TEXT_KEYS, rollup
from meantime.survey.cube.survey_cube import Cells, SurveyCube
from meantime.survey.reading.columns import Role, match_columns
from meantime.survey.reading.estimate_rows import column_name, estimate_rows
from tests.cubes import cube_of
from tests.reference import Row
from tests.unit.survey.conftest import quiet_end
from tests.unit.survey.equal_cubes import assert_equal_cubes
from tests.unit.survey.tables import HEADER, csv_of, read, written

__all__ = ["quiet_end"]

TEXTS = ["plain", "with, comma", 'with "quotes"', "two\nlines", "Zürich", "naïve 日本", "-", "0"]
SEGMENTS = [("Total", "Total"), ("Sex", "Male"), ("Sex", "Female"), ("", "")]
PERCENTS = st.integers(0, 1000).map(lambda tenths: tenths / 10)


@st.composite
def rows(draw: st.DrawFn, questions: list[str], segments: list[tuple[str, str]]) -> Row:
    """One row; few names, so that several rows fall into one cell."""
    value = draw(st.none() | PERCENTS)
    limits = draw(st.none() | st.tuples(PERCENTS, PERCENTS).map(sorted))
    low, high = limits or (None, None)
    question, location = draw(st.sampled_from(questions)), draw(st.sampled_from(["Alabama", "Guam"]))
    category, stratum = draw(st.sampled_from(segments))
    size = draw(st.none() | st.integers(1, 10**6).map(float))
    year = draw(st.integers(2011, 2012))
    return Row(question, f"id of {question}", location, location[:2], year, category, stratum, value, low, high, size)


FEWER = settings(max_examples=max(1, settings().max_examples // 2))
"""A read starts an engine, which takes a tenth of a second."""

TABLES = st.tuples(
    st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3, unique=True),
    st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=2, unique=True),
).flatmap(lambda names: st.lists(rows(*names), min_size=1, max_size=40))


def cube_from(table: Sequence[Row]) -> SurveyCube:
    with tempfile.TemporaryDirectory() as folder:
        return read(written(Path(folder), csv_of(table)))[0]


@given(TABLES.flatmap(lambda table: st.tuples(st.just(table), st.permutations(table))))
@FEWER
def test_every_cell_is_what_plain_python_finds_in_the_rows_in_whatever_order(
    tables: tuple[list[Row], list[Row]],
) -> None:
    table, shuffled = tables
    assert_equal_cubes(cube_from(shuffled), cube_of(table))


def merged(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    """Add two cells: counts and sums add up, extremes are compared, deviations are combined (Chan et al. 1983)."""
    n, m = one["value_count"], other["value_count"]
    added = {name: one[name] + other[name] for name in one if name not in {"low", "high"}}
    if n and m:
        distance = one["value_sum"] / n - other["value_sum"] / m
        added["value_m2"] += distance**2 * n * m / (n + m)
    added["value_min"] = min((x for x in (one["value_min"], other["value_min"]) if not math.isnan(x)), default=math.nan)
    added["value_max"] = max((x for x in (one["value_max"], other["value_max"]) if not math.isnan(x)), default=math.nan)
    return added


def cells_by_name(cube: SurveyCube) -> dict[tuple[str, str, int, str, str], dict[str, float]]:
    cells = cube.cells
    names = [column.name for column in fields(Cells) if column.name not in {"question", "location", "year", "segment"}]
    found = {}
    for i in range(len(cells)):
        segment = cube.segments[cells.segment[i]]
        place = (cube.questions[cells.question[i]].text, cube.locations[cells.location[i]].name, int(cells.year[i]))
        found[*place, segment.category, segment.stratum] = {name: float(getattr(cells, name)[i]) for name in names}
    return found


@given(TABLES, TABLES)
@FEWER
def test_the_cube_of_two_tables_in_one_is_the_sum_of_their_cubes(one: list[Row], other: list[Row]) -> None:
    whole = cells_by_name(cube_from(one + other))
    first, second = cells_by_name(cube_of(one)), cells_by_name(cube_of(other))
    assert whole.keys() == first.keys() | second.keys()
    for place, cell in whole.items():
        if place in first and place in second:
            for name, expected in merged(first[place], second[place]).items():
                np.testing.assert_allclose(cell[name], expected, rtol=1e-9, atol=1e-9, err_msg=name)
        else:
            expected_cell = first.get(place) or second[place]
            np.testing.assert_allclose([*cell.values()], [*expected_cell.values()], rtol=1e-9, atol=1e-9)


@given(TABLES)
def test_another_engine_rolls_the_same_rows_up_to_the_same_cells(table: list[Row]) -> None:
    columns = match_columns(HEADER, source_name="frame", stated={}, fixed={})
    named = {"year": "year", "sample_size": "sample_size"} | dict.fromkeys(
        ("question", "question_id", "location", "abbreviation", "category", "stratum", "value", "low", "high"), ""
    )
    frame = pd.DataFrame({name: [getattr(row, name) for row in table] for name in named})
    empty = {role: [""] * len(table) for role in (Role.FIPS, Role.FOOTNOTE, Role.FOOTNOTE_SYMBOL)}
    named_as_read = {str(role): column_name(place) for role, place in columns.position.items()}
    source = nw.from_native(frame.assign(**empty).rename(columns=named_as_read)).lazy()
    found = rollup(estimate_rows(source, columns, (), trim=False), columns).collect().to_dict(as_series=False)
    cells = cells_by_name(cube_of(table))
    places = zip(*(found[key] for key in ("question", "location", "year", "category", "stratum")), strict=True)
    for i, place in enumerate(places):
        for name in (*COUNTS, *SUMS, *EXTREMES):
            if name != "footnote_count":
                np.testing.assert_allclose(found[name][i], cells[place][name], rtol=1e-9, atol=1e-9, err_msg=name)
    assert len(found["year"]) == len(cells)
    assert set(TEXT_KEYS) <= found.keys()
