"""How estimates are spread: for each group the range, the outer quantiles that were asked for, and the median."""

from __future__ import annotations

from meantime.charts.answers import ChartedAnswer, Row, number
from meantime.charts.frame import Drawing
from meantime.charts.kinds import marks, wording
from meantime.charts.themes import Spec, Theme

WIDTH = 460
_QUANTILE = "quantile_"


def spread(answer: ChartedAnswer, theme: Theme) -> Drawing:
    """Draw one box for each record, in the order of the answer."""
    names = sorted((name for name in answer.records[0] if name.startswith(_QUANTILE)), key=_share)
    first, last = (names[0], names[-1]) if names else ("minimum", "maximum")
    rows = [{**row, "box_low": row[first], "box_high": row[last]} for row in answer.rows()]
    marks.unlike_labels(rows)
    step = marks.step_for(len(rows), 24)
    box = f"the box goes from {100 * _share(first):g} % to {100 * _share(last):g} % of them; " if names else ""
    return Drawing(
        body={"width": WIDTH, "height": {"step": step}, "layer": _layers(rows, answer.unit, theme, step)},
        rows=rows,
        shown="How estimates are spread",
        reading=f"The line goes from the lowest to the highest estimate; {box}the tick is the median. It is the spread"
        " of estimates, not an interval of anything.",
        summary=wording.extremes(rows, answer.unit),
        width=WIDTH + 140,
    )


def _share(name: str) -> float:
    return float(name.removeprefix(_QUANTILE))


def _layers(rows: list[Row], unit: str, theme: Theme, step: float) -> list[Spec]:
    y = marks.rows_encoding()
    domain = marks.padded(marks.extent(rows, "minimum", "maximum", "value"))
    x: Spec = {"type": "quantitative", "scale": {"domain": domain, "zero": False, "nice": False}, "title": unit or None}
    fields = ("label", "count", "minimum", "box_low", "value", "box_high", "maximum", "mean", "standard_deviation")
    tooltip = [{"field": name, "title": name.replace("_", " ")} for name in fields if name in rows[0]]
    known: list[Spec] = marks.only("value")
    own: Spec = {**x, "field": "value"}
    least: Spec = {**x, "field": "minimum"}
    return [
        {
            "transform": known,
            "mark": {"type": "rule", "color": theme.neutral, "strokeWidth": marks.stroke(step)},
            "encoding": {"y": y, "x": least, "x2": {"field": "maximum"}},
        },
        {
            "transform": known,
            "mark": {"type": "bar", "height": {"band": 0.6}, "color": theme.half},
            "encoding": {"y": y, "x": {**x, "field": "box_low"}, "x2": {"field": "box_high"}, "tooltip": tooltip},
        },
        {
            "transform": known,
            "mark": {"type": "tick", "color": theme.ink, "thickness": 2, "size": 0.6 * step},
            "encoding": {"y": y, "x": own, "tooltip": tooltip},
        },
        marks.absent_marks("value", y, theme, step),
    ]


def has_spread(answer: ChartedAnswer) -> bool:
    """Whether the records are spreads."""
    return answer.has("minimum", "maximum", "value") and any(
        number(record["minimum"]) is not None for record in answer.records
    )
