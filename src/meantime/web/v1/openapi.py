"""The OpenAPI document (3.1), made from the operations, the catalogue and the names that the datasets have.

It is made by hand, not by a library with models of its own: the catalogue has the JSON Schema of every parameter, and
a second description of the same checks would drift from the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus

from meantime import __version__
from meantime.fields.fields import fields_of
from meantime.fields.kinds import JsonSchema
from meantime.statistics.catalogue import CATALOGUE, Statistic, Surface
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.web.problems import PROBLEM_TYPE
from meantime.web.v1.dataset_resources import example_of, v1_statistics
from meantime.web.v1.operations import JSON_TYPE, Operation, Reply, operations
from meantime.web.v1.schemas import ANSWERS, ref

ALWAYS = (400, 401, 403, 429, 503)
"""Error answers that any request can get."""

_DESCRIPTION = """Ask for a statistic; do something else in the meantime.

Submit a job, get its id at once, fetch the result when it is there; or send `Prefer: wait=5` and get it in the same
answer. The statistics under `/api/v1` carry intervals, cautions and their source. The endpoints under `/api/` are
fixed for clients that have always used them."""


def openapi_document(cubes: Sequence[SurveyCube], dataset_names: Sequence[str]) -> dict[str, object]:
    """Return the document as JSON-able values.

    Parameters
    ----------
    cubes
        The cubes that are served: questions, locations and so on are listed as accepted values.
    dataset_names
        The names of their datasets.
    """
    paths: dict[str, dict[str, object]] = {}
    for operation in [*operations(), *_contract_operations()]:
        described = _describe(operation, dataset_names)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Meantime",
            "version": __version__,
            "summary": "A statistical data analysis server.",
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [{"name": name} for name in ("jobs", "results", "dataset", "contract", "server")],
        "paths": paths,
        "components": {
            "schemas": ANSWERS | _names_in(cubes) | _request_schemas(),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


# Requests ------------------------------------------------------------------------------------------------------------


def _names_in(cubes: Sequence[SurveyCube]) -> dict[str, JsonSchema]:
    """Return a schema for each kind of name, with every name that some dataset has."""
    questions = [question for cube in cubes for question in cube.questions]
    segments = [segment for cube in cubes for segment in cube.segments if not segment.is_blank]
    texts = _distinct(question.text for question in questions)
    return {
        "QuestionText": _enumeration("string", texts),
        "QuestionName": _enumeration("string", [*_distinct(each.question_id for each in questions), *texts]),
        "LocationName": _enumeration("string", _distinct(place.name for cube in cubes for place in cube.locations)),
        "CategoryName": _enumeration("string", _distinct(segment.category for segment in segments)),
        "StratumName": _enumeration("string", _distinct(segment.stratum for segment in segments)),
        "Year": _enumeration("integer", sorted({year for cube in cubes for year in cube.years})),
    }


def _distinct(names: Iterable[str]) -> list[str]:
    return sorted(set(names) - {""})


def _enumeration(kind: str, values: Sequence[object]) -> JsonSchema:
    return {"type": kind, "enum": list(values)} if values else {"type": kind}


def _request_schemas() -> dict[str, JsonSchema]:
    """Return the schema of a submission, and one for the parameters of each statistic."""
    schemas = {_schema_name(statistic): statistic.json_schema(ref) for statistic in CATALOGUE.values()}
    schemas["Submission"] = {"oneOf": [_submission(statistic) for statistic in v1_statistics()]}
    return schemas


def _schema_name(statistic: type[Statistic]) -> str:
    words = "".join(word.capitalize() for word in statistic.name.split("_"))
    return f"{'Contract' if statistic.surface is Surface.CONTRACT else ''}{words}Parameters"


def _submission(statistic: type[Statistic]) -> JsonSchema:
    is_required = any(parameter.is_required for parameter in statistic.parameters())
    return {
        "type": "object",
        "title": statistic.title,
        "description": statistic.summary,
        "properties": {"statistic": {"const": statistic.name}, "parameters": ref(_schema_name(statistic))},
        "required": ["statistic", "parameters"] if is_required else ["statistic"],
        "additionalProperties": False,
        "examples": [example_of(statistic)],
    }


# Operations ----------------------------------------------------------------------------------------------------------


def _describe(operation: Operation, dataset_names: Sequence[str]) -> dict[str, object]:
    found: dict[str, object] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": _parameters_of(operation, dataset_names),
        "responses": {
            **{str(status): _reply(status, reply) for status, reply in operation.replies.items()},
            **{str(status): _problem(status, operation) for status in sorted({*ALWAYS, *operation.problems})},
        },
    }
    if operation.body is not None:
        found["requestBody"] = {
            "required": True,
            "content": {JSON_TYPE: {"schema": ref(operation.body), "examples": _examples(operation.body)}},
        }
    return found


def _examples(body: str) -> dict[str, object]:
    if body == "Submission":
        return {each.name: {"summary": each.title, "value": example_of(each)} for each in v1_statistics()}
    return {each.name: {"value": dict(each.example)} for each in CATALOGUE.values() if _schema_name(each) == body}


_JOB_ID: dict[str, object] = {
    "name": "job_id",
    "in": "path",
    "required": True,
    "description": "The job's number; `job_id_7` is the same as `7`.",
    "schema": {"type": "integer", "minimum": 1, "maximum": 999_999_999_999_999_999},
}
_EXTENSION: dict[str, object] = {
    "name": "extension",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "enum": ["json", "csv", "parquet", "jsonstat"]},
}


def _parameters_of(operation: Operation, dataset_names: Sequence[str]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    if "{dataset}" in operation.path:
        schema = _enumeration("string", dataset_names)
        found.append({"name": "dataset", "in": "path", "required": True, "schema": schema})
    found += [_JOB_ID] if "{job_id}" in operation.path else []
    found += [_EXTENSION] if "{extension}" in operation.path else []
    found += [
        {"name": each.name, "in": "query", "description": each.summary, "schema": each.value_schema()}
        for each in fields_of(operation.query)
    ]
    found += [
        {"name": each.name, "in": "header", "description": each.summary, "schema": each.schema}
        for each in operation.headers
    ]
    return found


def _reply(status: int, reply: Reply) -> dict[str, object]:
    found: dict[str, object] = {"description": reply.summary}
    if reply.content:
        found["content"] = {
            media_type: {} if name is None else {"schema": ref(name)} for media_type, name in reply.content.items()
        }
    if reply.headers:
        found["headers"] = {name: {"schema": {"type": "string"}} for name in reply.headers}
    if status in (201, 202) and "Location" in reply.headers and reply.content.get(JSON_TYPE) == "Job":
        found["links"] = {
            name: {"operationId": name, "parameters": {"job_id": "$response.body#/id"}}
            for name in ("show_job", "show_result", "cancel_job")
        }
    return found


def _problem(status: int, operation: Operation) -> dict[str, object]:
    schema = "Problem" if operation.path.startswith("/api/v1/") else "ContractProblem"
    return {"description": HTTPStatus(status).phrase, "content": {PROBLEM_TYPE: {"schema": ref(schema)}}}


# The contract --------------------------------------------------------------------------------------------------------


def _contract_operations() -> list[Operation]:
    """Return the fixed endpoints; their routes are in ``web/routes.py``."""
    accepted = Reply(summary="Accepted.", content={JSON_TYPE: "JobId"}, headers=("Location", "Retry-After"))
    submissions = [
        Operation(
            name=statistic.name,
            method="POST",
            path=f"/api/{statistic.name}",
            tag="contract",
            summary=statistic.summary,
            replies={202: accepted},
            problems=(413, 415, 422, 507),
            body=_schema_name(statistic),
        )
        for statistic in CATALOGUE.values()
        if statistic.surface is Surface.CONTRACT
    ]
    return [
        *submissions,
        _get(
            "get_results",
            "/api/get_results/{job_id}",
            "How a job stands; its result when it is done.",
            "ContractAnswer",
            (404, 410),
        ),
        _get("get_jobs", "/api/jobs", "Every job with its state.", "ContractJobs"),
        _get("get_num_jobs", "/api/num_jobs", "How many accepted jobs have not finished.", "JobCount"),
        _get("graceful_shutdown", "/api/graceful_shutdown", "Finish the accepted jobs, then end the server.", "Drain"),
        _get("get_health", "/healthz", "Whether the process answers.", "Health", tag="server"),
        _get("get_readiness", "/readyz", "Whether a new job would be accepted.", "Health", tag="server"),
    ]


def _get(
    name: str, path: str, summary: str, schema: str, problems: tuple[int, ...] = (), *, tag: str = "contract"
) -> Operation:
    reply = Reply(summary="Here it is.", content={JSON_TYPE: schema})
    return Operation(
        name=name, method="GET", path=path, tag=tag, summary=summary, replies={200: reply}, problems=problems
    )
