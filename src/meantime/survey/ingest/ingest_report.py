"""What reading a table found, and what its reader should know before trusting its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from meantime.fields.refusals import shown
from meantime.survey.cube.limits import LimitSymmetry
from meantime.survey.cube.scale import extent_of, scale_doubt
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.notes import ABOUT_NO_ANSWER, Note
from meantime.survey.reading.left_out_rows import LeftOutRow
from meantime.survey.reading.profile import Profile, is_spreadsheet_date, normal

_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What reading a source found. Counts are rows of the source.

    ``limits`` counts the percentages with limits, and those among them that lie in the middle of these on each scale.
    ``duration_s`` and ``engine`` are of the reading and not of the data; no result holds them.
    """

    row_count: int
    value_count: int
    suppressed_count: int
    left_out_count: int = 0
    left_out_examples: tuple[LeftOutRow, ...] = ()
    duplicate_count: int = 0  # rows that are equal to another one in every column, and not counted again
    question_count: int
    location_count: int
    segment_count: int
    years: tuple[int, ...]
    layout: str = ""  # the known layout of the table, as its publisher is called; empty for CDC's own family
    columns: Mapping[str, str]  # role -> the column's name in the file
    columns_missing: tuple[str, ...] = ()  # optional roles that the file has no column for
    footnotes: Mapping[str, int]  # footnote text -> rows
    limits: LimitSymmetry
    duration_s: float
    engine: str
    notes: tuple[Note, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the report as JSON-able values."""
        return asdict(self) | {"notes": [note.to_json() for note in self.notes]}


def spelling_notes(spellings: Sequence[tuple[str, ...]]) -> tuple[Note, ...]:
    """Return a note on names that are written in several ways, if there are any."""
    if not spellings:
        return ()
    listed = "; ".join(", ".join(map(repr, each)) for each in spellings[:_SHOWN])
    more = f"; and {len(spellings) - _SHOWN} more" if len(spellings) > _SHOWN else ""
    text = f"spelt in several ways and taken as one name each, the first: {listed}{more}"
    return (_on_table("spellings", text, len(spellings)),)


def unmatched_names_notes(cube: SurveyCube, profile: Profile) -> tuple[Note, ...]:
    """Return a note on questions of which a mapping says something, and which the table doesn't have."""
    there = {normal(name) for question in cube.questions for name in (question.text, question.question_id)}
    named = [*profile.directions, *(name for each in profile.breaks for name in each.questions)]
    unmatched = list(dict.fromkeys(name for name in named if normal(name) not in there))
    if not unmatched:
        return ()
    listed = ", ".join(map(shown, unmatched[:_SHOWN]))
    more = f" and {len(unmatched) - _SHOWN} more" if len(unmatched) > _SHOWN else ""
    text = (
        f"no question of this table is {listed}{more}, so what the mapping file says of it under [directions] or"
        " [[breaks]] changes nothing; write a question's text or id as it stands in the table"
    )
    return (_on_table("unmatched_names", text, len(unmatched)),)


def notes_on_cube(cube: SurveyCube) -> tuple[Note, ...]:
    """Return a note for each thing in a cube that may surprise.

    What an answer says by a caution of its own is no answer's note.
    """
    found = [
        _without_limits(cube),
        _doubtful_scale(cube),
        _without_direction(cube),
        _without_overall(cube),
        _spreadsheet_dates(cube),
    ]
    return tuple(note for note in found if note)


def _on_table(kind: str, text: str, count: int | None = None) -> Note:
    return Note(kind=kind, text=text, count=count, questions=ABOUT_NO_ANSWER)


def _without_limits(cube: SurveyCube) -> Note | None:
    count = int((cube.cells.value_count - cube.cells.variance_count).sum())
    if not count:
        return None
    text = f"{count:,} values have no usable confidence limits; they count in values, not in standard errors"
    return _on_table("without_limits", text, count)


def _doubtful_scale(cube: SurveyCube) -> Note | None:
    doubts = [scale_doubt(each.unit, extent_of(cube, place)) for place, each in enumerate(cube.questions)]
    doubtful = [(each.text, doubt) for each, doubt in zip(cube.questions, doubts, strict=True) if doubt]
    if not doubtful:
        return None
    others = f" (and {len(doubtful) - 1} more questions)" if len(doubtful) > 1 else ""
    return _on_table("doubtful_scale", f"{doubtful[0][0]!r}{others}: {doubtful[0][1]}", len(doubtful))


def _without_direction(cube: SurveyCube) -> Note | None:
    unsaid = [each for each in cube.questions if each.direction is None and not each.undirected_because]
    texts = [question.text for question in unsaid]
    if not texts:
        return None
    text = (
        f"nobody has said which end is better for {len(texts)} of {len(cube.questions)} questions, "
        f"such as {texts[0]!r}; a mapping file can, under [directions]"
    )
    return _on_table("without_direction", text, len(texts))


def _without_overall(cube: SurveyCube) -> Note | None:
    if any(segment.is_overall for segment in cube.segments):
        return None
    text = "no stratum stands for everybody; a mapping file can name it, as `overall` under [names]"
    return _on_table("without_overall", text)


def _spreadsheet_dates(cube: SurveyCube) -> Note | None:
    strata = [segment.stratum for segment in cube.segments if is_spreadsheet_date(segment.stratum)]
    if not strata:
        return None
    listed = ", ".join(strata)
    text = f"{listed} look like ranges that a spreadsheet turned into dates; they are kept as in the file"
    return _on_table("spreadsheet_dates", text, len(strata))
