"""``GET /explore``: any statistic, asked by a form; the address holds the whole state, so it can be shared.

The query is that of the answer's own address, with ``statistic``, ``dataset`` and ``chart`` beside it. The page is
made here whole, with and without JavaScript: ``static/explore.js`` asks for it again and puts its parts in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from flask import Flask, Response, request

from meantime.charts import KINDS, chart_of
from meantime.errors import InvalidParameterError
from meantime.fields.fields import write_query_fields
from meantime.fields.refusals import unknown_name
from meantime.service import MeantimeService
from meantime.statistics.catalogue import Surface, find_statistic, statistics_of
from meantime.statistics.requests import read_query, read_request
from meantime.statistics.statistic import Statistic
from meantime.survey.ingest.dataset import Dataset
from meantime.web.admission.callers import caller
from meantime.web.own_address import own_address, own_prefix
from meantime.web.pages.answer_tables import answer_table
from meantime.web.pages.endpoints import example_query
from meantime.web.pages.form_fields import FormField, Texts, form_fields
from meantime.web.pages.shown_answers import ShownAnswer, ShownAnswers
from meantime.web.pages.site import page
from meantime.web.responses import RETRY_AFTER_S
from meantime.web.shown_commands import ways_to_get
from meantime.web.v1.answer_addresses import AnswerAddress
from meantime.web.v1.job_documents import JOBS_PATH

PATH = "/explore"

OWN_NAMES = ("statistic", "dataset", "chart", "columns", "draft")
"""What the query holds besides a statistic's parameters; with ``draft`` the form is drawn and nothing is asked."""

_SUGGESTED = 12
_FRAME = (800, 640)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the page says; ``texts`` are the statistic's, without those that are empty."""

    statistic: type[Statistic]
    dataset: Dataset
    default_dataset: str
    texts: Texts
    chart: str = ""
    columns: str = ""
    is_draft: bool = False
    is_asked: bool = False
    refusals: list[InvalidParameterError] = field(default_factory=list)

    def address(self, texts: Texts | None = None, **own: str) -> str:
        """Return the address of the page with other texts, or with other values of its own names."""
        named = {"statistic": self.statistic.name, "chart": self.chart, "columns": self.columns} | own
        dataset = self.dataset.name if self.dataset.name != self.default_dataset else ""
        pairs = [("statistic", named["statistic"])]
        pairs += [("dataset", dataset)] if dataset else []
        pairs += [(name, text) for name, sent in (self.texts if texts is None else texts).items() for text in sent]
        pairs += [(name, named[name]) for name in ("chart", "columns") if named[name]]
        return AnswerAddress(f"{own_prefix()}{PATH}", pairs).url()

    def settled_address(self, asked: Statistic) -> str:
        """Return the one address of all requests that are equal to this one, whatever their spelling."""
        texts: dict[str, list[str]] = {}
        for name, text in write_query_fields(asked, self.dataset.cube):
            texts.setdefault(name, []).append(text)
        return self.address(texts)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A value that would be accepted, and the page with it."""

    label: str
    address: str


class Explore:
    """The view of the page.

    Parameters
    ----------
    service
        Knows the datasets.
    answers
        Finds the answer.
    embedding_sites
        The sites whose pages may show answers.
    has_pictures
        Whether something draws charts as pictures.
    """

    def __init__(
        self, service: MeantimeService, answers: ShownAnswers, embedding_sites: Sequence[str], *, has_pictures: bool
    ) -> None:
        self._service = service
        self._answers = answers
        self._embedding_sites = tuple(embedding_sites)
        self._has_pictures = has_pictures

    def add_to(self, app: Flask) -> None:
        """Register the page."""
        app.add_url_rule(PATH, "explore", self.show)

    def show(self) -> Response:
        """Return the page for the address: the form, and the answer if one is asked for."""
        asked = self._read()
        answer, canonical = None, ""
        if asked.is_asked and not asked.refusals:
            try:
                wanted = read_query(asked.statistic, asked.dataset.cube, asked.texts)
                if asked.is_draft:
                    wanted.settled(asked.dataset.cube)
                else:
                    answer = self._answers.answer_to(wanted, asked.dataset)
                    canonical = asked.settled_address(wanted)
            except InvalidParameterError as error:
                if not (asked.is_draft and _is_missing(error, asked)):
                    asked.refusals.append(error)
        return self._respond(asked, answer, canonical)

    def _respond(self, asked: Asked, answer: ShownAnswer | None, canonical: str) -> Response:
        fields = form_fields(asked.statistic, asked.dataset.cube, asked.texts)
        response = page(
            "explore.html",
            current="Explore",
            asked=asked,
            fields=fields,
            statistics=statistics_of(Surface.V1),
            datasets=self._service.datasets(),
            refusals={_field_of(error): _message(error) for error in asked.refusals},
            suggestions={_field_of(error): list(_suggestions(error, asked, fields)) for error in asked.refusals},
            canonical=canonical,
            answer=answer,
            examples=list(_examples(asked)) if not asked.is_asked else [],
            pictures=self._has_pictures,
            **self._shown(asked, answer),
        )
        if asked.refusals and not asked.is_draft:
            response.status_code = 422
        elif answer is not None and answer.job_number is not None:
            response.status_code = 202
            response.headers["Retry-After"] = RETRY_AFTER_S
        response.headers["Cache-Control"] = "no-store" if response.status_code == 202 else "no-cache"
        return response

    def _shown(self, asked: Asked, answer: ShownAnswer | None) -> Mapping[str, object]:
        """Return what the template needs of an answer."""
        if answer is None:
            return {}
        if answer.job_number is not None:
            return {
                "jobs_ahead": self._service.jobs_ahead(answer.job_number),
                "job_address": f"{own_prefix()}{JOBS_PATH}/{answer.job_number}",
                "may_cancel": caller().sees_jobs_of is None,  # the job is nobody's
            }
        chart = asked.chart if asked.chart in answer.charts else next(iter(answer.charts), None)
        misfit = "" if asked.chart in ("", chart) else _misfit(asked.chart, answer)
        return {
            "chart": chart,
            "misfit": misfit,
            "alternative": chart_of(answer.document, answer.statistic, chart)["description"] if chart else "",
            "question": _question(answer),
            "table": answer_table(answer.records, has_all_columns=asked.columns == "all"),
            "ways": ways_to_get(answer.frozen.url("csv"), answer.frozen.url("parquet")),
            "frame": _frame(answer, chart),
            "embedding_sites": self._embedding_sites,
            "origin": own_address().removesuffix(own_prefix()),
        }

    def _read(self) -> Asked:
        """Return what the query asks for; what can't be found is noted, and the default stands in its place."""
        sent = {name: kept for name, texts in request.args.lists() if (kept := [text for text in texts if text])}
        own = {name: sent.pop(name, [""])[-1] for name in OWN_NAMES}
        refusals = []
        dataset, statistic = self._service.dataset(), statistics_of(Surface.V1)[0]
        try:
            dataset = self._service.dataset(own["dataset"] or None)
        except InvalidParameterError as error:
            refusals.append(error)
        try:
            statistic = find_statistic(own["statistic"], surface=Surface.V1) if own["statistic"] else statistic
        except InvalidParameterError as error:
            refusals.append(error)
        is_draft = bool(own["draft"])
        known = {each.name for each in statistic.parameters()}
        return Asked(
            statistic,
            dataset,
            self._service.dataset().name,
            {name: texts for name, texts in sent.items() if name in known} if is_draft else sent,
            chart=own["chart"],
            columns=own["columns"],
            is_draft=is_draft,
            is_asked=bool(own["statistic"]) or bool(sent),
            refusals=refusals,
        )


def _field_of(error: InvalidParameterError) -> str:
    return error.field.partition("[")[0].partition(".")[0]


def _message(error: InvalidParameterError) -> str:
    """Return what is wrong, without the field's name, as it is shown beside the field."""
    return str(error).removeprefix(f"{error.field}: ")


def _is_missing(error: InvalidParameterError, asked: Asked) -> bool:
    """Whether what is wrong is only that something isn't there yet."""
    required = {each.name for each in asked.statistic.parameters() if each.is_required}
    return error.field in required - set(asked.texts)


def _suggestions(error: InvalidParameterError, asked: Asked, fields: Sequence[FormField]) -> Iterator[Suggestion]:
    """Yield what would be accepted in the place of what was sent; of a list, beside what is right in it."""
    name = _field_of(error)
    values = error.nearest or error.accepted[:_SUGGESTED]
    if name in ("statistic", "dataset"):
        yield from (Suggestion(value, asked.address(statistic=value)) for value in values if name == "statistic")
        return
    form_field = next((each for each in fields if each.name == name), None)
    if form_field is None:  # a name that is no parameter: perhaps another was meant
        texts = {key: sent for key, sent in asked.texts.items() if key != name}
        yield from (Suggestion(each, asked.address({**texts, each: asked.texts.get(name, [])})) for each in values)
        return
    beside = form_field.kept if form_field.is_list and not form_field.is_understood else []
    for value in values:
        yield Suggestion(value, asked.address({**asked.texts, name: [*beside, value]}))


def _misfit(chart: str, answer: ShownAnswer) -> str:
    """Say why another chart is shown than was asked for."""
    if chart not in KINDS:
        return str(unknown_name(chart, answer.charts, what="kind of chart"))
    kind = KINDS[chart]
    return f"{kind.title}: needs {kind.needs}, which this answer doesn't have"


def _question(answer: ShownAnswer) -> str:
    """Return the question that was asked; empty where several are."""
    provenance = answer.document.get("provenance")
    asked = provenance.get("request") if isinstance(provenance, Mapping) else None
    return str(asked["parameters"].get("question") or "") if isinstance(asked, Mapping) else ""


def _frame(answer: ShownAnswer, chart: str | None) -> str:
    """Return what shows the answer on another site's page."""
    width, height = _FRAME
    address = answer.picture(chart, "html") if chart else answer.live.url("html")
    source = escape(f"{own_address().removesuffix(own_prefix())}{address}")
    title = escape(find_statistic(answer.statistic, surface=Surface.V1).title)
    return f'<iframe src="{source}" width="{width}" height="{height}" title="{title}" loading="lazy"></iframe>'


def _examples(asked: Asked) -> Iterator[tuple[type[Statistic], str]]:
    """Yield each statistic that the dataset can be asked for, with the page that shows it."""
    cube = asked.dataset.cube
    for statistic in statistics_of(Surface.V1):
        try:
            wanted = read_request(statistic, cube, statistic.example)
            query = AnswerAddress("", write_query_fields(wanted, cube)).url().removeprefix("?")
        except InvalidParameterError:
            query = example_query(statistic, cube) or ""
        if query:
            dataset = f"&dataset={asked.dataset.name}" if asked.dataset.name != asked.default_dataset else ""
            yield statistic, f"{own_prefix()}{PATH}?statistic={statistic.name}{dataset}&{query}"
