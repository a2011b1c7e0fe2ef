"""A small panel with the course of one question over the years: the coordinates of its lines, on a fixed canvas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from meantime.charts.answers import number, numbers

WIDTH, HEIGHT = 300, 120
_LEFT, _RIGHT, _TOP, _BOTTOM = 38, 12, 10, 22

Record = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Panel:
    """What is drawn of one question: lines and bands are the texts of SVG points, places are in units of the canvas.

    ``absent`` are the places of years without an estimate, ``breaks`` those of known breaks with their year, ``levels``
    the two values at the side with theirs, ``years`` the first and the last one with theirs.
    """

    lines: Sequence[str]
    bands: Sequence[str]
    beside: Sequence[str]
    points: Sequence[tuple[float, float]]
    absent: Sequence[float]
    breaks: Sequence[tuple[float, int]]
    levels: Sequence[tuple[float, float]]
    years: Sequence[tuple[float, int]]
    bottom: float = HEIGHT - _BOTTOM


def panel(records: Sequence[Record], breaks: Sequence[int]) -> Panel | None:
    """Return the panel of a question's records by year; None where there are no two values.

    Parameters
    ----------
    records
        Those of a profile's part ``year``, in the order of years.
    breaks
        The years from which on estimates can't be compared with earlier ones.
    """
    years = [year for record in records if isinstance(year := record.get("year"), int)]
    found = numbers(records, "value", "low", "high", "reference")
    if len(numbers(records, "value")) < 2 or len(set(years)) < 2:
        return None
    low, high = min(found), max(found)
    room = (high - low) * 0.06 or 0.5
    low, high = low - room, high + room

    def across(year: float) -> float:
        return round(_LEFT + (year - years[0]) / (years[-1] - years[0]) * (WIDTH - _LEFT - _RIGHT), 1)

    def down(value: float) -> float:
        return round(_TOP + (high - value) / (high - low) * (HEIGHT - _TOP - _BOTTOM), 1)

    def points_of(stretch: Sequence[Record], field: str) -> list[tuple[float, float]]:
        both = [(number(record["year"]) or 0, number(record.get(field))) for record in stretch]
        return [(across(year), down(value)) for year, value in both if value is not None]

    own = list(_unbroken(records, "value"))
    bands = [points_of(each, "low") + points_of(each, "high")[::-1] for each in own]
    values = numbers(records, "value", "reference")
    return Panel(
        lines=[_text(points_of(each, "value")) for each in own if len(each) > 1],
        bands=[_text(each) for each in bands if len(each) > 3],
        beside=[_text(points_of(each, "reference")) for each in _unbroken(records, "reference") if len(each) > 1],
        points=points_of(records, "value"),
        absent=[across(number(record["year"]) or 0) for record in records if number(record.get("value")) is None],
        breaks=[(across(year - 0.5), year) for year in breaks if years[0] < year <= years[-1]],
        levels=[(down(value), value) for value in (min(values), max(values))],
        years=[(across(year), year) for year in (years[0], years[-1])],
    )


def _unbroken(records: Sequence[Record], field: str) -> Iterator[list[Record]]:
    """Yield runs of records with a value, which end where a year has none and where a break begins."""
    run: list[Record] = []
    for record in records:
        is_known = number(record.get(field)) is not None
        if run and (not is_known or record.get("stretch") != run[-1].get("stretch")):
            yield run
            run = []
        if is_known:
            run.append(record)
    if run:
        yield run


def _text(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{across:g},{down:g}" for across, down in points)
