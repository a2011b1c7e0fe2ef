"""The statistic ``profile``: one place, every question, in one answer.

Each number is that of the statistic it belongs to, asked in ``place_question.py``; here they are put together, and what
is tested for several questions is adjusted for their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, ClassVar, Self

from meantime.errors import InvalidParameterError, StatisticError
from meantime.fields.fields import Default, Example
from meantime.statistics.estimation.absences import possible_segments
from meantime.statistics.estimation.comparisons.multiplicity import ADJUSTED_BY, Adjustment, AdjustOption
from meantime.statistics.estimation.filters import locations_of_kinds, overall_segments, years_with_values
from meantime.statistics.estimation.grouping import MAXIMUM_RECORDS
from meantime.statistics.estimation.options import ExplainOption, LevelOption, ScaleOption, check_scale
from meantime.statistics.kinds import PLACE_NAME, QUESTION_NAME, OneOrMore, Year
from meantime.statistics.measures.profiles.cautions import cautions_of_profile, cautions_of_questions, labelled
from meantime.statistics.measures.profiles.place_question import Answers, PlaceQuestion
from meantime.statistics.measures.profiles.records import TESTED, Part, adjust_together
from meantime.statistics.result import Record, Result
from meantime.statistics.statistic import Statistic, StatisticData
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.notes import Note
from meantime.survey.questions import Question


@dataclass(frozen=True, kw_only=True)
class Profile(Statistic):
    """Every question for one place: value, reference, rank, trend, disparities, and what is missing."""

    name = "profile"
    title = "Profile of a place"
    summary = "Every question for one place: value, verdict, rank, trend, disparities, and what is missing."
    unit = "each record's own, in its field unit"
    method = "profile/1: the answers of the single statistics for one place, adjusted over its questions"
    example: ClassVar = {"place": "Ohio"}
    documentation = "methods/profile.md"

    place: Annotated[str, PLACE_NAME, "The location that is described.", Example("Ohio")] = field()  # required
    against: Annotated[
        str | None,
        PLACE_NAME,
        "The location that it is compared with.",
        Default("the nation; nothing, if the place is the nation or there is none"),
        Example("National"),
    ] = None
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
        "The year that is described; trends end with it.",
        Default("for each question the newest year in which the place has a value"),
        Example(2023),
    ] = None
    adjust: AdjustOption = "bh"
    scale: ScaleOption = "auto"
    level: LevelOption = 0.95
    explain: ExplainOption = False

    def settled(self, cube: SurveyCube) -> Self:
        """Fill ``against``; all questions, named one by one, are None.

        Raises
        ------
        InvalidParameterError
            The place would be compared with itself, the scale isn't one of all the questions, or the dataset has no
            overall stratum.
        """
        if self.against == self.place:
            raise InvalidParameterError(
                f"against: {self.place} would be compared with itself; name another location", field="against"
            )
        if not overall_segments(cube):
            raise InvalidParameterError(
                "place: a profile is about everybody in a place, and the dataset has no overall stratum; ask for means"
                " by stratum",
                field="place",
            )
        for question in self._questions(cube):
            check_scale(cube, question.text, self.scale)
        nations = [cube.locations[index].name for index in locations_of_kinds(cube, ("nation",))]
        against = self.against or next((name for name in nations if name != self.place), None)
        questions = None if len(self._questions(cube)) == len(cube.questions) else self.questions
        if (against, questions) == (self.against, self.questions):
            return self
        return replace(self, against=against, questions=questions)

    def touches(self, note: Note, cube: SurveyCube) -> bool:
        """Whether a note is about one of the questions, and the place, its reference or a state it is ranked with."""
        places = {cube.locations[index].name for index in locations_of_kinds(cube, ("states",))}
        texts = [question.text for question in self._questions(cube)]
        return note.touches(texts, places | {self.place, self.against or self.place}, cube.years)

    def compute(self, data: StatisticData) -> Result:
        """Return records of five parts, one part after the other; in each by question, then as its statistic has them.

        ``now`` has one record per question: value, reference and difference (``difference``), the rank among the states
        (``ranking``, jointly over the states, for each question on its own) and how the states are spread
        (``distribution``), of ``year``, else of the newest year in which the place has a value. ``trend`` has the trend
        of its last stretch of years between known breaks that has one, ``disparity`` the largest difference between
        the strata of each category, ``year`` each year's value and ``stratum`` each stratum's, with that of the
        reference. ``absence`` says why there is no value. p-values are adjusted within a part, over its records.

        Raises
        ------
        StatisticError
            There would be too many records.

        Notes
        -----
        See the statistics; every field has the name that it has there.
        """
        questions = self._questions(data.cube)
        _refuse_too_many(data.cube, questions)
        records: list[Record] = []
        said: dict[str, list[str]] = {}
        requests: list[Statistic] = []
        for question in questions:
            data.checkpoint()
            answers = Answers(data)
            records += PlaceQuestion(
                question, self.place, self.against, self.year, self.scale, self.level, answers
            ).records()
            requests += answers.requests
            for caution in dict.fromkeys(answers.cautions):
                said.setdefault(caution, []).append(labelled(question))
        records = [record for part in Part for record in records if record["part"] == part]
        tests = {
            part: adjust_together([record for record in records if record["part"] == part], self.adjust, self.level)
            for part in TESTED
        }
        return Result(
            records=records,
            unit=self.unit,
            method=self._method(requests),
            cautions=(
                *cautions_of_profile(data.cube, self.place, self.against, records),
                *cautions_of_questions(said, len(questions)),
            ),
            explanation=_explanation(requests, tests) if self.explain else None,
        )

    def _questions(self, cube: SurveyCube) -> list[Question]:
        return [each for each in cube.questions if self.questions is None or each.text in self.questions]

    def _method(self, requests: Sequence[Statistic]) -> str:
        names = ", ".join(dict.fromkeys(request.versioned_method() for request in requests))
        return (
            f"{self.versioned_method()}: each number as {names} give it; the first rank is that of the best, or of the"
            " highest where no end is better, and rank intervals hold jointly over the states; verdicts at"
            f" {100 * (1 - self.level):.3g} % by {ADJUSTED_BY[Adjustment(self.adjust)]}, those of now, trend and"
            " disparity each for themselves"
        )


def _refuse_too_many(cube: SurveyCube, questions: Sequence[Question]) -> None:
    size = sum(
        2 + len(years_with_values(cube, each.text)) + 2 * len(possible_segments(cube, cube.question_index[each.text]))
        for each in questions
    )
    if size > MAXIMUM_RECORDS:
        raise StatisticError(
            f"up to {size} records are more than the {MAXIMUM_RECORDS} that one answer may have; name fewer questions"
        )


_PITFALL = (
    "Of so many numbers some are extreme by chance, and those are what catches the eye. Verdicts are adjusted for the"
    " number of questions; ranks, intervals and the choice of the largest disparity among categories are not."
)


def _explanation(requests: Sequence[Statistic], tests: dict[Part, int]) -> dict[str, object]:
    """Return the requests that give each number alone, and how many tests each part holds."""
    return {
        "formula": "each record is that of the statistic that its part belongs to",
        "requests": [{"statistic": request.name, "parameters": asdict(request)} for request in requests],
        "sums": [{"part": part.value, "test_count": count} for part, count in tests.items()],
        "pitfalls": [_PITFALL],
    }
