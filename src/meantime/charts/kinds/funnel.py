"""A funnel plot: each value by its standard error, within the limits that chance alone would keep it in.

Source: D. J. Spiegelhalter, Funnel plots for comparing institutional performance, Statistics in Medicine 24, 2005.
The limits are those of a single comparison with the centre; they are no test of two places, and not adjusted for the
number of places, as verdicts are.
"""

from __future__ import annotations

from statistics import median

from meantime.charts.answers import DOUBTFUL_SIGN, ChartedAnswer, Row, is_doubtful, listed, number, numbers
from meantime.charts.frame import Drawing
from meantime.charts.kinds import marks, wording
from meantime.charts.themes import Spec, Theme
from meantime.charts.us_places import abbreviation_of
from meantime.statistics.estimation.uncertainty import normal_quantile

WIDTH, HEIGHT = 560, 380
LIMITS = (0.95, 0.998)
"""The levels of the limits."""

INSIDE, BETWEEN, OUTSIDE = "within 95 %", "beyond 95 %", "beyond 99.8 %"


def funnel(answer: ChartedAnswer, theme: Theme) -> Drawing:
    """Draw one dot for each record that has a standard error."""
    centre, name = _centre(answer)
    rows = [{**row, "place": _place(row, centre), "short": _short(row)} for row in answer.rows()]
    absent = [str(row["label"]) for row in rows if row["place"] is None]
    widest = max(numbers(rows, "standard_error"), default=1.0) * 1.06
    outside = [str(row["label"]) for row in rows if row["place"] == OUTSIDE]
    without = f" Not drawn, since without a value or a standard error: {listed(absent)}." if absent else ""
    return Drawing(
        body={
            "width": WIDTH,
            "height": HEIGHT,
            "layer": _layers(answer, rows, centre, name, widest, theme),
        },
        rows=rows,
        shown=f"Funnel plot about {name} ({wording.in_unit(centre, answer.value_unit)})",
        reading=f"Within the lines 95 % and 99.8 % of places would lie if they differed from {name} by chance alone;"
        f" the lines aren't adjusted for the number of places, as verdicts are.{without}",
        summary=f"Beyond the 99.8 % limits: {listed(outside, 20) if outside else 'none'}."
        + (f" {wording.verdict_words(rows)}" if marks.drawn_by_verdict(answer) else ""),
        width=WIDTH + 60,
    )


def _centre(answer: ChartedAnswer) -> tuple[float, str]:
    """Return what the funnel stands about: the reference or the nation, else the median of what is drawn."""
    reference = answer.reference
    if reference is not None:
        return reference[1], reference[0]
    return median(numbers(answer.records, "value") or [0.0]), "the median"


def _short(row: Row) -> str:
    """Return a name that is short enough to stand beside a dot."""
    state = abbreviation_of(row.get("location"))
    return str(row["label"]) if state is None else state + (DOUBTFUL_SIGN if is_doubtful(row) else "")


def _place(row: Row, centre: float) -> str | None:
    """Return where among the limits a record lies; None if it can't be drawn."""
    value, error = number(row.get("value")), number(row.get("standard_error"))
    if value is None or error is None:
        return None
    inner, outer = (normal_quantile(level) * error for level in LIMITS)
    distance = abs(value - centre)
    return INSIDE if distance <= inner else BETWEEN if distance <= outer else OUTSIDE


def _layers(
    answer: ChartedAnswer, rows: list[Row], centre: float, name: str, widest: float, theme: Theme
) -> list[Spec]:
    domain = marks.padded(marks.extent(rows, "value", also=[centre]))
    x: Spec = {
        "field": "standard_error",
        "type": "quantitative",
        "title": f"standard error ({answer.difference_unit})",
        "scale": {"domain": [0, widest], "nice": False},
    }
    y: Spec = {
        "field": "value",
        "type": "quantitative",
        "title": answer.unit or None,
        "scale": {"domain": domain, "zero": False, "nice": False},
    }
    by_verdict = marks.drawn_by_verdict(answer)
    drawn = [*marks.only("value"), *marks.only("standard_error")]
    dot: Spec = {"type": "point", "filled": True, "size": 52, "opacity": 0.95}
    tooltip = [{"field": "standard_error", "title": "standard error", "format": ".4~r"}, *marks.tooltip(rows)]
    if by_verdict:
        colour: Spec = marks.verdict_colour(rows, theme)
    else:
        scale = {"domain": [INSIDE, BETWEEN, OUTSIDE], "range": [theme.half, theme.neutral, theme.accent]}
        legend: Spec = {"title": None, "orient": "top"}
        colour = {"field": "place", "type": "nominal", "scale": scale, "legend": legend}
    label: Spec = {"type": "text", "align": "left", "dx": 6, "fontSize": 9, "color": theme.ink}
    return [
        *_limits(centre, widest, x, y, theme),
        *_middle(centre, name, y, theme),
        {"transform": drawn, "mark": dot, "encoding": {"x": x, "y": y, "color": colour, "tooltip": tooltip}},
        {
            "transform": [*drawn, {"filter": {"field": "place", "equal": OUTSIDE}}],
            "mark": label,
            "encoding": {"x": x, "y": y, "text": {"field": "short"}},
        },
    ]


def _limits(centre: float, widest: float, x: Spec, y: Spec, theme: Theme) -> list[Spec]:
    layers: list[Spec] = []
    for level, dash in zip(LIMITS, ([4, 4], [1, 0]), strict=True):
        half = normal_quantile(level) * widest
        for side in (-1, 1):
            points = [
                {"standard_error": 0.0, "value": centre},
                {"standard_error": widest, "value": centre + side * half},
            ]
            mark: Spec = {"type": "line", "color": theme.muted, "strokeDash": dash, "strokeWidth": 1, "clip": True}
            layers.append({"data": {"values": points}, "mark": mark, "encoding": {"x": x, "y": y}})
    return layers


def _middle(centre: float, name: str, y: Spec, theme: Theme) -> list[Spec]:
    data = {"values": [{"value": centre, "name": name}]}
    text: Spec = {"type": "text", "align": "right", "dy": -6, "color": theme.ink}
    return [
        {"data": data, "mark": {"type": "rule", "color": theme.ink}, "encoding": {"y": y}},
        {"data": data, "mark": text, "encoding": {"y": y, "x": {"value": "width"}, "text": {"field": "name"}}},
    ]
