"""The statistic ``disparity_scan``: the largest gaps between strata over questions, categories and places in one year.

The arithmetic of gaps is in ``estimation/inequality``; one category's measures are the statistic ``disparity``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Self

import numpy as np

from meantime.errors import InvalidParameterError, StatisticError
from meantime.fields.fields import Default, Example
from meantime.fields.kinds import WholeNumber
from meantime.statistics.estimation.comparisons.multiplicity import ADJUSTED_BY, Adjustment, AdjustOption, adjusted
from meantime.statistics.estimation.comparisons.verdicts import Verdict
from meantime.statistics.estimation.filters import (
    IncludeFilter,
    LocationsFilter,
    locations_of_kinds,
    named_places,
    segments_by_scale,
    years_with_values,
)
from meantime.statistics.estimation.grouping import LOCATION, STRATUM, group
from meantime.statistics.estimation.inequality.disparities import Compared, measures_of_each
from meantime.statistics.estimation.inequality.gaps import BEST, Reference
from meantime.statistics.estimation.inequality.location_strata import comparable_segments
from meantime.statistics.estimation.inequality.ranges import six_digits
from meantime.statistics.estimation.inequality.scan_report import cautions_of_scan, explanation_of_scan
from meantime.statistics.estimation.inequality.scanned_gaps import Gaps, gap_tests, gaps_of
from meantime.statistics.estimation.options import ExplainOption, LevelOption, ScaleOption, check_scale
from meantime.statistics.estimation.pooling import pool
from meantime.statistics.estimation.selection import cells_selected
from meantime.statistics.estimation.uncertainty import Reliability
from meantime.statistics.kinds import CATEGORY_NAME, QUESTION_NAME, OneOrMore, Year
from meantime.statistics.result import Record, Result, whole
from meantime.statistics.statistic import Statistic, StatisticData
from meantime.survey.cube.survey_cube import FloatArray, SurveyCube
from meantime.survey.ingest.notes import Note
from meantime.survey.questions import PERCENT


@dataclass(frozen=True, kw_only=True)
class DisparityScan(Statistic):
    """The largest gaps between strata in one year, tested all together."""

    name = "disparity_scan"
    title = "Scan for disparities"
    summary = "The largest gaps between strata over questions, categories and places in one year."
    unit = "percentage points"
    method = "disparity_scan/1: largest difference between the strata of each question, category and location"
    example: ClassVar = {"year": 2023, "k": 10}
    documentation = "methods/disparity_scan.md"

    questions: Annotated[
        tuple[str, ...] | None,
        OneOrMore(QUESTION_NAME),
        "Questions by text or id.",
        Default("all questions"),
        Example(["Q036", "Q047"]),
    ] = None
    year: Annotated[
        int | None,
        Year(),
        "The year.",
        Default("of each question the newest in which it has a value"),
        Example(2023),
    ] = None
    locations: LocationsFilter = None
    include: Annotated[IncludeFilter, Default("states, or the kinds of the locations that are named")] = None
    categories: Annotated[
        tuple[str, ...] | None,
        OneOrMore(CATEGORY_NAME),
        "Categories whose strata are compared.",
        Default("all categories with two strata or more"),
        Example(["Education", "Income"]),
    ] = None
    k: Annotated[int, WholeNumber(1, 200), "How many of the gaps are given.", Example(20)] = 20
    adjust: AdjustOption = "bh"
    scale: ScaleOption = "auto"
    level: LevelOption = 0.95
    explain: ExplainOption = False

    def settled(self, cube: SurveyCube) -> Self:
        """Fill ``include``, and check questions and categories; errors as for ``PlaceFilters.settled``."""
        if all(len(strata) < 2 for strata in self._strata(cube).values()):
            raise InvalidParameterError("categories: none of them has two strata to compare", field="categories")
        include, locations = self._places(cube)
        questions = self._questions(cube)
        units = sorted({cube.questions[index].unit for index in questions})
        if len(units) > 1:
            raise InvalidParameterError(
                f"questions: gaps in {' and '.join(units)} can't be ranked together; name questions of one unit",
                field="questions",
            )
        for index in questions:
            check_scale(cube, cube.questions[index].text, self.scale)
        named = None if locations == locations_of_kinds(cube, include) else self.locations
        if (include, named) == (self.include, self.locations):
            return self
        return replace(self, include=include, locations=named)

    def touches(self, note: Note, cube: SurveyCube) -> bool:
        """Whether the questions, the locations and the years name what a note is about."""
        questions = self._questions(cube)
        return note.touches(
            {cube.questions[index].text for index in questions},
            {cube.locations[index].name for index in self._places(cube)[1]},
            {year for index in questions for year in self._year(cube, index)},
        )

    def _places(self, cube: SurveyCube) -> tuple[tuple[str, ...], tuple[int, ...]]:
        return named_places(cube, self.locations, self.include or (), ("states",))

    def _questions(self, cube: SurveyCube) -> list[int]:
        """Return the questions (indexes), each once."""
        if self.questions is None:
            return list(range(len(cube.questions)))
        return sorted({cube.question_index[name] for name in self.questions})

    def _strata(self, cube: SurveyCube) -> dict[str, list[int]]:
        """Return the strata (indexes) of each category, by its scale."""
        found: dict[str, list[int]] = {}
        for index in segments_by_scale(cube):
            segment = cube.segments[index]
            is_meant = self.categories is None or segment.category in self.categories
            if is_meant and not segment.is_overall and not segment.is_blank:
                found.setdefault(segment.category, []).append(index)
        return found

    def _year(self, cube: SurveyCube, question: int) -> tuple[int, ...]:
        """Return the one year of a question, or none where it has no value in it."""
        years = years_with_values(cube, cube.questions[question].text)
        return years[-1:] if self.year is None else tuple(year for year in years if year == self.year)

    def compute(self, data: StatisticData) -> Result:
        """Return one record per gap that is given: reliable ones first, then by lower limit, size, question and place.

        A gap is the largest difference between two strata of a category, in one location and question; it is reliable
        if both are. All that have two strata with a value, and a standard error above 0 for each, are tested together
        and the p-values adjusted over all of them, given or not. ``low`` and ``high`` are as ``disparity`` gives them;
        ``selected_low`` and ``selected_high`` allow for the gap having been picked. ``verdict`` is ``higher`` (the
        highest stratum is above the lowest) where the adjusted p is at most 1 - level.

        Raises
        ------
        StatisticError
            No gap can be tested.

        Notes
        -----
        Limits and p-values: ``ranges.py``, by the studentised range, so p-values have no lowest value. Limits of what
        is picked: level 1 - k (1 - level) / m with k given of m tested (Benjamini and Yekutieli 2005).
        """
        cube, gaps = data.cube, self._gaps(data)
        found, test_count = gap_tests(gaps, self.level), int(gaps.is_tested().sum())
        if not test_count:
            raise StatisticError(_NOTHING)
        p_adjusted = adjusted(found.p_value, self.adjust)
        is_found = np.asarray(p_adjusted <= 1 - self.level)
        doubtful = np.where(gaps.is_tested(), gaps.is_doubtful(), 2)  # those that aren't tested come last
        order = np.lexsort((gaps.location, gaps.question, -found.value, -found.low, doubtful))
        order = order[: min(self.k, test_count)]
        given, picked_level = gaps.taken(order), 1 - len(order) * (1 - self.level) / test_count
        counts = {"tested_count": test_count, "found_count": int(is_found.sum())}
        unit = cube.questions[int(gaps.question[0])].unit
        scanned = set(gaps.question.tolist())
        unscanned = [cube.questions[index] for index in self._questions(cube) if index not in scanned]
        return Result(
            records=[own | counts for own in self._records(data, given, p_adjusted[order], picked_level)],
            unit=self.unit if unit == PERCENT else unit,
            method=f"{self.versioned_method()}: largest difference between strata, its interval that of all pairs at"
            " once and its p by the studentised range, without draws; verdicts at"
            f" {100 * (1 - self.level):.3g} % by {ADJUSTED_BY[Adjustment(self.adjust)]}, given or not; those of two"
            f" reliable strata first, then by the lower limit; selected limits at {100 * picked_level:.6g} %",
            cautions=(
                *cautions_of_scan(gaps, is_found, len(order), [each.question_id or each.text for each in unscanned]),
                *self._cautions_of_chance(test_count),
            ),
            explanation=explanation_of_scan(cube, gaps, given, is_found) if self.explain else None,
        )

    def _cautions_of_chance(self, test_count: int) -> list[str]:
        if self.adjust != Adjustment.NONE:
            return []
        by_chance = test_count * (1 - self.level)
        return [f"{test_count} tests find about {by_chance:.0f} gaps by chance alone; that isn't corrected"]

    def _gaps(self, data: StatisticData) -> Gaps:
        """Return the gaps of all questions, categories and locations that have a row; errors as for ``compute``."""
        cube, (_, locations) = data.cube, self._places(data.cube)
        by_category = self._strata(cube)
        parts, most = list[Gaps](), max(map(len, by_category.values()), default=0)
        for question in self._questions(cube):
            data.checkpoint()
            text, year = cube.questions[question].text, self._year(cube, question)
            categories = [comparable_segments(cube, text, segments) for segments in by_category.values()]
            categories = [segments for segments in categories if len(segments) >= 2]
            try:
                strata = tuple(index for segments in categories for index in segments)
                groups = group(cells_selected(cube, text, year, locations, strata), [LOCATION, STRATUM])
            except StatisticError:  # no row there
                continue
            parts.append(gaps_of(pool(groups, scale=self.scale, level=self.level), categories, most))
        if not parts:
            raise StatisticError(_NOTHING)
        return Gaps.joined(parts)

    def _records(self, data: StatisticData, gaps: Gaps, p_adjusted: FloatArray, picked_level: float) -> list[Record]:
        """Return the records of the gaps that are given: their measures are those of ``disparity``."""
        cube, selected, missing, doubtful = (
            data.cube,
            gap_tests(gaps, picked_level),
            gaps.strata_missing(),
            gaps.is_doubtful(),
        )
        picked_low, picked_high = six_digits(selected.low).tolist(), six_digits(selected.high).tolist()
        names, sizes = [segment.stratum for segment in cube.segments], whole(gaps.sample_size)
        compared = [Compared(gaps.strata_of(place, names), None, None) for place in range(len(gaps))]
        measures = measures_of_each(
            compared, self.level, Reference(BEST), higher_is_better=False, has_scale=False, checkpoint=data.checkpoint
        )
        records = []
        for place, own in enumerate(measures):
            is_found = p_adjusted[place] <= 1 - self.level
            records.append(
                {
                    "question": cube.questions[int(gaps.question[place])].text,
                    "location": cube.locations[int(gaps.location[place])].name,
                    "year": int(gaps.year[place]),
                    "category": cube.segments[int(gaps.segments[place, 0])].category,
                    **{name: own[name] for name in ("value", "standard_error", "low", "high")},
                    "sample_size": sizes[place],
                    "cells_used": int(gaps.cells_used[place]),
                    "cells_suppressed": int(gaps.cells_suppressed[place]),
                    "reliability": (Reliability.CAUTION if doubtful[place] else Reliability.OK).value,
                    "rank": place + 1,
                    "selected_low": picked_low[place],
                    "selected_high": picked_high[place],
                    "p_value": own["p_value"],
                    "p_adjusted": float(p_adjusted[place]),
                    "verdict": (Verdict.HIGHER if is_found else Verdict.UNCLEAR).value,
                    **{name: own.get(name) for name in _MEASURES},
                    "strata_count": len(compared[place].strata),
                    "strata_missing": int(missing[place]),
                }
            )
        return records


_NOTHING = (
    "no location has two strata with a value and a standard error above 0 there; choose another year, more locations or"
    " another category"
)
_MEASURES = (
    "value_by_chance",
    "highest_stratum",
    "highest_value",
    "lowest_stratum",
    "lowest_value",
    "ratio",
    "ratio_low",
    "ratio_high",
)
