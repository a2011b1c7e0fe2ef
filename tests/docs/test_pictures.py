"""The pictures of the README are those that the bundled table gives; `make pictures` draws them anew."""

from __future__ import annotations

import hashlib
import json
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import orjson
import pytest

from meantime.bootstrap import make_ingestor
from meantime.settings import Settings
from tests.conftest import PROJECT

FOLDER = PROJECT / "docs/pictures"
LISTED = json.loads((FOLDER / "pictures.json").read_text("utf-8"))

pytestmark = pytest.mark.slow


def test_each_picture_is_of_the_result_that_is_computed_today(tmp_path: Path) -> None:
    loader = SourceFileLoader("pictures", str(PROJECT / ".ci/pictures"))
    spec = spec_from_loader("pictures", loader)
    assert spec is not None
    drawing = module_from_spec(spec)
    loader.exec_module(drawing)
    dataset = make_ingestor(Settings(state_dir=tmp_path)).ingest()
    for name, picture in LISTED.items():
        content = orjson.dumps(drawing.spec_of(dataset, picture))
        assert hashlib.sha256(content).hexdigest() == picture["spec_sha256"], f"{name}: run make pictures"


@pytest.mark.parametrize("name", LISTED)
def test_the_readme_shows_each_picture_with_words_for_those_who_do_not_see_it(name: str) -> None:
    assert (FOLDER / name).read_bytes().startswith(b"\x89PNG")
    [shown] = [
        line for line in (PROJECT / "README.md").read_text("utf-8").splitlines() if f"docs/pictures/{name}" in line
    ]
    words = shown.partition('alt="')[2].partition('"')[0]
    assert len(words) > 40
