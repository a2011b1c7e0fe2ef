"""Who differs from whom: a square for each pair of locations, coloured by the verdict on the one in the row.

An answer has each pair once; its other half is the same pair seen from the other side.
"""

from __future__ import annotations

from meantime.charts.answers import ChartedAnswer, Row, listed, number
from meantime.charts.frame import Drawing
from meantime.charts.kinds import marks, wording
from meantime.charts.themes import SIGNS, Spec, Theme
from meantime.charts.us_places import asked_in_vain
from meantime.statistics.estimation.comparisons.verdicts import Verdict

SIDE_PX = 620
_OTHER_WAY = {
    Verdict.BETTER: Verdict.WORSE,
    Verdict.WORSE: Verdict.BETTER,
    Verdict.HIGHER: Verdict.LOWER,
    Verdict.LOWER: Verdict.HIGHER,
}


def pair_matrix(answer: ChartedAnswer, theme: Theme) -> Drawing:
    """Draw both halves of all pairs, the highest value first."""
    values = {str(row["location"]): number(row["value"]) for row in answer.records}
    values |= {str(row["against"]): number(row["reference"]) for row in answer.records}
    order = sorted(values, key=lambda name: -(values[name] or 0.0))
    rows = answer.rows()
    for row in rows:
        row["label"] = f"{row['location']} and {row['against']}"
        row["sign"] = SIGNS.get(row.get("verdict"), "")  # type: ignore[call-overload]  # a verdict is its own text
    both = [*rows, *map(_mirrored, rows)]
    vain = asked_in_vain(answer)
    without = f" Not in it, for want of an estimate: {listed(vain)}." if vain else ""
    step = max(1.5, min(14.0, SIDE_PX / max(len(order), 1)))
    return Drawing(
        body={"width": {"step": step}, "height": {"step": step}, "layer": _layers(both, order, step, theme)},
        rows=both,
        shown="Who differs from whom: the row's location against the column's",
        reading="Colour and sign say how the row's location compares with the column's, by a test adjusted for the"
        " number of pairs; rows and columns go from the highest value to the lowest. Squares alike don't make groups."
        f"{without}",
        summary=f"{len(order)} locations. {wording.verdict_words(rows)}",
        width=int(step * len(order)) + 130,
    )


def _mirrored(row: Row) -> Row:
    verdict = row.get("verdict")
    other = _OTHER_WAY.get(verdict, verdict)  # type: ignore[call-overload]  # a verdict is its own text
    turned = {
        "location": row["against"],
        "against": row["location"],
        "value": row["reference"],
        "low": row.get("reference_low"),
        "high": row.get("reference_high"),
        "reference": row["value"],
        "difference": _negative(row.get("difference")),
        "difference_low": _negative(row.get("difference_high")),
        "difference_high": _negative(row.get("difference_low")),
        "verdict": other,
        "sign": SIGNS.get(other, ""),
        "is_mirrored": True,
    }
    kept = {name: row.get(name) for name in ("p_value", "p_adjusted", "label", "reliability")}
    return {**turned, **kept}


def _negative(value: object) -> float | None:
    known = number(value)
    return None if known is None else -known


def _layers(rows: list[Row], order: list[str], step: float, theme: Theme) -> list[Spec]:
    overlap = False if step >= 10 else "greedy"
    axis: Spec = {"labelOverlap": overlap, "ticks": False, "domain": False, "labelFontSize": 10, "labelLimit": 140}
    at: Spec = {
        "y": {"field": "location", "type": "nominal", "sort": order, "title": None, "axis": axis},
        "x": {
            "field": "against",
            "type": "nominal",
            "sort": order,
            "title": "compared with",
            "axis": {**axis, "orient": "top", "labelAngle": -60},
        },
    }
    layers: list[Spec] = [
        {
            "transform": [{"filter": marks.HAS_VERDICT}],
            "mark": {"type": "rect", "stroke": theme.background, "strokeWidth": min(1.0, step / 14)},
            "encoding": {**at, "color": marks.verdict_colour(rows, theme), "tooltip": marks.tooltip(rows)},
        },
        {
            "transform": [{"filter": {"not": marks.HAS_VERDICT}}],
            "mark": {"type": "text", "text": "\u00d7", "color": theme.muted},
            "encoding": {**at, "tooltip": marks.tooltip(rows)},
        },
    ]
    if step >= 10:
        text: Spec = {"type": "text", "fontSize": 9, "color": "#000000", "opacity": 0.75}
        layers.append({"mark": text, "encoding": {**at, "text": {"field": "sign"}}})
    return layers
