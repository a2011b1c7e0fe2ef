"""How a source is packed, and unpacking it: gzip, zstd, a zip with one table in it.

A file whose first bytes aren't what its name says is refused here, with what they are.
"""

from __future__ import annotations

import gzip
import os
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from meantime.child import Progress
from meantime.errors import DataError
from meantime.survey.reading.files.contents import Contents, contents_of

_CHUNK_BYTES = 1024 * 1024


class SourceKind(StrEnum):
    """How a source is packed; the value is the end of the file's name."""

    CSV = ".csv"
    TSV = ".tsv"
    CSV_GZIP = ".csv.gz"
    TSV_GZIP = ".tsv.gz"
    CSV_ZSTD = ".csv.zst"
    ZIP = ".zip"
    PARQUET = ".parquet"


PACKED = (SourceKind.CSV_GZIP, SourceKind.TSV_GZIP, SourceKind.CSV_ZSTD, SourceKind.ZIP)

_FIRST_BYTES = {
    SourceKind.CSV_GZIP: b"\x1f\x8b", SourceKind.TSV_GZIP: b"\x1f\x8b", SourceKind.CSV_ZSTD: b"\x28\xb5\x2f\xfd",
    SourceKind.ZIP: b"PK", SourceKind.PARQUET: b"PAR1",
}  # fmt: skip


def check_packing(source_name: str, kind: SourceKind, head: bytes) -> None:
    """Refuse a file that isn't what its name says, when its first bytes show what it is.

    Raises
    ------
    DataError
        The message says what it is, and the next step.
    """
    contents = contents_of(head)
    if contents and (contents.is_workbook or kind not in _FIRST_BYTES):
        raise _is_other(source_name, contents)
    if head and kind in _FIRST_BYTES and not head.startswith(_FIRST_BYTES[kind]):
        if contents is None and b"\0" in head:
            raise DataError(f"{source_name}: isn't what its name says, {kind}; is it damaged?")
        raise _is_other(source_name, contents or Contents("plain text", "call it .csv"))


def check_unpacked(source_name: str, head: bytes) -> None:
    """Refuse a packed file that doesn't hold a table's text.

    Raises
    ------
    DataError
        The message says what it holds.
    """
    contents = contents_of(head)
    if contents:
        raise DataError(f"{source_name}: holds {contents.what}, and no CSV; unpack it and look into it")


def _is_other(source_name: str, contents: Contents) -> DataError:
    return DataError(f"{source_name}: is {contents.what}; {contents.next_step}")


@contextmanager
def _unpacked(original: BufferedReader, kind: SourceKind, source_name: str) -> Iterator[BinaryIO]:
    if kind is SourceKind.ZIP:
        with zipfile.ZipFile(original) as archive:
            names = [name for name in archive.namelist() if _is_table(name)]
            if len(names) != 1:
                held = f"holds {len(names)} CSV files" if names else "holds no CSV file"
                listed = ", ".join(names or archive.namelist())[:200]
                raise DataError(f"{source_name}: {held} ({listed}); it must hold exactly one")
            with archive.open(names[0]) as member:
                yield cast("BinaryIO", member)
    elif kind in {SourceKind.CSV_GZIP, SourceKind.TSV_GZIP}:
        with gzip.GzipFile(fileobj=original) as unpacked:
            yield cast("BinaryIO", unpacked)
    else:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
        with zstd.ZstdFile(original) as unpacked:
            try:
                yield cast("BinaryIO", unpacked)
            except zstd.ZstdError as error:
                raise ValueError(str(error)) from error


def _is_table(member: str) -> bool:
    """Whether a zip's member is a table; ``._table.csv`` is what macOS knows of one."""
    name = member.rpartition("/")[2]
    return name.lower().endswith((".csv", ".tsv")) and not name.startswith("._") and not member.startswith("__MACOSX/")


def unpack(
    original: BufferedReader, kind: SourceKind, plain: BinaryIO, size_limit_bytes: int, progress: Progress | None
) -> None:
    """Write a packed file's content into another one.

    Raises
    ------
    DataError
        It holds more than the limit, or is a zip that doesn't hold exactly one table. What is wrong with the packing
        comes as the libraries raise it.
    """
    source_name = Path(original.name).name
    packed_bytes = max(1, os.fstat(original.fileno()).st_size)
    unpacked_bytes = 0
    with _unpacked(original, kind, source_name) as packed:
        while chunk := packed.read(_CHUNK_BYTES):
            unpacked_bytes += len(chunk)
            if unpacked_bytes > size_limit_bytes:
                raise DataError(
                    f"{source_name}: holds more than {size_limit_bytes:,} bytes when it is unpacked; "
                    "unpack it yourself if that is meant"
                )
            plain.write(chunk)
            if progress:
                progress("unpack", min(1.0, original.tell() / packed_bytes))
    plain.flush()
