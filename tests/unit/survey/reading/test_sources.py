"""Opening a source: what it is packed in, and whether it stays what it was."""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path

import pytest

from meantime.errors import DataChangedError, DataError
from meantime.survey.reading.sources import open_source, source_kind, source_sha256, stem
from tests.unit.survey.tables import ROW, csv_text, written

MEGABYTE = 1024 * 1024


def test_the_checksum_is_that_of_the_file_as_it_lies_there(tmp_path: Path) -> None:
    content = gzip.compress(csv_text([ROW]).encode())
    source = written(tmp_path, content, "table.csv.gz")
    assert source_sha256(source) == hashlib.sha256(content).hexdigest()
    with open_source(source) as opened:
        assert opened.sha256 == hashlib.sha256(content).hexdigest()
        assert opened.plain_sha256() == hashlib.sha256(csv_text([ROW]).encode()).hexdigest()


def test_unpacked_bytes_leave_no_file_behind(tmp_path: Path) -> None:
    source = written(tmp_path, gzip.compress(b"a,b\n" * 1000), "table.csv.gz")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with open_source(source, scratch_directory=scratch) as opened:
        assert list(scratch.iterdir()) == []
        assert Path(opened.engine_path).read_bytes() == b"a,b\n" * 1000


def test_a_source_that_is_replaced_stays_open_as_it_was(tmp_path: Path) -> None:
    source = written(tmp_path, "first")
    with open_source(source) as opened:
        written(tmp_path, "second", "new.csv").replace(source)
        assert Path(opened.engine_path).read_bytes() == b"first"
        opened.check_unchanged()


def test_a_source_that_was_rewritten_is_noticed(tmp_path: Path) -> None:
    source = written(tmp_path, "first")
    with open_source(source) as opened:
        source.write_bytes(b"other")
        os.utime(source, ns=(0, opened.changed_ns))
        with pytest.raises(DataChangedError, match="was changed while it was read"):
            opened.check_unchanged()


def test_a_source_that_was_changed_there_and_back_is_noticed(tmp_path: Path) -> None:
    source = written(tmp_path, "first")
    with open_source(source) as opened:
        source.write_bytes(b"other")
        source.write_bytes(b"first")
        os.utime(source, ns=(0, opened.changed_ns + 1))
        with pytest.raises(DataChangedError, match="was changed while it was read"):
            opened.check_unchanged()


def test_a_change_that_breaks_the_unpacking_is_called_a_change(tmp_path: Path) -> None:
    source = written(tmp_path, gzip.compress(os.urandom(2 * MEGABYTE)), "table.csv.gz")

    def truncate(phase: str, part: float) -> None:
        os.truncate(source, MEGABYTE)

    with pytest.raises(DataChangedError), open_source(source, progress=truncate):
        pytest.fail("it was opened")


def test_progress_rises_to_1_while_a_source_is_unpacked(tmp_path: Path) -> None:
    source = written(tmp_path, gzip.compress(os.urandom(5 * MEGABYTE)), "table.csv.gz")
    told: list[tuple[str, float]] = []
    with open_source(source, progress=lambda phase, part: told.append((phase, part))):
        parts = [part for _, part in told]
    assert {phase for phase, _ in told} == {"unpack"}
    assert parts == sorted(parts)
    assert 0 < parts[0] < 0.5
    assert parts[-1] == 1.0


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.csv", "a"), ("a.CSV.gz", "a"), ("a.b.csv.zst", "a.b"), ("a.zip", "a"), ("a.parquet", "a"), ("a.txt", "a")],
)
def test_the_stem_is_the_name_without_its_packing(name: str, expected: str) -> None:
    assert stem(Path(name)) == expected


def test_a_file_without_permission_is_a_clear_error(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0)
    if os.access(folder, os.X_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(DataError, match="permission denied"):
        source_kind(folder / "table.csv")
