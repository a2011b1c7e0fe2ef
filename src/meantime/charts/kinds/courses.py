"""The courses of a profile: a small panel for each question, one place over the years beside what it is compared with.

A record is one question and year: ``question``, ``year``, ``value`` with its limits, ``reference`` and ``stretch``, the
number of its stretch between known breaks. Panels have a scale of their own each: levels aren't there to be compared.
"""

from __future__ import annotations

from meantime.charts.answers import ChartedAnswer, Row, distinct, number, numbers
from meantime.charts.frame import RECORDS, Drawing
from meantime.charts.kinds import marks, wording
from meantime.charts.themes import Spec, Theme

_PANEL_PX, _HEIGHT_PX, _PANELS_A_ROW = 190, 96, 3
_TITLE_LETTERS = 34


def courses(answer: ChartedAnswer, theme: Theme) -> Drawing:
    """Draw one panel for each question."""
    rows = answer.rows()
    shown = wording.short_texts(distinct(row["question"] for row in rows), _TITLE_LETTERS, lines=2)
    for row in rows:
        row["panel"] = shown[str(row["question"])]
    place = next((str(row["location"]) for row in rows if row.get("location")), "one place")
    title: Spec = {
        "labelExpr": "split(datum.label, '\\n')",
        "labelAnchor": "start",
        "labelFontSize": 10,
        "labelLimit": _PANEL_PX + 20,
    }
    panel: Spec = {"width": _PANEL_PX, "height": _HEIGHT_PX, "layer": _layers(rows, theme)}
    beside = f", dashed: {answer.against}" if answer.against else ""
    return Drawing(
        body={
            "facet": {"field": "panel", "type": "nominal", "sort": None, "title": None, "header": title},
            "columns": _PANELS_A_ROW,
            "data": {"name": RECORDS},
            "spec": panel,
            "resolve": {"scale": {"y": "independent"}},
        },
        rows=rows,
        title=f"{place} over the years",
        shown=answer.question,
        reading=f"Line with its {100 * answer.level:g} % band: {place}{beside}. Each panel has a scale of its own. A"
        " line stops at a known break; \u00d7: no estimate in that year. Whether a change is more than chance is for"
        " the part `trend` to say.",
        summary=_summary(rows),
        width=_PANELS_A_ROW * (_PANEL_PX + 50),
    )


def _layers(rows: list[Row], theme: Theme) -> list[Spec]:
    years = sorted({int(year) for year in numbers(rows, "year")}) or [0]
    axis: Spec = {"format": "d", "grid": False, "labelOverlap": "greedy", "tickMinStep": 1, "tickCount": 4}
    scale: Spec = {"domain": [years[0] - 0.5, years[-1] + 0.5], "nice": False, "zero": False}
    x: Spec = {"field": "year", "type": "quantitative", "axis": axis, "scale": scale, "title": None}
    measure: Spec = {"type": "quantitative", "scale": {"zero": False}, "axis": {"tickCount": 3}, "title": None}
    detail: Spec = {"detail": {"field": "stretch"}}
    y: Spec = {**measure, "field": "value"}
    line: Spec = {"type": "line", "strokeWidth": 1.8, "color": theme.accent, "invalid": "break-paths-filter-domains"}
    band: Spec = {"type": "area", "opacity": 0.2, "color": theme.accent, "invalid": "break-paths-filter-domains"}
    beside: Spec = {**line, "strokeWidth": 1.2, "strokeDash": [4, 3], "color": theme.muted}
    compared: Spec = {"mark": beside, "encoding": {"x": x, "y": {**measure, "field": "reference"}, **detail}}
    limits: Spec = {"x": x, "y": {**measure, "field": "low"}, "y2": {"field": "high"}}
    absent: Spec = {"type": "text", "text": "\u00d7", "fontSize": 10, "dy": -5, "color": theme.muted}
    return [
        {"mark": band, "encoding": {**limits, **detail}},
        *([compared] if numbers(rows, "reference") else []),
        {"mark": line, "encoding": {"x": x, "y": y, **detail}},
        {
            "transform": marks.only("value"),
            "mark": {"type": "point", "filled": True, "size": 16, "opacity": 1, "color": theme.accent},
            "encoding": {"x": x, "y": y, "tooltip": marks.tooltip(rows)},
        },
        {
            "transform": marks.only("value", valid=False),
            "mark": absent,
            "encoding": {"x": x, "y": {"value": "height"}},
        },
    ]


def _summary(rows: list[Row]) -> str:
    parts = []
    for question in distinct(row["question"] for row in rows):
        own = [row for row in rows if row["question"] == question]
        valued = [(row["year"], value) for row in own if (value := number(row.get("value"))) is not None]
        if valued:
            (first, before), (last, after) = valued[0], valued[-1]
            said = f"{wording.in_unit(before, '')} in {first}, {wording.in_unit(after, '')} in {last}"
            parts.append(f"{question}: {said}")
        else:
            parts.append(f"{question}: no estimate")
    return f"{'; '.join(parts)}."
