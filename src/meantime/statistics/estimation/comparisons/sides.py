"""The two sides of a comparison that differ in one thing: the question, the year or the stratum.

A side is a selection of one year and one stratum. What is tested is in ``contrasts.py``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.estimation.breaks import cautions_of_breaks
from meantime.statistics.estimation.cautions import cautions_of_gaps, cautions_of_limits
from meantime.statistics.estimation.comparisons.verdicts import cautions_of_direction
from meantime.statistics.estimation.pooling import Estimates
from meantime.statistics.estimation.selection import Selection
from meantime.survey.cube.survey_cube import SurveyCube


def reference_segment(cube: SurveyCube, stratum: str, category: str) -> int:
    """Return the index of the stratum to compare with: of the same category, else the only one of that name.

    Raises
    ------
    InvalidParameterError
        Other categories have several strata of that name.
    """
    found = [index for index, segment in enumerate(cube.segments) if segment.stratum == stratum]
    same = [index for index in found if cube.segments[index].category == category]
    if len(same or found) != 1:
        raise InvalidParameterError(
            f"against_stratum: {len(found)} categories have a stratum {stratum!r}; take one of {category!r}",
            field="against_stratum",
        )
    return (same or found)[0]


def on_both_sides(first: Selection, second: Selection) -> tuple[Selection, Selection]:
    """Return both selections with only the locations that have a row in each.

    Raises
    ------
    StatisticError
        No location has.
    """
    locations = first.cube.cells.location
    both = np.intersect1d(locations[first.cells], locations[second.cells])
    if not len(both):
        raise StatisticError("no location has a row on both sides; widen the filters or compare something else")
    kept = []
    for side in (first, second):
        cells = side.cells[np.isin(locations[side.cells], both)]
        kept.append(replace(side, cells=cells))
    return kept[0], kept[1]


def named(side: Selection, other: Selection) -> str:
    """Return what sets one side apart from the other."""
    if side.question != other.question:
        return side.question.text
    if side.years != other.years:
        return str(side.years[0])
    return side.cube.segments[side.segments[0]].stratum


def cautions_of_sides(chosen: Selection, other: Selection, own: Estimates, reference: Estimates) -> list[str]:
    """Return what must be known of both sides, and of what sets them apart."""
    cautions = list(
        dict.fromkeys(
            caution for side in (own, reference) for caution in cautions_of_gaps(side) + cautions_of_limits(side)
        )
    )
    if chosen.question != other.question:
        cautions.append(
            "both questions were put to the same people, so their estimates are not independent;"
            " the interval may be too wide or too narrow"
        )
    else:
        cautions += cautions_of_direction(chosen)
        so = "and the difference mixes that with the change in people"
        cautions += cautions_of_breaks(chosen.question, [*chosen.years, *other.years], so)
    segments = {chosen.cube.segments[index] for side in (chosen, other) for index in side.segments}
    if len(segments) > 1 and (
        len({segment.category for segment in segments}) > 1 or any(segment.is_overall for segment in segments)
    ):
        cautions.append("the two strata overlap, so their estimates are not independent")
    return cautions
