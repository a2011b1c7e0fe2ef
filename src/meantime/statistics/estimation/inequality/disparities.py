"""Every measure of some locations' strata, with its uncertainty: locations with equally many strata go together.

The measures are in ``gaps.py`` and ``summaries.py``, their intervals in ``ranges.py`` and ``summary_intervals.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from meantime.statistics.estimation.inequality.gaps import (
    Reference,
    StratumEstimate,
    differences_of,
    gap_intervals,
    gap_values,
)
from meantime.statistics.estimation.inequality.shares import shares_in
from meantime.statistics.estimation.inequality.summaries import (
    between_group_variance,
    index_of_disparity,
    slope_index,
)
from meantime.statistics.estimation.inequality.summary_intervals import (
    Uncertainty,
    index_uncertainty,
    ratio_uncertainty,
    variance_uncertainty,
)
from meantime.statistics.estimation.uncertainty import normal_quantile
from meantime.statistics.result import Record, records_of
from meantime.survey.cube.survey_cube import FloatArray

TOGETHER, LARGEST_TABLE = 64, 2**20
"""Between two checkpoints are so many locations, or fewer where tables of pairs of strata would be larger."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The strata of one location that have a value, from the lowest place on the scale if the category has one.

    ``overall`` is the estimate for everybody in percent, ``shares`` the strata's shares, 1 together; None if unknown.
    """

    strata: Sequence[StratumEstimate]
    overall: float | None
    shares: Sequence[float] | None

    def errors_known(self) -> bool:
        """Whether each stratum has a standard error."""
        return all(own.standard_error is not None for own in self.strata)


def measures_of_each(
    locations: Sequence[Compared],
    level: float,
    reference: Reference,
    *,
    higher_is_better: bool,
    has_scale: bool,
    checkpoint: Callable[[], None] = lambda: None,
) -> list[Record]:
    """Return every measure of each location's strata, by name.

    Parameters
    ----------
    locations
        Their strata.
    level
        The probability that an interval covers the truth.
    reference
        What the strata are compared with.
    higher_is_better
        Whether the highest stratum is the most favourable one.
    has_scale
        Whether the category has a scale, and with it a slope.
    checkpoint
        Called between steps.

    Returns
    -------
    list of dict
        In the order of the locations; without the measures that can't be had, empty with fewer than two strata.
    """
    records: list[Record] = [{} for _ in locations]
    for place, own in enumerate(locations):
        if len(own.strata) >= 2:
            records[place] |= gap_values(own.strata, reference, higher_is_better=higher_is_better)
            records[place] |= _summaries(own, level, has_scale=has_scale)
    for places in _alike(locations, reference):
        checkpoint()
        for place, found in zip(
            places, _intervals([locations[each] for each in places], level, reference), strict=True
        ):
            records[place] |= found
    return records


def measures_of(
    strata: Sequence[StratumEstimate],
    overall: float | None,
    level: float,
    reference: Reference,
    *,
    higher_is_better: bool,
    has_scale: bool,
) -> Record:
    """Return every measure of one location's strata by shares of the sample; see ``measures_of_each``."""
    own = Compared(strata, overall, shares_in(None).of("", strata))
    return measures_of_each([own], level, reference, higher_is_better=higher_is_better, has_scale=has_scale)[0]


def _summaries(own: Compared, level: float, *, has_scale: bool) -> Record:
    """Return the summary measures, and the intervals of slope and relative index."""
    found: Record = {
        "index_of_disparity_percent": index_of_disparity([each.value for each in own.strata], own.overall),
        "between_group_variance": between_group_variance(own.strata, own.shares),
    }
    index = slope_index(own.strata, own.shares) if has_scale else None
    if index is None or own.shares is None:
        return found
    found |= {"slope_index": index.slope, "relative_index": index.relative}
    if index.standard_error is None:
        return found
    half = normal_quantile(level) * index.standard_error
    found |= {
        "slope_index_standard_error": index.standard_error,
        "slope_index_low": index.slope - half,
        "slope_index_high": index.slope + half,
    }
    values = [each.value for each in own.strata]
    errors = [each.standard_error for each in own.strata if each.standard_error is not None]
    relative = ratio_uncertainty(index.factors, own.shares, values, errors, level)
    if relative is not None:
        names = ("relative_index_standard_error", "relative_index_low", "relative_index_high")
        found |= dict(zip(names, relative, strict=True))
    return found


def _alike(locations: Sequence[Compared], reference: Reference) -> Iterator[list[int]]:
    """Yield the places of locations that can be computed together: as many strata, all with errors, one reference."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for place, own in enumerate(locations):
        if len(own.strata) >= 2 and own.errors_known():
            has_overall = own.overall is not None and own.overall > 0
            key = len(own.strata), differences_of(own.strata, reference), has_overall, own.shares is not None
            groups.setdefault(key, []).append(place)
    for places in groups.values():
        step = max(1, min(TOGETHER, LARGEST_TABLE // len(locations[places[0]].strata) ** 2))
        for first in range(0, len(places), step):
            yield places[first : first + step]


def _intervals(locations: Sequence[Compared], level: float, reference: Reference) -> list[Record]:
    """Return what is simulated of locations that are alike."""
    value, error = _columns(locations)
    records: list[Record] = [{} for _ in locations]
    differences, first = differences_of(locations[0].strata, reference), locations[0]
    if differences is not None:
        _add(records, gap_intervals(value, error, differences, level))
    if first.overall is not None and first.overall > 0:
        overall = np.array([own.overall for own in locations], dtype=np.float64)
        _add(records, _named("index_of_disparity", index_uncertainty(value, error, overall, level)))
    if first.shares is not None:
        shares = np.array([own.shares for own in locations], dtype=np.float64).T
        _add(records, _named("between_group_variance", variance_uncertainty(value, error, shares, level)))
    return records


def _columns(locations: Sequence[Compared]) -> tuple[FloatArray, FloatArray]:
    """Return values and standard errors: one row a stratum, one column a location."""
    value = np.array([[own.value for own in each.strata] for each in locations])
    error = np.array(
        [[math.nan if own.standard_error is None else own.standard_error for own in each.strata] for each in locations]
    )
    return value.T, error.T


def _named(measure: str, found: Uncertainty) -> list[Record]:
    return records_of(
        {
            f"{measure}_standard_error": found.standard_error,
            f"{measure}_low": found.low,
            f"{measure}_high": found.high,
            f"{measure}_by_chance": found.by_chance,
        }
    )


def _add(records: Sequence[Record], more: Sequence[Record]) -> None:
    for record, own in zip(records, more, strict=True):
        record.update(own)
