"""The vendored files are what their list says: package, version, licence, SHA-256, and nothing besides."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import vl_convert

from meantime.charts.us_places import ATLAS, ATLAS_FEATURE, STATES, us_shapes

VENDOR = ATLAS.parent
PACKAGES = json.loads((VENDOR / "vendored.json").read_text("utf-8"))
FILES = {file["file"]: file["sha256"] for package in PACKAGES for file in package["files"]}


def test_every_vendored_file_has_the_checksum_of_its_list() -> None:
    assert {name: hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() for name in FILES} == FILES
    assert {path.name for path in VENDOR.iterdir()} == {"vendored.json", *FILES}


def test_every_vendored_package_comes_with_its_licence() -> None:
    for package in PACKAGES:
        licences = [file["file"] for file in package["files"] if file["from"] == "LICENSE"]
        assert licences
        assert (VENDOR / licences[0]).read_text("utf-8")
        assert package["licence"] in {"BSD-3-Clause", "ISC"}


def test_a_page_and_a_picture_are_drawn_by_the_same_minor_version_of_vega_lite() -> None:
    vendored = next(package["version"] for package in PACKAGES if package["package"] == "vega-lite")
    assert vendored.rpartition(".")[0] in vl_convert.get_vegalite_versions()


def test_every_state_has_a_shape_in_the_atlas() -> None:
    objects = us_shapes()["objects"]
    assert isinstance(objects, dict)
    shapes = {shape["id"]: shape["properties"]["name"] for shape in objects[ATLAS_FEATURE]["geometries"]}
    assert {code: name for code, (_, name) in STATES.items()}.items() <= shapes.items()


def test_what_an_address_names_is_the_file_that_the_server_reads(project: Path) -> None:
    assert (project / "src/meantime/web/static/vendor/us-atlas-states-10m.json").samefile(ATLAS)
