"""What the single statistics say of one place and one question, as records of a profile.

No number is made here: each is asked of the statistic that it belongs to. What is said of several questions together
is in ``profile.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from meantime.errors import StatisticError, TimeLimitError
from meantime.statistics.estimation.absences import Absence, possible_segments, reasons_of_places
from meantime.statistics.estimation.breaks import stretches
from meantime.statistics.estimation.comparisons.multiplicity import Adjustment
from meantime.statistics.estimation.filters import overall_segments, segments_by_scale, years_with_values
from meantime.statistics.estimation.grouping import CATEGORY, LOCATION, STRATUM, YEAR
from meantime.statistics.measures.difference import Difference
from meantime.statistics.measures.disparity import Disparity
from meantime.statistics.measures.distribution import Distribution
from meantime.statistics.measures.mean import Mean
from meantime.statistics.measures.profiles.records import SPREAD, Part, as_reference, gap_verdict, record_of
from meantime.statistics.measures.ranking import BEST, HIGHEST, LARGEST_K, Ranking
from meantime.statistics.measures.trend import Trend
from meantime.statistics.result import Record, Scalar
from meantime.statistics.statistic import Statistic, StatisticData
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.questions import LocationKind, Question

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Answers:
    """Asks single statistics, and keeps what was asked and what is to be said of the answers."""

    data: StatisticData
    requests: list[Statistic] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)

    def ask(self, request: Statistic, find: Callable[[StatisticData], Found]) -> Found | None:
        """Return what a request finds, None where its question has no answer."""
        self.data.checkpoint()
        try:
            found = find(self.data)
        except TimeLimitError:  # a StatisticError too, but the whole profile's
            raise
        except StatisticError:
            return None
        self.requests.append(request)
        return found


@dataclass(frozen=True, slots=True)
class PlaceQuestion:
    """One question of one place: what is asked, as ``Profile`` has it, and who answers."""

    question: Question
    place: str
    against: str | None
    year: int | None
    scale: str
    level: float
    answers: Answers

    def records(self) -> list[Record]:
        """Return all records of the question, in the order of parts."""
        years = self._years()
        points = self._means(years, (), (LOCATION, YEAR)) if years else {}
        valued = [year for year in years if points.get((self.place, year), {}).get("value") is not None]
        year = self.year or (valued or years or self._cube.years)[-1]
        if year not in years:
            points |= self._means((year,), (), (LOCATION, YEAR))
        strata = self._strata(year)
        return [
            self._now(year, points),
            *self._trend(years),
            *self._disparities(year, strata),
            *[self._point(own, stretch, points) for own, stretch in zip(years, self._stretches(years), strict=True)],
            *strata,
        ]

    def _years(self) -> tuple[int, ...]:
        """Return the years in which the question has a value anywhere, up to the one that is described."""
        asked = years_with_values(self._cube, self.question.text)
        return asked if self.year is None else tuple(year for year in asked if year <= self.year)

    def _breaks_since(self, year: int) -> Record:
        """Return the known breaks between a year and the newest one."""
        newest = max(self._years(), default=year)
        return {"breaks_since": ", ".join(str(own.year) for own in self.question.breaks if year < own.year <= newest)}

    @property
    def _cube(self) -> SurveyCube:
        return self.answers.data.cube

    def _record(self, part: Part, year: int, *found: Mapping[str, Scalar]) -> Record:
        return record_of(part, self.question, self.place, year, *found)

    # ---- now ----

    def _now(self, year: int, points: Mapping[object, Record]) -> Record:
        """Return value, reference and rank of a year."""
        own, other = points.get((self.place, year), {}), points.get((self.against, year), {})
        direction = self.question.direction
        return self._record(
            Part.NOW,
            year,
            self._everybody(),
            {"direction": direction and direction.value},
            own,
            as_reference(other),
            self._difference(year) if own.get("value") is not None and as_reference(other) else {},
            self._absence(year, own),
            self._breaks_since(year),
            self._rank(year) if own.get("value") is not None else {},
            self._spread(year),
        )

    def _difference(self, year: int) -> Record:
        """Return the place beside what it is compared with."""
        request = Difference(
            question=self.question.text,
            years=(year,),
            locations=(self.place,),
            against=self.against,
            adjust=Adjustment.NONE,
            scale=self.scale,
            level=self.level,
        )
        found = self.answers.ask(request, request.compute)
        if found is None:
            return {}
        self.answers.cautions.extend(found.cautions)
        return found.records[0]

    def _rank(self, year: int) -> Record:
        """Return the rank among the states, if the place is one of them and has one."""
        if self._kind is not LocationKind.STATE:
            return {}
        request = Ranking(
            question=self.question.text,
            years=(year,),
            include=("states",),
            k=LARGEST_K,  # so that the request alone, which is explained, lists the place
            end=HIGHEST if self.question.direction is None else BEST,
            scale=self.scale,
            level=self.level,
        )
        ranked = self.answers.ask(request, request.ranked)
        if ranked is None:
            return {}
        names = ranked.estimates.groups.location_names()
        ordered = [names[place] for place in ranked.order.tolist()]
        if self.place not in ordered:
            return {}
        place, found = ordered.index(self.place), ranked.ranks
        return {
            "rank": int(found.rank[place]),
            "rank_low": int(found.low[place]),
            "rank_high": int(found.high[place]),
            "tied": bool(found.tied[place]),
            "ranked_count": len(ordered),
            "first_rank": request.end,
        }

    def _spread(self, year: int) -> Record:
        """Return how the states are spread; where cells hold several estimates nothing: no file is read for this."""
        request = Distribution(question=self.question.text, years=(year,), include=("states",))
        found = self.answers.ask(request, lambda data: request.compute(replace(data, estimates=None)))
        return {f"states_{name}": found.records[0][name] for name in SPREAD} if found else {}

    # ---- over the years ----

    def _point(self, year: int, stretch: int, points: Mapping[object, Record]) -> Record:
        own, other = points.get((self.place, year), {}), points.get((self.against, year), {})
        found = (self._everybody(), own, as_reference(other), self._absence(year, own), {"stretch": stretch})
        return self._record(Part.YEAR, year, *found)

    def _stretches(self, years: tuple[int, ...]) -> list[int]:
        """Return the number of each year's stretch between known breaks."""
        cuts = [each.year for each in self.question.breaks]
        return list(stretches(np.array(years, dtype=np.intp), cuts).number.tolist())

    def _trend(self, years: tuple[int, ...]) -> list[Record]:
        """Return the trend over the last stretch of years that has one."""
        if len(years) < 2:
            return []
        request = Trend(
            question=self.question.text,
            years=years,
            locations=(self.place,),
            adjust=Adjustment.NONE,
            scale=self.scale,
            level=self.level,
        )
        found = self.answers.ask(request, request.compute)
        if found is None:
            return []
        self.answers.cautions.extend(found.cautions)
        trend = found.records[-1]
        last = trend["last_year"]
        if not isinstance(last, int):
            return []
        stretch = self._stretches(years)[years.index(last)]
        own: Record = {"unit": found.unit, "stretch": stretch}
        return [self._record(Part.TREND, last, trend, own, self._breaks_since(last))]

    # ---- strata ----

    def _strata(self, year: int) -> list[Record]:
        """Return every stratum that the question has, with its value or why there is none."""
        cube = self._cube
        possible = possible_segments(cube, self._question_index)
        segments = [cube.segments[index] for index in segments_by_scale(cube) if index in possible]
        segments = [segment for segment in segments if not segment.is_blank and not segment.is_overall]
        categories = tuple(sorted({segment.category for segment in segments}))
        if not categories:
            return []
        found = self._means((year,), categories, (LOCATION, CATEGORY, STRATUM))
        records = []
        for segment in segments:
            names = {"category": segment.category, "stratum": segment.stratum}
            own, other = (
                found.get((place, segment.category, segment.stratum), {}) for place in (self.place, self.against)
            )
            records.append(self._record(Part.STRATUM, year, own, names, as_reference(other), self._absence(year, own)))
        return records

    def _disparities(self, year: int, strata: list[Record]) -> list[Record]:
        """Return the largest difference between strata of each category that has two with a value."""
        valued = [str(record["category"]) for record in strata if record["value"] is not None]
        records = []
        for category in dict.fromkeys(name for name in valued if valued.count(name) > 1):
            request = Disparity(
                question=self.question.text,
                years=(year,),
                locations=(self.place,),
                categories=(category,),
                scale=self.scale,
                level=self.level,
            )
            found = self.answers.ask(request, request.compute)
            if found is not None:
                own = found.records[0]
                verdict = {"unit": found.unit, "verdict": gap_verdict(own)}
                records.append(self._record(Part.DISPARITY, year, own, verdict))
        return records

    # ---- asking ----

    def _means(self, years: tuple[int, ...], categories: tuple[str, ...], by: tuple[str, ...]) -> dict[object, Record]:
        """Return the means of the place and of what it is compared with, by the names in ``by``."""
        request = Mean(
            question=self.question.text,
            years=years,
            locations=tuple(sorted({self.place, self.against or self.place})),
            categories=categories or None,
            by=by,
            scale=self.scale,
            level=self.level,
        )
        found = self.answers.ask(request, request.compute)
        return {tuple(record[name] for name in by): record for record in found.records} if found else {}

    def _absence(self, year: int, own: Mapping[str, Scalar]) -> Record:
        """Return why there is no value, None where there is one; ``own`` is the record of the row, if there is one."""
        if own.get("value") is not None:
            return {"absence": None}
        cube = self._cube
        place = cube.location_index[self.place], cube.years.index(year)
        reason = Absence(reasons_of_places(cube, self._question_index)[place])
        if reason is Absence.MISSING and own:
            reason = Absence.SUPPRESSED
        return {"absence": reason.name.lower()}

    def _everybody(self) -> Record:
        """Return category and stratum of everybody, as far as there is one."""
        segments = [self._cube.segments[index] for index in overall_segments(self._cube)]
        named = {"category": {each.category for each in segments}, "stratum": {each.stratum for each in segments}}
        return {name: names.pop() for name, names in named.items() if len(names) == 1}

    @property
    def _question_index(self) -> int:
        return self._cube.question_index[self.question.text]

    @property
    def _kind(self) -> LocationKind:
        return self._cube.locations[self._cube.location_index[self.place]].kind
