"""A cube and its ingest report as one file: a JSON header, raw arrays, a checksum over both.

The file is written whole under another name and then renamed. It is read whole, never mapped into memory (others
might truncate it) and never unpickled. A damaged file reads as none.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from meantime.survey.cube import Cells, FloatArray, IntArray, SurveyCube
from meantime.survey.dataset import IngestReport, LeftOutRow
from meantime.survey.profile import Profile
from meantime.survey.questions import Direction, Location, LocationKind, Question, Segment
from meantime.survey.sources import SourceKind

CUBE_FORMAT = 1
"""Counted up when the file's layout or the way a source is read changes, so that older files are built anew."""

_MAGIC = b"meantime cube\n"
_CHECKSUM_BYTES = hashlib.sha256().digest_size
_LENGTH_BYTES = 8


def cube_version(source_sha256: str, kind: SourceKind, profile: Profile) -> str:
    """Return the version of the cube that a source's bytes give, read in one way (64 hex digits)."""
    parts = [CUBE_FORMAT, source_sha256, kind, profile.key]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def write_cube_file(path: Path, cube: SurveyCube, report: IngestReport) -> None:
    """Write a cube and its report, so that the file is there whole or not at all.

    Raises
    ------
    OSError
        The directory can't be written.
    """
    arrays = {column.name: getattr(cube.cells, column.name) for column in fields(Cells)}
    header = {
        "format": CUBE_FORMAT,
        "version": cube.version,
        "questions": [asdict(question) for question in cube.questions],
        "locations": [asdict(location) for location in cube.locations],
        "segments": [asdict(segment) for segment in cube.segments],
        "report": asdict(report),
        "cell_count": len(cube.cells),
        "columns": {name: array.dtype.newbyteorder("<").str for name, array in arrays.items()},
    }
    encoded = json.dumps(header).encode()
    parts = [_MAGIC, len(encoded).to_bytes(_LENGTH_BYTES, "little"), encoded]
    parts += [array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes() for array in arrays.values()]
    checksum = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".writing-", delete=False) as opened:
        try:
            for part in parts:
                checksum.update(part)
                opened.write(part)
            opened.write(checksum.digest())
            opened.flush()
            Path(opened.name).replace(path)
        except OSError:
            Path(opened.name).unlink(missing_ok=True)
            raise


def read_cube_file(path: Path) -> tuple[SurveyCube, IngestReport] | None:
    """Read a cube and its report.

    Returns
    -------
    tuple or None
        None when there is no file, or it is damaged, cut short or of another format.
    """
    try:
        content = path.read_bytes()
    except OSError:
        return None
    body, checksum = memoryview(content)[:-_CHECKSUM_BYTES], content[-_CHECKSUM_BYTES:]
    if not content.startswith(_MAGIC) or hashlib.sha256(body).digest() != checksum:
        return None
    start = len(_MAGIC) + _LENGTH_BYTES
    end = start + int.from_bytes(content[len(_MAGIC) : start], "little")
    header = json.loads(content[start:end])
    if header["format"] != CUBE_FORMAT:
        return None
    cube = SurveyCube(
        version=header["version"],
        questions=tuple(
            Question(**item | {"direction": Direction(item["direction"]) if item["direction"] else None})
            for item in header["questions"]
        ),
        locations=tuple(Location(**item | {"kind": LocationKind(item["kind"])}) for item in header["locations"]),
        segments=tuple(Segment(**item) for item in header["segments"]),
        cells=Cells(**_arrays(content, end, header["columns"], header["cell_count"])),  # type: ignore[arg-type]  # dtypes are stored
    )
    return cube, _report(header["report"])


def _arrays(
    content: bytes, offset: int, columns: Mapping[str, str], cell_count: int
) -> dict[str, IntArray | FloatArray]:
    arrays: dict[str, IntArray | FloatArray] = {}
    for name, dtype in columns.items():
        arrays[name] = np.frombuffer(content, dtype=dtype, count=cell_count, offset=offset)
        offset += arrays[name].nbytes
    return arrays


def _report(item: dict[str, Any]) -> IngestReport:
    tuples = {name: tuple(value) for name, value in item.items() if isinstance(value, list)}
    examples = tuple(LeftOutRow(**example) for example in item["left_out_examples"])
    return IngestReport(**item | tuples | {"left_out_examples": examples})
