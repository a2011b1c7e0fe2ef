"""A tartan rug: a row for each location, a column for each question, coloured by verdict."""

from __future__ import annotations

from meantime.charts.answers import ChartedAnswer, Row, distinct
from meantime.charts.frame import Drawing
from meantime.charts.kinds import marks, wording
from meantime.charts.themes import ABSENT_SIGN, SIGNS, Spec, Theme, hatching

CELL_PX = 52
_LABEL_LETTERS = 34


def rug(answer: ChartedAnswer, theme: Theme) -> Drawing:
    """Draw one square for each location and question."""
    rows = answer.rows()
    shown = wording.short_texts(distinct(row["question"] for row in rows), _LABEL_LETTERS)
    for row in rows:
        row["sign"] = SIGNS.get(row.get("verdict"), ABSENT_SIGN)  # type: ignore[call-overload]  # its own text
        row["column"] = shown[str(row["question"])]
    questions, places = distinct(row["column"] for row in rows), distinct(row["location"] for row in rows)
    step = marks.step_for(len(places), 16)
    return Drawing(
        body={
            "width": {"step": CELL_PX},
            "height": {"step": step},
            "layer": _layers(rows, questions, places, theme, with_signs=step >= 10),
        },
        rows=rows,
        title=f"All places and questions, against {answer.against or 'the reference'}",
        shown="Tartan rug by verdict",
        reading="Colour and sign say what differs by a test adjusted within each question."
        " Hatched or \u00d7: nothing could be tested.",
        summary=f"{len(places)} places by {len(questions)} questions. {_by_question(rows)}",
        width=CELL_PX * len(questions) + 300,
    )


def _by_question(rows: list[Row]) -> str:
    parts = []
    for question in distinct(row["question"] for row in rows):
        own = [{**row, "label": row["location"]} for row in rows if row["question"] == question]
        counts = {word: marks.verdicts_of(own).count(word) for word in dict.fromkeys(marks.verdicts_of(own))}
        parts.append(f"{question}: {', '.join(f'{word} {count}' for word, count in counts.items())}")
    return f"{'; '.join(parts)}."


def _layers(rows: list[Row], questions: list[str], places: list[str], theme: Theme, *, with_signs: bool) -> list[Spec]:
    above: Spec = {
        "orient": "top",
        "labelAngle": -90,
        "labelBaseline": "middle",
        "labelExpr": "split(datum.label, '\\n')",
        "labelLimit": 240,
        "labelOverlap": False,
        "ticks": False,
        "domain": False,
        "title": None,
    }
    at: Spec = {
        "x": {"field": "column", "type": "nominal", "sort": questions, "axis": above},
        "y": {"field": "location", "type": "nominal", "sort": places, "axis": marks.row_axis()},
    }
    line: Spec = {"stroke": theme.background, "strokeWidth": 0.8}
    tooltip = marks.tooltip(rows)
    layers: list[Spec] = [
        {
            "transform": [{"filter": {"not": marks.HAS_VERDICT}}],
            "mark": {"type": "rect", "fill": hatching(theme, 6), **line},
            "encoding": {**at, "tooltip": tooltip},
        },
        {
            "transform": [{"filter": marks.HAS_VERDICT}],
            "mark": {"type": "rect", **line},
            "encoding": {**at, "color": marks.verdict_colour(rows, theme), "tooltip": tooltip},
        },
    ]
    if with_signs:
        sign: Spec = {"type": "text", "fontSize": 10, "color": "#000000"}
        layers.append(
            {
                "transform": [{"filter": marks.HAS_VERDICT}],
                "mark": sign,
                "encoding": {**at, "text": {"field": "sign"}},
            }
        )
    return layers
