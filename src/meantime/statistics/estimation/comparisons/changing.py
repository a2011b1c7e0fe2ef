"""What a comparison of changes can be of: its words, the checks of what fits it, and what is said at breaks."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from meantime.errors import InvalidParameterError
from meantime.statistics.estimation.breaks import Breaks, cautions_of_breaks
from meantime.statistics.estimation.filters import Places
from meantime.statistics.estimation.nation import is_nation_alone
from meantime.survey.questions import PERCENT, Question, Segment


class Changing(StrEnum):
    """What changes."""

    VALUE = "value"
    TREND = "trend"
    DISPARITY = "disparity"


IN_WORDS = {
    Changing.VALUE: "value = last year - first year",
    Changing.TREND: "value = slope by weighted least squares on the year, w = 1 / SE^2, its SE times the Birge ratio"
    " where that is above 1",
    Changing.DISPARITY: "value = last year - first year of the gap, stratum - reference stratum",
}
"""How each change is computed."""


def unit_of_change(of: str, unit: str) -> str:
    """Return the unit of a change, for a question's own."""
    points = "percentage points" if unit == PERCENT else unit
    return f"{points} per year" if of == Changing.TREND else points


def cautions_of_crossing(question: Question, years: Sequence[int], of: str, breaks: str) -> list[str]:
    """Return a caution for each known break between the years: it is stopped at, or both sides cross it."""
    if of == Changing.TREND and breaks == Breaks.APART:
        return cautions_of_breaks(question, years, "so that no line crosses it")
    return cautions_of_breaks(
        question,
        years,
        "and both sides cross that: what it moved alike on both drops out of the difference, what it moved more on one"
        " side doesn't, and each side's own change mixes it with the change in people",
    )


def check_years(of: str, breaks: str, places: Places) -> None:
    """Check that there are two years, or for a trend more, and that nothing else is told what to do at breaks.

    Raises
    ------
    InvalidParameterError
        It isn't so.
    """
    is_trend, count = of == Changing.TREND, len(places.years)
    if count < 2 or (count > 2 and not is_trend):
        wanted = "takes two years or more" if is_trend else "is between two years, such as [2013, 2023]"
        raise InvalidParameterError(
            f"years: {count} {'is' if count == 1 else 'are'} selected; a change of {of} {wanted}", field="years"
        )
    if breaks == Breaks.CROSS and not is_trend:
        raise InvalidParameterError(
            f"breaks: only a trend can stop at them; a change of {of} crosses them with a caution, so leave breaks out",
            field="breaks",
        )


def compared_segments(places: Places, reference: str | None) -> tuple[tuple[int, ...], int | None]:
    """Return the segments that have a record each, and the one that their gaps are measured from, if one is named.

    Raises
    ------
    InvalidParameterError
        They are of several categories or of everybody, the reference is no stratum of theirs, or the only one.
    """
    segments = places.cube.segments
    if reference is None:
        return places.segments, None
    categories = {segments[index].category for index in places.segments}
    if len(categories) > 1 or any(segments[index].is_overall for index in places.segments):
        raise InvalidParameterError(
            "categories: a gap is between strata of one category; name one, or strata of one",
            field="categories",
            accepted=sorted({each.category for each in segments if not each.is_overall} - {""}),
        )
    strata = {each.stratum: index for index, each in enumerate(segments) if each.category in categories}
    if reference not in strata:
        raise InvalidParameterError(
            f"reference: {reference} is no stratum of {categories.pop()}; name one of them",
            field="reference",
            accepted=tuple(strata),
        )
    compared = tuple(index for index in places.segments if index != strata[reference])
    if not compared:
        raise InvalidParameterError(
            f"strata: {reference} would be compared with itself; name another stratum",
            field="strata",
            accepted=tuple(strata),
        )
    return compared, strata[reference]


def check_gap(of: str, reference: str | None, segments: tuple[Segment, ...]) -> None:
    """Check that there is a reference stratum where a disparity is asked for, and nowhere else.

    Raises
    ------
    InvalidParameterError
        It isn't so.
    """
    if of == Changing.DISPARITY and reference is None:
        raise InvalidParameterError(
            "reference: missing; name the stratum that the gap of each other one is measured from",
            field="reference",
            accepted=sorted({each.stratum for each in segments if not each.is_overall} - {""}),
        )
    if of != Changing.DISPARITY and reference is not None:
        raise InvalidParameterError(
            "reference: only a disparity is measured from a stratum; ask for of `disparity`", field="reference"
        )


def check_panel_of_reference(places: Places, against: str | None, segment_count: int) -> None:
    """Check that a fixed panel stands for the nation as reference, for one stratum.

    Raises
    ------
    InvalidParameterError
        It isn't so.
    """
    cube = places.cube
    if against is None or not is_nation_alone(cube, [cube.location_index[against]]):
        raise InvalidParameterError(
            "panel: a fixed panel stands for the nation; compare against the nation, or leave panel out",
            field="panel",
        )
    if segment_count > 1:
        raise InvalidParameterError(
            "panel: a fixed panel is of the same states for one stratum; name one in strata", field="panel"
        )
