"""Notes: which answers they are about, and that they come back from a cube file and count in a dataset's version."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from meantime.survey.ingest.cube_file import read_cube_file, write_cube_file
from meantime.survey.ingest.dataset import Dataset
from meantime.survey.ingest.notes import ABOUT_NO_ANSWER, Note
from tests.datasets import NOWHERE
from tests.unit.survey.tables import ROW, csv_text, read, written

ASKED = ({"Obesity", "Inactivity"}, {"Ohio", "Guam"}, {2022, 2023})


def a_note(
    questions: frozenset[str] | None = None,
    locations: frozenset[str] | None = None,
    years: frozenset[int] | None = None,
) -> Note:
    return Note(kind="a_kind", text="A text.", questions=questions, locations=locations, years=years)


@pytest.mark.parametrize(
    ("note", "is_touched"),
    [
        (a_note(), True),
        (a_note(frozenset({"Obesity"})), True),
        (a_note(frozenset({"Fruit"})), False),
        (a_note(frozenset({"Obesity"}), frozenset({"Ohio", "Utah"}), frozenset({2023})), True),
        (a_note(frozenset({"Obesity"}), frozenset({"Utah"}), frozenset({2023})), False),
        (a_note(years=frozenset({2011})), False),
        (a_note(ABOUT_NO_ANSWER), False),
    ],
)
def test_an_answer_carries_a_note_when_it_selects_one_of_each_that_the_note_names(note: Note, is_touched: bool) -> None:
    assert note.touches(*ASKED) is is_touched


def test_a_note_about_no_answer_is_known_as_one() -> None:
    assert a_note().concerns_answers
    assert a_note(frozenset({"Obesity"})).concerns_answers
    assert not a_note(ABOUT_NO_ANSWER).concerns_answers


def test_pooled_rows_are_a_note_on_their_questions_alone(tmp_path: Path) -> None:
    other = ROW.replace("have obesity", "are inactive").replace("Q036", "Q047")
    lines = [ROW, ROW.replace("39.2", "38.2"), other]
    _, report = read(written(tmp_path, csv_text(lines)), "[rows]\npool = true")
    [note] = [each for each in report.notes if each.concerns_answers]
    assert (note.kind, note.count) == ("pooled_rows", 1)
    assert note.questions == frozenset({"Percent of adults who have obesity"})


def test_every_field_of_a_note_comes_back_from_the_cube_file(tmp_path: Path) -> None:
    cube, report = read(written(tmp_path, csv_text([ROW])))
    full = replace(a_note(frozenset({"b", "a"}), frozenset({"Ohio"}), frozenset({2023})), count=3, lines=(2, 9))
    noted = replace(report, notes=(full, a_note(), a_note(ABOUT_NO_ANSWER)))
    write_cube_file(tmp_path / "a.cube", cube, noted)
    found = read_cube_file(tmp_path / "a.cube")
    assert found is not None
    assert found[1] == noted


def test_a_dataset_s_version_names_the_notes_that_answers_carry_and_no_others(tmp_path: Path) -> None:
    cube, report = read(written(tmp_path, csv_text([ROW])))

    def version(*notes: Note) -> str:
        return Dataset("small", cube, NOWHERE, replace(report, notes=notes)).version

    assert version() == version(a_note(ABOUT_NO_ANSWER))
    assert len({version(), version(a_note()), version(replace(a_note(), text="Another."))}) == 3
