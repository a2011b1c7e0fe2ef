"""What several kinds of chart say alike: how they are read, what they show in sentences, long names made short."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from meantime.charts.answers import Row, distinct, listed, number
from meantime.charts.kinds.marks import verdicts_of
from meantime.charts.themes import NOT_TESTED
from meantime.statistics.estimation.comparisons.verdicts import MEANINGS

NO_TEST_BY_EYE = "Intervals that overlap may still differ: ask for pairwise or difference to test it."
BY_VERDICT = (
    "Colour says what differs by a test adjusted for the number of tests; whether intervals overlap or touch the line"
    " says less."
)
HATCHED = "Hatched or \u00d7: there is no estimate."


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
