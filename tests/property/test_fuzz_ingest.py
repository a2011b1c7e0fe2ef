"""Random files against the ingest: a cube that holds what was counted, or one clear line; never another exception."""

from __future__ import annotations

import gzip
import io
import tempfile
import zipfile
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given, settings

from meantime.errors import DataError
from tests.unit.survey.conftest import quiet_end
from tests.unit.survey.tables import HEADER, ROW, read, written

__all__ = ["quiet_end"]

CI_COUNT = 50
SOAK_COUNT = 10_000

FIELDS = st.sampled_from(
    [
        "", " ", "2023", "39.2", "-1", "1e999", "nan", "NaN", "inf", "-", "~", "0x1F", "1,5", '"', '""', '"a', 'a"b',
        "'", "\0", "\r", "\n", "\ufeff", "\u2028", "é", "😀", "=1+1", "1_000", "٣", "9" * 30, "x" * 3000, "NULL",
        "true",
        "2023-01-01", "Alabama", "National", "Total", "Q036", "38.5%", "\x1a", "\t", ";", "|", "1e-400", "-0", "+5",
        "\\N",
    ]
)  # fmt: skip
HEADERS = st.sampled_from([*HEADER, "", " ", "Question", "question", '"', "\0", "x" * 300, "Sex", "é", "1"])
SEPARATORS = st.sampled_from([",", ",", ",", ";", "\t", "|", ", "])
ENDS = st.sampled_from(["\n", "\n", "\r\n", "\r", "\n\n", ""])


@st.composite
def damaged_tables(draw: st.DrawFn) -> bytes:
    """A good table with fields, separators, line ends and bytes replaced here and there."""
    lines = [list(HEADER), *[ROW.split(",") for _ in range(draw(st.integers(0, 4)))]]
    for line in lines:
        for _ in range(draw(st.integers(0, 3))):
            at = draw(st.integers(0, len(line)))
            line[at : at + draw(st.integers(0, 2))] = draw(st.lists(FIELDS, max_size=2))
    separator, end = draw(SEPARATORS), draw(ENDS)
    content = bytearray(end.join(separator.join(line) for line in lines).encode("utf-8"))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(content)))
        content[at : at + draw(st.integers(0, 8))] = draw(st.binary(max_size=4))
    return bytes(content)


@st.composite
def made_up_tables(draw: st.DrawFn) -> bytes:
    """A table of strange headers and fields."""
    lines = [draw(st.lists(HEADERS, max_size=16))]
    lines += draw(st.lists(st.lists(FIELDS, max_size=16), max_size=4))
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-16", "latin-1", "utf-8-sig"]))
    return "\n".join(",".join(line) for line in lines).encode(encoding, "replace")


def zipped(content: bytes) -> bytes:
    """Return a zip with one CSV."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", content)
    return packed.getvalue()


@st.composite
def files(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file's name and content; packed ones are damaged after packing, some aren't packed at all."""
    content = draw(damaged_tables() | damaged_tables() | made_up_tables() | st.binary(max_size=300))
    ending = draw(st.sampled_from(["csv", "csv", "csv", "csv.gz", "zip", "csv.zst", "parquet"]))
    if ending in ("csv.gz", "zip") and draw(st.booleans()):
        packed = bytearray(gzip.compress(content) if ending == "csv.gz" else zipped(content))
        if draw(st.booleans()):
            at = draw(st.integers(0, len(packed)))
            packed[at : at + draw(st.integers(0, 8))] = draw(st.binary(max_size=4))
        content = bytes(packed)
    return f"table.{ending}", content


def reads_or_refuses(name: str, content: bytes) -> None:
    """Check one file; anything but DataError that is raised fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            cube, report = read(written(Path(folder), content, name))
        except DataError as error:
            message = str(error)
            assert name in message
            assert len(message.splitlines()) == 1
            assert "Traceback" not in message
            assert len(message) < 1000
            return
    assert report.row_count == report.value_count + report.suppressed_count + report.left_out_count
    assert int(cube.cells.value_count.sum()) == report.value_count
    held = cube.cells.value_sum[cube.cells.value_count > 0]
    assert np.isfinite(held).all()


@settings(max_examples=CI_COUNT)
@given(files())
@example(("table.csv", b"x" * 3000 + ",".join(HEADER).encode() + b"\n"))  # a long header filled the message
def test_any_file_is_a_table_or_one_clear_line(file: tuple[str, bytes]) -> None:
    reads_or_refuses(*file)


@pytest.mark.soak
@settings(max_examples=SOAK_COUNT)
@given(files())
def test_very_many_files_are_tables_or_one_clear_line(file: tuple[str, bytes]) -> None:
    reads_or_refuses(*file)
