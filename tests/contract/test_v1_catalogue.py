"""Adding a statistic is one class: a toy statistic appears everywhere, and works."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

import pytest
from flask.testing import FlaskClient

from meantime.fields.fields import Example
from meantime.fields.kinds import Choice
from meantime.statistics.catalogue import CATALOGUE, Statistic, register
from meantime.statistics.result import Record, Result
from meantime.statistics.statistic import StatisticData
from tests.contract.conftest import PLACES
from tests.contract.v1_requests import decoded, problem, submit


@dataclass(frozen=True, kw_only=True)
class Initials(Statistic):
    """The whole of a new statistic."""

    name = "initials"
    title = "Initials"
    summary = "The locations whose names begin with a letter."
    unit = "letters"
    method = "initials/1: counted"
    example: ClassVar = {"letter": "W"}
    documentation = "methods/mean.md"

    letter: Annotated[str, Choice(("N", "W")), "The letter that names begin with.", Example("W")]

    def compute(self, data: StatisticData) -> Result:
        names = [place.name for place in data.cube.locations if place.name.startswith(self.letter)]
        records: list[Record] = [{"location": name, "value": float(len(name))} for name in names]
        return Result(records, self.unit, self.method)


@pytest.fixture(autouse=True)
def toy() -> Iterator[None]:
    """Put it into the catalogue."""
    register(Initials)
    yield
    del CATALOGUE[Initials.name]


def test_it_can_be_asked_for(client: FlaskClient) -> None:
    response = submit(client, {"statistic": "initials", "parameters": {"letter": "N"}}, Prefer="wait=30")
    result = decoded(response)["result"]
    assert isinstance(result, dict)
    assert [record["location"] for record in result["records"]] == [name for name in PLACES if name.startswith("N")]
    assert result["provenance"]["method"] == "initials/1"
    header, *lines = client.get("/api/v1/jobs/1/result.csv").text.splitlines()
    assert header == "location,value,unit,method,citation"
    assert [line.partition(",letters,")[0] for line in lines] == ["National,8.0", "New Jersey,10.0"]


def test_its_parameters_are_checked(client: FlaskClient) -> None:
    body = problem(submit(client, {"statistic": "initials", "parameters": {"letter": "X"}}), 422, "invalid-parameter")
    assert (body["field"], body["accepted"]) == ("letter", ["N", "W"])


def test_it_is_listed_with_its_example(client: FlaskClient) -> None:
    statistics = decoded(client.get("/api/v1/statistics"))["statistics"]
    assert isinstance(statistics, list)
    (listed,) = [each for each in statistics if each["name"] == "initials"]
    assert listed["example"] == {"statistic": "initials", "parameters": {"letter": "W"}}
    assert listed["parameters"]["properties"]["letter"]["enum"] == ["N", "W"]


def test_the_openapi_document_has_its_parameters_and_its_example(client: FlaskClient) -> None:
    document = decoded(client.get("/openapi.json"))
    components, paths = document["components"], document["paths"]
    assert isinstance(components, dict)
    assert isinstance(paths, dict)
    assert components["schemas"]["InitialsParameters"]["properties"]["letter"]["enum"] == ["N", "W"]
    (form,) = [
        form
        for form in components["schemas"]["Submission"]["oneOf"]
        if form["properties"]["statistic"] == {"const": "initials"}
    ]
    assert form["properties"]["parameters"] == {"$ref": "#/components/schemas/InitialsParameters"}
    examples = paths["/api/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert examples["initials"]["value"] == {"statistic": "initials", "parameters": {"letter": "W"}}


def test_jobs_can_be_listed_by_it(client: FlaskClient) -> None:
    submit(client, {"statistic": "initials", "parameters": {"letter": "W"}}, Prefer="wait=30")
    submit(client, Prefer="wait=30")
    jobs = decoded(client.get("/api/v1/jobs?statistic=initials"))["jobs"]
    assert isinstance(jobs, list)
    assert [job["id"] for job in jobs] == [1]
