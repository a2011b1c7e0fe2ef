"""A dataset as the server holds it: a cube, where it came from, and what reading it found."""

from __future__ import annotations

from dataclasses import dataclass, field

from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.estimates import SourceEstimates


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a dataset came from; empty strings where nobody has said.

    ``source_name`` is the file's name without its folder, ``source_sha256`` the checksum of the file as served,
    ``export_date`` and ``export_sha256`` those of the publisher's export (unpacked) that it was made from.
    """

    publisher: str
    title: str
    dataset_id: str
    source_name: str
    source_sha256: str
    export_date: str = ""
    export_sha256: str = ""
    licence: str = ""
    url: str = ""
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class LeftOutRow:
    """One row that is not in the cube: its line in the file (1 is the header), the column and the reason."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What reading a source found. Counts are rows of the source."""

    row_count: int
    value_count: int
    suppressed_count: int
    left_out_count: int
    left_out_examples: tuple[LeftOutRow, ...]
    question_count: int
    location_count: int
    segment_count: int
    years: tuple[int, ...]
    columns: dict[str, str]  # role -> the column's name in the file
    columns_missing: tuple[str, ...]  # optional roles that the file has no column for
    footnotes: dict[str, int]  # footnote text -> rows
    duration_s: float
    engine: str
    warnings: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """One version of one named dataset.

    ``estimates`` reads single estimates out of the source, for statistics that no aggregate holds; None where the
    source is no longer at hand.
    """

    name: str
    cube: SurveyCube
    provenance: Provenance
    report: IngestReport
    estimates: SourceEstimates | None = None

    @property
    def version(self) -> str:
        """The cube's version."""
        return self.cube.version
