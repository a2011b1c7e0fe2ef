"""The contract's cases: ours on the bundled table, and the 228 upstream ones where they are at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meantime.statistics.catalogue import CATALOGUE, Surface
from meantime.survey.cube.survey_cube import SurveyCube
from tests.agreement import disagreement
from tests.asking import ask
from tests.bundled import bundled_cube, bundled_rows
from tests.cubes import cube_of
from tests.make_cases import CASES, cases, files
from tests.reference import CONTRACT, read_rows

ENDPOINTS = [row.name for row in CATALOGUE.values() if row.surface is Surface.CONTRACT]


@pytest.fixture(scope="module")
def subset(shared: Path) -> SurveyCube:
    return cube_of(read_rows(shared / "data" / "npao-subset-2011-2022.zip"))


def answer(endpoint: str, cube: SurveyCube, request: Path) -> object:
    return ask(endpoint, cube, json.loads(request.read_text("utf-8")))


def pairs(folder: Path, endpoint: str) -> list[tuple[Path, Path]]:
    """Return the files of an endpoint: request and expected answer."""
    found = sorted((folder / endpoint / "input").glob("in-*.json"))
    return [(path, folder / endpoint / "output" / path.name.replace("in-", "out-")) for path in found]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_case_of_the_bundled_table_comes_out_in_order(endpoint: str) -> None:
    found = pairs(CASES, endpoint)
    assert len(found) >= 9
    for request, expected in found:
        actual, right = answer(endpoint, bundled_cube(), request), json.loads(expected.read_text("utf-8"))
        assert disagreement(actual, right, path=f"{endpoint} {request.name}") is None
        assert isinstance(actual, dict)
        assert list(actual) == list(right), request


def test_the_cases_on_disk_are_those_that_the_reference_gives() -> None:
    written = {path: content for case in cases(bundled_rows()) for path, content in files(case).items()}
    on_disk = {path.relative_to(CASES) for path in CASES.rglob("*.json")}
    assert on_disk == set(written), "write them with: python -m tests.make_cases"
    assert {path.parts[0] for path in on_disk} == set(CONTRACT) == set(ENDPOINTS)
    stale = [path for path, content in written.items() if (CASES / path).read_text("utf-8") != content]
    assert not stale, "write them with: python -m tests.make_cases"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("edition", ["2024", "2025"])
def test_every_upstream_case_comes_out(endpoint: str, edition: str, shared: Path, subset: SurveyCube) -> None:
    found = pairs(shared / "cases" / edition, endpoint)
    assert found
    for request, expected in found:
        right = json.loads(expected.read_text("utf-8"))
        actual = answer(endpoint, subset, request)
        assert disagreement(actual, right, tolerance=1e-9, path=f"{endpoint} {request.name}") is None
