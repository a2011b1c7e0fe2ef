"""Answers by URL: one GET for each statistic, whose parameters are the query's.

One more door to the same service. A result that is known is sent at once; else a job is made, which belongs to nobody,
and waited for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import orjson
from flask import Response, request

from meantime.errors import InvalidParameterError
from meantime.fields.fields import fields_of, write_query_fields
from meantime.formats.result_formats import FORMATS, Format
from meantime.jobs.job import EncodedResult, Job, Task
from meantime.service import MeantimeService, task_for
from meantime.statistics.catalogue import Surface, statistics_of
from meantime.statistics.requests import read_query as read_statistic_query
from meantime.statistics.statistic import Statistic
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.web.operations import Operation, Reply
from meantime.web.own_address import own_prefix
from meantime.web.responses import JSON_TYPE, RETRY_AFTER_S, json_response
from meantime.web.v1.answer_addresses import ANSWERS_PATH, AnswerAddress, frozen_address, live_address
from meantime.web.v1.caching import cache_control
from meantime.web.v1.chart_forms import CHART_FORMS, ChartedResult, ChartForms, ChartQuery
from meantime.web.v1.job_documents import JobDocument, Result
from meantime.web.v1.known_answers import KnownAnswers
from meantime.web.v1.request_fields import VersionQuery, read_query
from meantime.web.v1.result_forms import ResultForms, StoredResult, chosen_format, file_name
from meantime.web.v1.visible_jobs import PREFER, VisibleJobs, note_preference

_OF_VERSIONS = tuple(each.name for each in fields_of(VersionQuery))
_OF_CHARTS = tuple(each.name for each in fields_of(ChartQuery))
_HEADERS = ("ETag", "Cache-Control", "Link", "Content-Location", "Preference-Applied")


class Answers:
    """The views of answers; parameters as of JobResults."""

    def __init__(
        self, service: MeantimeService, jobs: VisibleJobs, known: KnownAnswers, forms: ResultForms, charts: ChartForms
    ) -> None:
        self._service = service
        self._charts = charts
        self._jobs = jobs
        self._known = known
        self._forms = forms

    def operations(self) -> Iterator[Operation]:
        """Yield the operations of every v1 statistic: with and without an extension, of any dataset."""
        offered = [*FORMATS.values(), *self._charts.offered]
        others = tuple(each.media_type for each in offered if each.media_type != JSON_TYPE)
        for statistic in statistics_of(Surface.V1):
            for suffix, name in (("", "answer_{}"), (".{extension}", "answer_{}_as")):
                plain = Operation(
                    name=name.format(statistic.name),
                    method="GET",
                    path=f"{ANSWERS_PATH}/{statistic.name}{suffix}",
                    tag="answers",
                    summary=statistic.summary,
                    view=partial(self._show, statistic),
                    replies={
                        200: Reply("The answer.", Result, others, _HEADERS),
                        202: Reply(
                            "It is being computed; ask again.", JobDocument, headers=("Location", "Retry-After")
                        ),
                        304: Reply("What you have is what there is."),
                    },
                    problems=(404, 406, 409, 410, 414, 416, 422, 507),
                    queries=(statistic, VersionQuery, ChartQuery),
                    headers=(PREFER,),
                    extensions=tuple(each.name for each in offered),
                    per_dataset=True,
                )
                yield from (plain, plain.below_dataset())

    def _show(self, statistic: type[Statistic], dataset: str | None = None, extension: str | None = None) -> Response:
        """Return the answer to the query in the form of the extension, or in the one that the client likes best."""
        wanted = chosen_format(extension, [*FORMATS.values(), *self._charts.offered])
        version = read_query(request.args, VersionQuery, only=_OF_VERSIONS).version
        drawn = read_query(request.args, ChartQuery, only=_OF_CHARTS)
        texts = {name: sent for name, sent in request.args.lists() if name not in {*_OF_VERSIONS, *_OF_CHARTS}}
        _check_drawing(wanted)
        served = self._service.dataset(dataset, version)
        asked = read_statistic_query(statistic, served.cube, texts)
        settled = asked.settled(served.cube)
        is_chart = wanted.name in CHART_FORMS
        task = task_for(_explained(settled) if is_chart else settled, served)
        live = live_address(own_prefix(), asked, served.cube, dataset)
        frozen = frozen_address(own_prefix(), settled, served)
        canonical = live if version is None else frozen
        result, waited_s = self._known.of(task)
        if isinstance(result, Job):
            return self._not_yet(result, canonical, extension, waited_s)
        stored = _stored(result, task, served.version)
        if is_chart:
            charted = ChartedResult(statistic.name, stored, live, frozen, _breaks_of(settled, served.cube))
            response = self._charts.respond(wanted, charted, drawn)
        else:
            response = self._forms.respond(wanted, stored)
        response.headers["Cache-Control"] = cache_control(is_frozen=version is not None)
        own = replace(canonical, pairs=[*canonical.pairs, *write_query_fields(drawn)]) if is_chart else canonical
        response.headers["Content-Location"] = own.url(wanted.name)
        other = (frozen, "memento") if version is None else (live, "latest-version")
        response.headers["Link"] = f'<{canonical.url()}>; rel="canonical", <{other[0].url()}>; rel="{other[1]}"'
        if extension is None:
            response.headers["Vary"] = "Accept"
        note_preference(response, waited_s)
        return response

    def _not_yet(self, job: Job, address: AnswerAddress, extension: str | None, waited_s: int | None) -> Response:
        response = json_response(self._jobs.describe(job, own_prefix()))
        response.status_code = 202
        response.headers["Location"] = address.url(extension)
        response.headers["Retry-After"] = RETRY_AFTER_S
        response.headers["Cache-Control"] = "no-store"
        note_preference(response, waited_s)
        return response


def _check_drawing(wanted: Format) -> None:
    """Refuse what is asked of a chart where none is wanted."""
    asked = [name for name in _OF_CHARTS if name in request.args]
    if asked and wanted.name not in CHART_FORMS:
        raise InvalidParameterError(
            f"{asked[0]}: is for charts; ask for one of .{', .'.join(CHART_FORMS)}", field=asked[0]
        )


def _explained(request: Statistic) -> Statistic:
    """Return a request with what its charts show, too."""
    return replace(request, explain=True) if request.is_drawn_explained else request  # type: ignore[call-arg]  # it has it


def _breaks_of(request: Statistic, cube: SurveyCube) -> list[int]:
    """Return the known breaks of the question that is asked, if it is one."""
    place = cube.question_index.get(str(getattr(request, "question", "")))
    return [] if place is None else [each.year for each in cube.questions[place].breaks]


def _stored(result: EncodedResult, task: Task, version: str) -> StoredResult:
    name = file_name(task.name, orjson.loads(task.arguments), version[:8])
    return StoredResult(result.sha256, len(result.content), lambda: result.content, name)
