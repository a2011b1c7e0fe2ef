"""Values over the years with their bands: a line stops where a year has no estimate and where a break begins.

It is drawn from values by year, or from a trend with its explanation, which has them. Of a trend without it only the
ends of each stretch are known, and the line between them is dashed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from meantime.charts.answers import (
    ChartedAnswer,
    Row,
    distinct,
    list_in,
    listed,
    mapping_in,
    number,
    numbers,
)
from meantime.charts.frame import RECORDS, Drawing
from meantime.charts.kinds import marks, wording
from meantime.charts.themes import Spec, Theme

WIDTH, HEIGHT = 560, 300
MOST_TOGETHER = 6
"""More series than this have a panel each."""

MOST_PANELS = 120
"""More series than this are thin lines in one panel, which shows their course and no single one."""

_PANEL_PX, _PANELS_A_ROW = 150, 4


def series(answer: ChartedAnswer, theme: Theme) -> Drawing:
    """Draw one line for each series."""
    found = yearly_points(answer)
    points = found or _ends(answer)
    breaks = sorted({*answer.breaks, *_breaks_between(answer)})
    rows = _with_gaps(points, breaks, fill=bool(found))
    names = distinct(row["series"] for row in rows)
    domain = marks.padded(marks.extent(rows, "value", "low", "high"))
    layers = _layers(rows, names, breaks, domain, answer.value_unit, theme, are_ends=not found)
    body: Spec = {"width": WIDTH, "height": HEIGHT, "layer": layers}
    in_panels = MOST_TOGETHER < len(names) <= MOST_PANELS
    if in_panels:
        panel: Spec = {"width": _PANEL_PX, "height": 90, "layer": layers}
        facet = {"field": "series", "type": "nominal", "sort": None, "title": None}
        body = {"facet": facet, "columns": _PANELS_A_ROW, "data": {"name": RECORDS}, "spec": panel}
    return Drawing(
        body=body,
        rows=rows,
        shown="Values by year" if found else "First and last year of each trend",
        reading=_reading(answer, rows, breaks, are_ends=not found),
        summary=_summary(answer, rows, names),
        unit=answer.value_unit,
        width=_PANELS_A_ROW * (_PANEL_PX + 50) if in_panels else WIDTH + 60,
    )


def yearly_points(answer: ChartedAnswer) -> list[Row]:
    """Return one row for each series and year of an answer; none where it has no values by year."""
    records: Iterable[Mapping[str, object]] = answer.records
    if answer.statistic == "trend":
        records = [mapping_in(row) for row in list_in(mapping_in(answer.answer.get("explanation")).get("rows"))]
    rows = [{**row, "series": _series(answer, row)} for row in records if isinstance(row.get("year"), int)]
    known = {_series(answer, record) for record in answer.records}
    rows = [row for row in rows if row["series"] in known]
    return rows if len({(row["series"], row["year"]) for row in rows}) == len(rows) else []


def _series(answer: ChartedAnswer, record: Mapping[str, object]) -> str:
    """Return the name of a record's series: what sets it apart, but the year."""
    names = [name for name in answer.varying if name != "year"] or ["location", "question"]
    found = [str(record[name]) for name in names if record.get(name) is not None]
    return ", ".join(found) or answer.question


def _ends(answer: ChartedAnswer) -> list[Row]:
    """Return the first and the last year of each trend."""
    return [
        {"series": _series(answer, record), "year": record[f"{end}_year"], "value": record[f"{end}_value"]}
        for record in answer.records
        for end in ("first", "last")
        if isinstance(record.get(f"{end}_year"), int)
    ]


def _breaks_between(answer: ChartedAnswer) -> list[int]:
    """Return the years in which a trend was cut: the first year of each stretch but the first."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for record in answer.records:
        first, last = record.get("first_year"), record.get("last_year")
        if isinstance(first, int) and isinstance(last, int):
            spans.setdefault(_series(answer, record), []).append((first, last))
    return [first for found in spans.values() for first, _ in sorted(found)[1:]]


def _with_gaps(points: Sequence[Row], breaks: Sequence[int], *, fill: bool) -> list[Row]:
    """Return the points with their stretch; ``fill`` adds a row without a value for each year that a series lacks."""
    years = sorted({int(year) for year in numbers(points, "year")})
    by_series: dict[str, dict[int, Row]] = {}
    for point in points:
        by_series.setdefault(str(point["series"]), {})[int(number(point["year"]) or 0)] = point
    rows: list[Row] = []
    for name, own in by_series.items():
        for year in years if fill else sorted(own):
            row = own.get(year, {"series": name, "year": year, "value": None})
            rows.append({**row, "stretch": f"{name} {sum(start <= year for start in breaks)}"})
    return rows


def _layers(
    rows: list[Row],
    names: Sequence[str],
    breaks: Sequence[int],
    domain: list[float],
    unit: str,
    theme: Theme,
    *,
    are_ends: bool,
) -> list[Spec]:
    years = sorted({int(year) for year in numbers(rows, "year")})
    ticks = years if len(years) <= 14 else years[:: len(years) // 14 + 1]
    axis: Spec = {"format": "d", "grid": False, "values": ticks, "labelOverlap": "greedy"}
    scale: Spec = {"domain": [years[0] - 0.4, years[-1] + 0.4], "nice": False, "zero": False}
    x: Spec = {"field": "year", "type": "quantitative", "axis": axis, "scale": scale, "title": None}
    measure: Spec = {"type": "quantitative", "scale": {"domain": domain, "zero": False, "nice": False}}
    together = len(names) <= MOST_TOGETHER
    measure["title"] = (unit or None) if together or len(names) > MOST_PANELS else None
    colour: Spec = {"color": marks.series_colour(names, "series")} if together else {"color": {"value": theme.neutral}}
    if len(names) == 1:
        colour = {"color": {"value": theme.neutral}}
    each: Spec = {**colour, "detail": {"field": "stretch"}}
    tooltip = [{"field": "series", "title": "series"}, *marks.tooltip(rows)]
    bands: Spec = {
        "mark": {"type": "area", "opacity": 0.22, "invalid": "break-paths-filter-domains"},
        "encoding": {"x": x, "y": {**measure, "field": "low"}, "y2": {"field": "high"}, **each},
    }
    line: Spec = {"type": "line", "strokeWidth": 1.8, "invalid": "break-paths-filter-domains"}
    if are_ends:
        line = {**line, "strokeDash": [5, 4], "invalid": "filter"}
    y: Spec = {**measure, "field": "value"}
    if len(names) > MOST_PANELS:
        thin = {**line, "strokeWidth": 0.6, "opacity": 0.5}
        return [{"mark": thin, "encoding": {"x": x, "y": y, **each}}, *_break_lines(breaks, years, x, theme)]
    return [
        *([] if are_ends else [bands, _limits(x, measure, colour)]),
        {"mark": line, "encoding": {"x": x, "y": y, **each}},
        {
            "transform": marks.only("value"),
            "mark": {"type": "point", "filled": True, "size": 30 if together else 14, "opacity": 1},
            "encoding": {"x": x, "y": y, **colour, "tooltip": tooltip},
        },
        *([] if are_ends else [_missing(x, colour, theme)]),
        *_break_lines(breaks, years, x, theme),
    ]


def _limits(x: Spec, measure: Spec, colour: Spec) -> Spec:
    """Return the layer of upright intervals: a year between two without an estimate has no band."""
    return {
        "transform": [*marks.only("low"), *marks.only("high")],
        "mark": {"type": "rule", "opacity": 0.3},
        "encoding": {"x": x, "y": {**measure, "field": "low"}, "y2": {"field": "high"}, **colour},
    }


def _missing(x: Spec, colour: Spec, theme: Theme) -> Spec:
    """Return the layer with a sign at the bottom for each year without an estimate."""
    return {
        "transform": marks.only("value", valid=False),
        "mark": {"type": "text", "text": "\u00d7", "fontSize": 11, "dy": -5},
        "encoding": {"x": x, "y": {"value": "height"}, **(colour or {"color": {"value": theme.muted}})},
    }


def _break_lines(breaks: Sequence[int], years: Sequence[int], x: Spec, theme: Theme) -> list[Spec]:
    """Return the layers of upright lines before each break that lies among the years, or begins them."""
    shown = [{"at": year - 0.5, "name": f"break {year}"} for year in breaks if years[0] < year <= years[-1]]
    if not shown:
        return []
    at: Spec = {**x, "field": "at"}
    mark: Spec = {"type": "rule", "strokeDash": [2, 3], "color": theme.ink}
    name: Spec = {"type": "text", "align": "left", "dx": 3, "dy": 6, "fontSize": 10, "color": theme.ink}
    return [
        {"data": {"values": shown}, "mark": mark, "encoding": {"x": at}},
        {"data": {"values": shown}, "mark": name, "encoding": {"x": at, "y": {"value": 0}, "text": {"field": "name"}}},
    ]


def _reading(answer: ChartedAnswer, rows: Sequence[Row], breaks: Sequence[int], *, are_ends: bool) -> str:
    said = f"Bands are {100 * answer.level:g} % intervals. " if numbers(rows, "low") else ""
    said += "\u00d7: no estimate in that year, so the line stops." if None in {row["value"] for row in rows} else ""
    names = distinct(row["series"] for row in rows)
    if len(names) > MOST_PANELS:
        absent = sum(number(row["value"]) is None for row in rows)
        said = f"{len(names)} series, too many to tell apart; a line stops where there is no estimate, {absent} times."
    if are_ends:
        said = "Dashed: only the first and the last year are in this answer."
    if breaks:
        said += (
            f" No line crosses a break ({', '.join(map(str, breaks))}): what is before can't be compared with after."
        )
    return f"{said} Whether a change is more than chance is for trend or compare to test.".strip()


def _summary(answer: ChartedAnswer, rows: Sequence[Row], names: Sequence[str]) -> str:
    parts = []
    for name in names[:12]:
        own = [row for row in rows if row["series"] == name]
        valued = [(row["year"], value) for row in own if (value := number(row.get("value"))) is not None]
        absent = [str(row["year"]) for row in own if number(row.get("value")) is None]
        if valued:
            (first, before), (last, after) = valued[0], valued[-1]
            ends = f"{wording.in_unit(before, '')} in {first}, {wording.in_unit(after, answer.value_unit)} in {last}"
            parts.append(f"{name}: {ends}" + (f", no estimate in {listed(absent)}" if absent else ""))
    slopes = wording.verdict_words(answer.rows()) if marks.drawn_by_verdict(answer) else ""
    more = f" {len(names) - 12} more series." if len(names) > 12 else ""
    return f"{'; '.join(parts)}.{more} {slopes}".strip()
