"""Which places the map of the United States has a shape for, by any of their names; and what else there is of it.

Shapes are joined by FIPS code, since names differ: the atlas has "United States Virgin Islands", CDC "Virgin Islands".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import orjson

import meantime
from meantime.charts.answers import ChartedAnswer, is_nation, list_in
from meantime.fields.spellings import plain_spelling
from meantime.survey.reading.profile import Profile, normal

ATLAS = Path(meantime.__file__).parent / "web" / "static" / "vendor" / "us-atlas-states-10m.json"
"""The vendored shapes, which browsers load from the same place."""

ATLAS_FEATURE = "states"

_STATES = """
01 AL Alabama|02 AK Alaska|04 AZ Arizona|05 AR Arkansas|06 CA California|08 CO Colorado|09 CT Connecticut|10 DE Delaware
11 DC District of Columbia|12 FL Florida|13 GA Georgia|15 HI Hawaii|16 ID Idaho|17 IL Illinois|18 IN Indiana|19 IA Iowa
20 KS Kansas|21 KY Kentucky|22 LA Louisiana|23 ME Maine|24 MD Maryland|25 MA Massachusetts|26 MI Michigan
27 MN Minnesota|28 MS Mississippi|29 MO Missouri|30 MT Montana|31 NE Nebraska|32 NV Nevada|33 NH New Hampshire
34 NJ New Jersey|35 NM New Mexico|36 NY New York|37 NC North Carolina|38 ND North Dakota|39 OH Ohio
40 OK Oklahoma|41 OR Oregon|42 PA Pennsylvania|44 RI Rhode Island|45 SC South Carolina|46 SD South Dakota
47 TN Tennessee|48 TX Texas|49 UT Utah|50 VT Vermont|51 VA Virginia|53 WA Washington|54 WV West Virginia
55 WI Wisconsin|56 WY Wyoming
"""

STATES = {line[:2]: (line[3:5], line[6:]) for line in _STATES.strip().replace("\n", "|").split("|")}
"""FIPS code to abbreviation and name of what has a shape: the states and the District of Columbia."""

_TERRITORIES = frozenset(Profile().territories)


@cache
def _codes() -> Mapping[str, str]:
    return {plain_spelling(word): code for code, words in STATES.items() for word in (*words, code)}


def fips_of(name: object) -> str | None:
    """Return the FIPS code of a place that has a shape; None for all others, territories and the nation among them.

    >>> fips_of("Ohio"), fips_of("OH"), fips_of("Guam")
    ('39', '39', None)
    """
    return _codes().get(plain_spelling(name)) if isinstance(name, str) else None


def abbreviation_of(name: object) -> str | None:
    """Return the abbreviation of a state; None for all others."""
    code = fips_of(name)
    return None if code is None else STATES[code][0]


def asked_in_vain(answer: ChartedAnswer) -> list[str]:
    """Return the locations that were asked for and have no record: those that were named, else of all states."""
    known = [name for record in answer.records for name in (record.get("location"), record.get("against"))]
    named = answer.parameters.get("locations")
    if isinstance(named, list):
        return [str(name) for name in named if name not in known]
    if "states" not in list_in(answer.parameters.get("include")) or not are_us_places(known):
        return []
    codes = {fips_of(name) for name in known}
    return [name for code, (_, name) in STATES.items() if code not in codes]


def are_us_places(names: Sequence[object]) -> bool:
    """Whether most of some places are states or territories: "Georgia" among countries is another one."""
    places = [name for name in names if isinstance(name, str) and not is_nation(name)]
    return sum(fips_of(name) is not None or normal(name) in _TERRITORIES for name in places) * 2 > len(places)


@cache
def us_shapes() -> Mapping[str, object]:
    """Return the shapes, as TopoJSON; don't change them."""
    shapes: dict[str, object] = orjson.loads(ATLAS.read_bytes())
    return shapes
