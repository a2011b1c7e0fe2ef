"""Hypothesis strategies: small tables of estimates with gaps, suppressed cells and missing limits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from hypothesis import strategies as st

from tests.reference import Row

OBESITY = "Percent of adults aged 18 years and older who have obesity"
STRENGTH = "Percent of adults who engage in muscle-strengthening activities on 2 or more days a week"
VISITS = "Percent of visitors who come back"
QUESTIONS = {OBESITY: "Q036", STRENGTH: "Q046", VISITS: "V001"}
"""Lower is better, higher is better, nobody has said."""

LOCATIONS = {"Alabama": "AL", "District of Columbia": "DC", "Guam": "GU", "National": "US", "Ohio": "OH", "Utah": "UT"}
YEARS = (2009, 2011, 2012, 2013, 2015)
SEGMENTS = (
    ("Education", "College graduate"),
    ("Education", "High school graduate"),
    ("Education", "Less than high school"),
    ("Income", "$75,000 or greater"),
    ("Income", "Data not reported"),
    ("Income", "Less than $15,000"),
    ("Sex", "Female"),
    ("Sex", "Male"),
    ("Total", "Total"),
)
GRID_LIMIT = 36


_CODES = st.integers(0, 10**10 - 1)
"""One number per row, of which digits make its fields: quicker to draw than five numbers."""


def row_of(code: int, question: str, location: str, year: int, segment: tuple[str, str]) -> Row:
    """Return the row of a code: with value, limits and size, or without one of them, or suppressed."""
    place = (question, QUESTIONS[question], location, LOCATIONS[location], year, *segment)
    code, kind = divmod(code, 10)
    code, tenths = divmod(code, 1000)
    code, below = divmod(code, 100)
    size, above = divmod(code, 100)
    if kind == 9:
        return Row(*place, None, None, None, None)
    value = max(tenths, 5) / 10
    low, high = max(0.0, round(value - below / 10, 1)), min(100.0, round(value + above / 10, 1))
    has_limits, has_size = kind != 8, kind != 7
    return Row(
        *place, value, low if has_limits else None, high if has_limits else None, 20.0 + 13 * size if has_size else None
    )


@st.composite
def tables(
    draw: st.DrawFn, *, questions: Sequence[str] = (OBESITY,), segments: Sequence[tuple[str, str]] = SEGMENTS
) -> list[Row]:
    """Draw a table with a row for each question and at most one for each place of a small grid."""
    locations = draw(st.lists(st.sampled_from(sorted(LOCATIONS)), min_size=1, max_size=5, unique=True))
    years = draw(st.lists(st.sampled_from(YEARS), min_size=1, max_size=3, unique=True))
    strata = draw(st.lists(st.sampled_from(segments), min_size=1, max_size=4, unique=True))
    grid = list(product(locations, years, strata))[: GRID_LIMIT // len(questions)]
    rows = []
    for question in questions:
        codes = draw(st.lists(_CODES, min_size=len(grid), max_size=len(grid)))
        there = [place for place, code in zip(grid, codes, strict=True) if code % 11] or grid[:1]
        rows += [row_of(code, question, *place) for place, code in zip(there, codes, strict=False)]
    return rows


def everything(rows: Sequence[Row], question: str = OBESITY) -> dict[str, object]:
    """Return filters that name everything that a table holds, so that nothing is left to a default."""
    return {
        "question": question,
        "years": sorted({row.year for row in rows}),
        "locations": sorted({row.location for row in rows}),
        "categories": sorted({row.category for row in rows}),
        "strata": sorted({row.stratum for row in rows}),
    }


def without_limits_at_the_ends(rows: Sequence[Row]) -> list[Row]:
    """Return the rows without the limits that stand at 0 or 100, where they say nothing about the error."""
    return [
        row
        if row.low is None or row.high is None or (row.low > 0 and row.high < 100)
        else row._replace(low=None, high=None)
        for row in rows
    ]
