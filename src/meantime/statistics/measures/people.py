"""The statistic ``people``: how many people a share is, in each place or in all of them together.

Which population counts is in ``populations.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np

from meantime.errors import InvalidParameterError
from meantime.fields.fields import Default, Example
from meantime.fields.kinds import Choice
from meantime.statistics.estimation.cautions import cautions_of_gaps, cautions_of_limits
from meantime.statistics.estimation.explanation import explain
from meantime.statistics.estimation.filters import Filters, Places
from meantime.statistics.estimation.grouping import LOCATION, YEAR, Groups, group, sum_by
from meantime.statistics.estimation.nation import cautions_of_lacking_states
from meantime.statistics.estimation.options import ExplainOption, LevelOption, ScaleOption, Weights, check_scale
from meantime.statistics.estimation.pooling import Estimates, pool
from meantime.statistics.estimation.populations import cautions_of_population, check_known, population_of
from meantime.statistics.estimation.uncertainty import Reliability, flags, interval
from meantime.statistics.kinds import OneOrMore, PopulationRow, PopulationRowKind, PopulationTable
from meantime.statistics.result import Column, Result, records_of, whole
from meantime.statistics.statistic import StatisticData
from meantime.survey.cube.survey_cube import BoolArray, FloatArray
from meantime.survey.questions import SCALES, LocationKind


@dataclass(frozen=True, kw_only=True)
class People(Filters):
    """The number of people behind each year's percentages, of each location or of all that are selected together."""

    name = "people"
    title = "Number of people"
    summary = "How many people the percentages are, by location or summed over locations, with an interval."
    unit = "people"
    method = "people/1: percentage times population, summed over locations"
    example: ClassVar = {"question": "Q036", "years": [2023], "locations": ["Ohio"]}
    documentation = "methods/people.md"

    by: Annotated[
        tuple[str, ...],
        OneOrMore(Choice((LOCATION,), any_case=True), minimum=0),
        "Whether locations are kept apart or summed; years always are kept apart.",
        Default("none: one record a year"),
        Example([LOCATION]),
    ] = ()
    population: Annotated[
        tuple[PopulationRow, ...] | None,
        PopulationTable(PopulationRowKind(), maximum=2000),
        "How many people live where: rows of location, year and population.",
        Default("the adults of US states, of the years that are known, where the question is about adults"),
        Example([{"location": "Ohio", "year": 2023, "population": 9207681}]),
    ] = None
    scale: ScaleOption = "auto"
    level: LevelOption = 0.95
    explain: ExplainOption = False

    def check(self, places: Places) -> None:
        """Check that the values are shares of people, of one stratum, whose number is given or known, none twice."""
        cube = places.cube
        check_scale(cube, self.question, self.scale)
        unit = cube.questions[cube.question_index[self.question]].unit
        if unit not in SCALES:
            raise InvalidParameterError(
                f"question: its values are in {unit!r}, no share of people; choose one in percent", field="question"
            )
        if len(places.segments) > 1:
            field = "categories" if self.strata is None else "strata"
            raise InvalidParameterError(
                f"{field}: {len(places.segments)} strata are selected, and people of several may be the same; take one"
                " stratum, or leave categories and strata out",
                field=field,
            )
        kinds = [cube.locations[index].kind for index in places.locations]
        if LOCATION not in self.by and len(kinds) > 1 and LocationKind.NATION in kinds:
            raise InvalidParameterError(
                "locations: the nation's people are those of its states, so they can't be added; keep them apart with"
                " by `location`",
                field="locations",
            )
        if self.population is None:
            check_known(places, self.question)

    def compute(self, data: StatisticData) -> Result:
        """Return one record per year, and per location where they are kept apart, in their order.

        ``value``, ``standard_error``, ``low`` and ``high`` are people, of ``population`` people in the
        ``location_count`` locations with an estimate and a population. ``share_percent`` is the one of the other.

        Raises
        ------
        StatisticError
            The dataset has no row there, or there would be too many records.

        Notes
        -----
        sum(P v) / 100 with SE = sqrt(sum(P^2 SE^2)) / 100, P taken as exact and locations as independent (Cochran
        1977, chapter 5). The interval is that of the share, times the population; of a single location it is its
        estimate's. A location without a value or a population doesn't count.
        """
        selection = self.select(data.cube)
        estimates = pool(group(selection, [LOCATION, YEAR]), scale=self.scale, level=self.level)
        units = group(selection, [*self.by, YEAR])
        people = self._people(estimates)
        return Result(
            records=records_of(units.dimension_columns() | self._columns(estimates, units, people)),
            unit=self.unit,
            method=self._method(estimates, _highest(units)),
            cautions=(
                *cautions_of_gaps(estimates),
                *_cautions_of_unknown(estimates, people),
                *cautions_of_limits(estimates),
                *cautions_of_lacking_states([selection]),
                *cautions_of_population(Weights.POPULATION, self.population, selection),
                *([] if self.population is None else [_OWN]),
                *([] if len(units) == len(estimates) else [_INDEPENDENT]),
            ),
            explanation=_explanation(estimates, people, _highest(units)) if self.explain else None,
        )

    def _method(self, estimates: Estimates, highest: float) -> str:
        reason = f"; {estimates.scale_reason}" if estimates.scale_reason else ""
        return (
            f"{self.versioned_method()}: {_formula(highest)}; limits are those of the share, times P: of a single"
            f" location its estimate's, of several the {100 * self.level:g} % normal interval on the {estimates.scale}"
            f" scale; standard errors read on it too{reason}"
        )

    def _people(self, estimates: Estimates) -> FloatArray:
        """Return the population of each estimate's location and year, 0 where there is none."""
        selection = estimates.groups.selection
        rows = population_of(Weights.POPULATION, self.population, selection) or ()
        known = {(row.location, row.year): row.population for row in rows}
        years = selection.cube.cells.year[selection.cells[estimates.groups.first_cell]].tolist()
        places = zip(estimates.groups.location_names(), years, strict=True)
        return np.array([known.get(place, 0.0) for place in places], dtype=np.float64)

    def _columns(self, estimates: Estimates, units: Groups, people: FloatArray) -> dict[str, Column]:
        """Return the fields of the records."""
        unit, count = units.group_of_cell[estimates.groups.first_cell], len(units)
        counted: BoolArray = (people > 0) & ~np.isnan(estimates.value)

        def total(column: FloatArray | BoolArray) -> FloatArray:
            return sum_by(unit, np.where(counted, column, 0.0), count)

        persons, highest = total(people), _highest(units)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(persons > 0, total(people * estimates.value) / persons, np.nan)
            error = np.sqrt(total((people * estimates.standard_error) ** 2)) / persons
        low, high = interval(share, error, level=self.level, scale=estimates.scale, highest=highest)
        summed = {"value": share, "standard_error": error, "low": low, "high": high}
        # A single estimate stays what it is: it needs no sum, and its limits are the published ones.
        is_single = total(counted) == 1
        shares = {name: np.where(is_single, total(getattr(estimates, name)), own) for name, own in summed.items()}
        size = total(np.nan_to_num(estimates.sample_size))
        return {
            **{name: own * persons / highest for name, own in shares.items()},
            "sample_size": whole(np.where(size > 0, size, np.nan)),
            "cells_used": total(estimates.cells_used.astype(np.float64)).astype(np.intp),
            "cells_suppressed": sum_by(unit, estimates.cells_suppressed, count).astype(np.intp),
            "reliability": _reliability(estimates, units, counted),
            "population": whole(persons),
            "share_percent": 100 * shares["value"] / highest,
            "location_count": total(counted).astype(np.intp),
        }


def _reliability(estimates: Estimates, units: Groups, counted: BoolArray) -> list[str]:
    """Return the flag of each sum: the worst of the estimates in it."""
    unit, count = units.group_of_cell[estimates.groups.first_cell], len(units)
    value = np.where(sum_by(unit, counted, count) > 0, 0.0, np.nan)
    doubtful = sum_by(unit, counted & ~estimates.is_reliable, count) > 0
    has_value = sum_by(unit, estimates.cells_used, count) > 0
    return flags(value, ~doubtful, np.where(has_value, Reliability.UNWEIGHTED.value, Reliability.SUPPRESSED.value))


def _explanation(estimates: Estimates, people: FloatArray, highest: float) -> dict[str, object]:
    weight = np.where(np.isnan(estimates.cell_weight), np.nan, people[estimates.groups.group_of_cell])
    return explain(replace(estimates, cell_weight=weight), [_PITFALL]) | {"formula": _formula(highest)}


def _formula(highest: float) -> str:
    return f"sum(P v) / {highest:g}, SE = sqrt(sum(P^2 SE^2)) / {highest:g}, P the population"


def _highest(units: Groups) -> float:
    return SCALES[units.selection.question.unit]


def _cautions_of_unknown(estimates: Estimates, people: FloatArray) -> list[str]:
    unknown = int(((people == 0) & ~np.isnan(estimates.value)).sum())
    return [f"without a population in the table, so not counted: {unknown} estimates"] if unknown else []


_OWN = (
    "the population is the request's own, of the people whom the estimates are about, taken as exact: no error of it is"
    " in an interval"
)
_INDEPENDENT = "the estimates of different locations are taken as independent, which they nearly are"
_PITFALL = (
    "More people in one place than in another may only mean that more live there; to compare places, compare the"
    " shares. And a sum is over the locations with an estimate alone."
)
