"""A cube comes back from its file as it was written, and a damaged file is as good as none."""

from __future__ import annotations

import hashlib
import io
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pytest

from meantime.survey.cube.cube_version import CUBE_FORMAT
from meantime.survey.cube.survey_cube import Cells, SurveyCube
from meantime.survey.ingest.cube_file import read_cube_file, write_cube_file
from meantime.survey.ingest.ingest_report import IngestReport
from tests.unit.survey.tables import ROW, csv_text, read, written

Read = tuple[SurveyCube, IngestReport]

CHECKSUM_BYTES = 32


@pytest.fixture
def cube(tmp_path: Path) -> Read:
    rows = [
        ROW,
        ROW.replace("Alabama", "Curaçao"),
        ROW.replace("39.2", "").replace("2023", "2022"),
        ROW.replace("Total,Total", ","),
        ROW.replace("2023", "2021"),
    ]
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
    body = path.read_bytes()[CHECKSUM_BYTES:]
    other = body.replace(f'"format": {CUBE_FORMAT}'.encode(), f'"format": {CUBE_FORMAT + 1}'.encode())
    assert other != body
    path.write_bytes(hashlib.sha256(other).digest() + other)
    assert read_cube_file(path) is None


@pytest.mark.parametrize("header", [b"[" * 60_000, b"[]", b"{}", b"not JSON", f'{{"format": {CUBE_FORMAT}}}'.encode()])
def test_a_whole_file_that_another_program_wrote_is_worthless(header: bytes, tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, np.frombuffer(header, np.uint8))
    for body in (stream.getvalue(), header):
        assert read_cube_file(written(tmp_path, hashlib.sha256(body).digest() + body, "a.cube")) is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" * 20, hashlib.sha256().digest()], ids=["empty", "zip", "bare"])
def test_a_file_that_is_no_cube_is_worthless(content: bytes, tmp_path: Path) -> None:
    assert read_cube_file(written(tmp_path, content, "a.cube")) is None


def test_every_column_of_a_cube_that_was_read_is_aligned(cube: Read, tmp_path: Path) -> None:
    write_cube_file(tmp_path / "a.cube", *cube)
    found = read_cube_file(tmp_path / "a.cube")
    assert found is not None
    assert len(found[0].cells) % 2, "an even number of cells is aligned by itself"
    assert all(getattr(found[0].cells, column.name).flags.aligned for column in fields(Cells))


def test_a_directory_that_can_not_be_written_leaves_nothing_behind(cube: Read, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_cube_file(tmp_path / "taken", *cube)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".writing")] == []
