"""How many adults live in each US state and year: the Census Bureau's estimates that the package carries.

Residents aged 18 years and over on July 1. The figures and where they come from lie in ``meantime/data``; docs/data.md
says how more years are added. A table of estimates knows no populations, so no cube holds them.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

ADULTS = "adults"
"""What a question's ``people`` are called where these figures count them."""

PUBLISHER = "the U.S. Census Bureau"
_TABLE = Path(__file__).parent.parent / "data" / "adult-population.csv"
_PUERTO_RICO = "72"


@dataclass(frozen=True, slots=True)
class AdultPopulation:
    """The residents aged 18 and over of a place on July 1, as one vintage of the estimates has them."""

    fips: str
    location: str
    year: int
    adults: int
    vintage: int

    @property
    def is_part_of_nation(self) -> bool:
        """Whether the nation's own total counts them: of the states and the District of Columbia alone."""
        return self.fips != _PUERTO_RICO


@cache
def adult_populations() -> Mapping[tuple[str, int], AdultPopulation]:
    """Return the figures by location and year; read once a process.

    >>> adult_populations()["Ohio", 2023].adults
    9207681
    """
    with _TABLE.open(encoding="utf-8", newline="") as opened:
        found = [
            AdultPopulation(row["fips"], row["location"], int(row["year"]), int(row["adults"]), int(row["vintage"]))
            for row in csv.DictReader(opened)
        ]
    return MappingProxyType({(each.location, each.year): each for each in found})
