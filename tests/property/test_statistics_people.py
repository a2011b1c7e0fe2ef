"""Numbers of people agree with the naive reference on any table, add up over places and nest over levels."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests import reference_people as reference
from tests.asking import agree, query_of, records_in, records_of_rows
from tests.cubes import cube_of
from tests.property.test_statistics_comparisons import LEVELS, SCALES
from tests.reference import Row
from tests.reference_estimates import Options, Population
from tests.tables import OBESITY, everything, tables

COUNTS = st.integers(1, 40_000_000)


def of_one_stratum(rows: list[Row]) -> list[Row]:
    """Return the rows of one question and stratum."""
    return [row._replace(category="Total", stratum="Total") for row in rows if row[5:7] == rows[0][5:7]]


def asked_of(rows: list[Row], population: Population) -> dict[str, object]:
    table = [{"location": place, "year": year, "population": count} for (place, year), count in population.items()]
    return everything(rows) | {"population": table}


@st.composite
def populations(draw: st.DrawFn, rows: list[Row], *, complete: bool = False) -> Population:
    """Draw a population for each place and year, or for some of them."""
    places = sorted({(row.location, row.year) for row in rows})
    chosen = places if complete else draw(st.lists(st.sampled_from(places), min_size=1, unique=True))
    return {place: float(draw(COUNTS)) for place in chosen}


@given(tables(), st.data(), SCALES, LEVELS, st.booleans())
def test_people_agree_with_the_reference(
    found: list[Row], data: st.DataObject, scale: str, level: float, apart: bool
) -> None:
    rows = of_one_stratum(found)
    assume(apart or {row.location for row in rows} in ({"National"}, {row.location for row in rows} - {"National"}))
    population, by = data.draw(populations(rows)), ["location"] if apart else []
    asked = asked_of(rows, population) | {"by": by, "scale": scale, "level": level}
    expected = reference.people(rows, query_of(rows, OBESITY), by, population, Options(scale=scale, level=level))
    agree(records_of_rows("people", rows, asked), expected)


@given(tables(), st.data())
def test_people_and_squared_errors_add_up_over_places(found: list[Row], data: st.DataObject) -> None:
    rows = [row for row in of_one_stratum(found) if row.location != "National"]
    assume(rows)
    asked = asked_of(rows, data.draw(populations(rows, complete=True)))
    apart = records_in("people", cube_of(rows), asked | {"by": ["location"]})
    for whole in records_in("people", cube_of(rows), asked):
        parts = [part for part in apart if part["year"] == whole["year"] and part["value"] is not None]
        assert whole["location_count"] == len(parts)
        assert whole["population"] == sum(int(part["population"] or 0) for part in parts)
        assert (whole["value"] or 0.0) == pytest.approx(math.fsum(float(part["value"] or 0) for part in parts))
        errors = [part["standard_error"] for part in parts]
        if whole["standard_error"] is None:
            assert not parts or None in errors
        else:
            squares = math.fsum(float(error or 0) ** 2 for error in errors)
            assert whole["standard_error"] == pytest.approx(math.sqrt(squares))


@given(tables(), st.data(), SCALES)
def test_intervals_of_people_are_nested_and_hold_no_more_than_live_there(
    found: list[Row], data: st.DataObject, scale: str
) -> None:
    rows = [row for row in of_one_stratum(found) if row.location != "National"]
    assume(rows)
    asked = asked_of(rows, data.draw(populations(rows, complete=True))) | {"scale": scale}
    answers = [records_of_rows("people", rows, asked | {"level": level}) for level in (0.8, 0.95, 0.99)]
    for inner, outer in pairwise(answers):
        for one, other in zip(inner, outer, strict=True):
            if not isinstance(one["low"], float) or not isinstance(other["low"], float):
                continue
            ends = (0.0, other["low"], one["low"], one["high"], other["high"], float(other["population"] or 0))
            numbers = [float(end or 0.0) for end in ends]
            slack = 1e-9 * numbers[-1]
            assert all(low <= high + slack for low, high in pairwise(numbers))
