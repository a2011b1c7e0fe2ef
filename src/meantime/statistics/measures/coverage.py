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
from meantime.statistics.estimation.absences import Absence, possible_segments, surveyed
from meantime.statistics.estimation.cautions import listed
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
from meantime.statistics.estimation.selection import years_of
from meantime.statistics.kinds import OneOrMore
from meantime.statistics.measures.grid import ASKED, Count, Grid, Key, count_places
from meantime.statistics.names import INCLUDED_KINDS
from meantime.statistics.result import Record, Result
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.survey_cube import SurveyCube, kept_per_cube


@dataclass(frozen=True, kw_only=True)
class Coverage(PlaceFilters):
    """How many estimates are present, suppressed and missing."""

    name = "coverage"
    title = "Coverage"
    summary = "How many estimates are present, suppressed and missing, by question, year, location or stratum."
    unit = "percent of the places of the grid"
    method = "coverage/2: counts of estimates and of places without a row"
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

        ``cells_used`` are the estimates with a value. Places are combinations of a location and a stratum in a year in
        which the question has rows; those without a value are ``cells_not_surveyed`` where the location has no estimate
        of any question in that year, else ``cells_not_asked`` where it has none of this one, else ``cells_suppressed``
        with a row and ``cells_missing`` without. ``value`` is the percentage with a value among all these. A place is
        impossible, and not counted, where no row anywhere has that question and stratum. The other fields are None.

        Raises
        ------
        StatisticError
            The question wasn't asked in these years, all places are impossible, or there would be too many records.
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
        possible = [key for key in sorted(counts) if counts[key].expected]
        if not possible:
            raise StatisticError("no row has that question and stratum, in any year or place; choose others")
        return Result(
            records=[_record(cube, grids, by, key, counts[key]) for key in possible],
            unit=self.unit,
            method=f"{self.versioned_method()}: estimates with a value as a share of the places that could have one;"
            " a place is empty because the location isn't in that year's survey, wasn't asked, is suppressed (a row"
            " without a value) or missing (no row); what no row anywhere is about counts as impossible",
            cautions=tuple(_cautions(cube, grids, counts)),
            explanation=_explanation(cube, grids) if self.explain else None,
        )


@kept_per_cube
def _years_asked(cube: SurveyCube, question: int) -> tuple[int, ...]:
    return tuple(years_of(cube, cube.cells_of(question)))


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
    return {
        **_dimensions(cube, grids, by, key),
        "value": 100 * count.present / count.expected,
        "standard_error": None,
        "low": None,
        "high": None,
        "sample_size": None,
        "cells_used": count.present,
        "cells_suppressed": count.absent.get(Absence.SUPPRESSED, 0),
        "reliability": None,
        "cells_not_surveyed": count.absent.get(Absence.NOT_SURVEYED, 0),
        "cells_not_asked": count.absent.get(Absence.NOT_ASKED, 0),
        "cells_missing": count.absent.get(Absence.MISSING, 0),
        "cells_expected": count.expected,
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
    if any(Absence.SUPPRESSED in count.absent for count in counts.values()):
        cautions.append(
            "estimates are suppressed where too few people were asked or the estimate is too imprecise, so small groups"
            " are missing more often than large ones"
        )
    away = {name for grid in grids for name in _not_surveyed(cube, grid)}
    if away:
        cautions.append(f"not in the survey that year: {listed(sorted(away))}")
    impossible = sum(count.absent.get(Absence.IMPOSSIBLE, 0) for count in counts.values())
    if impossible:
        cautions.append(
            f"{impossible} places are not counted, because no row has their question and stratum in any year or place"
        )
    rows = sum(_rows_in_no_place(cube, grid.question) for grid in grids)
    if rows:
        cautions.append(f"{rows} rows have no category or no stratum; they are in no place of the grid and not counted")
    return cautions


@kept_per_cube
def _rows_in_no_place(cube: SurveyCube, question: int) -> int:
    blank = [index for index, segment in enumerate(cube.segments) if segment.is_blank]
    span = cube.cells_of(question)
    return int(cube.cells.row_count[span][np.isin(cube.cells.segment[span], blank)].sum())


def _not_surveyed(cube: SurveyCube, grid: Grid) -> list[str]:
    """Return the locations and years of a grid in which a location has no estimate of any question."""
    years = np.searchsorted(cube.years, grid.years)
    away = np.argwhere(~surveyed(cube)[np.array(grid.locations)[:, None], years]).tolist()
    return [f"{cube.locations[grid.locations[place]].name} {grid.years[year]}" for place, year in away]


def _explanation(cube: SurveyCube, grids: Sequence[Grid]) -> dict[str, object]:
    return {
        "formula": "expected places = years asked x locations x strata of the question",
        "sums": [
            {
                "question": cube.questions[grid.question].text,
                "year_count": len(grid.years),
                "location_count": len(grid.locations),
                "stratum_count": len(strata),
                "expected": len(grid.years) * len(grid.locations) * len(strata),
            }
            for grid in grids
            for strata in [possible_segments(cube, grid.question) & set(grid.segments)]
        ],
        "pitfalls": ["A mean over what was published says nothing about what was suppressed."],
    }
