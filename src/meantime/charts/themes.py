"""What charts look like: the colours of a light and a dark theme, of verdicts, and the marks that go with them.

Verdicts have the colours of ``verdicts.py`` in both themes. Where a colour might not be seen, a sign says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meantime.errors import InvalidParameterError
from meantime.statistics.estimation.comparisons.verdicts import MEANINGS, Verdict

Spec = dict[str, object]
"""A part of a Vega-Lite spec."""

NOT_TESTED = "not tested"
"""What stands for the verdict of a record that has none."""

VERDICT_COLOURS = {each.verdict.value: each.colour for each in MEANINGS if each.verdict is not None}
"""On light pages."""

_DARK_VERDICT_COLOURS = {each.verdict.value: each.dark_colour for each in MEANINGS if each.verdict is not None}

SIGNS = {
    Verdict.BETTER: "+",
    Verdict.WORSE: "\u2212",
    Verdict.HIGHER: "\u25b2",
    Verdict.LOWER: "\u25bc",
    Verdict.RISING: "\u25b2",
    Verdict.FALLING: "\u25bc",
    Verdict.SIMILAR: "=",
    Verdict.UNCLEAR: "\u00b7",
    Verdict.STEADY: "\u00b7",
}
"""A sign for each verdict; one for what isn't there is ``ABSENT_SIGN``."""

ABSENT_SIGN = "\u00d7"

SERIES_COLOURS = ("#4477aa", "#ee6677", "#228833", "#aa3377", "#ccbb44", "#66ccee")
"""For series and strata, which are neither good nor bad: Paul Tol's bright scheme, told apart by the colour-blind."""

SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one theme (sRGB).

    ``blank`` fills what an answer isn't about, ``hatch`` is the line that what has no estimate is hatched with;
    ``neutral`` is a value that is neither good nor bad, ``accent`` what is surely so, ``half`` what possibly is.
    """

    name: str
    background: str
    ink: str
    muted: str
    grid: str
    blank: str
    hatch: str
    neutral: str
    accent: str
    half: str
    scheme: str
    reverse: bool


LIGHT = Theme(
    "light", "#ffffff", "#1b1e23", "#565c66", "#e4e6ea", "#eef0f2", "#8d939c", "#55708a", "#0b4f8a", "#8fbbe0",
    "viridis", reverse=True,
)  # fmt: skip
DARK = Theme(
    "dark", "#16181d", "#eceef2", "#aeb4be", "#333842", "#24282f", "#7d8591", "#9db4c9", "#8cc4f5", "#3d6c96",
    "viridis", reverse=False,
)  # fmt: skip
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}


def find_theme(name: str) -> Theme:
    """Return the theme of this name.

    Raises
    ------
    InvalidParameterError
        There is none (field ``theme``).
    """
    if name not in THEMES:
        raise InvalidParameterError(
            f"theme: there is no theme {name!r}; choose one of {', '.join(THEMES)}",
            field="theme",
            accepted=tuple(THEMES),
        )
    return THEMES[name]


def config_of(theme: Theme) -> Spec:
    """Return the part of a spec that holds for all its marks."""
    axis = {
        "labelColor": theme.ink,
        "titleColor": theme.muted,
        "titleFontWeight": "normal",
        "gridColor": theme.grid,
        "domainColor": theme.muted,
        "tickColor": theme.muted,
        "labelLimit": 260,
    }
    return {
        "font": "sans-serif",
        "view": {"stroke": None},
        "axis": axis,
        "legend": {"labelColor": theme.ink, "titleColor": theme.muted, "titleFontWeight": "normal", "labelLimit": 260},
        "header": {"labelColor": theme.ink, "titleColor": theme.muted, "labelLimit": 150},
        "text": {"color": theme.ink},
    }


def verdict_scale(verdicts: Sequence[str], theme: Theme) -> Spec:
    """Return the scale from the verdicts that occur, in the order of their table, to their colours in a theme."""
    colours = VERDICT_COLOURS if theme is LIGHT else _DARK_VERDICT_COLOURS
    domain = [word for word in colours if word in set(verdicts)]
    return {"domain": domain, "range": [colours[word] for word in domain]}


def series_scale(names: Sequence[str]) -> Spec:
    """Return the scale from the names of some series to colours; beyond six they come again."""
    return {"domain": list(names), "range": [SERIES_COLOURS[i % len(SERIES_COLOURS)] for i in range(len(names))]}


def hatching(theme: Theme, lines: int = 9) -> Spec:
    """Return the filling of what has no estimate: lines, since grey is the colour of a finding."""
    stops = []
    for i in range(lines):
        start, middle, end = i / lines, (i + 0.7) / lines, (i + 1) / lines
        stops += [{"offset": start, "color": theme.background}, {"offset": middle, "color": theme.background}]
        stops += [{"offset": middle, "color": theme.hatch}, {"offset": end, "color": theme.hatch}]
    return {"gradient": "linear", "x1": 0, "y1": 0, "x2": 1, "y2": 1, "stops": stops}
