"""Disparity: for each location the lowest and the highest stratum, the gap between them, and everybody's value."""

from __future__ import annotations

from meantime.charts.answers import ChartedAnswer, Row, distinct, number
from meantime.charts.frame import Drawing
from meantime.charts.kinds import marks, wording
from meantime.charts.themes import SHAPES, Spec, Theme

WIDTH = 460
BEYOND, WITHIN = "beyond chance", "may be chance"


def gaps(answer: ChartedAnswer, theme: Theme) -> Drawing:
    """Draw one gap for each location, the largest first."""
    rows = marks.order_by_value([{**row, "gap": _gap(row, answer.level)} for row in answer.rows()])
    marks.unlike_labels(rows)
    ends = [_end(row, end) for row in rows for end in ("lowest", "highest") if row.get(f"{end}_stratum") is not None]
    strata = distinct(end["stratum"] for end in sorted(ends, key=lambda end: str(end["stratum"])))
    step = marks.step_for(len(rows))
    return Drawing(
        body={
            "width": WIDTH,
            "height": {"step": step},
            "layer": _layers(rows, ends, strata, answer.value_unit, theme, step),
        },
        rows=rows,
        shown=f"Lowest and highest stratum by {answer.people or 'stratum'}, the largest gap first",
        reading=f"Lines join the lowest and the highest stratum; dashed where the gap may be chance"
        f" ({100 * answer.level:g} %). The upright tick is everybody. {wording.HATCHED}",
        summary=_summary(rows, answer),
        width=WIDTH + 140,
    )


def _gap(row: Row, level: float) -> str | None:
    p = number(row.get("p_value"))
    if number(row.get("value")) is None or p is None:
        return None
    return BEYOND if p <= 1 - level else WITHIN


def _end(row: Row, end: str) -> Row:
    return {"label": row["label"], "stratum": row[f"{end}_stratum"], "value": row[f"{end}_value"], "end": end}


def _layers(rows: list[Row], ends: list[Row], strata: list[str], unit: str, theme: Theme, step: float) -> list[Spec]:
    y = marks.rows_encoding()
    domain = marks.padded(marks.extent(rows, "lowest_value", "highest_value", "overall_value"))
    x: Spec = {
        "type": "quantitative",
        "scale": {"domain": domain, "zero": False, "nice": False},
        "title": unit or None,
    }
    colour = marks.series_colour(strata, "stratum")
    shape: Spec = {
        "field": "stratum",
        "type": "nominal",
        "scale": {"domain": strata, "range": [SHAPES[i % len(SHAPES)] for i in range(len(strata))]},
        "legend": colour["legend"],
    }
    dash: Spec = {
        "field": "gap",
        "type": "nominal",
        "scale": {"domain": [BEYOND, WITHIN], "range": [[1, 0], [3, 3]]},
        "legend": {"title": "gap", "orient": "top", "symbolType": "stroke", "symbolStrokeColor": theme.neutral},
    }
    known = marks.only("value")
    return [
        {
            "transform": known,
            "mark": {"type": "rule", "color": theme.neutral, "strokeWidth": marks.stroke(step, 2)},
            "encoding": {
                "y": y,
                "x": {**x, "field": "lowest_value"},
                "x2": {"field": "highest_value"},
                "strokeDash": dash,
                "tooltip": _tooltip(),
            },
        },
        {
            "transform": marks.only("overall_value"),
            "mark": {"type": "tick", "color": theme.ink, "thickness": 1.4, "size": min(9, step)},
            "encoding": {"y": y, "x": {**x, "field": "overall_value"}},
        },
        {
            "data": {"values": ends},
            "mark": marks.dot(step, 52),
            "encoding": {"y": y, "x": {**x, "field": "value"}, "color": colour, "shape": shape},
        },
        marks.absent_marks("value", y, theme, step),
    ]


def _tooltip() -> list[Spec]:
    fields = (
        "label",
        "value",
        "low",
        "high",
        "lowest_stratum",
        "lowest_value",
        "highest_stratum",
        "highest_value",
        "p_value",
    )
    return [{"field": field, "title": field.replace("_", " ")} for field in fields]


def _summary(rows: list[Row], answer: ChartedAnswer) -> str:
    beyond = sum(row["gap"] == BEYOND for row in rows)
    tested = sum(row["gap"] is not None for row in rows)
    said = f"{beyond} of {tested} gaps are beyond chance. {wording.extremes(rows, answer.unit)}"
    first = rows[0]
    if number(first.get("value")) is None:
        return said
    return (
        f"{said} In {first['label']} the lowest is {first['lowest_stratum']} ({first['lowest_value']:g})"
        f" and the highest {first['highest_stratum']} ({first['highest_value']:g})."
    )
