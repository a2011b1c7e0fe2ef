"""A cube comes back from its file as it was written, and a damaged file is as good as none."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pytest

from meantime.survey.cube.array_file import read_array_file, write_array_file
from meantime.survey.cube.cube_file import read_cube_file, write_cube_file
from meantime.survey.cube.cube_version import CUBE_FORMAT, cube_version
from meantime.survey.cube.survey_cube import Cells, SurveyCube
from meantime.survey.ingest.cube_cache import CubeCache
from meantime.survey.ingest.dataset import IngestReport
from meantime.survey.reading.mapping import parse_mapping
from meantime.survey.reading.profile import Profile
from meantime.survey.reading.sources import SourceKind
from tests.unit.survey.tables import ROW, csv_text, read, written

Read = tuple[SurveyCube, IngestReport]


@pytest.fixture
def cube(tmp_path: Path) -> Read:
    rows = [ROW, ROW.replace("Alabama", "Curaçao"), ROW.replace("39.2", ""), ROW.replace("Total,Total", ",")]
    return read(written(tmp_path, csv_text([*rows, ROW.removeprefix("2023")])))


def test_a_cube_and_its_report_come_back_as_they_were(cube: Read, tmp_path: Path) -> None:
    write_cube_file(tmp_path / "a.cube", *cube)
    found = read_cube_file(tmp_path / "a.cube")
    assert found is not None
    for name in ("version", "questions", "locations", "segments", "question_bounds"):
        assert getattr(found[0], name) == getattr(cube[0], name)
    for column in fields(Cells):
        one, other = getattr(found[0].cells, column.name), getattr(cube[0].cells, column.name)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    assert found[1] == cube[1]
    assert asdict(found[1]) == asdict(cube[1])


def test_the_arrays_of_a_cube_that_was_read_can_not_be_changed(cube: Read, tmp_path: Path) -> None:
    write_cube_file(tmp_path / "a.cube", *cube)
    found = read_cube_file(tmp_path / "a.cube")
    assert found is not None
    with pytest.raises(ValueError, match="read-only"):
        found[0].cells.value_sum[0] = 1.0


def test_one_changed_bit_anywhere_makes_the_file_worthless(cube: Read, tmp_path: Path) -> None:
    path = tmp_path / "a.cube"
    write_cube_file(path, *cube)
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        assert read_cube_file(path) is None, place


def test_a_file_that_was_cut_short_is_worthless(cube: Read, tmp_path: Path) -> None:
    path = tmp_path / "a.cube"
    write_cube_file(path, *cube)
    content = path.read_bytes()
    for length in range(0, len(content), 11):
        path.write_bytes(content[:length])
        assert read_cube_file(path) is None, length


def test_a_file_of_another_format_is_worthless(cube: Read, tmp_path: Path) -> None:
    path = tmp_path / "a.cube"
    write_cube_file(path, *cube)
    whole = read_array_file(path)
    assert whole is not None
    header = whole.header.replace(f'"format": {CUBE_FORMAT}', f'"format": {CUBE_FORMAT + 1}')
    assert header != whole.header
    write_array_file(path, header, whole.arrays)
    assert read_cube_file(path) is None


def test_a_file_under_another_version_s_name_is_not_taken_for_it(cube: Read, tmp_path: Path) -> None:
    cache = CubeCache(tmp_path)
    write_cube_file(cache.path("0" * 64), *cube)
    assert cache.find("0" * 64) is None
    write_cube_file(cache.path(cube[0].version), *cube)
    assert cache.find(cube[0].version) is not None


def test_a_directory_that_can_not_be_written_leaves_nothing_behind(cube: Read, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_cube_file(tmp_path / "taken", *cube)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".writing")] == []


def test_the_version_depends_on_everything_that_changes_how_a_table_is_read() -> None:
    plain = Profile()
    mappings = (
        '[names]\nnation = ["USA"]',
        '[names]\nmissing = ["NA"]',
        '[strata]\nAge = ["young", "old"]',
        '[directions]\nQ1 = "lower_is_better"',
        '[fixed]\ncategory = "Group"',
        '[columns]\nvalue = "pct"',
        '[file]\ndelimiter = ";"',
    )
    versions = {cube_version("00", SourceKind.CSV, parse_mapping(text, "m").profile) for text in mappings}
    versions |= {cube_version("00", kind, plain) for kind in (SourceKind.CSV, SourceKind.PARQUET)}
    versions |= {cube_version("01", SourceKind.CSV, plain)}
    assert len(versions) == len(mappings) + 3
    titled = parse_mapping('[source]\ntitle = "Ours"', "m").profile
    assert cube_version("00", SourceKind.CSV, titled) in versions, "a title changes no figure"
