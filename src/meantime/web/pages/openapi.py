"""The OpenAPI document (3.1), made from the operations, the types they send, the catalogue and the names in the data.

It is made here, not by a library with models of its own: the catalogue has the JSON Schema of every parameter, and a
second description of the same checks would drift from the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus

from meantime import __version__
from meantime.fields.fields import fields_of
from meantime.statistics.batch import BATCH, MOST_REQUESTS
from meantime.statistics.catalogue import CATALOGUE, Statistic, Surface
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.dataset import Dataset
from meantime.web.admission.sessions import COOKIE_NAME
from meantime.web.json_schema import JsonSchema, JsonSchemas
from meantime.web.operations import Operation, Reply
from meantime.web.problems import PROBLEM_TYPE, V1_PREFIX, ContractProblemDocument, ProblemDocument
from meantime.web.responses import JSON_TYPE
from meantime.web.v1.dataset_documents import example_of, v1_statistics
from meantime.web.v1.job_documents import JobDocument

ALWAYS = (400, 401, 403, 429, 503)
"""Error answers that any request can get."""

_DESCRIPTION = """Ask for a statistic; do something else in the meantime.

Submit a job, get its id at once, fetch the result when it is there; or send `Prefer: wait=5` and get it in the same
answer. The statistics under `/api/v1` carry intervals, cautions and their source. The endpoints under `/api/` are
fixed for clients that have always used them."""


def openapi_document(
    operations: Sequence[Operation], datasets: Sequence[Dataset], prefix: str = ""
) -> dict[str, object]:
    """Return the document as JSON-able values.

    Parameters
    ----------
    operations
        What can be done.
    datasets
        What is served: questions, locations and so on are listed as accepted values.
    prefix
        The path below which the server is mounted.
    """
    answers = JsonSchemas()
    paths: dict[str, dict[str, object]] = {}
    for operation in operations:
        described = _describe(operation, [dataset.name for dataset in datasets], answers)
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
        "servers": [{"url": prefix or "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(operation.tag for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": answers.named | _names_in([dataset.cube for dataset in datasets]) | _request_schemas(),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE_NAME},
            },
        },
        "security": [{}, {"key": []}, {"session": []}],
    }


def ref(name: str) -> JsonSchema:
    """Return a reference to a named schema."""
    return {"$ref": f"#/components/schemas/{name}"}


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
    requests = {"type": "array", "items": ref("Submission"), "minItems": 1, "maxItems": MOST_REQUESTS}
    schemas["Batch"] = {
        "type": "object",
        "properties": {"requests": requests},
        "required": ["requests"],
        "additionalProperties": False,
    }
    return schemas


def _first_examples() -> list[object]:
    return [example_of(statistic) for statistic in v1_statistics()[:2]]


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


def _describe(operation: Operation, dataset_names: Sequence[str], answers: JsonSchemas) -> dict[str, object]:
    problem = ProblemDocument if operation.path.startswith(V1_PREFIX) else ContractProblemDocument
    refused = {"content": {PROBLEM_TYPE: {"schema": answers.of(problem)}}}
    refusals = {
        str(status): {"description": HTTPStatus(status).phrase} | refused
        for status in sorted({*ALWAYS, *operation.problems})
    }
    replies = {str(status): _reply(status, reply, answers) for status, reply in operation.replies.items()}
    found: dict[str, object] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": _parameters_of(operation, dataset_names),
        "responses": refusals | replies,
    }
    if operation.asks is not None:
        found["requestBody"] = {"required": True, "content": {JSON_TYPE: _body(operation.asks)}}
    return found


def _body(asks: str | Surface) -> dict[str, object]:
    """Return the schema and the examples of a body that asks for a statistic, or for any of a surface."""
    if isinstance(asks, Surface):
        examples = {each.name: {"summary": each.title, "value": example_of(each)} for each in v1_statistics()}
        return {"schema": ref("Submission"), "examples": examples}
    if asks == BATCH:
        return {"schema": ref("Batch"), "examples": {"batch": {"value": {"requests": _first_examples()}}}}
    statistic = CATALOGUE[asks]
    return {"schema": ref(_schema_name(statistic)), "examples": {asks: {"value": dict(statistic.example)}}}


_JOB_ID: dict[str, object] = {
    "name": "job_id",
    "in": "path",
    "required": True,
    "description": "The job's number; `job_id_7` is the same as `7`.",
    "schema": {"type": "integer", "minimum": 1, "maximum": 999_999_999_999_999_999},
}


def _parameters_of(operation: Operation, dataset_names: Sequence[str]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    if "{dataset}" in operation.path:
        schema = _enumeration("string", dataset_names)
        found.append({"name": "dataset", "in": "path", "required": True, "schema": schema})
    found += [_JOB_ID] if "{job_id}" in operation.path else []
    if "{extension}" in operation.path:
        extensions = _enumeration("string", operation.extensions)
        found.append({"name": "extension", "in": "path", "required": True, "schema": extensions})
    found += [
        {"name": each.name, "in": "query", "description": each.summary, "schema": each.query_schema()}
        | ({"required": True} if each.is_required else {})
        for query in operation.queries
        for each in fields_of(query)
    ]
    found += [
        {"name": each.name, "in": "header", "description": each.summary, "schema": each.schema}
        for each in operation.headers
    ]
    return found


def _reply(status: int, reply: Reply, answers: JsonSchemas) -> dict[str, object]:
    found: dict[str, object] = {"description": reply.summary}
    content: dict[str, object] = {media_type: {} for media_type in reply.media_types}
    if reply.json is not None:
        content = {JSON_TYPE: {"schema": answers.of(reply.json)}} | content
    if content:
        found["content"] = content
    if reply.headers:
        found["headers"] = {name: {"schema": {"type": "string"}} for name in reply.headers}
    if status in (201, 202) and reply.json is JobDocument and "Location" in reply.headers:
        found["links"] = {
            name: {"operationId": name, "parameters": {"job_id": "$response.body#/id"}}
            for name in ("show_job", "show_result", "cancel_job")
        }
    return found
