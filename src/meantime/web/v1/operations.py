"""The ONE list of what can be done on the v1 surface. Routes are made from it, and so is the OpenAPI document.

What an operation does is in the modules of resources; the shapes of bodies are in ``schemas.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from meantime.fields.kinds import JsonSchema
from meantime.formats.result_formats import FORMATS
from meantime.web.v1.job_resources import JobQuery
from meantime.web.v1.request_fields import IDEMPOTENCY_KEY_LIMIT, WAIT_LIMIT_S, NoQuery

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderParameter:
    """A request header that an operation looks at."""

    name: str
    summary: str
    schema: JsonSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer of an operation: ``content`` maps media types to the name of a schema, None for any bytes."""

    summary: str
    content: Mapping[str, str | None] = field(default_factory=dict)
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path.

    ``name`` is the operation's id; ``problems`` are the statuses of its error answers, beside those that any request
    can get. With ``per_dataset`` it also exists below each named dataset.
    """

    name: str
    method: str
    path: str
    tag: str
    summary: str
    replies: Mapping[int, Reply]
    problems: tuple[int, ...] = ()
    query: type = NoQuery
    headers: tuple[HeaderParameter, ...] = ()
    body: str | None = None
    per_dataset: bool = False

    @property
    def rule(self) -> str:
        """The path as Flask writes it."""
        return self.path.replace("{", "<").replace("}", ">")


_PREFER = HeaderParameter(
    name="Prefer",
    summary=f"`wait=5`: wait up to 5 seconds (at most {WAIT_LIMIT_S}) for the job's end (RFC 7240).",
    schema={"type": "string", "examples": ["wait=5"]},
)
_KEY = HeaderParameter(
    name="Idempotency-Key",
    summary="A name of yours for this request: sent again with the same request it gives the same job.",
    schema={"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_LIMIT, "pattern": "^[!-~]+$"},
)
_UNCHANGED = Reply(summary="What you have is what there is.")
_RESULT_TYPES = {each.media_type: "Result" if each.name == "json" else None for each in FORMATS.values()}


def _look(name: str, path: str, summary: str, schema: str) -> Operation:
    """Return an operation that shows something of a dataset."""
    return Operation(
        name=name,
        method="GET",
        path=path,
        tag="dataset",
        summary=summary,
        replies={200: Reply(summary="Here it is.", content={JSON_TYPE: schema}, headers=("ETag",)), 304: _UNCHANGED},
        problems=(422,),
        per_dataset=True,
    )


def operations() -> list[Operation]:
    """Return every operation of the v1 surface."""
    found = []
    for operation in [*_job_operations(), *_dataset_operations()]:
        found.append(operation)
        if operation.per_dataset:
            found.append(_below_dataset(operation))
    return found


def _below_dataset(operation: Operation) -> Operation:
    """Return the same operation for a dataset that the path names."""
    rest = operation.path.removeprefix("/api/v1").removeprefix("/dataset")
    return replace(
        operation,
        name=f"dataset_{operation.name}",
        path=f"/api/v1/datasets/{{dataset}}{rest}",
        problems=(*operation.problems, 404),
        summary=f"{operation.summary.removesuffix('.')}, of a named dataset.",
    )


def _job_operations() -> list[Operation]:
    job = {JSON_TYPE: "Job"}
    return [
        Operation(
            name="submit_job",
            method="POST",
            path="/api/v1/jobs",
            tag="jobs",
            summary="Submit a job; with `Prefer: wait=5` its result comes in the same answer.",
            replies={
                201: Reply(summary="The job has ended.", content=job, headers=("Location", "Preference-Applied")),
                202: Reply(
                    summary="The job is accepted and has not ended.",
                    content=job,
                    headers=("Location", "Retry-After", "Preference-Applied"),
                ),
            },
            problems=(413, 415, 422, 507),
            headers=(_PREFER, _KEY),
            body="Submission",
            per_dataset=True,
        ),
        Operation(
            name="list_jobs",
            method="GET",
            path="/api/v1/jobs",
            tag="jobs",
            summary="List jobs, newest first.",
            replies={200: Reply(summary="A page of the list.", content={JSON_TYPE: "JobPage"}, headers=("Link",))},
            problems=(422,),
            query=JobQuery,
            per_dataset=True,
        ),
        Operation(
            name="show_job",
            method="GET",
            path="/api/v1/jobs/{job_id}",
            tag="jobs",
            summary="Show a job, with its result when that is small.",
            replies={200: Reply(summary="The job.", content=job, headers=("Retry-After", "Preference-Applied"))},
            problems=(404, 410, 422),
            headers=(_PREFER,),
        ),
        Operation(
            name="cancel_job",
            method="DELETE",
            path="/api/v1/jobs/{job_id}",
            tag="jobs",
            summary="Cancel a job: at once while it is queued, at its next checkpoint while it runs.",
            replies={
                200: Reply(summary="The job is cancelled.", content=job),
                202: Reply(summary="The job runs, and has been asked to stop.", content=job),
            },
            problems=(404, 409, 422),
        ),
        Operation(
            name="follow_job",
            method="GET",
            path="/api/v1/jobs/{job_id}/events",
            tag="jobs",
            summary="Follow a job as server-sent events: `job` while it goes on, then one `end`.",
            replies={200: Reply(summary="The events.", content={"text/event-stream": None})},
            problems=(404, 422),
        ),
        *_result_operations(),
    ]


def _result_operations() -> list[Operation]:
    headers = ("ETag", "Cache-Control", "Preference-Applied")
    chosen = Operation(
        name="show_result",
        method="GET",
        path="/api/v1/jobs/{job_id}/result",
        tag="results",
        summary="Get a job's result in the form that `Accept` asks for; JSON without it.",
        replies={
            200: Reply(summary="The result.", content=_RESULT_TYPES, headers=(*headers, "Vary")),
            304: _UNCHANGED,
        },
        problems=(404, 406, 409, 410, 422),
        headers=(_PREFER,),
    )
    named = replace(
        chosen,
        name="show_result_as",
        path="/api/v1/jobs/{job_id}/result.{extension}",
        summary="Get a job's result in the form of the extension.",
        replies={200: Reply(summary="The result.", content=_RESULT_TYPES, headers=headers), 304: _UNCHANGED},
        problems=(404, 409, 410, 422),
    )
    return [chosen, named]


def _dataset_operations() -> list[Operation]:
    return [
        Operation(
            name="list_datasets",
            method="GET",
            path="/api/v1/datasets",
            tag="dataset",
            summary="List the datasets that are served; the first is the default.",
            replies={200: Reply(summary="The datasets.", content={JSON_TYPE: "DatasetList"})},
            problems=(422,),
        ),
        Operation(
            name="reload_dataset",
            method="POST",
            path="/api/v1/datasets/{dataset}/reload",
            tag="dataset",
            summary="Read a dataset's source again; jobs that were accepted before finish on the old version.",
            replies={200: Reply(summary="What changed.", content={JSON_TYPE: "DriftReport"})},
            problems=(404, 409, 413, 415, 422),
        ),
        _look("show_dataset", "/api/v1/dataset", "Show the dataset: source, version, what it holds.", "Dataset"),
        _look("list_statistics", "/api/v1/statistics", "List what can be computed, with examples.", "StatisticList"),
        _look("list_questions", "/api/v1/questions", "List the questions.", "QuestionList"),
        _look("list_locations", "/api/v1/locations", "List the locations.", "LocationList"),
        _look("list_categories", "/api/v1/categories", "List the categories and their strata.", "CategoryList"),
    ]
