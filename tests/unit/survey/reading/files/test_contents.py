"""A file that isn't what its name says is refused with what it is and the next step, by its first bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest
from backports import zstd

from meantime.errors import DataError
from tests.unit.survey.tables import ROW, csv_text, read, written

GOOD = csv_text([ROW]).encode()


def zip_of(**members: bytes) -> bytes:
    """Return a zip of members, whose names have a dot for each double underscore."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return packed.getvalue()


def tar_of(content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("table.csv")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def workbook() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return packed.getvalue()


OTHERS: dict[str, tuple[bytes, str]] = {
    # what a file called .csv is: its bytes, what the message says
    "gzip": (gzip.compress(GOOD), "table.csv: is gzip; call it .csv.gz"),
    "zstd": (zstd.compress(GOOD), "table.csv: is zstd; call it .csv.zst"),
    "zip": (zip_of(table__csv=GOOD), "table.csv: is a zip or Excel file; call it .zip"),
    "workbook": (workbook(), "is an Excel workbook (.xlsx, a kind of zip); save its sheet as CSV (UTF-8)"),
    "old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "is an old Excel workbook (.xls)"),
    "OpenDocument": (
        b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
        "is an OpenDocument spreadsheet",
    ),
    "bzip2": (bz2.compress(GOOD), "is bzip2; unpack it"),
    "xz": (lzma.compress(GOOD), "is xz; unpack it"),
    "7-Zip": (b"7z\xbc\xaf\x27\x1c\x00\x04", "is 7-Zip; unpack it"),
    "tar": (tar_of(GOOD), "is a tar archive; unpack it"),
    "Parquet": (b"PAR1" + bytes(20), "is Parquet; call it .parquet"),
    "PDF": (b"%PDF-1.7\n%", "is PDF"),
    "JSON rows": (b'[{"Year": 2019, "State": "Ohio"}]', "is JSON; save it as CSV, one estimate a row"),
    "JSON lines": (b'{"Year": 2019}\n{"Year": 2020}\n', "is JSON"),
    "JSON with a BOM and blanks": (b'\xef\xbb\xbf\n  [\n  {"Year": 2019}]', "is JSON"),
    "web page": (b"<!DOCTYPE html>\n<html><body>Not found", "is HTML, a web page"),
    "HTML table": (b"<table><tr><td>Year", "is HTML, a web page"),
    "XML": (b'<?xml version="1.0"?><rows/>', "is XML"),
    "Stata": (b"<stata_dta><header>", "is Stata"),
    "Git LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a Git LFS pointer"),
    "UTF-16 without a mark": (GOOD.decode().encode("utf-16-le"), 'state `encoding = "utf-16-le"` under [file]'),
    "big-endian UTF-16": (GOOD.decode().encode("utf-16-be"), 'state `encoding = "utf-16-be"` under [file]'),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_a_file_called_csv_that_is_something_else_is_refused_with_what_it_is(kind: str, tmp_path: Path) -> None:
    content, expected = OTHERS[kind]
    with pytest.raises(DataError) as caught:
        read(written(tmp_path, content))
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("table.csv.gz", GOOD, "is plain text; call it .csv"),
        ("table.parquet", GOOD, "is plain text; call it .csv"),
        ("table.csv.gz", zip_of(table__csv=GOOD), "is a zip or Excel file"),
        ("table.zip", gzip.compress(GOOD), "is gzip; call it .csv.gz"),
        ("table.zip", workbook(), "is an Excel workbook"),
        ("table.csv.gz", gzip.compress(gzip.compress(GOOD)), "holds gzip, and no CSV"),
        ("table.csv.gz", gzip.compress(tar_of(GOOD)), "holds a tar archive, and no CSV"),
        ("table.xls", b"<html><table>", "can't be read: it is HTML, a web page"),
        ("table.xlsx", workbook(), "can't be read: it is an Excel workbook"),
        ("table.csv.bz2", bz2.compress(GOOD), "can't be read: it is bzip2; unpack it"),
    ],
)
def test_a_file_of_another_kind_than_its_ending_is_refused_with_what_it_is(
    name: str, content: bytes, expected: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as caught:
        read(written(tmp_path, content, name))
    assert expected in str(caught.value)


@pytest.mark.parametrize("first", ["[Region],", "<5 years,", "{x},", "PK,", "%,"])
def test_a_csv_whose_first_name_begins_like_something_else_is_read(first: str, tmp_path: Path) -> None:
    text = "".join(
        f"{prefix}{line}\n" for prefix, line in zip((first, "1,"), csv_text([ROW]).splitlines(), strict=True)
    )
    assert len(read(written(tmp_path, text))[0].cells) == 1


def test_what_macos_adds_to_a_zip_is_no_table(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("data/table.csv", GOOD)
        archive.writestr("data/._table.csv", b"\x00\x05\x16\x07")
    assert len(read(written(tmp_path, packed.getvalue(), "table.zip"))[0].cells) == 1


def test_a_tab_separated_file_may_be_called_tsv(tmp_path: Path) -> None:
    tabbed = "\n".join("\t".join(line.split(",")) for line in csv_text([ROW]).splitlines())
    assert len(read(written(tmp_path, tabbed, "table.tsv"))[0].cells) == 1
    assert len(read(written(tmp_path, gzip.compress(tabbed.encode()), "table.tsv.gz"))[0].cells) == 1
