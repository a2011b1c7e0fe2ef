"""What several kinds of chart draw alike: a colour by verdict or value, a row for each record, its tooltip, a line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence

from meantime.charts.answers import ChartedAnswer, Row, distinct, listed, number, numbers
from meantime.charts.themes import NOT_TESTED, VERDICT_COLOURS, Spec, Theme, series_scale, verdict_scale
from meantime.statistics.estimation.comparisons.verdicts import MEANINGS
from meantime.statistics.estimation.uncertainty import Reliability

NO_TEST_BY_EYE = "Intervals that overlap may still differ: ask for pairwise or difference to test it."
BY_VERDICT = (
    "Colour says what differs by a test adjusted for the number of tests; whether intervals overlap or touch the line"
    " says less."
)
_LEGIBLE_PX = 8

HATCHED = "Hatched or \u00d7: there is no estimate."

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


def short_texts(texts: Sequence[str], letters: int, lines: int = 3) -> dict[str, str]:
    """Return each text in a few lines, without the words that all begin with; what is too long loses its middle.

    Questions are often alike at both ends, so that what is left may be the same: such texts get a number.

    >>> short_texts(["Percent of adults who smoke", "Percent of adults who have obesity"], 12)
    {'Percent of adults who smoke': 'smoke', 'Percent of adults who have obesity': 'have obesity'}
    """
    shared = 0
    if len(texts) > 1:
        for words in zip(*(text.split(" ")[:-1] for text in texts), strict=False):
            if len(set(words)) > 1:
                break
            shared += 1
    found: dict[str, str] = {}
    for text in texts:
        bare, count = " ".join(text.split(" ")[shared:]), 1
        shown = _in_lines(bare, letters, lines)
        while shown in found.values():
            count += 1
            shown = _in_lines(f"{bare} ({count})", letters, lines)
        found[text] = shown
    return found


def _in_lines(text: str, letters: int, lines: int) -> str:
    """Return a text in so many lines at most; from a longer one its middle is taken out."""
    room, short = len(text), text
    while len(wrapped := textwrap.wrap(short, letters)) > lines:
        room -= 4
        short = f"{text[: room // 2]} \u2026 {text[len(text) - room // 2 :]}"
    return "\n".join(wrapped)


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


def verdict_colour(rows: Sequence[Row], *, legend: bool = True) -> Spec:
    """Return the colour of rows by their verdict; put it on rows that have one."""
    return {
        "field": "verdict",
        "type": "nominal",
        "scale": verdict_scale(verdicts_of(rows)),
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


def verdict_words(rows: Sequence[Mapping[str, object]]) -> str:
    """Return in a sentence how many rows have which verdict, and which ones."""
    parts = []
    for meaning in MEANINGS:
        word = NOT_TESTED if meaning.verdict is None else meaning.verdict.value
        names = [str(row["label"]) for row, own in zip(rows, verdicts_of(rows), strict=True) if own == word]
        if names:
            parts.append(f"{word}: {len(names)} ({listed(names)})")
    return f"{'; '.join(dict.fromkeys(parts))}." if parts else ""


def extremes(rows: Sequence[Row], unit: str, field: str = "value") -> str:
    """Return in a sentence the lowest and the highest row, and which have no value."""
    valued = [(value, str(row["label"])) for row in rows if (value := number(row.get(field))) is not None]
    absent = [str(row["label"]) for row in rows if number(row.get(field)) is None]
    said = ""
    if valued:
        (low, lowest), (high, highest) = min(valued), max(valued)
        said = f"Lowest {lowest} with {in_unit(low, unit)}, highest {highest} with {in_unit(high, unit)}."
        if len(valued) == 1:
            said = f"{lowest}: {in_unit(low, unit)}."
    if absent:
        said += f" No estimate: {listed(distinct(absent))}."
    return said.strip()


def in_unit(value: float, unit: str) -> str:
    """Return a value with its unit, as a reader says it.

    >>> in_unit(36.4321, "percent"), in_unit(0.5, "")
    ('36.4 percent', '0.5')
    """
    return f"{value:.4g} {unit}".strip() if abs(value) < 10 else f"{value:,.1f} {unit}".strip()


def order_by_value(rows: list[Row], field: str = "value") -> list[Row]:
    """Return rows from the highest number to the lowest, those without one last."""
    return sorted(rows, key=lambda row: (number(row.get(field)) is None, -(number(row.get(field)) or 0.0)))


def drawn_by_verdict(answer: ChartedAnswer) -> bool:
    """Whether the records of an answer have verdicts."""
    return answer.has("verdict")
