"""The dimensions of a survey: questions with their direction, locations with their kind, segments; the limits' level.

Plain immutable values. What the columns of a file are called is in ``reading/columns.py``; the cells are in
``cube/survey_cube.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Z_95 = 1.959964
"""The normal quantile for a two-sided 95 % interval, as CDC's limits are read (low, high = value -+ Z_95 SE)."""

PERCENT, PROPORTION = "percent", "proportion"
"""The units whose scale is known: 0 to 100, and 0 to 1."""

FIRST_YEAR, LAST_YEAR = 1000, 2100
"""What counts as a year: a column of 1, 2, 3 or of a spreadsheet's days is none."""

SCALES = {PERCENT: 100.0, PROPORTION: 1.0}
"""Unit to the highest value that it can have; the lowest is 0."""


class Direction(StrEnum):
    """Which end of a question's scale is better for people's health."""

    LOWER_IS_BETTER = "lower_is_better"
    HIGHER_IS_BETTER = "higher_is_better"


class LocationKind(StrEnum):
    """What a location is; statistics keep the three apart unless asked (DC counts among the states)."""

    STATE = "state"
    TERRITORY = "territory"
    NATION = "nation"


@dataclass(frozen=True, slots=True)
class Break:
    """From ``year`` on, estimates of a question can't be compared with earlier ones, for a documented reason."""

    year: int
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked.

    ``question_id`` is the publisher's id (``Q036``), ``direction`` is None when no end is called better, for the reason
    in ``undirected_because`` if there is one; ``unit`` is the unit of every value (``percent``).
    ``contract_direction`` is what the contract's best5 and worst5 go by where it is not ``direction``. ``breaks`` are
    the known ones, by year. ``people`` says of whom it asks (``adults``), or nothing where that isn't known.
    """

    question_id: str
    text: str
    direction: Direction | None = None
    unit: str = "percent"
    contract_direction: Direction | None = None
    undirected_because: str = ""
    breaks: tuple[Break, ...] = ()
    people: str = ""


@dataclass(frozen=True, slots=True)
class Location:
    """A US state, a territory or the nation; ``fips`` is the two-digit code, or an empty string."""

    name: str
    abbreviation: str = ""
    fips: str = ""
    kind: LocationKind = LocationKind.STATE


@dataclass(frozen=True, slots=True)
class Segment:
    """A stratum of a category, such as ``18 - 24`` of ``Age (years)``.

    ``order`` is the stratum's place on the category's scale (0 is lowest: youngest, least schooling, lowest income)
    or None where the category has no order or the stratum no place in it (``Data not reported``).
    ``is_overall`` marks the stratum of everybody (``Total``). A row without category and stratum is the
    segment of two empty strings.
    """

    category: str
    stratum: str
    order: int | None = None
    is_overall: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether the row had no category or no stratum."""
        return not self.category or not self.stratum
