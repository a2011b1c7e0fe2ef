"""What several kinds of chart draw alike: a colour by verdict or value, a row for each record, its tooltip, a line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from meantime.charts.answers import ChartedAnswer, Row, distinct, number, numbers
from meantime.charts.themes import NOT_TESTED, VERDICT_COLOURS, Spec, Theme, series_scale, verdict_scale
from meantime.statistics.estimation.uncertainty import Reliability

_LEGIBLE_PX = 8

HAS_VALUE: Spec = {"field": "value", "valid": True}
"""The test for a number in ``value``."""

HAS_VERDICT: Spec = {"field": "verdict", "oneOf": list(VERDICT_COLOURS)}
"""The test for a verdict; ``valid`` is about numbers alone."""

IS_DOUBTFUL: Spec = {"field": "reliability", "equal": Reliability.CAUTION.value}
"""The test for what is to be used with caution."""

TALL_PX = 1600
"""About how tall a chart with a row for each record may become before its rows get thinner."""

_SHOWN_FIELDS = {
    "location": "location",
    "question": "question",
    "year": "year",
    "category": "category",
    "stratum": "stratum",
    "against": "against",
    "value": "value",
    "low": "from",
    "high": "to",
    "difference": "difference",
    "difference_low": "difference from",
    "difference_high": "difference to",
    "verdict": "verdict",
    "p_adjusted": "adjusted p",
    "rank": "rank",
    "rank_low": "rank from",
    "rank_high": "rank to",
    "sample_size": "sample size",
    "reliability": "reliability",
}


def tooltip(rows: Sequence[Row]) -> list[Spec]:
    """Return the tooltip of a row: those of its fields that a reader looks for."""
    fields = rows[0] if rows else {}
    return [
        {"field": name, "title": title, **({"format": ".4~r"} if _is_measure(rows, name) else {})}
        for name, title in _SHOWN_FIELDS.items()
        if name in fields
    ]


def _is_measure(rows: Sequence[Row], name: str) -> bool:
    return any(isinstance(row.get(name), float) for row in rows)


def step_for(count: int, usual: int = 15) -> float:
    """Return the height of one of many rows, in pixels."""
    return max(1.5, min(usual, TALL_PX / max(count, 1)))


def dot(step: float, usual: int = 42) -> Spec:
    """Return a dot that fits into a row of this height."""
    return {"type": "point", "filled": True, "size": min(usual, max(1.0, (0.8 * step) ** 2)), "opacity": 1}


def stroke(step: float, usual: float = 1.6) -> float:
    """Return the width of a line that fits into a row of this height."""
    return min(usual, 0.6 * step)


def row_axis(title: str | None = None) -> Spec:
    """Return the axis of rows with a name each; where they are too many, some names give way."""
    return {"title": title, "labelOverlap": "greedy", "ticks": False, "domain": False, "labelPadding": 6}


def rows_encoding(field: str = "label", title: str | None = None) -> Spec:
    """Return the vertical place of a row, in the order of the data."""
    return {"field": field, "type": "nominal", "sort": None, "axis": row_axis(title)}


def members(rows: Sequence[Row], field: str, within: str = "location") -> list[str]:
    """Return the members of a dimension in the order of the answer: as in the location that has most of them."""
    groups: dict[object, list[str]] = {}
    for row in rows:
        groups.setdefault(row.get(within), []).append(str(row[field]))
    longest = max(groups.values(), key=len, default=[])
    return distinct([*longest, *(str(row[field]) for row in rows)])


def unlike_labels(rows: Sequence[Row]) -> None:
    """Give rows with one label a number each, so that none is drawn over another."""
    seen: dict[object, int] = {}
    for row in rows:
        seen[row["label"]] = seen.get(row["label"], 0) + 1
        if seen[row["label"]] > 1:
            row["label"] = f"{row['label']} ({seen[row['label']]})"


def verdicts_of(rows: Iterable[Mapping[str, object]]) -> list[str]:
    """Return the verdict of each row; ``NOT_TESTED`` where it has none."""
    return [str(row.get("verdict") or NOT_TESTED) for row in rows]


def verdict_colour(rows: Sequence[Row], theme: Theme, *, legend: bool = True) -> Spec:
    """Return the colour of rows by their verdict; put it on rows that have one."""
    return {
        "field": "verdict",
        "type": "nominal",
        "scale": verdict_scale(verdicts_of(rows), theme),
        "legend": {"title": "verdict", "symbolType": "square", "symbolOpacity": 1, "orient": "top"} if legend else None,
    }


def value_colour(rows: Sequence[Row], theme: Theme, unit: str, *, legend: bool = True) -> Spec:
    """Return the colour of rows by their value."""
    return {
        "field": "value",
        "type": "quantitative",
        "scale": {"scheme": theme.scheme, "reverse": theme.reverse, "domain": extent(rows, "value"), "zero": False},
        "legend": {"title": unit or "value", "orient": "top", "gradientLength": 220} if legend else None,
    }


def series_colour(names: Sequence[str], field: str, *, title: str | None = None) -> Spec:
    """Return the colour of series by their name: neither good nor bad."""
    return {
        "field": field,
        "type": "nominal",
        "scale": series_scale(names),
        "legend": {"title": title, "orient": "top", "columns": 3, "symbolOpacity": 1},
    }


def extent(rows: Iterable[Mapping[str, object]], *fields: str, also: Sequence[float] = ()) -> list[float]:
    """Return the least and the greatest number in some fields, a little apart where they are equal; 0 to 1 of none."""
    found = [*numbers(rows, *fields), *also]
    if not found:
        return [0.0, 1.0]
    low, high = min(found), max(found)
    return [low, high] if low < high else [low - 0.5, high + 0.5]


def padded(bounds: Sequence[float], part: float = 0.04) -> list[float]:
    """Return bounds with some room on both sides."""
    room = (bounds[1] - bounds[0]) * part
    return [bounds[0] - room, bounds[1] + room]


def only(field: str, *, valid: bool = True) -> list[Spec]:
    """Return the transform that keeps rows with a number in a field, or without."""
    test: Spec = {"field": field, "valid": True}
    return [{"filter": test if valid else {"not": test}}]


def absent_marks(field: str, y: Spec, theme: Theme, step: float) -> Spec:
    """Return the layer that says of each row without a number in a field that there is none; in thin rows a stroke."""
    said: Spec = {"type": "text", "align": "left", "fontSize": 10, "text": "\u00d7 no estimate"}
    mark = (
        said if step >= _LEGIBLE_PX else {"type": "tick", "orient": "horizontal", "size": 12, "thickness": stroke(step)}
    )
    at: Spec = {"value": 4 if step >= _LEGIBLE_PX else 8}
    return {
        "transform": only(field, valid=False),
        "mark": {**mark, "color": theme.muted},
        "encoding": {"y": y, "x": at},
    }


def upright_line(value: float, name: str, theme: Theme) -> list[Spec]:
    """Return the layers of a vertical line at a value, with its name."""
    data = {"values": [{"reference": value, "name": name}]}
    at = {"field": "reference", "type": "quantitative"}
    return [
        {"data": data, "mark": {"type": "rule", "color": theme.ink, "strokeWidth": 1.2}, "encoding": {"x": at}},
        {
            "data": data,
            "mark": {"type": "text", "align": "left", "dx": 4, "baseline": "bottom", "dy": -3, "color": theme.ink},
            "encoding": {"x": at, "y": {"value": 0}, "text": {"field": "name"}},
        },
    ]


def order_by_value(rows: list[Row], field: str = "value") -> list[Row]:
    """Return rows from the highest number to the lowest, those without one last."""
    return sorted(rows, key=lambda row: (number(row.get(field)) is None, -(number(row.get(field)) or 0.0)))


def drawn_by_verdict(answer: ChartedAnswer) -> bool:
    """Whether the records of an answer have verdicts."""
    return answer.has("verdict")
