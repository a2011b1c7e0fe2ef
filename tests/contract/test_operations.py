"""Adding an operation is one decorated method: a toy one is routed, described and listed, and answers what it says."""

from __future__ import annotations

from typing import Annotated, TypedDict

import pytest
from flask import Response
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.web.app import create_app
from meantime.web.json_schema import Count
from meantime.web.operations import Reply, operation
from meantime.web.responses import json_response
from tests.contract.v1_requests import decoded


class ToyDocument(TypedDict):
    """How many letters a dataset's name has."""

    dataset: str
    letters: Annotated[Count, "Blanks are none."]


class Toys:
    """The whole of a new operation."""

    def __init__(self, service: MeantimeService) -> None:
        self._service = service

    @operation("GET", "/api/v1/toy", tag="toys", replies={200: Reply("The toy.", ToyDocument)}, per_dataset=True)
    def show_toy(self, dataset: str | None = None) -> Response:
        """Show the toy."""
        name = self._service.dataset(dataset).name
        toy: ToyDocument = {"dataset": name, "letters": len(name)}
        return json_response(toy)


@pytest.fixture
def client(service: MeantimeService, settings: Settings) -> FlaskClient:
    """A client of a server with the toy."""
    return create_app(service, settings, resources=[Toys(service)]).test_client()


@pytest.mark.parametrize("path", ["/api/v1/toy", "/api/v1/datasets/small/toy"])
def test_it_answers_what_the_document_says(client: FlaskClient, path: str) -> None:
    answer = decoded(client.get(path))
    assert answer == {"dataset": "small", "letters": 5}
    document = decoded(client.get("/openapi.json"))
    Draft202012Validator(document | {"$ref": "#/components/schemas/Toy"}).validate(answer)


def test_the_document_describes_it_and_its_twin_below_a_dataset(client: FlaskClient) -> None:
    document = decoded(client.get("/openapi.json"))
    paths, components = document["paths"], document["components"]
    assert isinstance(paths, dict)
    assert isinstance(components, dict)
    described = paths["/api/v1/toy"]["get"]
    assert (described["operationId"], described["tags"], described["summary"]) == (
        "show_toy",
        ["toys"],
        "Show the toy.",
    )
    content = described["responses"]["200"]["content"]
    assert content == {"application/json": {"schema": {"$ref": "#/components/schemas/Toy"}}}
    assert "toys" in [tag["name"] for tag in document["tags"]]  # type: ignore[attr-defined]  # a list
    twin = paths["/api/v1/datasets/{dataset}/toy"]["get"]
    assert twin["operationId"] == "dataset_show_toy"
    assert twin["parameters"][0]["name"] == "dataset"
    assert components["schemas"]["Toy"] == {
        "type": "object",
        "description": "How many letters a dataset's name has.",
        "properties": {
            "dataset": {"type": "string"},
            "letters": {"type": "integer", "minimum": 0, "description": "Blanks are none."},
        },
        "required": ["dataset", "letters"],
        "additionalProperties": False,
    }


def test_the_front_page_lists_it_once(client: FlaskClient) -> None:
    endpoints = decoded(client.get("/"))["endpoints"]
    assert isinstance(endpoints, list)
    listed = [endpoint for endpoint in endpoints if endpoint["path"].endswith("/toy")]
    assert listed == [{"method": "GET", "path": "/api/v1/toy", "summary": "Show the toy."}]
    assert "/api/v1/toy" in client.get("/endpoints", headers={"Accept": "text/html"}).text
