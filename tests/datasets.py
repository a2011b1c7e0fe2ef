"""Datasets for tests, as the ingest would make them of some rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from meantime.survey.cube.limits import limit_symmetry
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.dataset import Dataset
from meantime.survey.ingest.ingest_report import IngestReport
from meantime.survey.ingest.notes import Note
from meantime.survey.ingest.provenance import Provenance
from tests.cubes import cube_of
from tests.reference import Row

NOWHERE = Provenance(publisher="", title="", dataset_id="", source_name="", source_sha256="")
"""Nobody has said where the data comes from."""


def dataset_of(
    rows: Iterable[Row],
    name: str = "small",
    *,
    cube_version: str = "test",
    provenance: Provenance = NOWHERE,
    columns: Mapping[str, str] | None = None,
    notes: tuple[Note, ...] = (),
) -> Dataset:
    """Return the dataset of some rows; ``columns`` and ``notes`` are what the report says of the file."""
    cube = cube_of(rows, version=cube_version)
    return Dataset(name, cube, provenance, report_of(cube, columns or {}, notes))


def rows_of_everybody(places: Sequence[str], years: Sequence[int], question: str, *, rise: float = 1.0) -> list[Row]:
    """Return estimates of everybody, 20 for the first place and 4 more for each one after it, which rise yearly."""
    return [
        Row(question, "Q1", place, "", year, "Total", "Total", value, value - 1, value + 1, 100.0 + number)
        for number, place in enumerate(places)
        for year in years
        for value in [20.0 + 4 * number + rise * (year - years[0])]
    ]


def report_of(cube: SurveyCube, columns: Mapping[str, str], notes: tuple[Note, ...] = ()) -> IngestReport:
    """Return the report of a reading that left out no row."""
    row_count, value_count = int(cube.cells.row_count.sum()), int(cube.cells.value_count.sum())
    return IngestReport(
        row_count=row_count,
        value_count=value_count,
        suppressed_count=row_count - value_count,
        question_count=len(cube.questions),
        location_count=len(cube.locations),
        segment_count=len(cube.segments),
        years=cube.years,
        columns=columns,
        footnotes={},
        limits=limit_symmetry(cube),
        duration_s=0.0,
        engine="test",
        notes=notes,
    )
