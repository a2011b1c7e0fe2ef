"""Adding a statistic is one function and one row: a toy statistic appears everywhere, and works."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from meantime.statistics.catalogue import CATALOGUE, Statistic, Surface, register
from meantime.statistics.parameters import Parameter, ParameterKind
from meantime.statistics.result import Result
from meantime.survey.cube.survey_cube import SurveyCube
from tests.contract.conftest import PLACES
from tests.contract.v1_requests import decoded, problem, submit

LETTER = Parameter(
    name="letter",
    kind=ParameterKind.CHOICE,
    summary="The letter that names begin with.",
    choices=("N", "W"),
    required=True,
    example="W",
)


def initials(cube: SurveyCube, *, letter: str) -> Result:
    """Return the locations whose names begin with a letter."""
    names = [place.name for place in cube.locations if place.name.startswith(letter)]
    return Result([{"location": name, "value": float(len(name))} for name in names], "letters", "initials/1: counted")


@pytest.fixture(autouse=True)
def toy() -> Iterator[Statistic]:
    """The whole of a new statistic: its function above, and this row."""
    row = Statistic(
        name="initials",
        title="Initials",
        summary="The locations whose names begin with a letter.",
        surface=Surface.V1,
        parameters=(LETTER,),
        unit="letters",
        method="initials/1: counted",
        function=initials,
        example={"letter": "W"},
        documentation="methods/mean.md",
    )
    register(row)
    yield row
    del CATALOGUE["initials"]


def test_it_can_be_asked_for(client: FlaskClient, toy: Statistic) -> None:
    response = submit(client, {"statistic": "initials", "parameters": {"letter": "N"}}, Prefer="wait=30")
    result = decoded(response)["result"]
    assert isinstance(result, dict)
    assert [record["location"] for record in result["records"]] == [name for name in PLACES if name.startswith("N")]
    assert result["provenance"]["method"] == "initials/1"
    assert client.get("/api/v1/jobs/1/result.csv").data == b"location,value\r\nNational,8.0\r\nNew Jersey,10.0\r\n"


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
