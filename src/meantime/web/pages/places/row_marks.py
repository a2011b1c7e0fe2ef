"""What is drawn in a row: a place on the span of the states, and the two ends of a gap.

Everything is a plain coordinate in percent of the width, so that the page draws it without a script and at any width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meantime.charts.answers import number, numbers
from meantime.survey.questions import Direction

_ROOM = 3.0
"""How much of the width stays free at both ends, in percent."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a row, from the left."""

    start: float
    width: float


@dataclass(frozen=True, slots=True)
class SpineRow:
    """A place on the span of the states, turned so that right is better; what isn't known isn't there.

    ``left_end`` and ``right_end`` are the values of the states at both ends.
    """

    value: float | None = None
    limits: Span | None = None
    states: Span | None = None
    middle_half: Span | None = None
    reference: float | None = None
    left_end: float | None = None
    right_end: float | None = None


def spine_row(record: Mapping[str, object]) -> SpineRow:
    """Return where things are in the row of a profile's part ``now``; the reference, else the median, is the middle."""
    centre = number(record.get("reference"))
    if centre is None:
        centre = number(record.get("states_quantile_0.5"))
    value = number(record.get("value"))
    centre = value if centre is None else centre
    known = numbers([record], "value", "low", "high", "states_minimum", "states_maximum", "reference")
    if centre is None or not known:
        return SpineRow()
    reach = max(abs(each - centre) for each in known) or 1.0
    sign = -1.0 if record.get("direction") == Direction.LOWER_IS_BETTER else 1.0
    middle = centre

    def at(found: object) -> float | None:
        place = number(found)
        return None if place is None else round(50.0 + sign * (place - middle) / reach * (50.0 - _ROOM), 2)

    ends = number(record.get("states_minimum")), number(record.get("states_maximum"))
    left, right = ends if sign > 0 else (ends[1], ends[0])
    return SpineRow(
        value=at(value),
        limits=_span(at(record.get("low")), at(record.get("high"))),
        states=_span(at(ends[0]), at(ends[1])),
        middle_half=_span(at(record.get("states_quantile_0.25")), at(record.get("states_quantile_0.75"))),
        reference=at(record.get("reference")),
        left_end=left,
        right_end=right,
    )


def _span(one: float | None, other: float | None) -> Span | None:
    if one is None or other is None:
        return None
    return Span(min(one, other), round(abs(other - one), 2))


@dataclass(frozen=True, slots=True)
class GapRow:
    """The lowest and the highest stratum of a gap, and everybody between them if that is known."""

    lowest: float
    highest: float
    everybody: float | None


def gap_scale(records: Sequence[Mapping[str, object]]) -> tuple[float, float]:
    """Return the ends of a scale that several gaps share."""
    found = numbers(records, "lowest_value", "highest_value")
    return (min(found), max(found)) if found and min(found) < max(found) else (0.0, 1.0)


def gap_row(record: Mapping[str, object], everybody: object, scale: tuple[float, float]) -> GapRow | None:
    """Return where a gap is on a scale; None where it has no ends."""

    def at(value: float) -> float:
        return round(_ROOM + (value - scale[0]) / (scale[1] - scale[0]) * (100.0 - 2 * _ROOM), 2)

    low, high, own = number(record.get("lowest_value")), number(record.get("highest_value")), number(everybody)
    if low is None or high is None:
        return None
    return GapRow(at(low), at(high), None if own is None or not scale[0] <= own <= scale[1] else at(own))
