"""Joinpoints agree with brute force, and hang on nothing but the shape of a series."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meantime.statistics.estimation.series.joinpoints import find_joinpoints, permutations
from meantime.statistics.estimation.series.segments import fit_bent
from meantime.statistics.result import Record
from tests.asking import records_in
from tests.cubes import cube_of
from tests.reference import Row
from tests.reference_joinpoints import Points, fit, joinpoints
from tests.reference_trends import chi_square_p
from tests.tables import OBESITY

Z = 1.959964


@st.composite
def series(draw: st.DrawFn, *, fewest: int = 7, most: int = 13) -> list[tuple[int, float, float]]:
    """Draw (year, value, standard error) of a series: a bent line and noise, some years lacking."""
    count = draw(st.integers(fewest, most))
    years = sorted(draw(st.lists(st.integers(2001, 2019), min_size=count, max_size=count, unique=True)))
    slope, bend = draw(st.integers(-20, 20)) / 10, draw(st.sampled_from((0, 0, 5, 20, -20))) / 10
    knot = draw(st.sampled_from(years))
    noise = draw(st.lists(st.integers(-15, 15), min_size=count, max_size=count))
    errors = draw(st.lists(st.integers(2, 12), min_size=count, max_size=count))
    return [
        (year, 40 + slope * (year - 2010) + bend * max(0, year - knot) + step / 10, error / 10)
        for year, step, error in zip(years, noise, errors, strict=True)
    ]


def found(points: Points, most: int, draws: int = 999) -> tuple[int, ...]:
    year, value, error = (np.array(column, dtype=np.float64) for column in zip(*points, strict=True))
    return find_joinpoints(year, value, error, most, drawn=permutations(len(points))[:draws])


@given(series(), st.sampled_from((1, 2)))
@settings(max_examples=25)
def test_joinpoints_are_those_of_brute_force(points: list[tuple[int, float, float]], most: int) -> None:
    drawn = permutations(len(points))[:59].tolist()
    assert found(points, most, 59) == joinpoints(points, most, drawn)


@given(series(fewest=8), st.data())
def test_a_bent_line_is_that_of_the_normal_equations(
    points: list[tuple[int, float, float]], data: st.DataObject
) -> None:
    first = data.draw(st.integers(2, len(points) - 3))
    second = data.draw(st.integers(first + 3, len(points) - 3)) if first + 3 <= len(points) - 3 else None
    bends = (first,) if second is None else (first, second)
    year, value, error = (np.array(column, dtype=np.float64) for column in zip(*points, strict=True))
    if len(points) - 2 * (len(bends) + 1) < 1:
        bends = bends[:1]
    own, expected = fit_bent(year, value, error, bends), fit(points, bends)
    freedom = len(points) - 2 * (len(bends) + 1)
    widened_by = max(1.0, math.sqrt(expected.chi_square / freedom))
    assert own.slopes == pytest.approx(expected.slopes, rel=1e-7, abs=1e-9)
    assert own.errors == pytest.approx([widened_by * each for each in expected.errors], rel=1e-7)
    assert own.residual_ratio == pytest.approx(expected.chi_square / freedom, rel=1e-6, abs=1e-9)
    assert own.misfit_p == pytest.approx(chi_square_p(expected.chi_square, freedom), rel=1e-6, abs=1e-12)


@given(series(), st.integers(-30, 30), st.sampled_from((0.125, 0.5, 2.0, 10.0)), st.integers(-50, 50))
def test_raising_tilting_and_scaling_a_series_leaves_its_joinpoints_where_they_are(
    points: list[tuple[int, float, float]], tilt: int, factor: float, years: int
) -> None:
    tilted = [(year, value + tilt * (year - 2010) / 10 + 7, error) for year, value, error in points]
    scaled = [(year + years, factor * value, factor * error) for year, value, error in points]
    assert found(points, 2) == found(tilted, 2) == found(scaled, 2)


@given(series(), st.integers(-40, 40), st.sampled_from((1, 2)))
def test_a_straight_line_has_no_joinpoint(points: list[tuple[int, float, float]], slope: int, most: int) -> None:
    straight = [(year, 40 + slope * (year - 2010) / 7, error) for year, _, error in points]
    assert found(straight, most) == ()


def trends(drawn: dict[str, list[tuple[int, float, float]]], **request: object) -> list[Record]:
    rows = [
        Row(OBESITY, "Q", place, place[:2], year, "Total", "Total", value, value - Z * error, value + Z * error, 400.0)
        for place, points in drawn.items()
        for year, value, error in points
    ]
    asked = {"question": OBESITY, "breaks": "cross", "scale": "linear", "adjust": "none", **request}
    return records_in("trend", cube_of([row._replace(year=row.year + 20) for row in rows]), asked)


@given(st.lists(series(), min_size=3, max_size=3), st.permutations(("Ohio", "Utah", "Iowa")))
@settings(max_examples=25)
def test_places_that_change_their_names_change_their_answers(
    drawn: list[list[tuple[int, float, float]]], names: list[str]
) -> None:
    before = trends(dict(zip(("Ohio", "Utah", "Iowa"), drawn, strict=True)), joinpoints=2)
    after = trends(dict(zip(names, drawn, strict=True)), joinpoints=2)
    renamed = dict(zip(("Ohio", "Utah", "Iowa"), names, strict=True))

    def key(record: Record) -> tuple[str, str]:
        return str(record["location"]), str(record["first_year"])

    # Which years a place lacks is said against those of the others, which are the same ones.
    expected = [record | {"location": renamed[str(record["location"])]} for record in before]
    assert sorted(after, key=key) == sorted(expected, key=key)


@given(series(), st.sampled_from((1, 2)))
def test_the_records_of_a_series_are_the_segments_of_its_line(
    points: list[tuple[int, float, float]], most: int
) -> None:
    records = trends({"Ohio": points}, joinpoints=most)
    (straight,) = trends({"Ohio": points})
    bends = found(points, most)
    years = [year + 20 for year, _, _ in points]
    edges = [years[0], *(years[place] for place in bends), years[-1]]
    assert [(record["first_year"], record["last_year"]) for record in records] == [*pairwise(edges)]
    assert {record["joinpoints"] for record in records} == {", ".join(str(years[place]) for place in bends)}
    assert sum(int(str(record["year_count"])) - 1 for record in records) == len(points) - 1
    if bends:
        assert [record["value"] for record in records] == pytest.approx(fit(points, bends).slopes, rel=1e-6, abs=1e-9)
    else:
        assert records == [straight | {"joinpoints": ""}]
