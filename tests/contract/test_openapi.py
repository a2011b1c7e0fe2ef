"""The OpenAPI document: valid, complete, true. Schemathesis sends what it allows and what it forbids, and looks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib.metadata import files

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from meantime.statistics.catalogue import CATALOGUE
from meantime.web.pages.documentation import ASSETS, swagger_ui_folder
from meantime.web.pages.site import NAVIGATION
from tests.contract.v1_requests import decoded

FEWEST_CASES = 1000
SOAK_CASES = 10_000

# Stricter than schemathesis's own lists but for three statuses: a combination of good fields may be refused with 422 (a
# stratum of another category, weights without their table), and a body or a query of good fields may be too long.
CHECKS = {
    "positive_data_acceptance": {"expected-statuses": ["2xx", "404", "409", "413", "414", "422"]},
    "negative_data_rejection": {"expected-statuses": ["400", "404", "405", "406", "409", "413", "414", "415", "422"]},
    # DELETE cancels a job, which can then still be asked for. Which cases are tried hangs on the strings in the source.
    "use_after_free": {"enabled": False},
}
NOT_FOR_FUZZING = "/api/graceful_shutdown"


@pytest.fixture
def quiet_log() -> Iterator[None]:
    """No log line for each of thousands of refusals."""
    logger = logging.getLogger("meantime")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


def explore(app: Flask, *, examples: int) -> tuple[int, list[str]]:
    """Run every phase of schemathesis on an application; return the number of cases and what was found."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "suppress-health-check": ["too_slow"],  # that is the machine's doing
            "generation": {"max-examples": examples, "deterministic": True, "database": "none"},
            "checks": CHECKS,
        }
    )
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app, config=config).exclude(path=NOT_FOR_FUZZING)
    cases, found = 0, []
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            cases += len(event.recorder.cases)
            checks = [check for checks in event.recorder.checks.values() for check in checks]
            found += [
                f"{event.recorder.label}: {check.failure_info.failure}\n{check.failure_info.code_sample[:2000]}"
                for check in checks
                if check.status is not Status.SUCCESS and check.failure_info is not None
            ]
        elif isinstance(event, events.NonFatalError):
            found.append(f"{event.label}: {event.value}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    return cases, found


@pytest.mark.slow
def test_schemathesis_finds_nothing(app: Flask, quiet_log: None) -> None:
    cases, found = explore(app, examples=3)
    assert found == []
    assert cases >= FEWEST_CASES


@pytest.mark.soak
def test_schemathesis_finds_nothing_when_it_looks_longer(app: Flask, quiet_log: None) -> None:
    cases, found = explore(app, examples=400)
    assert found == []
    assert cases >= SOAK_CASES


# ---- the document ---------------------------------------------------------------------------------------------------


@pytest.fixture
def document(client: FlaskClient) -> dict[str, object]:
    return decoded(client.get("/openapi.json"))


@pytest.mark.slow
def test_the_document_is_valid(document: dict[str, object]) -> None:
    from openapi_spec_validator import validate  # two seconds, for this test alone

    validate(document)


def test_every_route_is_in_the_document_and_nothing_else(app: Flask, document: dict[str, object]) -> None:
    pages = {"/", "/api", "/api/v1", "/problems", "/docs", "/docs/<asset>", "/openapi.json", "/static/<path:filename>"}
    pages |= {"/sign-in", "/sign-out"}
    of_pages = {path.split("/")[1] for path in NAVIGATION.values()} - {""}
    rules = [
        rule for rule in app.url_map.iter_rules() if rule.rule not in pages and rule.rule.split("/")[1] not in of_pages
    ]
    routes = {(rule.rule, method) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    paths = document["paths"]
    assert isinstance(paths, dict)
    described = {
        (path.replace("{", "<").replace("}", ">"), method.upper())
        for path, methods in paths.items()
        for method in methods
    }
    assert routes == described


def test_every_statistic_has_its_parameters_and_an_example_in_the_document(document: dict[str, object]) -> None:
    text = str(document)
    for statistic in CATALOGUE.values():
        for parameter in statistic.parameters():
            assert repr(parameter.name) in text
        assert repr(dict(statistic.example)) in text


def test_operation_ids_are_unique(document: dict[str, object]) -> None:
    paths = document["paths"]
    assert isinstance(paths, dict)
    names = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert len(set(names)) == len(names)


def test_the_names_in_the_data_are_listed_as_accepted(document: dict[str, object]) -> None:
    components = document["components"]
    assert isinstance(components, dict)
    assert "Ohio" in components["schemas"]["LocationName"]["enum"]
    assert components["schemas"]["Year"]["enum"] == [2023]
    properties = components["schemas"]["MeanParameters"]["properties"]
    assert properties["question"]["$ref"] == "#/components/schemas/QuestionName"
    assert properties["locations"]["anyOf"][0]["items"] == {"$ref": "#/components/schemas/LocationName"}


# ---- the page -------------------------------------------------------------------------------------------------------


def test_the_page_asks_no_other_site_for_anything(client: FlaskClient) -> None:
    response = client.get("/docs")
    assert response.content_type == "text/html; charset=utf-8"
    policy = response.headers["Content-Security-Policy"]
    assert "http" not in policy
    assert "script-src 'self';" in policy
    page = response.get_data(as_text=True)
    assert "//" not in page.replace("</", "")
    for source in ("/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/static/docs.js"):
        assert f'"{source}"' in page
        with client.get(source) as asset:
            assert asset.status_code == 200


def test_only_the_page_relaxes_the_policy(client: FlaskClient) -> None:
    for path in ("/openapi.json", "/api/v1/statistics"):
        assert client.get(path).headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize("asset", ["nothing.js", "..", "%2e%2e%2fplugins.py", "swagger-ui-bundle.js.map"])
def test_nothing_but_the_pages_own_files_is_sent(client: FlaskClient, asset: str) -> None:
    assert client.get(f"/docs/{asset}").status_code == 404


def test_the_pages_files_are_part_of_an_installed_package() -> None:
    installed = {str(file) for file in files("flask-openapi-swagger") or []}
    for place in ASSETS.values():
        assert (swagger_ui_folder() / place).is_file()
        assert any(name.endswith(f"swagger/{place}") for name in installed)
