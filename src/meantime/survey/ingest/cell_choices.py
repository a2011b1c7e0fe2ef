"""What a person can choose where several rows share a cell, and the words of the refusal that says so.

Which rows share a cell is found in ``cell_guard.py``; a sample of such cells is enough to see what tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from meantime.errors import DataError
from meantime.fields.refusals import shown
from meantime.survey.reading.columns import FIGURE_ROLES, Role, folded
from meantime.survey.reading.mapping_lines import Line, choices, keep_line, longer_text_line, strata_line
from meantime.survey.reading.profile import UNITS, normal
from meantime.survey.reading.table_reader import TableReader

_POOL: Line = ("rows", "pool = true")
_FIGURES = {*FIGURE_ROLES, Role.FOOTNOTE}
_CODES = ("id", "code", "symbol", "abbr", "order")
_RELEASES = ("release", "revision", "version", "vintage", "edition", "date", "updated")
_VERSIONS = ("type", "unit", "source", *_RELEASES)
_STRATA = ("sex", "gender", "age", "race", "ethnic", "education", "income", "group", "strat", "breakout", "residence")
_TRIED, _TOGETHER, _SHOWN = 12, 3, 8

Texts = Mapping[str, str]
"""The texts of a row by column."""


@dataclass(frozen=True, slots=True)
class SharedCells:
    """Cells that several rows share, none of which are equal in every column.

    ``headers`` say what the file calls the columns that may vary inside a cell, ``varying`` are those that do.
    ``cells`` are the rows of some such cells, those of the one at ``place`` first.
    """

    cell_count: int
    headers: Mapping[str, str]
    varying: tuple[str, ...]
    cells: tuple[tuple[Texts, ...], ...]
    place: tuple[object, ...]


def refusal(table: TableReader, shared: SharedCells, lines: Sequence[tuple[int, Texts]]) -> DataError:
    """Return the error that names the columns, an example and the lines of a mapping file that settle it.

    Parameters
    ----------
    table
        The table.
    shared
        What is shared.
    lines
        Number and texts of the first rows of the cell at ``shared.place``, as they are in the file.
    """
    cells = f"{shared.cell_count:,} cells hold" if shared.cell_count > 1 else "1 cell holds"
    telling = telling_columns(shared)
    settings = settling_lines(table, shared, telling)
    differing = list(dict.fromkeys((*telling, *shared.varying)))
    varying = ", ".join(shared.headers[column] for column in differing[:_SHOWN])
    more = f" and {len(shared.varying) - _SHOWN} more" if len(shared.varying) > _SHOWN else ""
    advice = f"{choices(settings)}, or `{_POOL[1]}` under [{_POOL[0]}] to average them"
    if all(column in _FIGURES for column in shared.varying):
        advice = (
            "nothing but figures tells them apart, as where an old release stands beside its revision: take one of "
            f"them out of the file, or {choices([_POOL])} to average them"
        )
    elif not settings:
        advice = f"no column alone tells them apart; {choices([_POOL])} to average them"
    example = _example(table, shared, lines, telling)
    message = f"{cells} several rows, which differ in {varying}{more}; {example}; {advice}"
    return DataError(f"{table.source.name}: {message}", settings=settings)


def telling_columns(shared: SharedCells) -> tuple[str, ...]:
    """Return the columns, as few as possible, whose texts are different in each row of a cell; none where none are."""
    candidates = [column for column in shared.varying if column not in _FIGURES and not _is_figure(shared, column)]
    candidates.sort(key=lambda column: _is_code(shared, column))
    for count in range(1, _TOGETHER + 1):
        for columns in combinations(candidates[:_TRIED], count):
            if all(_are_told(cell, columns) for cell in shared.cells):
                return columns
    return ()


def settling_lines(table: TableReader, shared: SharedCells, telling: Sequence[str]) -> list[Line]:
    """Return the lines of a mapping file that settle it, the best first."""
    if not telling:
        return []
    headers = [shared.headers[column] for column in telling]
    kept = keep_line({shared.headers[column]: _text_to_keep(table, shared, column) for column in telling})
    pattern = ": {}" if len(headers) == 1 else ", {}"
    is_fixed = Role.QUESTION in table.columns.fixed
    question = None if is_fixed else longer_text_line(table.columns, Role.QUESTION, headers, pattern)
    if all(_is_stratum(table, shared, column) for column in telling) and Role.CATEGORY not in table.columns.recipes:
        stratum = table.columns.header.get(Role.STRATUM)
        before = [stratum.strip()] if stratum else [column.header.strip() for column in table.columns.strata]
        lines: list[Line | None] = [strata_line([*before, *headers]), kept]
    elif any(word in folded(header) for header in headers for word in _VERSIONS):
        lines = [kept, question]
    else:
        lines = [question, kept]
    return [line for line in lines if line]


def _are_told(cell: Sequence[Texts], columns: Sequence[str]) -> bool:
    return len({tuple(normal(row[column]) for column in columns) for row in cell}) == len(cell)


def _texts(shared: SharedCells, column: str) -> list[str]:
    return sorted({row[column] for cell in shared.cells for row in cell})


def _is_figure(shared: SharedCells, column: str) -> bool:
    """Whether a column seems to hold figures: numbers, of which most are different."""
    texts = _texts(shared, column)
    rows = sum(len(cell) for cell in shared.cells)
    return all(re.fullmatch(r"[-+]?[0-9.,]*", text) for text in texts) and len(texts) * 2 > rows and rows > 1


def _is_code(shared: SharedCells, column: str) -> bool:
    """Whether a column seems to repeat another one as a code."""
    is_named = folded(shared.headers[column]).endswith(_CODES)
    return is_named or not any(character.isalpha() for text in _texts(shared, column) for character in text)


def _is_stratum(table: TableReader, shared: SharedCells, column: str) -> bool:
    named = any(word in folded(shared.headers[column]) for word in _STRATA)
    return named or any(normal(text) in table.profile.overall for text in _texts(shared, column))


def _text_to_keep(table: TableReader, shared: SharedCells, column: str) -> str:
    """Return the text to propose: everybody's, a percentage, the crude value, the latest release, else the first."""
    texts = _texts(shared, column)
    usual = [text for text in texts if normal(text) in table.profile.overall]
    usual += [text for text in texts if normal(text) in UNITS or "crude" in normal(text)]
    usual += texts[-1:] if any(word in folded(shared.headers[column]) for word in _RELEASES) else []
    return next(iter([*usual, *filter(None, texts), *texts]))


def _example(
    table: TableReader, shared: SharedCells, lines: Sequence[tuple[int, Texts]], telling: Sequence[str]
) -> str:
    """Return two rows of one cell and what differs between them."""
    question, location, category, stratum, year = shared.place
    where = f"{shown(question)}, {location}, {year:g}" if isinstance(year, float) else f"{shown(question)}, {location}"
    group = f", {category}: {stratum}" if category and category != stratum else ""
    first, second, numbers = *shared.cells[0][:2], ""
    others = [each for each in lines if _differing(shared, lines[0][1], each[1], telling)]
    if others:
        (one, first), (other, second) = lines[0], others[0]
        numbers = f" ({table.place}s {one} and {other})"
    differing = _differing(shared, first, second, telling)[:_TOGETHER]
    told = "; ".join(f"{shared.headers[each]} {shown(first[each])} and {shown(second[each])}" for each in differing)
    return f"for example {where}{group}{numbers}: {told}"


def _differing(shared: SharedCells, one: Texts, other: Texts, telling: Sequence[str]) -> list[str]:
    """Return the columns in which two rows differ, those that tell all rows apart first."""
    return [column for column in dict.fromkeys((*telling, *shared.varying)) if one[column] != other[column]]
