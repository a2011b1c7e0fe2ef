"""Trends: the slopes of series of yearly estimates with what must be said of them, as records and cautions.

How the lines are fitted is in the other modules of this room; their columns are in ``line_columns.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from meantime.errors import StatisticError
from meantime.statistics.estimation.breaks import Breaks, Stretches, cautions_of_breaks
from meantime.statistics.estimation.cautions import cautions_of, listed
from meantime.statistics.estimation.comparisons.contrasts import Contrasts, contrasts
from meantime.statistics.estimation.comparisons.verdicts import cautions_of_direction
from meantime.statistics.estimation.grouping import YEAR, Groups
from meantime.statistics.estimation.nation import cautions_of_lacking_states
from meantime.statistics.estimation.pooling import Estimates
from meantime.statistics.estimation.series.line_columns import (
    change_columns,
    fit_columns,
    pooled_columns,
    word_columns,
)
from meantime.statistics.estimation.series.panels import cautions_of_absences, cautions_of_matching, panel_columns
from meantime.statistics.estimation.series.points import Points, points_of
from meantime.statistics.estimation.series.segments import Segments, bent_lines, cautions_of_misfit, whole_lines
from meantime.statistics.result import Column, taken
from meantime.survey.cube.survey_cube import BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Trends:
    """Lines through series of yearly estimates, their segments and the slopes of these against 0.

    ``asked`` are the years, cut at breaks; ``left_out`` tells which cells are not used, so that years can be compared.
    """

    yearly: Estimates
    series: Groups
    asked: Stretches
    left_out: BoolArray
    points: Points
    segments: Segments
    slopes: Contrasts

    def columns(self) -> dict[str, Column]:
        """Return the columns of the records, one per segment."""
        yearly, points, segments, slopes = self.yearly, self.points, self.segments, self.slopes

        def of_segments(columns: dict[str, Column]) -> dict[str, Column]:
            return taken(columns, segments.line) if segments.joinpoints else columns

        dimensions = {name: column for name, column in self.series.dimension_columns().items() if name != YEAR}
        return {
            **of_segments(taken(dimensions, points.series)),
            "value": slopes.difference,
            "standard_error": slopes.standard_error,
            "low": slopes.low,
            "high": slopes.high,
            **of_segments(pooled_columns(yearly, points)),
            **word_columns(slopes),
            **of_segments(fit_columns(points, segments)),
            **change_columns(yearly, points, segments),
            **of_segments(panel_columns(self.series.selection, points, self.asked, self.left_out)),
        }

    def method(self) -> str:
        """Return how the slopes were found and judged, in words."""
        return (
            "slope by weighted least squares on the year, w = 1 / SE^2, SE = sqrt(1 / sum(w (x - xbar)^2)), times the"
            f" Birge ratio sqrt(residual_ratio) where that is above 1{self.segments.method()}; {self.slopes.method()}"
        )

    def cautions(self, *, crossing: bool) -> list[str]:
        """Return what must be known before trusting the trends; ``crossing`` tells whether they cross known breaks."""
        selection, years = self.series.selection, self.asked.years.tolist()
        mixing = "and the slope mixes that with the change in people"
        found = [*cautions_of(self.yearly), *cautions_of_direction(selection)]
        found += cautions_of_breaks(selection.question, years, mixing if crossing else "so that no trend crosses it")
        with_line = set(self.points.stretch.tolist())
        lone = [str(year) for year, own in zip(years, self.asked.number.tolist(), strict=True) if own not in with_line]
        if lone:
            found.append(f"between breaks too few years for a trend, so left out: {listed(lone)}")
        found += cautions_of_absences(selection, years) + cautions_of_lacking_states([selection])
        found += cautions_of_matching(selection, self.left_out) + cautions_of_misfit(self.points, self.segments.lines)
        found += self.segments.cautions() + self.slopes.cautions()
        return [*found, "the samples of different years are taken as independent"]


def trends_of(
    yearly: Estimates,
    series: Groups,
    asked: Stretches,
    left_out: BoolArray,
    *,
    adjust: str,
    joinpoints: int,
    checkpoint: Callable[[], None],
) -> Trends:
    """Return the trends of series.

    Parameters
    ----------
    yearly
        Grouped by what ``series`` is, and by year.
    series
        Groups of the same selection.
    asked
        The years, cut at breaks.
    left_out
        The cells that ``yearly`` doesn't use.
    adjust
        How p-values are adjusted for the number of segments.
    joinpoints
        How many joinpoints a line may have.
    checkpoint
        Called now and then while joinpoints are looked for; may raise.

    Raises
    ------
    StatisticError
        No series has two usable years between two breaks.
    """
    points = points_of(yearly, series, asked)
    if not points.lines.year_count.any():
        raise StatisticError(no_line(asked))
    segments = bent_lines(points, yearly, joinpoints, checkpoint) if joinpoints else whole_lines(points)
    zero = np.zeros(len(segments.slope))
    slopes = contrasts(
        segments.slope,
        segments.standard_error,
        zero,
        zero,
        level=yearly.level,
        direction=series.selection.question.direction,
        adjust=adjust,
    )
    return Trends(yearly, series, asked, left_out, points, segments, slopes)


def no_line(asked: Stretches) -> str:
    """Return why there is no line at all, and what to do."""
    nothing = "nothing has two years with a value and a standard error"
    if asked.count > 1:
        give_up = f"ask for breaks `{Breaks.CROSS}`, or give fewer break_years"
        return f"{nothing} on one side of a break; select more years, {give_up}"
    return f"{nothing}; select more years"
