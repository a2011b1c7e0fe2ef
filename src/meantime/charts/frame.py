"""What is around every chart: title, unit and years above, how to read it, sample, source and cautions below.

The same is said again in ``description``, for those who don't see the picture.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from meantime.charts.answers import DOUBTFUL_SIGN, ChartedAnswer, Row, is_doubtful, mapping_in, numbers
from meantime.charts.themes import Spec, Theme, config_of

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""Names the language of a spec for whoever opens it elsewhere; nothing fetches it."""

RECORDS = "records"
"""The name of the dataset with the rows of the answer."""

CAUTION_LINES = 14
"""At most so many lines of cautions are drawn; the description has them all."""


@dataclass(frozen=True)
class Drawing:
    """What one kind of chart makes of an answer.

    Parameters
    ----------
    body
        A view, without ``title`` and ``data``.
    rows
        The rows of the dataset ``RECORDS``, on which the view stands.
    shown
        What is shown, in a few words for the subtitle.
    reading
        How to read it; one or two sentences.
    summary
        What it shows, in sentences, for those who don't see it.
    width
        About how wide it is, in pixels.
    unit
        The unit of what is drawn, where it isn't that of the answer's values.
    title
        What it is about, where that isn't the answer's question.
    datasets
        Further datasets, by name.
    """

    body: Spec
    rows: Sequence[Row]
    shown: str
    reading: str
    summary: str
    width: int = 560
    unit: str | None = None
    title: str = ""
    datasets: Mapping[str, object] = field(default_factory=dict)


def framed(answer: ChartedAnswer, kind: str, drawing: Drawing, theme: Theme) -> Spec:
    """Return a whole spec: a drawing with everything around it."""
    width = max(drawing.width, 420)
    subtitle = [part for part in (answer.years, answer.people, unit_of(answer, drawing)) if part]
    title = drawing.title or answer.question or answer.statistic
    below = {
        "text": _below(answer, drawing, width),
        "orient": "bottom",
        "anchor": "start",
        "offset": 14,
        "fontSize": 10,
        "lineHeight": 13,
        "fontWeight": "normal",
        "color": theme.muted,
    }
    return {
        "$schema": SCHEMA,
        "description": described(answer, drawing),
        "usermeta": {
            "meantime": {
                "chart": kind,
                "statistic": answer.statistic,
                "theme": theme.name,
                "source": source_of(answer),
            },
            "embedOptions": {"actions": False},
        },
        "background": theme.background,
        "padding": 12,
        "title": {
            "text": wrapped(title, width, 15),
            "subtitle": wrapped(f"{drawing.shown} \u00b7 {', '.join(subtitle)}", width, 12),
            "anchor": "start",
            "fontSize": 15,
            "subtitleFontSize": 12,
            "subtitlePadding": 5,
            "offset": 14,
            "color": theme.ink,
            "subtitleColor": theme.muted,
        },
        "datasets": {RECORDS: list(drawing.rows), **drawing.datasets},
        "vconcat": [{"title": below, "data": {"name": RECORDS}, **drawing.body}],
        "config": config_of(theme),
    }


def _below(answer: ChartedAnswer, drawing: Drawing, width: int) -> list[str]:
    lines = wrapped(reading_of(answer, drawing), width, 10)
    lines += wrapped(sample_of(answer), width, 10) + wrapped(source_of(answer), width, 10)
    cautions = [line for text in answer.cautions for line in wrapped(f"! {text}", width, 10)]
    if len(cautions) > CAUTION_LINES:
        cautions = [*cautions[: CAUTION_LINES - 1], "! ... the rest of the cautions is in the answer's JSON"]
    return lines + cautions


def described(answer: ChartedAnswer, drawing: Drawing) -> str:
    """Return a chart in words: what it is about, what it shows, and what must be known before it is trusted."""
    about = ", ".join(
        part for part in (drawing.title, answer.question, answer.years, answer.people, unit_of(answer, drawing)) if part
    )
    parts = [
        f"{drawing.shown}. {about}.",
        drawing.summary,
        reading_of(answer, drawing),
        sample_of(answer),
        source_of(answer),
    ]
    return " ".join(part for part in [*parts, *(f"Caution: {text}." for text in answer.cautions)] if part)


def reading_of(answer: ChartedAnswer, drawing: Drawing) -> str:
    """Return how to read a chart, with the sign of what is less reliable if there is any."""
    doubtful = any(map(is_doubtful, answer.records))
    return f"{drawing.reading} {DOUBTFUL_SIGN}: use with caution." if doubtful else drawing.reading


def unit_of(answer: ChartedAnswer, drawing: Drawing) -> str:
    """Return the unit of what is drawn."""
    return answer.unit if drawing.unit is None else drawing.unit


def sample_of(answer: ChartedAnswer) -> str:
    """Return how many persons were asked, in a sentence; empty where nobody says."""
    sizes = numbers(answer.records, "sample_size")
    if not sizes:
        return ""
    if min(sizes) == max(sizes):
        return f"Sample: {sizes[0]:,.0f} persons."
    return f"Sample: {min(sizes):,.0f} to {max(sizes):,.0f} persons per estimate."


def source_of(answer: ChartedAnswer) -> str:
    """Return where the figures come from, in a sentence; empty where nobody says."""
    provenance = mapping_in(answer.answer.get("provenance"))
    dataset = mapping_in(provenance.get("dataset"))
    title = str(dataset.get("title") or dataset.get("source_name") or "")
    if not title:
        return ""
    title += f" ({dataset['dataset_id']})" if dataset.get("dataset_id") else ""
    title += f", export of {dataset['export_date']}" if dataset.get("export_date") else ""
    publisher = f"{dataset['publisher']}. " if dataset.get("publisher") else ""
    return f"Source: {publisher}{title}. {provenance.get('method', answer.statistic)}, computed with Meantime."


def wrapped(text: str, width_px: int, font_px: int) -> list[str]:
    """Return a text in lines that fit about a width; letters of East Asian scripts are twice as wide.

    >>> wrapped("Percent of adults who have obesity", 120, 12)
    ['Percent of adults', 'who have obesity']
    """
    if not text:
        return []
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    letters = int(width_px / (font_px * 0.53) / (1 + wide / len(text)))
    return textwrap.wrap(text, max(letters, 8))
