"""A source on disk, opened so that an engine can read it: CSV (plain, gzip, zstd, in a zip) or Parquet.

A packed source is unpacked into a file without a name, which vanishes with the process. The checksum is that of the
bytes that were read: the source stays open, and `OpenedSource.check_unchanged` hashes it again at the end.
What the bytes mean is not known here.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, TextIO

from meantime.child import Progress
from meantime.errors import DataChangedError, DataError
from meantime.survey.reading.files.contents import HEAD_BYTES, contents_of
from meantime.survey.reading.files.packing import PACKED, SourceKind, check_packing, check_unpacked, unpack

DEFAULT_SIZE_LIMIT_BYTES = 4 * 1024**3
# RuntimeError is a zip with a password, NotImplementedError one packed in a way that Python doesn't know.
_UNPACKING_ERRORS = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError)


@dataclass(frozen=True, slots=True)
class OpenedSource:
    """A source that is open for reading; `open_source` makes it."""

    name: str
    kind: SourceKind
    sha256: str
    changed_ns: int
    original: BufferedReader
    plain: BinaryIO | BufferedReader
    lines_above: int = 0  # how many of the file's lines are above those of `plain`, where a text was written anew

    @property
    def engine_path(self) -> str:
        """A path to the unpacked bytes; it leads to this very file, even when the name is given to another one."""
        return f"/proc/self/fd/{self.plain.fileno()}"

    def head(self) -> bytes:
        """Return the first of the unpacked bytes."""
        return os.pread(self.plain.fileno(), HEAD_BYTES, 0)

    def text(self) -> TextIO:
        """Open the unpacked bytes as text; bytes that are no UTF-8 become lone surrogates."""
        return Path(self.engine_path).open(encoding="utf-8-sig", errors="surrogateescape", newline="")

    def plain_sha256(self) -> str:
        """Return the checksum of the unpacked bytes (hex)."""
        with Path(self.engine_path).open("rb") as plain:
            return _sha256(plain)

    def check_unchanged(self) -> None:
        """Look at the source's time of change and hash it again: it may have been changed there and back.

        Raises
        ------
        DataChangedError
            Its bytes are not those that were opened.
        """
        if _is_changed(self.original, self.sha256, self.changed_ns):
            raise _changed(self.name)


def source_kind(source: Path) -> SourceKind:
    """Return how a source is packed.

    Raises
    ------
    DataError
        It is a URL, missing, not a regular file, or its name ends in something else.
    """
    if re.match(r"[a-z][a-z0-9+.-]+:/", str(source), re.IGNORECASE):
        raise DataError(f"{source}: a URL is never fetched; download the file and give its path")
    try:
        mode = source.stat().st_mode
    except OSError as error:
        raise DataError(f"{source}: {_reason(error)}") from error
    if not stat.S_ISREG(mode):
        what = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
        raise DataError(f"{source}: is {what}; give a table as {', '.join(SourceKind)}")
    kinds = [kind for kind in SourceKind if source.name.lower().endswith(kind)]
    if not kinds:
        raise DataError(
            f"{source.name}: can't be read{_looks_like(source)}; the name must end in {', '.join(SourceKind)}"
        )
    return kinds[0]


def _looks_like(source: Path) -> str:
    """Return what a file of an unknown ending is, with the next step, as the middle of a sentence."""
    try:
        with source.open("rb") as opened:
            contents = contents_of(opened.read(HEAD_BYTES))
    except OSError:
        return ""
    return f": it is {contents.what}; {contents.next_step}" if contents else ""


def stem(source: Path) -> str:
    """Return a source's name without the ending that says how it is packed.

    >>> stem(Path("tables/obesity.csv.gz"))
    'obesity'
    """
    kinds = [kind for kind in SourceKind if source.name.lower().endswith(kind)]
    return source.name[: -len(kinds[0])] if kinds else source.stem


def source_sha256(source: Path) -> str:
    """Return the checksum of a source's bytes (hex).

    Raises
    ------
    DataError
        It can't be read.
    """
    source_kind(source)
    try:
        with source.open("rb") as opened:
            return _sha256(opened)
    except OSError as error:
        raise DataError(f"{source}: {_reason(error)}") from error


@contextmanager
def open_source(
    source: Path,
    *,
    size_limit_bytes: int = DEFAULT_SIZE_LIMIT_BYTES,
    scratch_directory: Path | None = None,
    progress: Progress | None = None,
) -> Iterator[OpenedSource]:
    """Open a source and unpack it where it is packed.

    Parameters
    ----------
    source
        A path; its ending says how it is packed.
    size_limit_bytes
        The most that a packed source may hold when it is unpacked.
    scratch_directory
        Where the unpacked bytes go; None takes the system's.
    progress
        Told of the part that is unpacked.

    Raises
    ------
    DataError
        It can't be opened, unpacked, or holds more than the limit.
    """
    kind = source_kind(source)
    with ExitStack() as stack:
        try:
            original = stack.enter_context(source.open("rb"))
            changed_ns = os.fstat(original.fileno()).st_mtime_ns
            sha256 = _sha256(original)
        except OSError as error:
            raise DataError(f"{source}: {_reason(error)}") from error
        plain: BinaryIO | BufferedReader = original
        check_packing(source.name, kind, os.pread(original.fileno(), HEAD_BYTES, 0))
        if kind in PACKED:
            try:
                plain = stack.enter_context(tempfile.TemporaryFile(dir=scratch_directory))
                unpack(original, kind, plain, size_limit_bytes, progress)
            except _UNPACKING_ERRORS as error:
                if _is_changed(original, sha256, changed_ns):
                    raise _changed(source.name) from error
                raise DataError(f"{source.name}: can't be unpacked as {kind}: {_reason(error)}") from error
        if os.fstat(plain.fileno()).st_size == 0:
            raise DataError(f"{source.name}: is empty; a table needs a line of column names and rows")
        opened = OpenedSource(source.name, kind, sha256, changed_ns, original, plain)
        if kind in PACKED:
            check_unpacked(source.name, opened.head())
        yield opened


def _sha256(opened: BufferedReader) -> str:
    opened.seek(0)
    digest = hashlib.file_digest(opened, "sha256").hexdigest()
    opened.seek(0)
    return digest


def _is_changed(original: BufferedReader, sha256: str, changed_ns: int) -> bool:
    return os.fstat(original.fileno()).st_mtime_ns != changed_ns or _sha256(original) != sha256


def _changed(source_name: str) -> DataChangedError:
    return DataChangedError(f"{source_name}: the file was changed while it was read; try again when it is complete")


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
