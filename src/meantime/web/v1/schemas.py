"""The shapes of v1 answers as JSON Schema (2020-12), by name. Shapes of requests come from the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from meantime.fields.kinds import JsonSchema
from meantime.jobs.job_state import JobState

PREFIX = "#/components/schemas/"


def ref(name: str) -> JsonSchema:
    """Return a reference to a named schema."""
    return {"$ref": PREFIX + name}


def record(
    properties: Mapping[str, JsonSchema], *, optional: tuple[str, ...] = (), is_open: bool = False
) -> JsonSchema:
    """Return the schema of an object that has these fields, and no other unless it is open."""
    schema: JsonSchema = {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
    }
    return schema if is_open else schema | {"additionalProperties": False}


def array(items: JsonSchema) -> JsonSchema:
    """Return the schema of a list."""
    return {"type": "array", "items": items}


TEXT: JsonSchema = {"type": "string"}
COUNT: JsonSchema = {"type": "integer", "minimum": 0}
TRUTH: JsonSchema = {"type": "boolean"}
OBJECT: JsonSchema = {"type": "object"}
TIME: JsonSchema = {"type": "string", "format": "date-time"}
TEXTS: JsonSchema = {"type": "object", "additionalProperties": {"type": "string"}}


def or_null(schema: JsonSchema) -> JsonSchema:
    """Return a schema that also accepts null."""
    return {"anyOf": [schema, {"type": "null"}]}


_JOB = record(
    {
        "id": {"type": "integer", "minimum": 1},
        "state": {"type": "string", "enum": [state.value for state in JobState]},
        "statistic": TEXT,
        "parameters": OBJECT | {"description": "With every default filled in; null where nothing was asked for."},
        "dataset": record({"name": TEXT, "version": TEXT}),
        "submitted_at": TIME,
        "started_at": or_null(TIME),
        "finished_at": or_null(TIME),
        "attempt": COUNT | {"description": "How often it was started: more than once only after a crash."},
        "progress": or_null(record({"jobs_ahead": COUNT}))
        | {"description": "How many accepted jobs come before it; null once it has ended."},
        "reason": or_null(TEXT) | {"description": "Why it failed or was cancelled."},
        "result": or_null(OBJECT) | {"description": "The result, when the job is done and it is small."},
        "links": TEXTS,
    }
)

_RECORD: JsonSchema = {
    "type": "object",
    "description": "One answer: its dimensions, its value with error and limits, and what the statistic adds.",
    "properties": {
        "question": TEXT,
        "location": TEXT,
        "year": {"type": "integer"},
        "category": TEXT,
        "stratum": TEXT,
        "value": {"type": ["number", "null"]},
        "standard_error": {"type": ["number", "null"]},
        "low": {"type": ["number", "null"]},
        "high": {"type": ["number", "null"]},
        "sample_size": {"type": ["number", "null"]},
        "cells_used": COUNT,
        "cells_suppressed": COUNT,
        "reliability": {"type": ["string", "null"], "enum": ["ok", "caution", "suppressed", None]},
    },
    "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
}

_STATISTIC_RESULT = record(
    {
        "records": array(ref("Record")),
        "unit": TEXT,
        "method": TEXT,
        "cautions": array(TEXT) | {"description": "What a reader must know before trusting a number."},
        "explanation": OBJECT | {"description": "What `explain` asked for."},
        "provenance": record(
            {
                "dataset": OBJECT,
                "request": record({"statistic": TEXT, "parameters": OBJECT}),
                "method": TEXT,
                "citation": TEXT,
                "reproduce": record({"curl": TEXT, "python": TEXT, "r": TEXT}),
            }
        ),
    },
    optional=("explanation",),
)

_DATASET = record(
    {
        "name": TEXT,
        "version": TEXT,
        "provenance": TEXTS,
        "report": OBJECT,
        "software": TEXT,
        "links": TEXTS,
    }
)

_NAMES = array(TEXT)
_CHANGE = record({"added": _NAMES, "removed": _NAMES})
_CELL_VALUE = or_null({"type": "number"})

_DRIFT_REPORT = record(
    {
        "dataset": TEXT,
        "version_before": TEXT,
        "version_after": TEXT,
        "is_same": TRUTH,
        "summary": TEXT,
        "row_count_before": COUNT,
        "row_count_after": COUNT,
        "columns": array(record({"role": TEXT, "before": or_null(TEXT), "after": or_null(TEXT)})),
        "questions": _CHANGE,
        "locations": _CHANGE,
        "years": _CHANGE,
        "strata": _CHANGE,
        "cells": record(
            {
                "added_count": COUNT,
                "removed_count": COUNT,
                "changed_count": COUNT,
                "unchanged_count": COUNT,
                "largest_change": {"type": "number"},
                "examples": array(
                    record(
                        {
                            "question": TEXT,
                            "location": TEXT,
                            "year": {"type": "integer"},
                            "category": TEXT,
                            "stratum": TEXT,
                            "before": _CELL_VALUE,
                            "after": _CELL_VALUE,
                        }
                    )
                ),
            }
        ),
        "warnings": _NAMES,
    }
)

ANSWERS: dict[str, JsonSchema] = {
    "Job": _JOB,
    "JobPage": record({"jobs": array(ref("Job")), "next": or_null(TEXT)}),
    "Record": _RECORD,
    "StatisticResult": _STATISTIC_RESULT,
    "Result": {
        "description": "Of a v1 statistic: records with method and source. Of a contract statistic: means by name.",
        "anyOf": [ref("StatisticResult"), OBJECT],
    },
    "Dataset": _DATASET,
    "DriftReport": _DRIFT_REPORT,
    "DatasetList": record({"datasets": array(record({"name": TEXT, "version": TEXT, "title": TEXT, "links": TEXTS}))}),
    "StatisticList": record(
        {
            "statistics": array(
                record(
                    {
                        "name": TEXT,
                        "title": TEXT,
                        "summary": TEXT,
                        "unit": TEXT,
                        "method": TEXT,
                        "parameters": OBJECT | {"description": "JSON Schema of the parameters."},
                        "example": record({"statistic": TEXT, "parameters": OBJECT}),
                    }
                )
            )
        }
    ),
    "QuestionList": record(
        {
            "questions": array(
                record(
                    {
                        "id": TEXT,
                        "text": TEXT,
                        "direction": or_null({"type": "string", "enum": ["lower_is_better", "higher_is_better"]}),
                        "unit": TEXT,
                        "years": array({"type": "integer"}),
                    }
                )
            )
        }
    ),
    "LocationList": record(
        {
            "locations": array(
                record(
                    {
                        "name": TEXT,
                        "abbreviation": TEXT,
                        "fips": TEXT,
                        "kind": {"type": "string", "enum": ["state", "territory", "nation"]},
                    }
                )
            )
        }
    ),
    "CategoryList": record(
        {
            "categories": array(
                record(
                    {
                        "category": TEXT,
                        "strata": array(
                            record({"stratum": TEXT, "order": {"type": ["integer", "null"]}, "is_overall": TRUTH})
                        ),
                    }
                )
            )
        }
    ),
    "Problem": record(
        {
            "type": TEXT,
            "title": TEXT,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": TEXT,
            "field": TEXT | {"description": "The field that is wrong."},
            "accepted": array(TEXT) | {"description": "Its accepted values, when they are few."},
            "nearest": array(TEXT) | {"description": "The accepted values most like the one that was sent."},
        },
        optional=("field", "accepted", "nearest"),
        is_open=True,
    )
    | {"description": "RFC 9457."},
    "ContractProblem": record(
        {
            "status": {"type": "string", "const": "error"},
            "reason": TEXT,
            "type": TEXT,
            "title": TEXT,
            "detail": TEXT,
        },
        is_open=True,
    ),
    "JobId": record({"job_id": {"type": "string", "pattern": "^job_id_[1-9][0-9]*$"}}),
    "ContractAnswer": {
        "anyOf": [
            record({"status": {"const": "running"}}),
            record({"status": {"const": "done"}, "data": OBJECT}),
            record({"status": {"const": "error"}, "reason": TEXT}),
        ]
    },
    "ContractJobs": record({"status": {"const": "done"}, "data": array(TEXTS)}),
    "JobCount": record({"status": {"const": "done"}, "num_jobs": COUNT, "data": COUNT}),
    "Drain": record({"status": {"type": "string", "enum": ["running", "done"]}}),
    "Health": record({"status": TEXT}),
}
