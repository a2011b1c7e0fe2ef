"""What a starting server prints of the notes on its tables."""

from __future__ import annotations

from dataclasses import replace

from meantime.serving.start_notes import SHOWN_CHARACTERS, SHOWN_NOTES, note_lines
from meantime.survey.ingest.notes import Note
from tests.datasets import NOWHERE, dataset_of
from tests.reference import Row

URL = "http://127.0.0.1:5000/stats"


def lines_for(*texts: str) -> list[str]:
    row = Row("Smokes", "", "Ohio", "OH", 2023, "Total", "Total", 1.0, None, None, None)
    notes = tuple(Note(kind="a_kind", text=text) for text in texts)
    noted = dataset_of([row], "wic", provenance=replace(NOWHERE, source_name="wic\n.csv"), notes=notes)
    return list(note_lines([dataset_of([row]), noted], URL))


def test_a_table_without_notes_gives_no_line() -> None:
    assert lines_for() == []


def test_the_notes_stand_one_a_line_below_their_count_and_where_all_of_them_are() -> None:
    assert lines_for("One.", "Two\x1b[2J\nforged") == [
        "meantime: 2 notes on wic\\n.csv, see http://127.0.0.1:5000/stats/api/v1/datasets/wic; all of them:",
        "meantime: - One.",
        "meantime: - Two\\x1b[2J\\nforged",
    ]


def test_of_many_notes_the_first_are_shown_and_a_long_one_is_cut() -> None:
    first, *shown = lines_for("x" * 9999, *"abcdefgh")
    assert f"9 notes on wic\\n.csv, see {URL}/api/v1/datasets/wic; the first {SHOWN_NOTES}:" in first
    assert len(shown) == SHOWN_NOTES
    assert len(shown[0]) < SHOWN_CHARACTERS + 30
