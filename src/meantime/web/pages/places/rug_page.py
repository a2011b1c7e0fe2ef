"""``GET /rug``: all places by all questions, coloured by verdict; each column is one answer of ``difference``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Flask, Response, request

from meantime.charts.answers import ChartedAnswer
from meantime.charts.themes import ABSENT_SIGN, SIGNS
from meantime.errors import FieldError
from meantime.service import MeantimeService
from meantime.statistics.estimation.comparisons.verdicts import MEANINGS, Verdict
from meantime.statistics.estimation.filters import years_with_values
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.dataset import Dataset
from meantime.survey.questions import Location, LocationKind, Question
from meantime.web.pages.places.figures import figure, shared_words
from meantime.web.pages.places.place_pages import PATH as PLACES_PATH
from meantime.web.pages.places.place_pages import grouped
from meantime.web.pages.places.slugs import find_place, slug_of_each
from meantime.web.pages.shown_answers import ShownAnswer, ShownAnswers
from meantime.web.pages.site import page

PATH = "/rug"

MOST_COLUMNS = 30
"""So many questions are on one page; ``from`` says which comes first."""


@dataclass(frozen=True, slots=True)
class Column:
    """One question in its newest year; ``cells`` has the record of each place by its name."""

    question: Question
    short: str
    year: int
    answer: ShownAnswer
    cells: Mapping[str, Mapping[str, object]]

    @property
    def against(self) -> str:
        """What its places are compared with; empty without an answer."""
        return ChartedAnswer("difference", self.answer.document).against

    @property
    def counts(self) -> dict[str, int]:
        """How many places have which verdict, of those that are a finding."""
        return counted([cell.get("verdict") for cell in self.cells.values()])


class RugPage:
    """The page of the rug; parameters as of ShownAnswers."""

    def __init__(self, service: MeantimeService, shown: ShownAnswers) -> None:
        self._service = service
        self._shown = shown

    def add_to(self, app: Flask) -> None:
        """Register the page."""
        app.add_url_rule(PATH, "rug", self.show_rug)

    def show_rug(self) -> Response:
        """Show the rug, against the nation or another place."""
        dataset = self._service.dataset()
        cube, reason = dataset.cube, ""
        first = max(0, min(request.args.get("from", 1, type=int), len(cube.questions)) - 1)
        against = None
        try:
            against = find_place(other, cube) if (other := request.args.get("against")) else None
        except FieldError as error:
            reason = str(error)
        asked = cube.questions[first : first + MOST_COLUMNS]
        columns = [] if reason else [found for each in asked if (found := self._column(each, against, dataset))]
        return page(
            "rug.html",
            current="Rug",
            reason=reason,
            columns=columns,
            shared=shared_words([each.text for each in asked]),
            against=next((column.against for column in columns if column.against), against or ""),
            chosen=against,
            groups=_rows(cube, columns),
            slugs=slug_of_each(cube),
            places=[each.name for each in cube.locations],
            legend=[meaning for meaning in MEANINGS if meaning.verdict not in _OF_TRENDS],
            signs=SIGNS,
            absent=ABSENT_SIGN,
            counted=counted,
            figure=figure,
            path=PATH,
            places_path=PLACES_PATH,
            first=first + 1,
            last=first + len(asked),
            most=MOST_COLUMNS,
            total=len(cube.questions),
        )

    def _column(self, question: Question, against: str | None, dataset: Dataset) -> Column | None:
        """Return a question's column; None where the dataset can't be asked for it."""
        years = years_with_values(dataset.cube, question.text)
        if not years:
            return None
        parameters: dict[str, object] = {"question": question.text, "years": [years[-1]]}
        parameters |= {"include": ["states", "territories"]} | ({"against": against} if against else {})
        answer = self._shown.of("difference", parameters, dataset)
        if answer is None:
            return None
        texts = [each.text for each in dataset.cube.questions]
        short = question.text[len(shared_words(texts)) :].strip()
        cells = {str(record["location"]): record for record in answer.records}
        return Column(question, short or question.text, years[-1], answer, cells)


_OF_TRENDS = (Verdict.RISING, Verdict.FALLING, Verdict.STEADY, Verdict.SIMILAR)
_FINDINGS = (Verdict.BETTER, Verdict.WORSE, Verdict.HIGHER, Verdict.LOWER)


def counted(verdicts: Sequence[object]) -> dict[str, int]:
    """Return how often each finding occurs, without those that don't."""
    return {each.value: count for each in _FINDINGS if (count := verdicts.count(each))}


def _rows(cube: SurveyCube, columns: Sequence[Column]) -> dict[str, list[Location]]:
    """Return the places that have a cell anywhere, by kind; the nation only where it is compared."""
    there = {name for column in columns for name in column.cells}
    groups = {words: [each for each in own if each.name in there] for words, own in grouped(cube).items()}
    return {words: own for words, own in groups.items() if own and own[0].kind is not LocationKind.NATION}
