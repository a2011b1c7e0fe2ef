"""The statistic ``disparity``: how far apart the strata of a category are, in each location.

The measures, with their sources, are in ``estimation/inequality``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from meantime.errors import InvalidParameterError, StatisticError
from meantime.fields.fields import Default, Example
from meantime.statistics.estimation.absences import possible_segments
from meantime.statistics.estimation.cautions import cautions_of_gaps, cautions_of_limits, listed
from meantime.statistics.estimation.comparisons.matching import unshared_cells
from meantime.statistics.estimation.comparisons.verdicts import cautions_of_direction
from meantime.statistics.estimation.explanation import explain
from meantime.statistics.estimation.filters import Filters, Places
from meantime.statistics.estimation.grouping import LOCATION, STRATUM, group
from meantime.statistics.estimation.inequality.chance import DRAWS
from meantime.statistics.estimation.inequality.disparities import Compared, measures_of_each
from meantime.statistics.estimation.inequality.gaps import BEST, OTHERS, Reference
from meantime.statistics.estimation.inequality.location_strata import (
    LocationStrata,
    comparable_segments,
    locations_of,
    overall_values,
)
from meantime.statistics.estimation.inequality.shares import SharesOption, check_shares, shares_in
from meantime.statistics.estimation.options import ExplainOption, LevelOption, ScaleOption, check_scale
from meantime.statistics.estimation.pooling import Estimates, counted_cells, pool
from meantime.statistics.estimation.selection import Selection
from meantime.statistics.estimation.uncertainty import Reliability
from meantime.statistics.kinds import CATEGORY_NAME, STRATUM_NAME, OneOrMore, WordOrName
from meantime.statistics.result import Record, Result
from meantime.statistics.statistic import StatisticData
from meantime.survey.questions import Direction


@dataclass(frozen=True, kw_only=True)
class Disparity(Filters):
    """How far apart the strata of one category are, for each location; several years are pooled per stratum."""

    name = "disparity"
    title = "Disparity between strata"
    summary = "How far apart the strata of a category are in each location, by several measures."
    unit = "percentage points"
    method = "disparity/3: largest difference between strata, index of disparity, slope index of inequality"
    example: ClassVar = {"question": "Q036", "years": [2023], "categories": ["Education"]}
    documentation = "methods/disparity.md"

    categories: Annotated[
        tuple[str, ...],
        OneOrMore(CATEGORY_NAME, maximum=1),
        "The one category whose strata are compared.",
        Example(["Education"]),
    ] = field()  # required
    strata: Annotated[
        tuple[str, ...] | None,
        OneOrMore(STRATUM_NAME),
        "Strata of the category.",
        Default("all strata of the category"),
        Example(["College graduate"]),
    ] = None
    reference: Annotated[
        str,
        WordOrName((BEST, OTHERS), STRATUM_NAME),
        "What the strata are compared with: `best`, the most favourable of them; `others`, the mean of all others; or a"
        " stratum.",
        Example("College graduate"),
    ] = BEST
    shares: SharesOption = None
    scale: ScaleOption = "auto"
    level: LevelOption = 0.95
    explain: ExplainOption = False

    def check(self, places: Places) -> None:
        """Check the scale, and that two strata of the category or more can be compared."""
        cube = places.cube
        check_scale(cube, self.question, self.scale)
        if len(comparable_segments(cube, self.question, places.segments)) < 2:
            raise InvalidParameterError(
                "categories: fewer than two strata to compare; choose a category with more strata",
                field="categories",
                accepted=sorted({segment.category for segment in cube.segments if not segment.is_overall} - {""}),
            )
        compared = [cube.segments[index].stratum for index in comparable_segments(cube, self.question, places.segments)]
        if self.shares is not None:
            check_shares(self.shares, compared, {cube.locations[index].name for index in places.locations})
        if self.reference not in {BEST, OTHERS, *compared}:
            raise InvalidParameterError(
                f"reference: {self.reference} is none of the strata that are compared; choose one of them",
                field="reference",
                accepted=(BEST, OTHERS, *compared),
            )

    def compute(self, data: StatisticData) -> Result:
        """Return one record per location that has a row, by name.

        ``value`` is the largest difference from the reference, in percentage points, with its interval; ``ratio`` is
        the same as a ratio; ``relative_difference_percent`` is the difference as a percentage of the more favourable
        side; ``_by_chance`` is what a measure would be on average if no stratum differed; for the other fields see
        ``inequality/summaries.py``. Only strata with a value count, and in a category with a scale only those that have
        a place on it; several years are pooled over those that all strata of a location have. All measures are None
        with fewer than two strata. Slope index and relative index exist for categories with a scale.

        Raises
        ------
        StatisticError
            The dataset has no row there, or no location has two strata with a value.

        Notes
        -----
        Intervals: ``inequality/ranges.py``, ``inequality/summary_intervals.py``. Strata are taken as independent.
        Sources: Keppel et al. 2005, Pearcy and Keppel 2002, Pamuk 1985 (see ``inequality/summaries.py``).
        """
        cube = data.cube
        chosen = self.select(cube)
        segments = comparable_segments(cube, self.question, chosen.segments)
        selection = chosen.elsewhere(segments=segments)
        left_out = unshared_cells(selection, counted_cells(selection), apart=[STRATUM], within=[LOCATION])
        groups = group(selection, [LOCATION, STRATUM])
        estimates = pool(groups, scale=self.scale, level=self.level, left_out=left_out)
        locations = locations_of(estimates, overall_values(selection, left_out), left_out)
        if all(len(location.strata) < 2 for location in locations):
            raise StatisticError("no location has two strata with a value there; choose another year or category")
        measures = self._measures(locations, selection, data)
        records = [
            {"location": own.name} | _shared_dimensions(selection) | _record(own, found)
            for own, found in zip(locations, measures, strict=True)
        ]
        return Result(
            records=records,
            unit="percentage points" if selection.question.unit == "percent" else selection.question.unit,
            method=self._method(estimates),
            cautions=(
                *_cautions(estimates, locations, chosen.segments, segments),
                "strata are taken as independent samples"
                + (", and their shares are those of the sample, not of people" if self.shares is None else ""),
            ),
            explanation=explain(estimates, [_PITFALL]) if self.explain else None,
        )

    def _measures(self, locations: list[LocationStrata], selection: Selection, data: StatisticData) -> list[Record]:
        """Return the measures of each location."""
        named, shares = self.reference in {BEST, OTHERS}, shares_in(self.shares)
        return measures_of_each(
            [Compared(own.strata, own.overall, shares.of(own.name, own.strata)) for own in locations],
            self.level,
            Reference(self.reference) if named else Reference("stratum", self.reference),
            higher_is_better=selection.question.direction is Direction.HIGHER_IS_BETTER,
            has_scale=selection.cube.segments[selection.segments[0]].order is not None,
            checkpoint=data.checkpoint,
        )

    def _method(self, estimates: Estimates) -> str:
        reason = f"; {estimates.scale_reason}" if estimates.scale_reason else ""
        by_what = "the studentised range" if self.reference == BEST else f"{DRAWS:,} seeded draws"
        shares = "the sample" if self.shares is None else "the people, as the request has them"
        return (
            f"{self.versioned_method()}: largest difference from {self._reference_in_words()}, its interval that of all"
            f" differences at once, by {by_what}; index of disparity about the overall estimate; between-group"
            f" variance, slope and relative index by shares of {shares}; {100 * self.level:g} % intervals of index and"
            f" variance by {DRAWS:,} seeded draws and a tangent, of the slope normal, of the relative index by Fieller;"
            f" standard errors read on the {estimates.scale} scale{reason}"
        )

    def _reference_in_words(self) -> str:
        words = {BEST: "the most favourable stratum", OTHERS: "the mean of all other strata, each counted once"}
        return words.get(self.reference, self.reference)


def _record(location: LocationStrata, measures: Record) -> Record:
    """Return one location's fields after its dimensions, all of them; a measure that isn't there is None."""
    doubt = Reliability.CAUTION if location.is_doubtful else Reliability.OK
    sizes = [own.sample_size for own in location.strata if own.sample_size is not None]
    size = math.fsum(sizes)
    return {
        **{field: measures.get(field) for field in _FIELDS_BEFORE},
        "sample_size": None if not sizes else int(size) if size.is_integer() else size,
        "cells_used": location.cells_used,
        "cells_suppressed": location.cells_suppressed,
        "reliability": (doubt if "value" in measures else Reliability.SUPPRESSED).value,
        **{field: measures.get(field) for field in _FIELDS_AFTER},
        "overall_value": location.overall,
        "strata_count": len(location.strata),
        "strata_missing": location.strata_missing,
        "cells_left_out": location.cells_left_out,
    }


_PITFALL = (
    "Which stratum is highest is read off the same noisy estimates as how high it is, so the largest difference is too"
    " large on average, and more so the more strata there are; value_by_chance is what it would be if none differed."
)


def _shared_dimensions(selection: Selection) -> Record:
    category = selection.cube.segments[selection.segments[0]].category
    year: Record = {"year": selection.years[0]} if len(selection.years) == 1 else {}
    return year | {"category": category}


_FIELDS_BEFORE = ("value", "standard_error", "low", "high")
_FIELDS_AFTER = (
    "p_value",
    "value_by_chance",
    "highest_stratum",
    "highest_value",
    "lowest_stratum",
    "lowest_value",
    "ratio",
    "ratio_low",
    "ratio_high",
    "relative_difference_percent",
    "index_of_disparity_percent",
    "index_of_disparity_standard_error",
    "index_of_disparity_low",
    "index_of_disparity_high",
    "index_of_disparity_by_chance",
    "between_group_variance",
    "between_group_variance_standard_error",
    "between_group_variance_low",
    "between_group_variance_high",
    "between_group_variance_by_chance",
    "slope_index",
    "slope_index_standard_error",
    "slope_index_low",
    "slope_index_high",
    "relative_index",
    "relative_index_standard_error",
    "relative_index_low",
    "relative_index_high",
)


def _cautions(
    estimates: Estimates, locations: list[LocationStrata], chosen: tuple[int, ...], compared: tuple[int, ...]
) -> list[str]:
    selection = estimates.groups.selection
    cautions = [*cautions_of_gaps(estimates), *cautions_of_limits(estimates), *cautions_of_direction(selection)]
    cube = selection.cube
    possible = possible_segments(cube, cube.question_index[selection.question.text])
    off_scale = [cube.segments[index].stratum for index in chosen if index not in compared and index in possible]
    if off_scale:
        cautions.append(f"strata without a place on the category's scale are left out: {', '.join(off_scale)}")
    impossible = [cube.segments[index].stratum for index in chosen if index not in possible]
    if impossible:
        cautions.append(f"strata that the question has no row of are left out: {', '.join(impossible)}")
    lacking = sum(location.strata_missing > 0 for location in locations)
    if lacking:
        cautions.append(
            f"{lacking} of {len(locations)} locations lack a stratum, so their measures are not comparable with"
            " those of locations that have them all"
        )
    matched = [location.name for location in locations if location.cells_left_out]
    if matched:
        cautions.append(
            "over the years that all strata have, so not over the same in each location:"
            f" {len(matched)} of {len(locations)} locations leave years out ({listed(matched)})"
        )
    return cautions
