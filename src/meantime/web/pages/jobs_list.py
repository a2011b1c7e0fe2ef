"""``GET /jobs``: the jobs that the caller may see, newest first. ``static/jobs.js`` keeps the list as it now is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import orjson
from flask import Flask, Response, request

from meantime.errors import InvalidParameterError, StatisticError
from meantime.fields.fields import write_query_fields
from meantime.fields.kinds import Choice, WholeNumber
from meantime.jobs.job import Job
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import JobFilter
from meantime.service import MeantimeService
from meantime.statistics.batch import BATCH
from meantime.statistics.catalogue import CATALOGUE
from meantime.statistics.requests import from_canonical
from meantime.web.admission.callers import caller
from meantime.web.own_address import own_prefix
from meantime.web.pages.explore import PATH as EXPLORE_PATH
from meantime.web.pages.site import page
from meantime.web.v1.answer_addresses import AnswerAddress
from meantime.web.v1.job_documents import has_records, offered_formats, timestamp
from meantime.web.v1.job_resources import JOB_NAMES
from meantime.web.v1.request_fields import Cursor, read_query, write_cursor
from meantime.web.v1.visible_jobs import VisibleJobs

PATH = "/jobs"
_SHOWN_ITEMS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """What the page can be asked for."""

    state: Annotated[str | None, Choice([state.value for state in JobState]), "Only jobs in this state."] = None
    statistic: Annotated[str | None, Choice(JOB_NAMES), "Only jobs of this statistic."] = None
    cursor: Annotated[int | None, Cursor(), "Where to go on."] = None
    limit: Annotated[int, WholeNumber(1, 200), "How many jobs at most."] = 50


@dataclass(frozen=True, slots=True)
class ShownJob:
    """A job as the page lists it.

    ``explore`` is where its request is asked again, and ``rerun`` what is sent to ask it as a new job; both are empty
    for a job that isn't of a v1 statistic.
    """

    job: Job
    title: str
    words: Sequence[tuple[str, str]]
    dataset: str
    jobs_ahead: int
    explore: str
    rerun: str
    forms: Mapping[str, str]

    @property
    def submitted_at(self) -> str:
        """When it was submitted, as RFC 3339."""
        return timestamp(self.job.submitted_at)

    @property
    def took(self) -> str:
        """How long it ran, in words; empty where it hasn't, or hasn't yet."""
        if self.job.started_at is None or self.job.finished_at is None:
            return ""
        seconds = max(0.0, self.job.finished_at - self.job.started_at)
        return f"{seconds * 1000:.0f} ms" if seconds < 1.0 else f"{seconds:,.1f} s"


class JobsList:
    """The view of the page; parameters as of JobResources."""

    def __init__(self, service: MeantimeService, jobs: VisibleJobs) -> None:
        self._service = service
        self._jobs = jobs

    def add_to(self, app: Flask) -> None:
        """Register the page."""
        app.add_url_rule(PATH, "jobs_page", self.show)

    def show(self) -> Response:
        """Return the list."""
        sent = request.args.copy()
        for name in [name for name in sent if not any(sent.getlist(name))]:
            del sent[name]
        refusal, query = "", ListQuery()
        try:
            query = read_query(sent, ListQuery)
        except InvalidParameterError as error:
            refusal = str(error)
        job_filter = JobFilter(
            owner=caller().sees_jobs_of,
            state=None if query.state is None else JobState(query.state),
            task_name=query.statistic,
        )
        found = [] if refusal else self._service.page(job_filter, before=query.cursor, limit=query.limit + 1)
        response = page(
            "jobs.html",
            current="Jobs",
            query=query,
            states=list(JobState),
            names={name: _title(name) for name in JOB_NAMES},
            jobs=[self._shown(job) for job in found[: query.limit]],
            following=self._following(query, found) if len(found) > query.limit else "",
            several_datasets=len(self._service.datasets()) > 1,
            refusal=refusal,
        )
        response.status_code = 422 if refusal else 200
        response.headers["Cache-Control"] = "no-store"
        return response

    def _following(self, query: ListQuery, found: Sequence[Job]) -> str:
        given = {"state": query.state, "statistic": query.statistic}
        pairs = [(name, value) for name, value in given.items() if value is not None]
        pairs += [("limit", str(query.limit))] if query.limit != ListQuery().limit else []
        return _address(PATH, [*pairs, ("cursor", write_cursor(found[query.limit - 1].number))])

    def _shown(self, job: Job) -> ShownJob:
        dataset = job.task.version.partition("@")[0]
        given = _parameters(job)
        path = f"{own_prefix()}/api/v1/jobs/{job.number}/result"
        asked = {"statistic": job.task.name, "parameters": given}
        return ShownJob(
            job,
            _title(job.task.name) if job.task.name != BATCH else _batch_title(given),
            [(name, _in_words(value)) for name, value in given.items()] if job.task.name != BATCH else [],
            dataset,
            0 if job.state.is_final else self._service.jobs_ahead(job.number),
            explore=self._explore_address(job, dataset) if has_records(job) else "",
            rerun=orjson.dumps(asked).decode() if has_records(job) else "",
            forms={each.name: f"{path}.{each.name}" for each in offered_formats(job)}
            if job.state is JobState.DONE
            else {},
        )

    def _explore_address(self, job: Job, name: str) -> str:
        """Return where a job's request is asked again; empty where the data can't be asked this any more."""
        try:
            cube = self._service.dataset(name).cube
            asked = from_canonical(CATALOGUE[job.task.name], job.task.arguments, cube)
        except (InvalidParameterError, StatisticError):
            return ""
        is_default = name == self._service.dataset().name
        own = [("statistic", job.task.name), *([] if is_default else [("dataset", name)])]
        return _address(EXPLORE_PATH, [*own, *write_query_fields(asked, cube)])


def _title(name: str) -> str:
    """Return what a statistic is called; one that is gone keeps its name."""
    if name == BATCH:
        return "Batches of requests"
    return CATALOGUE[name].title if name in CATALOGUE else name


def _batch_title(given: Mapping[str, object]) -> str:
    requests = given.get("requests")
    count = len(requests) if isinstance(requests, list) else 0
    return f"Batch of {count} request{'s' if count != 1 else ''}"


def _parameters(job: Job) -> dict[str, object]:
    """Return what a job was asked for, without what is the default whatever the data are."""
    arguments = orjson.loads(job.task.arguments)
    if not isinstance(arguments, dict):
        return {}
    statistic = CATALOGUE.get(job.task.name)
    defaults = {} if statistic is None else {each.name: _plain(each.default) for each in statistic.parameters()}
    return {name: value for name, value in arguments.items() if value is not None and value != defaults.get(name)}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _in_words(value: object) -> str:
    """Return a value as it is listed: of a long list the first few."""
    if isinstance(value, list):
        words = [item if isinstance(item, str) else str(item) for item in value]
        if all(isinstance(item, int) for item in value) and len(value) > 2 and value[-1] - value[0] == len(value) - 1:
            return f"{value[0]} to {value[-1]}"
        more = f" and {len(words) - _SHOWN_ITEMS} more" if len(words) > _SHOWN_ITEMS + 1 else ""
        return ", ".join(words[:_SHOWN_ITEMS] if more else words) + more
    return str(value).lower() if isinstance(value, bool) else str(value)


def _address(path: str, pairs: Sequence[tuple[str, str]]) -> str:
    return AnswerAddress(f"{own_prefix()}{path}", pairs).url()
