"""Properties of the cube of random tables with several rows a cell, against plain Python (``tests.cubes``)."""

from __future__ import annotations

import csv
import io
import math
import tempfile
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import hypothesis.strategies as st
import narwhals as nw
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from meantime.errors import DataError
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
    limits = draw(st.none() | st.tuples(PERCENTS, PERCENTS))
    low, _, high = (None, None, None) if limits is None else sorted((*limits, limits[0] if value is None else value))
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


def cube_from(table: Sequence[Row], mapping: str = "[rows]\npool = true") -> SurveyCube:
    with tempfile.TemporaryDirectory() as folder:
        return read(written(Path(folder), csv_of(table)), mapping)[0]


@given(TABLES.flatmap(lambda table: st.tuples(st.just(table), st.permutations(table))))
@FEWER
def test_every_cell_is_what_plain_python_finds_in_the_rows_in_whatever_order(
    tables: tuple[list[Row], list[Row]],
) -> None:
    table, shuffled = tables
    assert_equal_cubes(cube_from(shuffled), cube_of(table, pool=True))


@given(TABLES.flatmap(lambda table: st.tuples(st.just(table), st.permutations(table))))
@FEWER
def test_a_cell_is_one_row_of_the_file_or_the_table_is_refused(tables: tuple[list[Row], list[Row]]) -> None:
    """Never is a figure made of several rows unless somebody has asked for it."""
    table, shuffled = tables
    figures: dict[tuple[str, str, int, str, str], set[tuple[float | None, ...]]] = {}
    for row in csv.DictReader(io.StringIO(csv_of(table))):
        names, group = (row["Question"], row["LocationDesc"]), (row["StratificationCategory1"], row["Stratification1"])
        texts = (row[name] for name in ("Data_Value", "Low_Confidence_Limit", "High_Confidence_Limit ", "Sample_Size"))
        numbers = tuple(float(text) if text else None for text in texts)
        figures.setdefault((*names, int(row["YearStart"]), *group), set()).add(numbers)
    if any(len(different) > 1 for different in figures.values()):
        with pytest.raises(DataError, match="several rows, which differ in"):
            cube_from(shuffled, mapping="")
        return
    found = cells_by_name(cube_from(shuffled, mapping=""))
    assert found.keys() == figures.keys()
    for place, [(value, low, high, size)] in figures.items():
        cell = found[place]
        assert cell["row_count"] == 1
        assert (cell["value_count"], cell["value_sum"]) == ((0, 0.0) if value is None else (1, value))
        published = (low, high) if value is not None else (None, None)
        expected = [math.nan if limit is None else limit for limit in published]
        np.testing.assert_array_equal([cell["low"], cell["high"]], expected)
        assert cell["sample_size_sum"] == (0.0 if value is None or size is None else size)


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
def test_the_cube_of_two_tables_without_a_common_cell_is_both_their_cubes(one: list[Row], other: list[Row]) -> None:
    later = [row._replace(year=row.year + 10) for row in other]
    whole = cells_by_name(cube_from(one + later))
    expected = cells_by_name(cube_of(one, pool=True)) | cells_by_name(cube_of(later, pool=True))
    assert whole.keys() == expected.keys()
    for place, cell in whole.items():
        np.testing.assert_allclose([*cell.values()], [*expected[place].values()], rtol=1e-9, atol=1e-9)


@given(TABLES, st.booleans())
def test_another_engine_rolls_the_same_rows_up_to_the_same_cells(table: list[Row], pool: bool) -> None:
    table = list(dict.fromkeys(table)) if pool else table
    columns = match_columns(HEADER, source_name="frame", stated={}, fixed={})
    named = {"year": "year", "sample_size": "sample_size"} | dict.fromkeys(
        ("question", "question_id", "location", "abbreviation", "category", "stratum", "value", "low", "high"), ""
    )
    frame = pd.DataFrame({name: [getattr(row, name) for row in table] for name in named})
    empty = {role: [""] * len(table) for role in (Role.FIPS, Role.FOOTNOTE, Role.FOOTNOTE_SYMBOL)}
    named_as_read = {str(role): column_name(place) for role, place in columns.position.items()}
    source = nw.from_native(frame.assign(**empty).rename(columns=named_as_read)).lazy()
    found = (
        rollup(estimate_rows(source, columns, (), trim=False), columns, pool=pool).collect().to_dict(as_series=False)
    )
    cells = cells_by_name(cube_of(table, pool=pool))
    places = zip(*(found[key] for key in ("question", "location", "year", "category", "stratum")), strict=True)
    for i, place in enumerate(places):
        for name in (*COUNTS, *SUMS, *EXTREMES):
            if name != "footnote_count":
                np.testing.assert_allclose(found[name][i], cells[place][name], rtol=1e-9, atol=1e-9, err_msg=name)
    assert len(found["year"]) == len(cells)
    assert set(TEXT_KEYS) <= found.keys()
