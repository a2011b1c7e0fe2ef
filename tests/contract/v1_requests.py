"""Requests to the v1 surface, and the form that every answer has."""

from __future__ import annotations

import orjson
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.contract.conftest import OBESITY

MEAN = {"statistic": "mean", "parameters": {"question": OBESITY, "by": ["location"]}}
WAIT = {"Prefer": "wait=30"}


def decoded(response: TestResponse) -> dict[str, object]:
    found = orjson.loads(response.data)
    assert isinstance(found, dict)
    return found


def submit(client: FlaskClient, body: object = MEAN, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/api/v1/jobs", json=body, headers=named)


def number_of(response: TestResponse) -> int:
    number = decoded(response)["id"]
    assert isinstance(number, int)
    return number


def problem(response: TestResponse, status: int, kind: str) -> dict[str, object]:
    """Return the body of an error answer of this surface, once its form has been checked."""
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    body = decoded(response)
    assert body["status"] == status
    assert body["type"] == f"/problems#{kind}"
    assert isinstance(body["title"], str)
    assert isinstance(body["detail"], str)
    return body
