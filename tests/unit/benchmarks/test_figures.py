"""A figure knows whether its goal is reached; the table and the JSON say so."""

from __future__ import annotations

import io

import orjson
import pytest
from rich.console import Console

from benchmarks.figures import Figure, encode_figures, print_figures


@pytest.mark.parametrize(
    ("figure", "is_reached"),
    [
        (Figure("start", 1.4, "s", 1.5), True),
        (Figure("start", 1.5, "s", 1.5), True),
        (Figure("start", 1.6, "s", 1.5), False),
        (Figure("ratio", 0.6, "", 0.5, at_least=True), True),
        (Figure("ratio", 0.4, "", 0.5, at_least=True), False),
        (Figure("modules", 0, "", 0), True),
        (Figure("rate", 900.0, "round trips/s"), None),
    ],
)
def test_a_goal_is_a_limit_above_or_below(figure: Figure, is_reached: bool | None) -> None:
    assert figure.is_reached is is_reached


def test_the_table_shows_figure_goal_and_verdict() -> None:
    output = io.StringIO()
    print_figures(Console(file=output, width=120), [Figure("ratio", 0.4321, "", 0.5, at_least=True, note="7 rounds")])
    for text in ("ratio", "0.432", "at least 0.5", "missed", "7 rounds"):
        assert text in output.getvalue()


def test_json_has_every_figure_with_its_verdict() -> None:
    (figure,) = orjson.loads(encode_figures([Figure("start", 1.25, "s", 1.5)]))
    assert figure == {
        "name": "start",
        "value": 1.25,
        "unit": "s",
        "goal": 1.5,
        "at_least": False,
        "note": "",
        "is_reached": True,
    }
