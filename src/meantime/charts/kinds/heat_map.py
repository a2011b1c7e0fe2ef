"""A heat map: a row for each location, a column for each stratum or year, a square for each value, hatched for none."""

from __future__ import annotations

from meantime.charts.answers import DOUBTFUL_SIGN, ChartedAnswer, Row, distinct, is_doubtful, number
from meantime.charts.frame import Drawing
from meantime.charts.kinds import marks, wording
from meantime.charts.themes import Spec, Theme, hatching

CELL_PX = 44


def columns_of(answer: ChartedAnswer) -> str:
    """Return the dimension whose members are columns; empty where there is none or several."""
    found = [name for name in answer.varying if name not in {"location", "category"}]
    return found[0] if len(found) == 1 and found[0] in {"stratum", "year", "question"} else ""


def heat_map(answer: ChartedAnswer, theme: Theme) -> Drawing:
    """Draw one square for each location and stratum, or year, or question."""
    by = columns_of(answer)
    rows = answer.rows()
    categories = distinct(row.get("category", "") for row in rows)
    bounds = marks.extent(rows, "value")
    for row in rows:
        several = by == "stratum" and len(categories) > 1
        row["column"] = f"{row.get('category')}: {row[by]}" if several else str(row[by])
        value = number(row.get("value"))
        row["ink"] = _ink(value, bounds, theme)
        row["figure"] = None if value is None else f"{value:.1f}{DOUBTFUL_SIGN if is_doubtful(row) else ''}"
    columns = sorted(marks.members(rows, "column")) if by == "year" else marks.members(rows, "column")
    places = distinct(row["location"] for row in rows)
    step = marks.step_for(len(places), 16)
    return Drawing(
        body={
            "width": {"step": CELL_PX},
            "height": {"step": step},
            "layer": _layers(rows, columns, places, answer.unit, theme, with_figures=step >= 11),
        },
        rows=rows,
        shown=f"Values by location and {by}",
        reading=f"Hatched: there is no estimate. Blank: not in this answer. {wording.NO_TEST_BY_EYE}",
        summary=f"{len(places)} locations by {len(columns)} columns ({', '.join(columns[:12])})."
        f" {wording.extremes(rows, answer.unit)}",
        width=CELL_PX * len(columns) + 140,
    )


def _ink(value: float | None, bounds: list[float], theme: Theme) -> str | None:
    """Return the colour of a figure that can be read on the square of its value."""
    if value is None:
        return None
    part = (value - bounds[0]) / (bounds[1] - bounds[0])
    return "#000000" if (1 - part if theme.reverse else part) > 0.5 else "#ffffff"


def _layers(
    rows: list[Row], columns: list[str], places: list[str], unit: str, theme: Theme, *, with_figures: bool
) -> list[Spec]:
    axis: Spec = {"orient": "top", "labelAngle": -40, "ticks": False, "domain": False, "labelLimit": 170, "title": None}
    at: Spec = {
        "x": {"field": "column", "type": "nominal", "sort": columns, "axis": axis},
        "y": {"field": "location", "type": "nominal", "sort": places, "axis": marks.row_axis()},
    }
    line: Spec = {"stroke": theme.background, "strokeWidth": 0.8}
    tooltip = marks.tooltip(rows)
    layers: list[Spec] = [
        {
            "transform": marks.only("value", valid=False),
            "mark": {"type": "rect", "fill": hatching(theme, 6), **line},
            "encoding": {**at, "tooltip": tooltip},
        },
        {
            "transform": marks.only("value"),
            "mark": {"type": "rect", **line},
            "encoding": {**at, "color": marks.value_colour(rows, theme, unit), "tooltip": tooltip},
        },
    ]
    if with_figures:
        layers += [
            {
                "transform": [{"filter": {"field": "ink", "equal": ink}}],
                "mark": {"type": "text", "fontSize": 9, "color": ink},
                "encoding": {**at, "text": {"field": "figure"}},
            }
            for ink in distinct(row["ink"] for row in rows if row["ink"] is not None)
        ]
    return layers
