"""A spine chart: all questions of one location against what it is compared with, turned so that right is better.

A record is one question: ``question``, ``value``, ``reference``, ``difference`` with its standard error, ``verdict``
and ``direction`` (which end is better, or None). What has no direction isn't turned: there right is higher, and its row
says so. `gathered` makes such records of several results of ``difference``.
"""

from __future__ import annotations

from meantime.charts.answers import ChartedAnswer, Row, number
from meantime.charts.frame import Drawing
from meantime.charts.kinds import marks, wording
from meantime.charts.themes import Spec, Theme
from meantime.survey.questions import Direction

WIDTH = 380
_LABEL_LETTERS = 50
_FEW = 60


def spine(answer: ChartedAnswer, theme: Theme) -> Drawing:
    """Draw the differences in their own unit."""
    return _drawn(answer, theme, in_errors=False)


def spine_in_errors(answer: ChartedAnswer, theme: Theme) -> Drawing:
    """Draw the differences in standard errors, so that questions of unlike spread can be seen together."""
    return _drawn(answer, theme, in_errors=True)


def _drawn(answer: ChartedAnswer, theme: Theme, *, in_errors: bool) -> Drawing:
    rows = [_turned(row, in_errors=in_errors) for row in answer.rows()]
    rows.sort(key=lambda row: (row["side"], number(row["shown"]) is None, -(number(row["shown"]) or 0.0)))
    shown = wording.short_texts([str(row["label"]) for row in rows], _LABEL_LETTERS)
    for row in rows:
        row["row"] = shown[str(row["label"])]
    place = next((str(row["location"]) for row in rows if row.get("location")), "one place")
    against = answer.against or "the reference"
    unit = "standard errors" if in_errors else answer.difference_unit
    rest = " Rows so marked have no better end: there right is higher." if any(row["side"] for row in rows) else ""
    family = "over all questions" if answer.statistic == "profile" else "within each question"
    step = 38 if len(rows) <= _FEW else marks.step_for(len(rows))
    return Drawing(
        body={
            "width": WIDTH,
            "height": {"step": step},
            "layer": _layers(rows, against, unit, theme, step),
        },
        rows=rows,
        title=f"{place} against {against}",
        shown=answer.question,
        reading=f"Right is better.{rest} Colour says what differs by a test adjusted {family}; whether an"
        f" interval touches the line says less. At the right: {place} / {against}. {wording.HATCHED}",
        summary=f"{place} against {against}: {wording.verdict_words(rows)}",
        width=WIDTH + 380,
    )


def _turned(row: Row, *, in_errors: bool) -> Row:
    direction, error = row.get("direction"), number(row.get("difference_standard_error"))
    found = [number(row.get(name)) for name in ("difference", "difference_low", "difference_high")]
    if in_errors:
        found = [value / error if value is not None and error else None for value in found]
    shown, low, high = found
    if direction == Direction.LOWER_IS_BETTER:
        shown, low, high = (None if value is None else -value for value in (shown, high, low))
    label = str(row.get("question") or row["label"])
    label += "" if direction else " (right is higher)"
    value, reference = number(row.get("value")), number(row.get("reference"))
    figures = "" if value is None else f"{value:.1f}" + ("" if reference is None else f" / {reference:.1f}")
    return {
        **row,
        "label": label,
        "side": 0 if direction else 1,
        "shown": shown,
        "shown_low": low,
        "shown_high": high,
        "figures": figures,
    }


def _layers(rows: list[Row], against: str, unit: str, theme: Theme, step: float) -> list[Spec]:
    axis: Spec = {
        **marks.row_axis(),
        "labelExpr": "split(datum.label, '\\n')",
        "labelLimit": 300,
        "labelOverlap": False,
    }
    y: Spec = {"field": "row", "type": "nominal", "sort": None, "axis": axis}
    bounds = marks.extent(rows, "shown", "shown_low", "shown_high", also=[0.0])
    scale: Spec = {"domain": marks.padded(bounds), "zero": False, "nice": False}
    x: Spec = {"type": "quantitative", "scale": scale, "title": f"{unit}, right is better"}
    colour = marks.verdict_colour(rows, theme)
    tooltip = marks.tooltip(rows)
    known: list[Spec] = [*marks.only("shown"), {"filter": marks.HAS_VERDICT}]
    line: Spec = {"type": "rule", "color": theme.grid}
    at_right: Spec = {"value": "width"}
    low: Spec = {**x, "field": "shown_low"}
    shown: Spec = {**x, "field": "shown"}
    text: Spec = {"type": "text", "align": "left", "dx": 8, "fontSize": 10, "color": theme.muted}
    figures: list[Spec] = [{"mark": text, "encoding": {"y": y, "x": at_right, "text": {"field": "figures"}}}]
    return [
        {"mark": line, "encoding": {"y": y}},
        {
            "transform": [*known, *marks.only("shown_low")],
            "mark": {"type": "rule", "strokeWidth": marks.stroke(step, 2), "opacity": 0.75},
            "encoding": {"y": y, "x": low, "x2": {"field": "shown_high"}, "color": colour},
        },
        {
            "transform": known,
            "mark": marks.dot(step, 90),
            "encoding": {"y": y, "x": shown, "color": colour, "tooltip": tooltip},
        },
        *(figures if step > 12 else []),
        marks.absent_marks("shown", y, theme, step),
        *marks.upright_line(0.0, against, theme),
    ]
