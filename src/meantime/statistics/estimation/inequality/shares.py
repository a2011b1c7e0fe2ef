"""How much each stratum counts in a summary measure: its share of the sample, or of the people where a request says it.

What the shares are used for is in ``summaries.py``.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from meantime.errors import FieldError, InvalidParameterError
from meantime.fields.fields import Default, Example
from meantime.fields.kinds import JsonSchema, ListOf, Number, Refer
from meantime.fields.refusals import shown, unknown_name
from meantime.statistics.estimation.cautions import listed
from meantime.statistics.estimation.inequality.gaps import StratumEstimate
from meantime.statistics.kinds import PLACE_NAME, STRATUM_NAME, CubeKind
from meantime.survey.cube.survey_cube import SurveyCube


@dataclass(frozen=True, slots=True)
class ShareRow:
    """How much one stratum counts beside the others, in one location or, where that is None, in every one."""

    stratum: str
    share: float
    location: str | None


@dataclass(frozen=True, slots=True)
class ShareRowKind(CubeKind[ShareRow]):
    """A row of a table of shares."""

    expected = 'a row such as {"stratum": "Female", "share": 0.51}, with a location where shares differ by location'

    def find(self, value: object, cube: SurveyCube) -> ShareRow:
        """Return the row."""
        if not isinstance(value, Mapping) or not {"stratum", "share"} <= set(value) <= {"stratum", "share", "location"}:
            raise self.refusal(value)
        share = _FINITE.check(value["share"])
        if not 0 < share <= _LARGEST:
            raise FieldError(f"{shown(share)} is no share; give a number above 0, of people or a proportion")
        location = value.get("location")
        return ShareRow(
            STRATUM_NAME.find(value["stratum"], cube),
            share,
            None if location is None else PLACE_NAME.find(location, cube),
        )

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of a row."""
        fields: JsonSchema = {
            "stratum": STRATUM_NAME.json_schema(),
            "share": {"type": "number", "exclusiveMinimum": 0, "maximum": _LARGEST},
            "location": {"anyOf": [PLACE_NAME.json_schema(), {"type": "null"}]},
        }
        return {
            "type": "object",
            "properties": fields,
            "required": ["stratum", "share"],
            "additionalProperties": False,
        }


_FINITE = Number()
_LARGEST = 1e12


@dataclass(frozen=True, slots=True)
class ShareTable(ListOf[ShareRow]):
    """A table of shares; canonical: rows for every location first, then by location, each by stratum."""

    def check(self, value: object, context: object = None) -> tuple[ShareRow, ...]:
        """Return the rows, each location and stratum once."""
        table: dict[tuple[str, str], ShareRow] = {}
        for row in ListOf.check(self, value, context):
            key = row.location or "", row.stratum
            if key in table:
                where = f" in {row.location}" if row.location else ""
                raise FieldError(f"{row.stratum}{where} is given twice; give each stratum once for each location")
            table[key] = row
        return tuple([table[key] for key in sorted(table)])


SharesOption = Annotated[
    tuple[ShareRow, ...] | None,
    ShareTable(ShareRowKind(), maximum=2000),
    "How the people of a location are spread over the strata that are compared: rows of stratum and share (a proportion"
    " or a number of people), with a location where shares differ by location; for between-group variance, slope and"
    " relative index.",
    Default("shares of the sample"),
    Example([{"stratum": "Less than high school", "share": 10.2}, {"stratum": "College graduate", "share": 32.9}]),
]


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares that count: of the sample, or those of a table; a location's own rows stand before those for all."""

    table: Mapping[str | None, Mapping[str, float]]

    def of(self, location: str, strata: Sequence[StratumEstimate]) -> list[float] | None:
        """Return each stratum's share among these, 1 together; None if one is unknown or they sum to 0."""
        if not self.table:
            sizes = [own.sample_size for own in strata]
        else:
            rows = self.table[location] if location in self.table else self.table[None]
            sizes = [rows[own.stratum] for own in strata]
        known = [size for size in sizes if size is not None]
        total = math.fsum(known)
        return [size / total for size in known] if len(known) == len(strata) and total > 0 else None


def shares_in(rows: Sequence[ShareRow] | None) -> Shares:
    """Return the shares of a request's table, or of the sample where it has none."""
    table: dict[str | None, dict[str, float]] = {}
    for row in rows or ():
        table.setdefault(row.location, {})[row.stratum] = row.share
    return Shares(table)


def check_shares(rows: Sequence[ShareRow], compared: Sequence[str], locations: Collection[str]) -> None:
    """Check that a table has each stratum that is compared, for each location, and no other stratum.

    Rows of other locations are let pass, as one table may serve several requests.

    Raises
    ------
    InvalidParameterError
        A stratum isn't compared, or one that is compared is lacking for a location.
    """
    for row in rows:
        if row.stratum not in compared:
            raise InvalidParameterError.of(
                unknown_name(row.stratum, compared, what="stratum that is compared", field="shares")
            )
    table = shares_in(rows).table
    without = sorted(name for name in locations if name not in table and None not in table)
    if without:
        raise InvalidParameterError(
            f"shares: none for {listed(without)}; add their rows, rows without a location for all others, or name the"
            " locations that are meant",
            field="shares",
        )
    for location, shares in table.items():
        lacking = [stratum for stratum in compared if stratum not in shares]
        if lacking and (location is None or location in locations):
            where = f" in {location}" if location else ""
            raise InvalidParameterError(
                f"shares: none of {listed(lacking)}{where}; give one for each stratum that is compared, or name"
                " `strata` to compare fewer",
                field="shares",
                accepted=compared,
            )
