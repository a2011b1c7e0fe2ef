"""The vendored files are what their list says: package, version, licence, SHA-256, and nothing besides."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import vl_convert

from meantime.charts.us_places import ATLAS, ATLAS_FEATURE, STATES, us_shapes
from tests import browser

FOLDERS = [ATLAS.parent, Path(browser.__file__).parent / "vendor"]
LICENCES = {"BSD-3-Clause", "ISC", "MPL-2.0"}


def packages(folder: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads((folder / "vendored.json").read_text("utf-8"))
    return listed


@pytest.mark.parametrize("folder", FOLDERS, ids=["for the server", "for tests"])
def test_every_vendored_file_has_the_checksum_of_its_list(folder: Path) -> None:
    files = {file["file"]: file["sha256"] for package in packages(folder) for file in package["files"]}
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files} == files
    assert {path.name for path in folder.iterdir()} == {"vendored.json", *files}


@pytest.mark.parametrize("folder", FOLDERS, ids=["for the server", "for tests"])
def test_every_vendored_package_comes_with_its_licence(folder: Path) -> None:
    for package in packages(folder):
        licences = [file["file"] for file in package["files"] if file["from"] == "LICENSE"]
        assert licences
        assert (folder / licences[0]).read_text("utf-8")
        assert package["licence"] in LICENCES


def test_nothing_that_the_server_sends_has_to_stay_open_source() -> None:
    assert {package["licence"] for package in packages(ATLAS.parent)} <= LICENCES - {"MPL-2.0"}


def test_a_page_and_a_picture_are_drawn_by_the_same_minor_version_of_vega_lite() -> None:
    vendored = next(package["version"] for package in packages(ATLAS.parent) if package["package"] == "vega-lite")
    assert vendored.rpartition(".")[0] in vl_convert.get_vegalite_versions()


def test_every_state_has_a_shape_in_the_atlas() -> None:
    objects = us_shapes()["objects"]
    assert isinstance(objects, dict)
    shapes = {shape["id"]: shape["properties"]["name"] for shape in objects[ATLAS_FEATURE]["geometries"]}
    assert {code: name for code, (_, name) in STATES.items()}.items() <= shapes.items()


def test_what_an_address_names_is_the_file_that_the_server_reads(project: Path) -> None:
    assert (project / "src/meantime/web/static/vendor/us-atlas-states-10m.json").samefile(ATLAS)
