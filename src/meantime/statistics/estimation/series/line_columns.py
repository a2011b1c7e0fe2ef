"""The columns of a trend: what each line rests on and how it fits, the words for each segment, and its change."""

from __future__ import annotations

import numpy as np

from meantime.statistics.estimation.comparisons.contrasts import Contrasts
from meantime.statistics.estimation.comparisons.verdicts import Verdict
from meantime.statistics.estimation.grouping import sum_by
from meantime.statistics.estimation.pooling import Estimates
from meantime.statistics.estimation.series.points import Points
from meantime.statistics.estimation.series.segments import Segments
from meantime.statistics.estimation.uncertainty import Reliability, interval
from meantime.statistics.result import Column, whole
from meantime.survey.cube.limits import Scale


def pooled_columns(yearly: Estimates, points: Points) -> dict[str, Column]:
    """Return sample size, cells and reliability of each line: sums over the usable years, and the worst flag."""
    slope, usable = points.lines.slope, points.usable
    own, count = points.line[usable], len(slope)
    size = yearly.sample_size[usable]
    sized = ~np.isnan(size)
    total_size = sum_by(own, np.where(sized, size, 0.0), count)
    doubtful = (sum_by(own, ~yearly.is_reliable[usable], count) > 0).tolist()
    kept = points.line >= 0
    return {
        "sample_size": whole(np.where(sum_by(own, sized, count) > 0, total_size, np.nan)),
        "cells_used": whole(sum_by(own, yearly.cells_used[usable], count)),
        "cells_suppressed": whole(sum_by(points.line[kept], yearly.cells_suppressed[kept], count)),
        "reliability": [
            (Reliability.SUPPRESSED if without else Reliability.CAUTION if doubt else Reliability.OK).value
            for without, doubt in zip(np.isnan(slope).tolist(), doubtful, strict=True)
        ],
    }


def fit_columns(points: Points, segments: Segments) -> dict[str, Column]:
    """Return how well each line fits, and the years in which it bends where that was looked for."""
    lines = segments.lines
    columns: dict[str, Column] = {
        "residual_ratio": lines.residual_ratio,
        "misfit_p": lines.misfit_p,
        "widened_by": np.where(np.isnan(lines.slope), np.nan, lines.widened_by),
        "jump_year": whole(np.where(lines.is_misfit, points.year[lines.jump], np.nan)),
    }
    if segments.joinpoints:
        columns["joinpoints"] = [", ".join(map(str, years)) for years in segments.joinpoints]
    return columns


_OF_TRENDS = {
    Verdict.HIGHER.value: Verdict.RISING.value,
    Verdict.LOWER.value: Verdict.FALLING.value,
    Verdict.UNCLEAR.value: Verdict.STEADY.value,
}


def word_columns(slopes: Contrasts) -> dict[str, Column]:
    """Return p-values, the verdict in a trend's words, and the course: whether it goes up or down, good or bad."""
    verdicts = [None if word is None else _OF_TRENDS.get(word, word) for word in slopes.verdict]
    courses = [
        own if own in {None, Verdict.STEADY.value} else (Verdict.RISING if slope > 0 else Verdict.FALLING).value
        for own, slope in zip(verdicts, slopes.difference.tolist(), strict=True)
    ]
    return {**slopes.verdict_columns(), "verdict": verdicts, "course": courses}


def change_columns(yearly: Estimates, points: Points, segments: Segments) -> dict[str, Column]:
    """Return first and last usable year of each segment with their estimates, and the change between them."""
    enough = segments.year_count >= 2
    first, last = (np.where(enough, places, -1) for places in (segments.first, segments.last))
    value, error = np.append(yearly.value, np.nan), np.append(yearly.standard_error, np.nan)
    year = np.append(points.year.astype(np.float64), np.nan)
    change, change_error = value[last] - value[first], np.hypot(error[last], error[first])
    low, high = interval(change, change_error, level=yearly.level, scale=Scale.LINEAR)
    return {
        "year_count": segments.year_count,
        "first_year": whole(year[first]),
        "last_year": whole(year[last]),
        "first_value": value[first],
        "last_value": value[last],
        "change": change,
        "change_standard_error": change_error,
        "change_low": low,
        "change_high": high,
    }
