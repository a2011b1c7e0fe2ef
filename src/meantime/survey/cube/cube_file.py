"""A cube and its ingest report as one file (``array_file.py``)."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from meantime.survey.cube.array_file import read_array_file, write_array_file
from meantime.survey.cube.cube_version import CUBE_FORMAT
from meantime.survey.cube.survey_cube import Cells, SurveyCube
from meantime.survey.ingest.dataset import IngestReport, LeftOutRow
from meantime.survey.questions import Direction, Location, LocationKind, Question, Segment


def write_cube_file(path: Path, cube: SurveyCube, report: IngestReport) -> None:
    """Write a cube and its report, so that the file is there whole or not at all.

    Raises
    ------
    OSError
        The directory can't be written.
    """
    header = {
        "format": CUBE_FORMAT,
        "version": cube.version,
        "questions": [asdict(question) for question in cube.questions],
        "locations": [asdict(location) for location in cube.locations],
        "segments": [asdict(segment) for segment in cube.segments],
        "report": asdict(report),
    }
    write_array_file(
        path, json.dumps(header), {column.name: getattr(cube.cells, column.name) for column in fields(Cells)}
    )


def read_cube_file(path: Path) -> tuple[SurveyCube, IngestReport] | None:
    """Read a cube and its report.

    Returns
    -------
    tuple or None
        None when there is no file, or it is damaged, cut short or of another format.
    """
    found = read_array_file(path)
    header: dict[str, Any] = json.loads(found.header) if found else {}
    if found is None or header.get("format") != CUBE_FORMAT:
        return None
    cube = SurveyCube(
        version=header["version"],
        questions=tuple(
            Question(**item | {"direction": Direction(item["direction"]) if item["direction"] else None})
            for item in header["questions"]
        ),
        locations=tuple(Location(**item | {"kind": LocationKind(item["kind"])}) for item in header["locations"]),
        segments=tuple(Segment(**item) for item in header["segments"]),
        cells=Cells(**found.arrays),  # type: ignore[arg-type]  # they are written from cells
    )
    return cube, _report(header["report"])


def _report(item: dict[str, Any]) -> IngestReport:
    tuples = {name: tuple(value) for name, value in item.items() if isinstance(value, list)}
    examples = tuple(LeftOutRow(**example) for example in item["left_out_examples"])
    return IngestReport(**item | tuples | {"left_out_examples": examples})
