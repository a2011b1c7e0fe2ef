"""The first visit: a finished answer to one question of the default table, in words, charts and figures.

Each place against the nation, and the ranks that the data allow; a table without a nation is shown as it is. How
sentences are built is in ``sentences.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from flask import Response, request

from meantime.fields.refusals import shown as quoted
from meantime.service import MeantimeService
from meantime.statistics.estimation.filters import years_with_values
from meantime.statistics.measures.ranking import BEST, HIGHEST, LARGEST_K
from meantime.statistics.names import location_names
from meantime.statistics.result import Record
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.dataset import Dataset
from meantime.survey.questions import Question
from meantime.web.own_address import own_address, own_prefix
from meantime.web.pages import sentences
from meantime.web.pages.places.slugs import slug_of_each
from meantime.web.pages.shown_answers import ShownAnswer, ShownAnswers
from meantime.web.pages.site import page
from meantime.web.shown_commands import ways_to_get

FIRST_TOPIC = "obesity"
FEW = 5
"""How many places at the better end the ranks are drawn for."""

FEWEST_YEARS = 3
"""From how many years on a trend is told."""


@dataclass(frozen=True, slots=True)
class View:
    """The answers that are shown, of one question.

    ``main`` compares places with the nation, or where there is none says their values. ``best`` has the ranks of those
    at one end, ``ranks`` of all; None where there are none.
    """

    question: Question
    main: ShownAnswer
    best: ShownAnswer | None = None
    ranks: ShownAnswer | None = None

    @property
    def is_compared(self) -> bool:
        """Whether there are verdicts."""
        return self.main.statistic == "difference"

    @property
    def charts(self) -> Iterator[tuple[ShownAnswer, str]]:
        """The charts to show: the places, on a map if they are states, and beside them their ranks or values."""
        fitting = [kind for kind in ("map", "bars") if kind in self.main.charts]
        for kind in fitting[:1] if self.is_compared else fitting:
            yield self.main, kind
        if self.best is not None and "ranks" in self.best.charts:
            yield self.best, "ranks"

    @property
    def places(self) -> str:
        """What the places are, in a word."""
        return "states" if "map" in self.main.charts else "places"

    @property
    def cautions(self) -> list[str]:
        """What is to be known before anybody trusts a number, each thing once."""
        answers = [each for each in (self.main, self.best, self.ranks) if each is not None]
        return list(dict.fromkeys(caution for each in answers for caution in each.cautions))


class FirstView:
    """The page of the first visit.

    Parameters
    ----------
    service
        Knows the dataset.
    shown
        Finds the answers.
    pictures
        Whether charts can be drawn.
    embedding_sites
        Which other sites may show answers.
    warm_up
        Called first: what draws has half a second to start while answers are found.
    """

    def __init__(
        self,
        service: MeantimeService,
        shown: ShownAnswers,
        *,
        pictures: bool,
        embedding_sites: Sequence[str],
        warm_up: Callable[[], None],
    ) -> None:
        self._service = service
        self._shown = shown
        self._pictures = pictures
        self._warm_up = warm_up
        self._sites = tuple(embedding_sites)

    def show(self) -> Response:
        """Show what the default table says about its first question."""
        self._warm_up()
        dataset = self._service.dataset()
        question = first_question(dataset.cube)
        view = None if question is None else self._view(dataset, question)
        if view is None:
            return page("nothing.html", current="Overview", dataset=dataset)
        wanted = request.args.get("place", "").strip()
        record = _place_called(wanted, view.main.records, dataset.cube) or _clearest(view.main.records)
        place = None if record is None else str(record["location"])
        trend = None if record is None else self._trend(dataset, view.question, record)
        return page(
            "overview.html",
            current="Overview",
            dataset=dataset,
            view=view,
            place=place,
            sentence=None if record is None else sentences.of_a_place(view.question, record, _latest(trend, record)),
            slugs=slug_of_each(dataset.cube),
            trend=trend,
            cautions=[
                *view.cautions,
                *(f"on the trend of {place}: {each}" for each in (trend.cautions if trend else ())),
            ],
            rank=_rank_sentence(view, place),
            summary=sentences.of_all_places(view.main.records, view.places) if view.is_compared and record else None,
            missed=quoted(wanted)
            if wanted and (place is None or not _is_called(wanted, place, dataset.cube))
            else None,
            nation=next((each for each in view.main.records if each.get("reference") is not None), None),
            rank_of=sentences.by_place(view.ranks.records) if view.ranks else {},
            text_of=partial(sentences.text_of, unit=view.question.unit),
            signed=partial(sentences.signed, unit=view.question.unit),
            pictures=self._pictures,
            sites=self._sites,
            address=own_address(),
            origin=own_address().removesuffix(own_prefix()),
            commands=ways_to_get(view.main.frozen.url("csv"), view.main.frozen.url("parquet")),
        )

    def _view(self, dataset: Dataset, question: Question) -> View | None:
        """Return the answers to a question; None where nothing can be asked."""
        asked = {"question": question.question_id or question.text}
        compared = self._shown.of("difference", asked, dataset)
        if compared is not None and compared.records:
            end = {"end": HIGHEST if question.direction is None else BEST}
            best = self._shown.of("ranking", asked | end | {"k": FEW}, dataset)
            return View(question, compared, best, self._shown.of("ranking", asked | end | {"k": LARGEST_K}, dataset))
        for filters in _filters(dataset.cube):
            values = self._shown.of("mean", asked | {"by": ["location"]} | filters, dataset)
            if values is not None and values.records:
                return View(question, values)
        return None if compared is None else View(question, compared)

    def _trend(self, dataset: Dataset, question: Question, record: Record) -> ShownAnswer | None:
        """Return the trend of a place; None where there is none."""
        if len(years_with_values(dataset.cube, question.text)) < FEWEST_YEARS or record.get("value") is None:
            return None
        asked = {"question": question.question_id or question.text, "locations": [record["location"]]}
        answer = self._shown.of("trend", asked, dataset)
        return answer if answer is not None and answer.records else None


def first_question(cube: SurveyCube) -> Question | None:
    """Return the question of the first visit: about obesity if there is one, else the first with a value."""
    valued = [question for question in cube.questions if years_with_values(cube, question.text)]
    return next((each for each in valued if FIRST_TOPIC in each.text.lower()), valued[0] if valued else None)


def _filters(cube: SurveyCube) -> Iterator[dict[str, object]]:
    """Yield what to ask of a table that has no nation: of everybody, wherever; then of its first stratum."""
    yield {}
    yield {"include": ["states", "territories", "nation"]}
    segment = next((each for each in cube.segments if not each.is_blank), None)
    if segment is not None:
        yield {
            "include": ["states", "territories", "nation"],
            "categories": [segment.category],
            "strata": [segment.stratum],
        }


def _is_called(spelling: str, place: str, cube: SurveyCube) -> bool:
    return location_names(cube).meant_by(spelling) == (place,)


def _place_called(spelling: str, records: Sequence[Record], cube: SurveyCube) -> Record | None:
    """Return the record of the place that a spelling means; None where it means none or several."""
    if not spelling:
        return None
    return next((each for each in records if _is_called(spelling, str(each["location"]), cube)), None)


def _clearest(records: Sequence[Record]) -> Record | None:
    """Return the record of which most is known: the one with the largest sample, the first by name among equals."""
    valued = [record for record in records if record.get("value") is not None]
    return max(valued, key=_sample_size, default=records[0] if records else None)


def _sample_size(record: Record) -> float:
    size = record.get("sample_size")
    return float(size) if isinstance(size, int | float) else 0.0


def _latest(trend: ShownAnswer | None, record: Record) -> Record | None:
    """Return the part of a trend that ends in the year of a record; None where none does."""
    parts = () if trend is None else trend.records
    return next((part for part in parts if part.get("last_year") == record.get("year")), None)


def _rank_sentence(view: View, place: str | None) -> str | None:
    if view.ranks is None or place is None:
        return None
    record = sentences.by_place(view.ranks.records).get(place)
    return None if record is None else sentences.of_its_rank(record, is_directed=view.question.direction is not None)
