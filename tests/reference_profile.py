"""What a profile must hold: the answers of the single statistics, chosen and put together by plain rules over rows.

The single statistics have references of their own. Which year is meant, why a value isn't there, which records there
are, and how p-values are adjusted together is decided here anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from meantime.errors import StatisticError
from meantime.statistics.result import Record
from meantime.survey.cube.survey_cube import SurveyCube
from tests.asking import records_in
from tests.reference import BREAKS, DIRECTIONS, TERRITORIES, Row
from tests.reference_comparisons import adjusted
from tests.reference_estimates import Answer, scale_of

Ask = Callable[[str, Mapping[str, object]], list[Record]]

REFERENCE = {
    "value": "reference",
    "standard_error": "reference_standard_error",
    "low": "reference_low",
    "high": "reference_high",
}
EVERYBODY = {"category": "Total", "stratum": "Total"}
RANKS = ("rank", "rank_low", "rank_high", "tied", "ranked_count")
SPREAD = ("minimum", "quantile_0.25", "quantile_0.5", "quantile_0.75", "maximum")
MATCHING = {"cells_matched", "cells_left_out", "left_out"}
COMMON = ("value", "standard_error", "low", "high", "sample_size", "cells_used", "cells_suppressed", "reliability")
TREND = (
    *COMMON,
    *("category", "stratum", "p_value", "verdict", "course", "misfit_p", "year_count", "first_year", "last_year"),
    *("first_value", "last_value", "missing_years"),
)
DISPARITY = (
    *COMMON,
    *("category", "p_value", "value_by_chance", "highest_stratum", "highest_value", "lowest_stratum"),
    *("lowest_value", "strata_count", "strata_missing"),
)


def asking(cube: SurveyCube) -> Ask:
    """Return who answers: the records of a statistic, none where there is no answer."""

    def ask(name: str, parameters: Mapping[str, object]) -> list[Record]:
        try:
            return records_in(name, cube, parameters)
        except StatisticError:
            return []

    return ask


class Asked(NamedTuple):
    """What a profile is asked with."""

    place: str
    against: str | None
    year: int | None = None
    adjust: str = "bh"
    level: float = 0.95


def profile(rows: Sequence[Row], ask: Ask, asked: Asked) -> list[Answer]:
    """Return the fields that each record must have, those that must be None left out."""
    questions = [QuestionOfPlace(rows, ask, question, asked) for question in sorted({row.question for row in rows})]
    adjust, level = asked.adjust, asked.level
    now = [record for own in questions for record in own.now()]
    trends = [record for own in questions for record in own.trend()]
    disparities = [record for own in questions for record in own.disparity()]
    _adjust(now, adjust, level, "no clear difference")
    _adjust(trends, adjust, level, "no clear change")
    _adjust(disparities, adjust, level, "no clear difference")
    points = [record for own in questions for record in own.each_year()]
    return [*now, *trends, *disparities, *points, *[record for own in questions for record in own.stratum()]]


class QuestionOfPlace:
    """What a profile must hold of one question."""

    def __init__(self, rows: Sequence[Row], ask: Ask, question: str, asked: Asked) -> None:
        self.ask, self.question = ask, question
        self.place, self.against, self.level = asked.place, asked.against, asked.level
        of_place = [row for row in rows if row.location == asked.place]
        self.of_year: dict[int, list[Row]] = {}
        for row in of_place:
            self.of_year.setdefault(row.year, []).append(row)
        self.own = [row for row in rows if row.question == question]
        last = max(row.year for row in rows) if asked.year is None else asked.year
        self.years = sorted({row.year for row in self.own if row.value is not None and row.year <= last})
        of_everybody = [row for row in of_place if row.question == question and row.category == "Total"]
        valued = [row.year for row in of_everybody if row.value is not None]
        self.year = max(valued or self.years or [last]) if asked.year is None else asked.year
        self.breaks = BREAKS.get(question, ())
        self.segments = sorted(
            {(row.category, row.stratum) for row in self.own if row.category != "Total"},
            key=lambda segment: scale_of(*segment),
        )

    def now(self) -> list[Answer]:
        record = (
            EVERYBODY | self._of_both("now", self.year) | {"absence": self._why_absent(self.year, ("Total", "Total"))}
        )
        direction = DIRECTIONS.get(self.question)
        has_value = record["absence"] is None
        asked = {"question": self.question, "years": [self.year], "level": self.level}
        if has_value and "against" in record:
            sides = {"locations": [self.place], "against": self.against, "adjust": "none"}
            (compared,) = self.ask("difference", asked | sides)
            record |= {name: value for name, value in compared.items() if name not in MATCHING}
        if has_value and self.place not in {"National", *TERRITORIES}:
            record["first_rank"] = "highest" if direction is None else "best"
            ranked = self.ask("ranking", asked | {"k": 1000, "end": record["first_rank"]})
            record |= next({name: each[name] for name in RANKS} for each in ranked if each["location"] == self.place)
        for each in self.ask("distribution", {"question": self.question, "years": [self.year]}):
            record |= {f"states_{name}": each[name] for name in SPREAD}
        return [record | {"direction": direction, "breaks_since": self._breaks_since(self.year)}]

    def trend(self) -> list[Answer]:
        asked = {"question": self.question, "years": self.years, "locations": [self.place], "adjust": "none"}
        found = self.ask("trend", asked | {"level": self.level}) if len(self.years) > 1 else []
        records = []
        for each in found[-1:]:
            last = each["last_year"]
            assert isinstance(last, int)
            own = {"unit": "percentage points per year", "stretch": self._stretches()[last]}
            own |= {name: each[name] for name in TREND} | {"breaks_since": self._breaks_since(last)}
            records.append(own | self._named("trend", last))
        return records

    def disparity(self) -> list[Answer]:
        records = []
        for category in sorted({category for category, _ in self.segments}):
            strata = [stratum for name, stratum in self.segments if name == category]
            on_scale = [stratum for stratum in strata if not scale_of(category, stratum)[1]]
            if len(on_scale or strata) < 2:
                continue
            asked = {"question": self.question, "years": [self.year], "locations": [self.place]}
            for each in self.ask("disparity", asked | {"level": self.level, "categories": [category]}):
                gap = {name: each[name] for name in DISPARITY} | self._named("disparity", self.year)
                low = each["low"]
                is_clear = isinstance(low, float) and low > 0
                verdict = "higher" if is_clear else "no clear difference"
                records.append(
                    gap | {"unit": "percentage points"} | {"verdict": verdict if gap["p_value"] is not None else None}
                )
        return records

    def each_year(self) -> list[Answer]:
        return [
            EVERYBODY
            | self._of_both("year", year)
            | {"absence": self._why_absent(year, ("Total", "Total")), "stretch": self._stretches()[year]}
            for year in self.years
        ]

    def stratum(self) -> list[Answer]:
        records = []
        for category, stratum in self.segments:
            record = self._of_both("stratum", self.year, categories=[category], strata=[stratum])
            record |= {"absence": self._why_absent(self.year, (category, stratum))}
            records.append(record | {"category": category, "stratum": stratum})
        return records

    def _of_both(self, part: str, year: int, **filters: object) -> Answer:
        """Return the place's mean and, where there is one, that of what it is compared with."""
        own, other = (self._mean(year, who, **filters) for who in (self.place, self.against))
        record: Answer = {"cells_used": 0, "cells_suppressed": 0, "reliability": "suppressed", "unit": "percent"} | own
        if other.get("value") is not None:
            record |= {"against": self.against} | {name: other[own] for own, name in REFERENCE.items()}
        return record | self._named(part, year)

    def _mean(self, year: int, who: str | None, **filters: object) -> Answer:
        asked = {"question": self.question, "years": [year], "locations": [who], "level": self.level, **filters}
        return dict(next(iter(self.ask("mean", asked) if who is not None else []), {}))

    def _named(self, part: str, year: int) -> Answer:
        return {"part": part, "question": self.question, "location": self.place, "year": year}

    def _stretches(self) -> dict[int, int]:
        numbers: dict[int, int] = {}
        for year in self.years:
            numbers.setdefault(self._breaks_until(year), len(numbers))
        return {year: numbers[self._breaks_until(year)] for year in self.years}

    def _breaks_until(self, year: int) -> int:
        return sum(cut <= year for cut in self.breaks)

    def _breaks_since(self, year: int) -> str:
        return ", ".join(str(cut) for cut in self.breaks if year < cut <= max(self.years, default=year))

    def _why_absent(self, year: int, segment: tuple[str, str]) -> str | None:
        of_year = self.of_year.get(year, [])
        own = [row for row in of_year if row.question == self.question and (row.category, row.stratum) == segment]
        if any(row.value is not None for row in own):
            return None
        valued = {row.question for row in of_year if row.value is not None}
        if self.question in valued:
            return "suppressed" if own else "missing"
        return "not_asked" if valued else "not_surveyed"


def _adjust(records: Sequence[Answer], adjust: str, level: float, unclear: str) -> None:
    """Adjust p-values together; a verdict stands if its own is small enough."""
    p_values = [p if isinstance(p := record.get("p_value"), float) else None for record in records]
    for record, p in zip(records, adjusted(p_values, adjust), strict=True):
        if p is None:
            continue
        record["p_adjusted"] = p
        if adjust != "none" and p > 1 - level:
            record.update({"verdict": unclear} | ({"course": unclear} if "course" in record else {}))
