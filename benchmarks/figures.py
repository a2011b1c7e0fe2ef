"""A measured figure, its goal, and the table they are printed in. Nothing is measured here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import orjson
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure.

    ``goal`` is the most (or with ``at_least`` the least) that is asked for, in the figure's unit; None is no goal.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def is_reached(self) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal


def print_figures(console: Console, figures: Sequence[Figure]) -> None:
    """Print one line a figure, with its goal beside it."""
    table = Table("figure", "measured", "goal", "", "note")
    table.columns[1].justify = table.columns[2].justify = "right"
    for figure in figures:
        goal = "" if figure.goal is None else f"{'at least' if figure.at_least else 'at most'} {figure.goal:g}"
        verdict = {True: "[green]reached[/]", False: "[red]missed[/]", None: ""}[figure.is_reached]
        value = f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:.3g}"
        table.add_row(figure.name, f"{value} {figure.unit}".strip(), goal, verdict, figure.note)
    console.print(table)


def encode_figures(figures: Sequence[Figure]) -> bytes:
    """Return the figures as JSON, an array of objects."""
    return orjson.dumps(
        [asdict(figure) | {"is_reached": figure.is_reached} for figure in figures], option=orjson.OPT_INDENT_2
    )
