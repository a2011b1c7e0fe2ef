"""Dots by strata: a row for each stratum in its category's order, with a dot and an interval for each location."""

from __future__ import annotations

from meantime.charts.answers import DOUBTFUL_SIGN, ChartedAnswer, Row, distinct
from meantime.charts.frame import Drawing
from meantime.charts.kinds import marks, wording
from meantime.charts.themes import SHAPES, Spec, Theme

WIDTH = 420
MOST_LOCATIONS = 6


def strata_dots(answer: ChartedAnswer, theme: Theme) -> Drawing:
    """Draw one dot for each record; few locations side by side."""
    rows = answer.rows()
    names = _series(answer, rows)
    categories = distinct(row.get("category", "") for row in rows)
    for row in rows:
        row["row"] = f"{row.get('category')}: {row['stratum']}" if len(categories) > 1 else str(row["stratum"])
    rows_in_order = marks.members(rows, "row", "series")
    step = marks.step_for(len(rows), 16)
    return Drawing(
        body={
            "width": WIDTH,
            "height": {"step": step, "for": "offset"} if len(names) > 1 else {"step": step if step < 16 else 18},
            "layer": _layers(rows, names, rows_in_order, answer, theme, step),
        },
        rows=rows,
        shown="Values by stratum, with intervals",
        reading=f"Lines are {100 * answer.level:g} % intervals. {wording.NO_TEST_BY_EYE} {wording.HATCHED}",
        summary=wording.extremes(rows, answer.unit),
        width=WIDTH + 180,
    )


def _series(answer: ChartedAnswer, rows: list[Row]) -> list[str]:
    """Name the series of each row: whatever sets it apart besides category and stratum."""
    fields = [name for name in answer.varying if name not in {"category", "stratum"}]
    for row in rows:
        row["series"] = ", ".join(str(row[name]) for name in fields) or str(row.get("location") or answer.question)
    return distinct(row["series"] for row in rows)


def few_series(answer: ChartedAnswer) -> bool:
    """Whether the series of an answer are few enough to stand side by side."""
    fields = [name for name in answer.varying if name not in {"category", "stratum"}]
    return len({tuple(record.get(name) for name in fields) for record in answer.records}) <= MOST_LOCATIONS


def _layers(
    rows: list[Row], names: list[str], order: list[str], answer: ChartedAnswer, theme: Theme, step: float
) -> list[Spec]:
    y: Spec = {**marks.rows_encoding("row"), "sort": order}
    offset: Spec = {"yOffset": {"field": "series", "type": "nominal", "sort": names}} if len(names) > 1 else {}
    domain = marks.padded(marks.extent(rows, "value", "low", "high"))
    x: Spec = {
        "field": "value",
        "type": "quantitative",
        "scale": {"domain": domain, "zero": False, "nice": False},
        "title": answer.unit or None,
    }
    colour: Spec = {"color": {"value": theme.neutral}}
    shape: Spec = {}
    if len(names) > 1:
        colour = {"color": marks.series_colour(names, "series")}
        scale = {"domain": names, "range": [SHAPES[i % len(SHAPES)] for i in range(len(names))]}
        legend: Spec = {"title": None, "orient": "top", "columns": 3, "symbolOpacity": 1}
        shape = {"shape": {"field": "series", "type": "nominal", "scale": scale, "legend": legend}}
    tooltip = marks.tooltip(rows)
    return [
        {
            "transform": [*marks.only("value"), *marks.only("low")],
            "mark": {"type": "rule", "strokeWidth": marks.stroke(step), "opacity": 0.75},
            "encoding": {"y": y, **offset, "x": {**x, "field": "low"}, "x2": {"field": "high"}, **colour},
        },
        {
            "transform": marks.only("value"),
            "mark": marks.dot(step, 48),
            "encoding": {"y": y, **offset, "x": x, **colour, **shape, "tooltip": tooltip},
        },
        {
            "transform": [*marks.only("value"), {"filter": marks.IS_DOUBTFUL}],
            "mark": {"type": "text", "text": DOUBTFUL_SIGN, "dx": 9, "dy": 3, "fontSize": 14},
            "encoding": {"y": y, **offset, "x": x, **colour},
        },
        _absent(y, offset, colour, theme, step),
    ]


def _absent(y: Spec, offset: Spec, colour: Spec, theme: Theme, step: float) -> Spec:
    """Return the layer of what has no estimate, in the colour of its series."""
    layer = marks.absent_marks("value", y, theme, step)
    return {**layer, "encoding": {"y": y, **offset, "x": {"value": 4}, **colour}}
