"""The statistic ``coverage``: which estimates there are, which are suppressed, and which were never published.

Nothing is estimated here. The grid of places that are expected is in ``grid.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from meantime.errors import InvalidParameterError, StatisticError
from meantime.fields.fields import Default, Example
from meantime.fields.kinds import Choice
from meantime.statistics.estimation.filters import (
    CategoriesFilter,
    IncludeFilter,
    PlaceFilters,
    StrataFilter,
    YearsFilter,
    segments_by_scale,
)
from meantime.statistics.estimation.grouping import CATEGORY, DIMENSIONS, LOCATION, MAXIMUM_RECORDS, STRATUM, YEAR
from meantime.statistics.estimation.options import ExplainOption
from meantime.statistics.kinds import OneOrMore
from meantime.statistics.measures.grid import ASKED, Count, Grid, Key, count_places
from meantime.statistics.names import INCLUDED_KINDS
from meantime.statistics.result import Record, Result
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.survey_cube import SurveyCube


@dataclass(frozen=True, kw_only=True)
class Coverage(PlaceFilters):
    """How many estimates are present, suppressed and missing."""

    name = "coverage"
    title = "Coverage"
    summary = "How many estimates are present, suppressed and missing, by question, year, location or stratum."
    unit = "percent of the places of the grid"
    method = "coverage/1: counts of estimates and of places without a row"
    example: ClassVar = {"question": "Q036", "by": ["year"]}
    documentation = "methods/coverage.md"
    default_include = tuple(INCLUDED_KINDS)

    years: Annotated[YearsFilter, Default("all years")] = None
    include: Annotated[IncludeFilter, Default("all kinds")] = None
    categories: Annotated[CategoriesFilter, Default("all categories")] = None
    strata: Annotated[StrataFilter, Default("all strata")] = None
    by: Annotated[
        tuple[str, ...],
        OneOrMore(Choice((ASKED, *DIMENSIONS), any_case=True), minimum=0),
        "Dimensions that are kept apart; the others are counted together.",
        Example([YEAR]),
    ] = (ASKED, YEAR)
    explain: ExplainOption = False

    def default_years(self, cube: SurveyCube) -> tuple[int, ...]:
        """Return all years."""
        if not cube.years:
            raise InvalidParameterError("years: the dataset has no row, so it has no years", field="years")
        return cube.years

    def default_segments(self, cube: SurveyCube) -> tuple[int, ...]:
        """Return all strata."""
        return tuple([index for index in segments_by_scale(cube) if not cube.segments[index].is_blank])

    def compute(self, data: StatisticData) -> Result:
        """Return records in order of question, location, year, category and place on the scale.

        ``cells_used`` are the estimates with a value, ``cells_suppressed`` the rows without, ``cells_missing`` the
        places without a row: combinations of a location and a stratum in a year in which the question was asked at
        all. ``value`` is the percentage with a value among the three. The other fields are None.

        Raises
        ------
        StatisticError
            The question wasn't asked in these years, or there would be too many records.
        """
        cube, by = data.cube, self.by
        places = self.places(cube)
        questions = range(len(cube.questions)) if self.question is None else (cube.question_index[self.question],)
        grids = []
        for index in questions:
            years = tuple(year for year in _years_asked(cube, index) if year in places.years)
            if years:
                grids.append(Grid(index, years, places.locations, places.segments))
        if not grids or not places.locations:
            raise StatisticError("nothing was asked in these years and locations; choose others")
        _refuse_too_many(cube, grids, by)
        counts: dict[Key, Count] = {}
        for grid in grids:
            count_places(cube, grid, by, counts)
        return Result(
            records=[_record(cube, grids, by, key, counts[key]) for key in sorted(counts)],
            unit=self.unit,
            method=f"{self.versioned_method()}: estimates with a value as a share of those present, suppressed and"
            " missing; a place is missing if its question was asked that year and it has no row",
            cautions=tuple(_cautions(cube, grids, counts)),
            explanation=_explanation(cube, grids) if self.explain else None,
        )


def _years_asked(cube: SurveyCube, question: int) -> list[int]:
    return [int(year) for year in np.unique(cube.cells.year[cube.cells_of(question)])]


def _refuse_too_many(cube: SurveyCube, grids: Sequence[Grid], by: Sequence[str]) -> None:
    sizes = []
    for grid in grids:
        categories = {cube.segments[index].category for index in grid.segments}
        strata = len(grid.segments) if STRATUM in by else len(categories) if CATEGORY in by else 1
        sizes.append((len(grid.locations) if LOCATION in by else 1) * (len(grid.years) if YEAR in by else 1) * strata)
    size = sum(sizes) if ASKED in by else max(sizes)
    if size > MAXIMUM_RECORDS:
        raise StatisticError(
            f"{size} records are more than the {MAXIMUM_RECORDS} that one answer may have;"
            " narrow the filters or keep fewer dimensions apart"
        )


def _record(cube: SurveyCube, grids: Sequence[Grid], by: Sequence[str], key: Key, count: Count) -> Record:
    total = count.present + count.suppressed + count.missing
    return {
        **_dimensions(cube, grids, by, key),
        "value": 100 * count.present / total if total else None,
        "standard_error": None,
        "low": None,
        "high": None,
        "sample_size": None,
        "cells_used": count.present,
        "cells_suppressed": count.suppressed,
        "reliability": None,
        "cells_missing": count.missing,
        "cells_expected": total,
    }


def _dimensions(cube: SurveyCube, grids: Sequence[Grid], by: Sequence[str], key: Key) -> Record:
    """Return the dimensions that are kept apart, and those of which the request has a single member."""
    question, location, year, place = key
    one = grids[0]
    record: Record = {}
    if question >= 0 or len(grids) == 1:
        record[ASKED] = cube.questions[one.question if question < 0 else question].text
    if location >= 0 or len(one.locations) == 1:
        record[LOCATION] = cube.locations[one.locations[0] if location < 0 else location].name
    years = {asked for grid in grids for asked in grid.years}
    if year >= 0 or len(years) == 1:
        record[YEAR] = min(years) if year < 0 else year
    segment = cube.segments[one.segments[max(place, 0)]]
    if place >= 0 or len({cube.segments[index].category for index in one.segments}) == 1:
        record[CATEGORY] = segment.category
    if STRATUM in by or len(one.segments) == 1:
        record[STRATUM] = segment.stratum
    return record


def _cautions(cube: SurveyCube, grids: Sequence[Grid], counts: dict[Key, Count]) -> list[str]:
    cautions = []
    if any(count.suppressed for count in counts.values()):
        cautions.append(
            "estimates are suppressed where too few people were asked or the estimate is too imprecise, so small groups"
            " are missing more often than large ones"
        )
    blank = [index for index, segment in enumerate(cube.segments) if segment.is_blank]
    spans = [cube.cells_of(grid.question) for grid in grids]
    rows = sum(int(cube.cells.row_count[span][np.isin(cube.cells.segment[span], blank)].sum()) for span in spans)
    if rows:
        cautions.append(f"{rows} rows have no category or no stratum; they are in no place of the grid and not counted")
    return cautions


def _explanation(cube: SurveyCube, grids: Sequence[Grid]) -> dict[str, object]:
    return {
        "formula": "expected places = years asked x locations x strata",
        "sums": [
            {
                "question": cube.questions[grid.question].text,
                "year_count": len(grid.years),
                "location_count": len(grid.locations),
                "stratum_count": len(grid.segments),
                "expected": len(grid.years) * len(grid.locations) * len(grid.segments),
            }
            for grid in grids
        ],
        "pitfalls": ["A mean over what was published says nothing about what was suppressed."],
    }
