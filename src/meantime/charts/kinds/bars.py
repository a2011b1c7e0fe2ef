"""Sorted dots with their intervals, and the line that they are held against: the nation, a location, a goal, or zero.

Where the answer has differences these are drawn, since the test is on them and not on two intervals.
"""

from __future__ import annotations

from meantime.charts.answers import ChartedAnswer, Row, numbers
from meantime.charts.frame import Drawing
from meantime.charts.kinds import marks, wording
from meantime.charts.themes import Spec, Theme

WIDTH = 460

CHANGES = ("difference", "difference_low", "difference_high")
VALUES = ("value", "low", "high")


def bars(answer: ChartedAnswer, theme: Theme) -> Drawing:
    """Draw one dot for each record."""
    field, low, high = CHANGES if answer.has(*CHANGES) else VALUES
    by_verdict = marks.drawn_by_verdict(answer)
    is_change = field != "value" or answer.statistic == "trend"
    unit = answer.difference_unit if field != "value" else answer.unit
    rows = marks.order_by_value(answer.rows(), field)
    marks.unlike_labels(rows)
    step = marks.step_for(len(rows))
    x, line = _line(answer, theme, is_change=is_change)
    bounds = marks.padded(marks.extent(rows, field, low, high, also=x))
    return Drawing(
        body={
            "width": WIDTH,
            "height": {"step": step},
            "layer": _layers(rows, (field, low, high), bounds, unit, theme, step, by_verdict=by_verdict) + line,
        },
        rows=rows,
        shown=_shown(answer, is_change=is_change),
        reading=_reading(answer, rows, low, by_verdict=by_verdict),
        summary=" ".join(
            [wording.verdict_words(rows) if by_verdict else "", wording.extremes(rows, unit, field)]
        ).strip(),
        width=WIDTH + 140,
    )


def _reading(answer: ChartedAnswer, rows: list[Row], low: str, *, by_verdict: bool) -> str:
    parts = [f"Lines are {100 * answer.level:g} % intervals."] if numbers(rows, low) else []
    if by_verdict:
        parts.insert(0, wording.BY_VERDICT)
    elif parts and len(rows) > 1 and not answer.has("coefficient"):
        parts.append(wording.NO_TEST_BY_EYE)
    return " ".join(parts)


def _shown(answer: ChartedAnswer, *, is_change: bool) -> str:
    if not is_change:
        return "Values with intervals"
    if answer.statistic == "trend":
        return "Change per year with intervals"
    return f"Difference from {answer.against}, with intervals" if answer.against else "Differences with intervals"


def _line(answer: ChartedAnswer, theme: Theme, *, is_change: bool) -> tuple[list[float], list[Spec]]:
    """Return where the line stands, if there is one, and its layers."""
    reference = answer.reference
    if is_change:
        name = "no change" if answer.statistic == "trend" else "no difference"
        if answer.statistic != "trend" and reference is not None:
            name = f"{reference[0]} ({wording.in_unit(reference[1], answer.unit)})"
        return [0.0], marks.upright_line(0.0, name, theme)
    if reference is None:
        return [], []
    return [reference[1]], marks.upright_line(
        reference[1], f"{reference[0]} ({wording.in_unit(reference[1], answer.unit)})", theme
    )


def _layers(
    rows: list[Row],
    fields: tuple[str, str, str],
    bounds: list[float],
    unit: str,
    theme: Theme,
    step: float,
    *,
    by_verdict: bool,
) -> list[Spec]:
    field, low, high = fields
    y = marks.rows_encoding()
    scale: Spec = {"domain": bounds, "zero": False, "nice": False}
    x: Spec = {"field": field, "type": "quantitative", "scale": scale, "title": unit or None}
    colour = {"color": marks.verdict_colour(rows, theme)} if by_verdict else {"color": {"value": theme.neutral}}
    tooltip = marks.tooltip(rows)
    tested = [{"filter": marks.HAS_VERDICT}] if by_verdict else []
    return [
        {
            "transform": [*marks.only(field), *marks.only(low), *tested],
            "mark": {"type": "rule", "strokeWidth": marks.stroke(step), "opacity": 0.75},
            "encoding": {"y": y, "x": {**x, "field": low}, "x2": {"field": high}, **colour, "tooltip": tooltip},
        },
        {
            "transform": [*marks.only(field), *tested],
            "mark": marks.dot(step),
            "encoding": {"y": y, "x": x, **colour, "tooltip": tooltip},
        },
        *([_untested(rows, field, x, y, step, theme)] if by_verdict else []),
        marks.absent_marks(field, y, theme, step),
    ]


def _untested(rows: list[Row], field: str, x: Spec, y: Spec, step: float, theme: Theme) -> Spec:
    """Return the layer of what has a value but could not be tested: hollow."""
    return {
        "transform": [*marks.only(field), {"filter": {"not": marks.HAS_VERDICT}}],
        "mark": {**marks.dot(step), "filled": False, "color": theme.muted},
        "encoding": {"y": y, "x": x, "tooltip": marks.tooltip(rows)},
    }
