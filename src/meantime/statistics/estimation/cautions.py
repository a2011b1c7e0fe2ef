"""What a reader must know before trusting a pooled estimate, in words.

Each function gives sentences or nothing. Cautions that belong to one statistic alone are in its module.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from meantime.statistics.estimation.absences import Absence, absent_estimates, places_and_years
from meantime.statistics.estimation.breaks import cautions_of_breaks
from meantime.statistics.estimation.grouping import CATEGORY, LOCATION, STRATUM, YEAR, Groups
from meantime.statistics.estimation.options import Weights
from meantime.statistics.estimation.pooling import Estimates
from meantime.statistics.estimation.published_limits import cells_cut_off
from meantime.statistics.estimation.selection import Selection, years_of
from meantime.survey.cube.limits import Scale, highest_value
from meantime.survey.cube.scale import Extent, extent_of, scale_doubt
from meantime.survey.cube.survey_cube import FloatArray, SurveyCube, kept_per_cube
from meantime.survey.questions import PERCENT, SCALES, LocationKind

NAMES_SHOWN = 10

_ABSENT = {
    Absence.NOT_SURVEYED: "not in the survey that year, so without an estimate",
    Absence.NOT_ASKED: "with estimates of other questions that year, but none of this one",
}
_LACKING = {
    Weights.SAMPLE_SIZE: "a sample size",
    Weights.INVERSE_VARIANCE: "a standard error above 0",
    Weights.POPULATION: "a population in the table",
}
_UNEQUAL = {
    Weights.NONE: "locations of unequal population count alike, so this is no national value",
    Weights.SAMPLE_SIZE: "sample sizes are not populations, small states are oversampled, so this is no national value",
    Weights.INVERSE_VARIANCE: "precision is not population, so this is no national value",
}


def listed(names: Sequence[str]) -> str:
    """Return up to ten names, and how many more there are."""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def cautions_of(estimates: Estimates) -> tuple[str, ...]:
    """Return what holds for every statistic over these estimates: what is missing, what is pooled, what is assumed."""
    return (*cautions_of_gaps(estimates), *cautions_of_limits(estimates), *cautions_of_pooling(estimates))


def cautions_of_gaps(estimates: Estimates) -> list[str]:
    """Return cautions about locations, years, values and weights that aren't there."""
    selection = estimates.groups.selection
    found = cautions_of_absence(selection) + _cautions_of_reasons(selection)
    unweighted = int(estimates.cells_unweighted.sum())
    if unweighted:
        found.append(f"without {_LACKING[estimates.weights]}, so not counted: {unweighted} estimates")
    return found


def _cautions_of_reasons(selection: Selection) -> list[str]:
    """Return cautions about rows without a value, by the reason for it."""
    cube, absent = selection.cube, absent_estimates(selection)
    found = []
    for reason, said in _ABSENT.items():
        if reason in absent:
            found.append(f"{said}: {listed(places_and_years(cube, absent[reason]))}")
    if Absence.SUPPRESSED in absent:
        cells, hidden = cube.cells, absent[Absence.SUPPRESSED]
        count = int((cells.row_count[hidden] - cells.value_count[hidden]).sum())
        found.append(
            f"suppressed, so not counted: {count} of {int(cells.row_count[selection.cells].sum())} estimates;"
            " small groups are suppressed more often, so what is missing is not missing at random"
        )
    return found


def cautions_of_limits(estimates: Estimates) -> list[str]:
    """Return cautions about values without a standard error, and about limits that say less than they seem to."""
    found = []
    unknown = int((np.isnan(estimates.standard_error) & ~np.isnan(estimates.value)).sum())
    if unknown:
        found.append(f"without a standard error, because an estimate in them has no limits: {unknown} values")
    selection = estimates.groups.selection
    cut = int(cells_cut_off(selection.cube)[selection.cells].sum())
    if cut:
        end = highest_value(selection.question.unit)
        found.append(
            f"limits that stand at the end of the scale, 0 or {end:g}, say nothing about the error: of {cut} estimates"
            " it is read off the other limit alone"
        )
    return found


def cautions_of_absence(selection: Selection) -> list[str]:
    """Return a caution about the unit, and those that name the selected locations and years without any value."""
    found = cautions_of_scale(selection.cube, selection.cube.question_index[selection.question.text])
    cube, cells = selection.cube, selection.cube.cells
    with_value = selection.cells[cells.value_count[selection.cells] > 0]
    count = np.bincount(cells.location[with_value], minlength=len(cube.locations)).tolist()
    absent = [cube.locations[index].name for index in selection.locations if not count[index]]
    if absent:
        found.append(f"without a value: {len(absent)} of {len(selection.locations)} locations ({listed(absent)})")
    asked = years_of(cube, with_value)
    unasked = [str(year) for year in selection.years if year not in asked]
    if unasked:
        found.append(
            f"without a value: {len(unasked)} of {len(selection.years)} years ({listed(unasked)});"
            " some questions aren't asked every year"
        )
    return found


@kept_per_cube
def value_extent(cube: SurveyCube, question: int) -> Extent | None:
    """Return the lowest and the highest value of a question (an index); None where it has none."""
    return extent_of(cube, question)


def cautions_of_scale(cube: SurveyCube, question: int) -> list[str]:
    """Return a caution where the values of a question (an index) can hardly be what its unit says."""
    doubt = scale_doubt(cube.questions[question].unit, value_extent(cube, question))
    return [doubt] if doubt else []


def cautions_of_goal(cube: SurveyCube, question: int, goal: float, compared: FloatArray) -> list[str]:
    """Return a caution where a goal is hardly on the scale of the values.

    Every value of the question (an index) lies on one side of it, or it looks like a proportion among percentages and
    lies below all that is ``compared`` with it.
    """
    extent, unit = value_extent(cube, question), cube.questions[question].unit
    if extent is None:
        return []
    values = compared[~np.isnan(compared)]
    if unit == PERCENT and 0.0 < goal <= 1.0 and len(values) and goal < values.min() and goal >= extent[0]:
        return [_off_scale(goal, (float(values.min()), float(values.max())), unit, "value compared here", 100.0)]
    if extent[0] <= goal <= extent[1]:
        return []
    factor = 100.0 if goal < extent[0] else 0.01
    is_likely = unit in SCALES and extent[0] <= goal * factor <= extent[1]
    return [_off_scale(goal, extent, unit, "value of this question", factor if is_likely else None)]


def _off_scale(goal: float, extent: Extent, unit: str, what: str, factor: float | None) -> str:
    side = "below" if goal < extent[0] else "above"
    said = f"the goal {goal:g} is {side} every {what} ({f'{extent[0]:g} to {extent[1]:g} {unit}'.rstrip()})"
    return said if factor is None else f"{said}; if {goal * factor:g} is meant, give {goal * factor:g}"


def pools_locations(groups: Groups) -> bool:
    """Whether a group can hold several locations."""
    return LOCATION not in groups.by and len(groups.selection.locations) > 1


def cautions_of_pooling(estimates: Estimates) -> list[str]:
    """Return cautions about what is averaged together, and about independence where something is."""
    if not (estimates.cells_used > 1).any():
        return []
    groups, selection = estimates.groups, estimates.groups.selection
    found = []
    if pools_locations(groups):
        kinds = {selection.cube.locations[index].kind for index in selection.locations}
        if LocationKind.NATION in kinds:
            found.append("the nation is averaged with locations that are part of it")
        if estimates.weights in _UNEQUAL:
            found.append(_UNEQUAL[estimates.weights])
    if YEAR not in groups.by and len(selection.years) > 1:
        found.append("several years are averaged; a trend between them is hidden")
        found += cautions_of_breaks(selection.question, selection.years, "and both kinds are averaged")
    segments = [selection.cube.segments[index] for index in selection.segments]
    categories = {segment.category for segment in segments}
    if CATEGORY not in groups.by and STRATUM not in groups.by and len(categories) > 1:
        found.append("strata of several categories are averaged: the same people are counted more than once")
    elif STRATUM not in groups.by and len(segments) > len(categories):
        found.append("strata of unequal size are averaged; each counts by its weight, not by its people")
    found.append(
        "the standard error takes the pooled estimates as independent: nearly so for different states,"
        " not so for overlapping strata or for a location and the nation"
    )
    if estimates.scale is Scale.LOGIT and (selection.cube.cells.value_count[selection.cells] > 1).any():
        found.append("some cells hold several estimates: their standard errors are read on the linear scale")
    return found
