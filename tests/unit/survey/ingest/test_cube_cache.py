"""Cubes and the dataset versions that they belong to, kept for later; what is damaged is not there."""

from __future__ import annotations

import os
import time
from dataclasses import fields, replace
from pathlib import Path

import pytest

from meantime.survey.ingest.cube_cache import CubeCache
from meantime.survey.ingest.cube_file import write_cube_file
from meantime.survey.ingest.data_ingestor import DataIngestor
from meantime.survey.ingest.dataset import Dataset, dataset_version
from meantime.survey.ingest.provenance import Provenance
from tests.unit.survey.tables import ROW, csv_text, written

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The cache's folder."""
    return tmp_path / "cubes"


@pytest.fixture
def dataset(tmp_path: Path, folder: Path) -> Dataset:
    return DataIngestor(written(tmp_path, csv_text([ROW])), name="brfss", cache_directory=folder).ingest()


def titled(dataset: Dataset, title: str) -> Dataset:
    return replace(dataset, provenance=replace(dataset.provenance, title=title))


def test_a_cube_under_another_version_s_name_is_not_taken_for_it(dataset: Dataset, tmp_path: Path) -> None:
    cache = CubeCache(tmp_path)
    write_cube_file(cache.path("0" * 64), dataset.cube, dataset.report)
    assert cache.find("0" * 64) is None
    write_cube_file(cache.path(dataset.cube.version), dataset.cube, dataset.report)
    assert cache.find(dataset.cube.version) is not None


@pytest.mark.parametrize("name", [field.name for field in fields(Provenance)])
def test_every_word_of_the_provenance_is_in_the_dataset_s_version_and_none_in_the_cube_s(
    name: str, dataset: Dataset
) -> None:
    other = replace(dataset, provenance=replace(dataset.provenance, **{name: "other"}))
    assert other.version != dataset.version
    assert other.cube.version == dataset.cube.version


def test_datasets_with_other_words_about_the_same_figures_share_a_cube(dataset: Dataset, folder: Path) -> None:
    cache, other = CubeCache(folder), titled(dataset, "Ours")
    cache.note(other)
    for each in (dataset, other):
        found = cache.find_dataset("brfss", each.version)
        assert found is not None
        assert (found.name, found.version, found.provenance) == ("brfss", each.version, each.provenance)
        assert found.cube.version == dataset.cube.version
    assert len(list(folder.glob("*.cube"))) == 1


def test_a_damaged_note_is_as_good_as_none(dataset: Dataset, folder: Path) -> None:
    cache = CubeCache(folder)
    note = folder / f"{dataset.version}.dataset.json"
    content = note.read_bytes()
    for place in range(0, len(content), 3):
        note.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        found = cache.find_dataset("brfss", dataset.version)
        assert found is None or found.provenance == dataset.provenance, place
        note.write_bytes(content[:place])
        assert cache.find_dataset("brfss", dataset.version) is None, place


def test_a_version_whose_cube_is_gone_is_not_there(dataset: Dataset, folder: Path) -> None:
    cache = CubeCache(folder)
    cache.path(dataset.cube.version).unlink()
    assert cache.find_dataset("brfss", dataset.version) is None


def test_the_newest_cubes_and_notes_are_kept_and_what_a_killed_writer_left_goes(folder: Path, dataset: Dataset) -> None:
    cache = CubeCache(folder)
    made = [folder / f"{i}.cube" for i in range(20)] + [folder / f"{i}.dataset.json" for i in range(1100)]
    made += [folder / ".writing-left", folder / ".writing-now"]
    for path in made:
        path.touch()
    for i in range(20):
        os.utime(folder / f"{i}.cube", (i, i))
    for i in range(1100):
        os.utime(folder / f"{i}.dataset.json", (i, i))
    os.utime(folder / ".writing-left", (0, 0))
    cache.prune()
    left = {path.name for path in folder.iterdir()}
    assert {f"{i}.cube" for i in range(13, 20)} | {f"{dataset.cube.version}.cube"} == {
        name for name in left if name.endswith(".cube")
    }
    assert len([name for name in left if name.endswith(".dataset.json")]) == 1000
    assert f"{dataset.version}.dataset.json" in left
    assert {name for name in left if name.startswith(".writing")} == {".writing-now"}


def test_what_was_written_while_the_clock_was_ahead_goes_before_what_is_written_now(
    folder: Path, dataset: Dataset
) -> None:
    ahead_s = time.time() + 10 * 365 * 86_400
    for i in range(20):
        (folder / f"{i}.cube").touch()
        os.utime(folder / f"{i}.cube", (ahead_s + i, ahead_s + i))
    CubeCache(folder).prune()
    assert CubeCache(folder).find(dataset.cube.version) is not None
    assert len(list(folder.glob("*.cube"))) == 8


def test_a_version_is_a_checksum_of_the_cube_s_and_the_provenance(dataset: Dataset) -> None:
    assert dataset.version == dataset_version(dataset.cube.version, dataset.provenance)
    assert len(dataset.version) == 64
