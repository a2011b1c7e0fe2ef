"""The tables of the page about charts are those of the code."""

from __future__ import annotations

import re

from meantime.charts import KINDS
from meantime.charts.chart_kinds import KINDS_OF
from meantime.charts.frame import CAUTION_LINES
from meantime.charts.rendering.drawing import PIXEL_LIMIT
from tests.conftest import PROJECT

PAGE = (PROJECT / "docs/charts.md").read_text("utf-8")


def test_the_table_of_kinds_is_the_one_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| ([\d,]+) \|$", PAGE, re.MULTILINE)
    assert rows == [(kind.name, kind.title, kind.needs, f"{kind.most:,}") for kind in KINDS.values()]


def test_the_kinds_of_each_statistic_are_in_their_order() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (`\w+`(?:, `\w+`)*) \|$", PAGE, re.MULTILINE)
    assert {name: tuple(re.findall(r"`(\w+)`", kinds)) for name, kinds in rows} == KINDS_OF


def test_the_bounds_are_those_of_the_code() -> None:
    assert f"at most {PIXEL_LIMIT // 1_000_000} million pixels" in PAGE
    assert f"more than {CAUTION_LINES} lines" in PAGE
