"""The statistic ``disparity``: how far apart the strata of a category are, in each location.

The measures, with their sources, are in ``inequality.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from meantime.errors import InvalidParameterError, StatisticError
from meantime.fields.fields import Default, Example
from meantime.statistics.estimation.cautions import cautions_of_gaps, cautions_of_limits
from meantime.statistics.estimation.explanation import explain
from meantime.statistics.estimation.filters import Filters, Places, overall_segments
from meantime.statistics.estimation.grouping import LOCATION, STRATUM, group
from meantime.statistics.estimation.inequality import StratumEstimate, measures_of
from meantime.statistics.estimation.options import ExplainOption, LevelOption, ScaleOption, check_scale
from meantime.statistics.estimation.pooling import Estimates, pool
from meantime.statistics.estimation.selection import Selection
from meantime.statistics.estimation.uncertainty import Reliability, normal_quantile
from meantime.statistics.estimation.verdicts import cautions_of_direction
from meantime.statistics.kinds import CATEGORY_NAME, STRATUM_NAME, OneOrMore
from meantime.statistics.result import Record, Result, plain
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.questions import Direction


@dataclass(frozen=True, slots=True)
class _Location:
    """One location's strata that have a value, on the category's scale if it has one, and what is missing."""

    name: str
    strata: list[StratumEstimate]
    overall: float | None
    cells_used: int
    cells_suppressed: int
    is_doubtful: bool
    strata_missing: int


def _comparable(cube: SurveyCube, segments: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strata to compare: in a category with a scale, only those that have a place on it."""
    categories = {cube.segments[index].category for index in segments}
    has_scale = any(segment.order is not None for segment in cube.segments if segment.category in categories)
    return tuple(index for index in segments if not has_scale or cube.segments[index].order is not None)


@dataclass(frozen=True, kw_only=True)
class Disparity(Filters):
    """How far apart the strata of one category are, for each location; several years are pooled per stratum."""

    name = "disparity"
    title = "Disparity between strata"
    summary = "How far apart the strata of a category are in each location, by several measures."
    unit = "percentage points"
    method = "disparity/1: highest minus lowest stratum, index of disparity, slope index of inequality"
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
    scale: ScaleOption = "auto"
    level: LevelOption = 0.95
    explain: ExplainOption = False

    def check(self, places: Places) -> None:
        """Check the scale, and that two strata of the category or more can be compared."""
        cube = places.cube
        check_scale(cube, self.question, self.scale)
        if len(_comparable(cube, places.segments)) < 2:
            raise InvalidParameterError(
                "categories: fewer than two strata to compare; choose a category with more strata",
                field="categories",
                accepted=sorted({segment.category for segment in cube.segments if not segment.is_overall} - {""}),
            )

    def compute(self, data: StatisticData) -> Result:
        """Return one record per location that has a row, by name.

        ``value`` is the highest stratum minus the lowest, in percentage points, with its interval; ``ratio`` is
        highest over lowest; ``relative_difference_percent`` is the same difference as a percentage of the most
        favourable stratum; for the other fields see ``inequality.py``. Only strata with a value count, and in a
        category with a scale only those that have a place on it; all measures are None with fewer than two. The
        slope index and the relative index exist for categories with a scale.

        Raises
        ------
        StatisticError
            The dataset has no row there, or no location has two strata with a value.

        Notes
        -----
        Differences: SE = sqrt(SE_a^2 + SE_b^2). Strata are taken as independent samples. Sources: Keppel et al. 2005,
        Pearcy and Keppel 2002, Pamuk 1985 (see ``inequality.py``).
        """
        cube = data.cube
        chosen = self.select(cube)
        segments = _comparable(cube, chosen.segments)
        selection = chosen.elsewhere(segments=segments)
        estimates = pool(group(selection, [LOCATION, STRATUM]), scale=self.scale, level=self.level)
        has_scale = cube.segments[segments[0]].order is not None
        locations = _locations(estimates, _overall_values(selection))
        if all(len(location.strata) < 2 for location in locations):
            raise StatisticError("no location has two strata with a value there; choose another year or category")
        z = normal_quantile(self.level)
        higher_is_better = selection.question.direction is Direction.HIGHER_IS_BETTER
        shared = _shared_dimensions(selection)
        return Result(
            records=[
                {"location": location.name}
                | shared
                | _record(location, z, higher_is_better=higher_is_better, has_scale=has_scale)
                for location in locations
            ],
            unit="percentage points" if selection.question.unit == "percent" else selection.question.unit,
            method=f"{self.versioned_method()}: highest minus lowest stratum, SE = sqrt(SE_a^2 + SE_b^2); index of"
            " disparity about the overall estimate; between-group variance, slope and relative index by shares of the"
            f" sample; {100 * self.level:g} % normal intervals, standard errors read on the {self.scale} scale",
            cautions=tuple(_cautions(estimates, locations, chosen.segments, segments)),
            explanation=explain(estimates, [_PITFALL]) if self.explain else None,
        )


_PITFALL = (
    "Which stratum is highest is read off the same noisy estimates as how high it is, so the difference between the"
    " highest and the lowest is too large on average, and more so the more strata there are."
)


def _overall_values(selection: Selection) -> dict[int, float]:
    """Return the overall stratum's value of each location (an index) that has one."""
    cube = selection.cube
    everybody = overall_segments(cube)
    if not everybody:
        return {}
    try:
        cells = selection.elsewhere(segments=everybody)
    except StatisticError:  # no row there
        return {}
    overall = pool(group(cells, [LOCATION]))
    places = cube.cells.location[cells.cells[overall.groups.first_cell]].tolist()
    values = zip(places, overall.value.tolist(), strict=True)
    return {place: value for place, value in values if not math.isnan(value)}


def _shared_dimensions(selection: Selection) -> Record:
    category = selection.cube.segments[selection.segments[0]].category
    year: Record = {"year": selection.years[0]} if len(selection.years) == 1 else {}
    return year | {"category": category}


def _locations(estimates: Estimates, overall: dict[int, float]) -> list[_Location]:
    """Return the strata of each location, in the order of the groups."""
    selection = estimates.groups.selection
    cube = selection.cube
    cells = selection.cells[estimates.groups.first_cell]
    flags = plain(estimates.common_columns()["reliability"])
    members: dict[int, list[int]] = {}
    for place, location in enumerate(cube.cells.location[cells].tolist()):
        members.setdefault(location, []).append(place)
    found = []
    for location, places in members.items():
        valued = [place for place in places if not math.isnan(estimates.value[place])]
        found.append(
            _Location(
                name=cube.locations[location].name,
                strata=[_stratum(estimates, place, int(cells[place])) for place in valued],
                overall=overall.get(location),
                cells_used=int(estimates.cells_used[valued].sum()),
                cells_suppressed=int(estimates.cells_suppressed[places].sum()),
                is_doubtful=any(flags[place] == Reliability.CAUTION for place in valued),
                strata_missing=len(selection.segments) - len(valued),
            )
        )
    return found


def _stratum(estimates: Estimates, place: int, cell: int) -> StratumEstimate:
    cube = estimates.groups.selection.cube
    error, size = float(estimates.standard_error[place]), float(estimates.sample_size[place])
    return StratumEstimate(
        stratum=cube.segments[cube.cells.segment[cell]].stratum,
        value=float(estimates.value[place]),
        standard_error=None if math.isnan(error) else error,
        sample_size=None if math.isnan(size) else size,
    )


_FIELDS_BEFORE = ("value", "standard_error", "low", "high")
_FIELDS_AFTER = (
    "highest_stratum",
    "highest_value",
    "lowest_stratum",
    "lowest_value",
    "ratio",
    "ratio_low",
    "ratio_high",
    "relative_difference_percent",
    "index_of_disparity_percent",
    "between_group_variance",
    "slope_index",
    "slope_index_standard_error",
    "slope_index_low",
    "slope_index_high",
    "relative_index",
)


def _record(location: _Location, z: float, *, higher_is_better: bool, has_scale: bool) -> Record:
    """Return one location's fields after its dimensions, all of them; a measure that isn't there is None."""
    measures = measures_of(location.strata, location.overall, z, higher_is_better=higher_is_better, has_scale=has_scale)
    doubt = Reliability.CAUTION if location.is_doubtful else Reliability.OK
    sizes = [own.sample_size for own in location.strata if own.sample_size is not None]
    size = math.fsum(sizes)
    return {
        **{field: measures.get(field) for field in _FIELDS_BEFORE},
        "sample_size": None if not sizes else int(size) if size.is_integer() else size,
        "cells_used": location.cells_used,
        "cells_suppressed": location.cells_suppressed,
        "reliability": (doubt if measures else Reliability.SUPPRESSED).value,
        **{field: measures.get(field) for field in _FIELDS_AFTER},
        "overall_value": location.overall,
        "strata_count": len(location.strata),
        "strata_missing": location.strata_missing,
    }


def _cautions(
    estimates: Estimates, locations: list[_Location], chosen: tuple[int, ...], compared: tuple[int, ...]
) -> list[str]:
    selection = estimates.groups.selection
    cautions = [*cautions_of_gaps(estimates), *cautions_of_limits(estimates), *cautions_of_direction(selection)]
    left_out = [selection.cube.segments[index].stratum for index in chosen if index not in compared]
    if left_out:
        cautions.append(f"strata without a place on the category's scale are left out: {', '.join(left_out)}")
    lacking = sum(location.strata_missing > 0 for location in locations)
    if lacking:
        cautions.append(
            f"{lacking} of {len(locations)} locations lack a stratum, so their measures are not comparable with"
            " those of locations that have them all"
        )
    cautions.append("strata are taken as independent samples, and their shares are those of the sample, not of people")
    return cautions
