"""A dataset as the server holds it: a cube, where it came from, and what reading it found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.ingest_report import IngestReport
from meantime.survey.ingest.notes import Note
from meantime.survey.ingest.provenance import Provenance
from meantime.survey.ingest.single_estimates import SourceEstimates


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """One version of one named dataset.

    ``version`` (64 hex digits) is what jobs and results name. It stands for everything that a result holds of a
    dataset: its figures, its provenance and the notes that answers carry. The cube's own version stands for the figures
    alone.
    ``estimates`` reads single estimates out of the source, for statistics that no aggregate holds; None where the
    source is no longer at hand.
    """

    name: str
    cube: SurveyCube
    provenance: Provenance
    report: IngestReport
    estimates: SourceEstimates | None = None
    version: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "version", dataset_version(self.cube.version, self.provenance, self.notes_on_answers))

    @property
    def notes_on_answers(self) -> tuple[Note, ...]:
        """The notes that some answer carries."""
        return tuple(note for note in self.report.notes if note.concerns_answers)


def dataset_version(cube_version: str, provenance: Provenance, notes: Sequence[Note] = ()) -> str:
    """Return a checksum of a cube's version, every field of a provenance and notes, if any (64 hex digits)."""
    covered = [cube_version, asdict(provenance), *(note.to_json() for note in notes)]
    return hashlib.sha256(json.dumps(covered, sort_keys=True).encode()).hexdigest()
