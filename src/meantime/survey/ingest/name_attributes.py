"""What belongs to a question or a location as a whole: id and unit, abbreviation and FIPS code.

One question has one unit and one type of value, and one location one code. A table that has more is refused here with
the lines of a mapping file that would settle it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meantime.errors import DataError
from meantime.fields.refusals import shown
from meantime.survey.cube.cell_names import CellNames
from meantime.survey.cube.cube_builder import Attributes
from meantime.survey.cube.rollup import distinct
from meantime.survey.ingest.notes import ABOUT_NO_ANSWER, Note
from meantime.survey.questions import LocationKind
from meantime.survey.reading.columns import Role
from meantime.survey.reading.mapping_lines import Line, choices, keep_line, longer_text_line
from meantime.survey.reading.profile import UNITS, fips_code, normal
from meantime.survey.reading.table_reader import TableReader

if TYPE_CHECKING:
    from meantime.survey.reading.engines import Frame

_FEW = 3

Combinations = dict[str, list[tuple[str, ...]]]
"""The combinations of attributes that the rows of each name have."""


@dataclass(frozen=True, slots=True)
class NameAttributes:
    """The attributes of questions and locations by name, the greatest of each, and notes on them."""

    questions: Attributes
    locations: Attributes
    notes: tuple[Note, ...]


def name_attributes(table: TableReader, rows: Frame, names: CellNames) -> NameAttributes:
    """Find the attributes of all names.

    Parameters
    ----------
    table
        The table.
    rows
        Its rows or cells, under the texts of the rows or their names.
    names
        The names of these texts.

    Raises
    ------
    DataError
        A question has several units or types of values, or a location several codes.
    """
    questions = _combinations(table, rows, names.questions, "question", Role.QUESTION_ID, Role.UNIT, Role.VALUE_TYPE)
    locations = _combinations(table, rows, names.locations, "location", Role.ABBREVIATION, Role.FIPS)
    for question, found in questions.items():
        _check_one(table, question, Role.UNIT, [unit for _, unit, _ in found])
        _check_one(table, question, Role.VALUE_TYPE, [kind for *_, kind in found])
    nations = {name for name in locations if table.profile.location(name, "", "").kind is LocationKind.NATION}
    for location, codes in locations.items():
        if location not in nations:
            _check_one_code(table, location, codes)
    ambiguous = [
        *(name for name, found in questions.items() if len({question_id for question_id, *_ in found}) > 1),
        *(name for name, found in locations.items() if len({abbreviation for abbreviation, _ in found}) > 1),
    ]
    unread = [
        name
        for name, found in locations.items()
        if name not in nations and any(code and not fips_code(code) for _, code in found)
    ]
    return NameAttributes(
        {name: (max(each[0] for each in found), max(each[1] for each in found)) for name, found in questions.items()},
        {name: tuple(map(max, zip(*found, strict=True))) for name, found in locations.items()},
        tuple(note for note in (_ambiguous(ambiguous), _unread_codes(unread, locations)) if note),
    )


def _combinations(
    table: TableReader, rows: Frame, names: Mapping[str, str], key: str, *attributes: Role
) -> Combinations:
    """Return the combinations of attributes by name; a row without a name has none."""
    columns = (key, *attributes)
    arrays = table.engine.arrays(table.engine.keep(distinct(rows, *columns)), (), columns)
    table.check_texts(arrays)
    found: Combinations = {}
    for text, *texts in zip(*(arrays.texts(column) for column in columns), strict=True):
        combination = tuple(each.strip() for each in texts)
        found.setdefault(names.get(text, text), []).append(combination)
    return {name: sorted(set(combinations)) for name, combinations in found.items() if name}


def _check_one(table: TableReader, question: str, role: Role, texts: Sequence[str]) -> None:
    """Refuse several units, or several types of values, of one question."""
    first: dict[str, str] = {}
    for text in sorted({text for text in texts if text}):
        first.setdefault(UNITS.get(normal(text), normal(text)), text)
    if len(first) < 2:
        return
    header = table.columns.header[role].strip()
    stated = list(first.values())
    lines = [keep_line({header: _preferred(stated)}), longer_text_line(table.columns, Role.QUESTION, [header], " ({})")]
    what = "units" if role is Role.UNIT else "types of values"
    raise _refusal(
        f"{table.source.name}: {shown(question)} has several {what} ({header}: {_listed(stated)}), "
        "which can't be averaged with each other",
        lines,
    )


def _preferred(texts: Sequence[str]) -> str:
    """Return the text to propose: a percentage before a count, crude before adjusted."""
    usual = [text for text in texts if normal(text) in UNITS or "crude" in normal(text)]
    return (usual or list(texts))[0]


def _check_one_code(table: TableReader, location: str, codes: Sequence[tuple[str, ...]]) -> None:
    """Refuse a location whose rows have several codes: FIPS codes, or abbreviations where there are none."""
    fips = {fips_code(code) or normal(code) for _, code in codes if code}
    abbreviations = {normal(abbreviation) for abbreviation, _ in codes if abbreviation}
    if len(fips) < 2 and (fips or len(abbreviations) < 2):
        return
    role = Role.ABBREVIATION if len(abbreviations) > 1 else Role.FIPS
    header = table.columns.header[role].strip()
    stated = [" ".join(filter(None, each)) for each in codes]
    raise _refusal(
        f"{table.source.name}: {shown(location)} stands for several locations ({_listed(stated)}), "
        "which are never taken for one",
        [longer_text_line(table.columns, Role.LOCATION, [header], ", {}")],
    )


def _refusal(message: str, lines: Sequence[Line | None]) -> DataError:
    settings = [line for line in lines if line]
    return DataError(f"{message}; {choices(settings)}" if settings else message, settings=settings)


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _FEW} more" if len(texts) > _FEW else ""
    return ", ".join(map(shown, texts[:_FEW])) + more


def _ambiguous(names: Sequence[str]) -> Note | None:
    if not names:
        return None
    text = f"more than one id or abbreviation for {_listed(sorted(names))}; the last one is kept"
    return Note(kind="ambiguous_codes", text=text, count=len(names), questions=ABOUT_NO_ANSWER)


def _unread_codes(names: Sequence[str], locations: Combinations) -> Note | None:
    if not names:
        return None
    code = max(locations[names[0]])[1]
    text = (
        f"{len(names):,} of {len(locations):,} locations have a FIPS code that can't be read, such as "
        f"{shown(names[0])} with {shown(code)}; they have none then"
    )
    return Note(kind="unreadable_fips", text=text, count=len(names), questions=ABOUT_NO_ANSWER)
