"""Age-standardised means agree with the naive reference, whatever the names and the gaps."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from meantime.errors import InvalidParameterError
from meantime.statistics.result import Record
from tests import reference_ages as reference
from tests.asking import agree, records_of_rows
from tests.property.test_statistics_comparisons import LEVELS, SCALES
from tests.reference import Row
from tests.reference_ages import AGE, AGES
from tests.reference_estimates import Options, Query
from tests.tables import OBESITY, row_of

LOCATIONS, YEARS = ("Alabama", "Guam", "Ohio"), (2012, 2013)
STRATA = (*((AGE, age) for age in AGES), ("Total", "Total"))
GRID = list(product(LOCATIONS, YEARS, STRATA))

TABLES = st.lists(st.integers(0, 10**10 - 1), min_size=len(GRID), max_size=len(GRID)).map(
    lambda codes: [row_of(code, OBESITY, *place) for code, place in zip(codes, GRID, strict=True) if code % 23]
)
"""Tables of six ages and everybody: with suppressed estimates, and rows that aren't there."""


def asked(locations: tuple[str, ...] = LOCATIONS) -> dict[str, object]:
    return {"question": OBESITY, "years": list(YEARS), "locations": list(locations)}


@given(TABLES, SCALES, LEVELS)
def test_age_standardised_means_agree_with_the_reference(rows: list[Row], scale: str, level: float) -> None:
    assume({place for place, _ in map(place_of, rows)} == set(LOCATIONS) and {row.year for row in rows} == set(YEARS))
    if not {row.stratum for row in rows} >= set(AGES):
        with pytest.raises(InvalidParameterError):
            records_of_rows("age_standardised_mean", rows, asked())
        return
    found = records_of_rows("age_standardised_mean", rows, asked() | {"scale": scale, "level": level})
    query = Query(OBESITY, YEARS, LOCATIONS, ())
    agree(found, reference.age_standardised_mean(rows, query, Options(scale=scale, level=level)))


def place_of(row: Row) -> tuple[str, int]:
    return row.location, row.year


@given(TABLES, st.permutations(("Alabama", "Ohio")))
def test_names_decide_nothing_in_an_age_standardised_mean(rows: list[Row], names: list[str]) -> None:
    assume({row.location for row in rows} == set(LOCATIONS) and {row.stratum for row in rows} >= set(AGES))
    renamed = {"Alabama": names[0], "Guam": "Guam", "Ohio": names[1]}
    turned = [row._replace(location=renamed[row.location]) for row in rows]
    before, after = (records_of_rows("age_standardised_mean", table, asked()) for table in (rows, turned))

    def by_place(records: list[Record], names: dict[str, str]) -> dict[object, Record]:
        return {(names[str(record["location"])], record["year"]): record | {"location": ""} for record in records}

    assert by_place(after, {name: name for name in LOCATIONS}) == by_place(before, renamed)


@given(TABLES)
def test_an_age_standardised_mean_lies_between_its_ages(rows: list[Row]) -> None:
    assume({row.location for row in rows} == set(LOCATIONS) and {row.stratum for row in rows} >= set(AGES))
    for record in records_of_rows("age_standardised_mean", rows, asked()):
        place = (record["location"], record["year"])
        values = [row.value for row in rows if place_of(row) == place and row.stratum in AGES and row.value is not None]
        assert (record["value"] is None) == (len(values) < len(AGES))
        if isinstance(record["value"], float):
            assert min(values) - 1e-9 <= record["value"] <= max(values) + 1e-9
