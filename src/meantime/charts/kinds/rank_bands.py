"""Rank bands: the ranks that the data allow each location, and whether it is surely or possibly among the best k."""

from __future__ import annotations

from meantime.charts.answers import ChartedAnswer, Row, listed, number, numbers
from meantime.charts.frame import Drawing
from meantime.charts.kinds import marks
from meantime.charts.themes import Spec, Theme

WIDTH = 460
SURELY, POSSIBLY, NOT = "surely", "possibly", "not"


def rank_bands(answer: ChartedAnswer, theme: Theme) -> Drawing:
    """Draw one band for each ranked location, in order of rank."""
    k = int(number(answer.parameters.get("k")) or 0)
    end = str(answer.parameters.get("end") or "first")
    rows = [{**row, "among": _among(row)} for row in answer.rows()]
    marks.unlike_labels(rows)
    last = int(max(numbers(rows, "ranked_count", "rank_high"), default=1))
    among = f"among the {end} {k}" if k else "among the first"
    return Drawing(
        body={
            "width": WIDTH,
            "height": {"step": marks.step_for(len(rows))},
            "layer": _layers(rows, last, among, theme) + (_cut(k, among, theme) if 0 < k < last else []),
        },
        rows=rows,
        shown=f"Ranks that the data allow, of {last}",
        reading=f"Bands are the ranks that the data allow, at {100 * answer.level:g} %; the dot is the rank of the"
        " estimate. A rank looks exact and is not.",
        summary=_summary(rows, among),
        width=WIDTH + 140,
    )


def _among(row: Row) -> str:
    if row.get("surely_among_k"):
        return SURELY
    return POSSIBLY if row.get("possibly_among_k") else NOT


def _layers(rows: list[Row], last: int, among: str, theme: Theme) -> list[Spec]:
    y = marks.rows_encoding()
    scale: Spec = {"domain": [0.5, last + 0.5], "nice": False, "zero": False}
    axis: Spec = {"orient": "top", "values": _ticks(last), "format": "d"}
    rank: Spec = {"field": "rank", "type": "quantitative", "scale": scale, "title": "rank", "axis": axis}
    colours = {"domain": [SURELY, POSSIBLY, NOT], "range": [theme.accent, theme.half, theme.grid]}
    legend: Spec = {"title": among, "orient": "top", "symbolType": "square"}
    tooltip = marks.tooltip(rows)
    return [
        {
            "transform": [
                {"calculate": "datum.rank_low - 0.4", "as": "band_low"},
                {"calculate": "datum.rank_high + 0.4", "as": "band_high"},
            ],
            "mark": {
                "type": "bar",
                "height": {"band": 0.62},
                "stroke": theme.hatch,
                "strokeWidth": marks.stroke(marks.step_for(len(rows)), 0.4),
            },
            "encoding": {
                "y": y,
                "x": {**rank, "field": "band_low"},
                "x2": {"field": "band_high"},
                "color": {"field": "among", "type": "nominal", "scale": colours, "legend": legend},
                "tooltip": tooltip,
            },
        },
        {
            "mark": {**marks.dot(marks.step_for(len(rows)), 26), "color": theme.ink},
            "encoding": {"y": y, "x": rank, "tooltip": tooltip},
        },
    ]


def _ticks(last: int) -> list[int]:
    """Return the ranks that the axis names, the first and the last among them.

    >>> _ticks(12), _ticks(3)
    ([1, 5, 10, 12], [1, 2, 3])
    """
    step = next(step for step in (1, 5, 10, 50, 100, 500, 1000, 10_000) if last <= 12 * step or step == 10_000)
    if last < 10:
        return list(range(1, last + 1))
    step = max(step, 5)
    return [1, *(rank for rank in range(step, last, step) if last - rank > step / 4), last]


def _cut(k: int, among: str, theme: Theme) -> list[Spec]:
    """Return the line after rank k."""
    mark: Spec = {"type": "rule", "color": theme.ink, "strokeDash": [4, 3], "tooltip": among}
    at: Spec = {"field": "cut", "type": "quantitative"}
    return [{"data": {"values": [{"cut": k + 0.5}]}, "mark": mark, "encoding": {"x": at}}]


def _summary(rows: list[Row], among: str) -> str:
    parts = []
    for word in (SURELY, POSSIBLY):
        names = [str(row["label"]) for row in rows if row["among"] == word]
        parts.append(f"{word} {among}: {listed(names) if names else 'none'}")
    first = rows[0]
    its_rank = f"{first['label']} is first, and its rank may be {first['rank_low']} to {first['rank_high']}"
    return f"{'; '.join(parts)}. {its_rank}."
