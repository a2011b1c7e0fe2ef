"""The adults of US states that the package carries are the bytes that were verified, and add up."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections import defaultdict
from pathlib import Path

import pytest

from meantime.survey import bundled_table
from meantime.survey.adult_population import adult_populations
from tests.reference import TERRITORIES

TABLE = bundled_table().with_name("adult-population.csv")
UNITED_STATES = {2016: 249_485_228, 2019: 255_200_373, 2020: 256_662_010}
"""The total that the Census Bureau prints in the same table, of each vintage."""


def rows() -> list[dict[str, str]]:
    with Path(TABLE).open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_the_figures_are_those_that_were_verified() -> None:
    provenance = json.loads(TABLE.with_suffix(".provenance.json").read_text(encoding="utf-8"))
    content = TABLE.read_bytes()
    assert hashlib.sha256(content).hexdigest() == provenance["table_sha256"]
    assert len(content) < 100_000
    assert {row["vintage"] for row in rows()} == {row["year"] for row in rows()}


@pytest.mark.parametrize(("year", "total"), UNITED_STATES.items())
def test_the_states_of_a_year_add_up_to_the_printed_total(year: int, total: int) -> None:
    states = [int(row["adults"]) for row in rows() if row["year"] == str(year) and row["location"] != "Puerto Rico"]
    assert sum(states) == total
    assert sum(
        each.adults for each in adult_populations().values() if each.year == year and each.is_part_of_nation
    ) == (total)


def test_every_year_has_all_states_under_the_names_and_codes_of_the_bundled_table() -> None:
    with gzip.open(bundled_table(), "rt", encoding="utf-8", newline="") as opened:
        places = {(row["LocationID"], row["LocationDesc"]) for row in csv.DictReader(opened)}
    states = {place for place in places if place[1] not in {"National", *TERRITORIES}}
    found = defaultdict(set)
    for row in rows():
        if row["location"] != "Puerto Rico":
            found[row["year"]].add((row["fips"], row["location"]))
    assert found == dict.fromkeys(("2016", "2019", "2020", "2023"), states)


def test_figures_are_found_by_location_and_year() -> None:
    expected = {(row["location"], int(row["year"])): int(row["adults"]) for row in rows()}
    assert {key: each.adults for key, each in adult_populations().items()} == expected
