"""The place of single rows in the cube, found row by row, so that a note or a refusal can name their lines.

The cube is never built from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from meantime.survey.cube.cell_names import CellNames
from meantime.survey.reading.columns import Role
from meantime.survey.reading.estimate_rows import STRATA_SEPARATOR
from meantime.survey.reading.forms.year_forms import YearForm
from meantime.survey.reading.table_reader import TableReader

_ROWS_SEARCHED = 2_000_000

Place = tuple[object, ...]
"""Question, location, category, stratum and year."""


def rows_at(table: TableReader, names: CellNames, places: Iterable[Place]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield number and trimmed fields of the rows at some places, among the first of a large table."""
    wanted = set(places)
    for row in islice(table.rows(), _ROWS_SEARCHED):
        fields = tuple(field.strip() for field in row.fields)
        if _place_of(table, names, fields) in wanted:
            yield row.line, fields


def _place_of(table: TableReader, names: CellNames, fields: tuple[str, ...]) -> Place:
    filled = ["" if field in table.profile.missing else field for field in fields]
    columns = table.columns

    def text(role: Role) -> str:
        recipe = columns.recipes.get(role)
        return recipe.text(filled) if recipe else columns.fixed.get(role, "")

    pair = (text(Role.CATEGORY), text(Role.STRATUM))
    if columns.strata:
        headers, texts = zip(*((each.header.strip(), filled[each.position]) for each in columns.strata), strict=True)
        pair = (STRATA_SEPARATOR.join(headers), STRATA_SEPARATOR.join(texts))
    elif not all(pair):
        pair = ("", "")
    form = table.forms.year if table.forms else YearForm()
    question, location = text(Role.QUESTION), text(Role.LOCATION)
    segment = names.segments.get(pair, pair)
    year = form.year(text(Role.YEAR))
    return (
        names.questions.get(question, question), names.locations.get(location, location), *segment,
        float(year) if year else None,
    )  # fmt: skip
