"""What a starting server says of the notes on its tables: how many, the first ones, and where all are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from meantime.fields.refusals import printable
from meantime.survey.ingest.dataset import Dataset

SHOWN_NOTES = 5
SHOWN_CHARACTERS = 400


def note_lines(datasets: Sequence[Dataset], base_url: str) -> Iterator[str]:
    """Yield the lines of each table that has notes, printable and without line ends; ``base_url`` is the server's."""
    for dataset in datasets:
        notes = dataset.report.notes
        if not notes:
            continue
        counted = f"{len(notes)} note{'s' if len(notes) > 1 else ''}"
        where = f"{base_url}/api/v1/datasets/{dataset.name}"
        lead = "all of them" if len(notes) <= SHOWN_NOTES else f"the first {SHOWN_NOTES}"
        yield printable(f"meantime: {counted} on {dataset.provenance.source_name}, see {where}; {lead}:")
        for note in notes[:SHOWN_NOTES]:
            is_long = len(note.text) > SHOWN_CHARACTERS
            yield printable(f"meantime: - {note.text[:SHOWN_CHARACTERS]}{'...' if is_long else ''}")
