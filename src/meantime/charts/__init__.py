"""Results as charts: a stored result in, a Vega-Lite spec as a plain dict out; and in ``rendering/``, pictures of it.

``chart_kinds.py`` is read first: the one table of kinds, which statistics each fits, and `chart_of`. Then the way of a
result: ``answers.py`` (what a chart may ask of it) -> ``kinds/`` (one module a kind: the marks) -> ``frame.py`` (title,
source, sample, cautions, text for those who don't see it) with the colours of ``themes.py``.

Everything but ``rendering/`` is a pure function. Nothing here knows HTTP, datasets or jobs, and no number is computed
that a result has. Three rules hold for every kind: what has no estimate is drawn as that, never as zero and never left
out; colour says what a test found, by ``statistics/estimation/comparisons/verdicts.py``; no reader is invited to test a
difference by whether two intervals overlap.
"""

from __future__ import annotations

from meantime.charts.chart_kinds import KINDS, ChartKind, chart_of, kinds_for
from meantime.charts.gathering import gathered

__all__ = ["KINDS", "ChartKind", "chart_of", "gathered", "kinds_for"]
