"""A source as a table of estimates: its columns found, its rows as a frame, its faults explained.

Between the rows (``table_rows.py``) and the cells (``cube/rollup.py``).
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import narwhals as nw

from meantime.errors import DataError
from meantime.fields.refusals import shown
from meantime.survey.reading.columns import COUNT_ROLES, FIGURE_ROLES, Column, ColumnMap, Role
from meantime.survey.reading.csv_rows import NumberedRow, text_fault
from meantime.survey.reading.csv_text import CsvText, NewFile
from meantime.survey.reading.engines import Arrays, Engine, EngineError
from meantime.survey.reading.estimate_rows import (
    STRATA_SEPARATOR,
    column_name,
    estimate_rows,
    field_text,
    kept_rows,
)
from meantime.survey.reading.forms.number_forms import (
    NumberColumn,
    NumberForm,
    UndecidedNumbersError,
    derive_number_form,
)
from meantime.survey.reading.forms.number_texts import distinct_texts, kinds_of_numbers
from meantime.survey.reading.forms.unread_texts import (
    control_fault,
    is_missing_mark,
    marks_sentence,
    missing_line,
    number_hint,
)
from meantime.survey.reading.forms.written_forms import WrittenForms
from meantime.survey.reading.forms.year_forms import YearForm, are_years, derive_year_form, example_of_years
from meantime.survey.reading.layouts import find_columns, recognising, with_layout
from meantime.survey.reading.left_out_rows import LeftOutRow
from meantime.survey.reading.mapping_lines import Line
from meantime.survey.reading.profile import Profile, normal
from meantime.survey.reading.row_faults import BLANKS, RowFault, first_fault, left_out_rows
from meantime.survey.reading.sources import OpenedSource
from meantime.survey.reading.table_rows import TableRows

if TYPE_CHECKING:
    from meantime.survey.reading.engines import Frame

_FEW_LINES = 5


class FigureRow(NamedTuple):
    """The numbers of one row, NaN where there is none."""

    line: int
    question: str
    numbers: tuple[float, ...]


class TableReader:
    """Reads one open source with one engine.

    Parameters
    ----------
    source
        The source; it stays the caller's to close.
    profile
        How columns and names are read.
    engine
        The engine; it stays the caller's to close.
    new_file
        Makes a file without a name for a copy of a text that the engine couldn't read; it's the caller's to close.

    Raises
    ------
    DataError
        There is no header, or a required column is missing.
    """

    def __init__(self, source: OpenedSource, profile: Profile, engine: Engine, new_file: NewFile) -> None:
        self.source = source
        self.engine = engine
        self._rows = TableRows(source, profile, engine, recognising(profile), new_file)
        self.header = self._rows.header
        self.stated = profile  # names the cube, before anybody has seen the header
        self.profile = with_layout(profile, self.header)
        self.columns: ColumnMap = find_columns(self.header, self.profile, source.name, self._rows.header_line)
        self.forms: WrittenForms | None = None

    @property
    def text(self) -> CsvText | None:
        """The text of a CSV; a Parquet file has none."""
        return self._rows.text

    @property
    def place(self) -> str:
        """What the numbers of rows count: lines, or the rows of a Parquet file from 1."""
        return "line" if self.text else "row"

    def estimates(self, *, trim: bool, beside: Sequence[int] = ()) -> Frame:
        """Return the rows that are kept, one column a role, and other columns ``beside``; nothing is read yet."""
        if self.forms is None and (self.profile.file.decimal or self.profile.file.thousands):
            self.adapt()
        rows = self._kept_rows(beside)
        return estimate_rows(rows, self.columns, self.profile.missing, self.forms, trim=trim, beside=beside)

    def frame(self, positions: Iterable[int]) -> Frame:
        """Return some of the file's columns as they are, called as `column_name` says; nothing is read yet."""
        return self._rows.frame(positions)

    def settle(self) -> None:
        """Find out how numbers and years are written, as an ingest does that reads all of them.

        Raises
        ------
        DataError
            That can't be told.
        EngineError
            A row can't be read.
        """
        extremes = [nw.col("year").min().alias("first"), nw.col("year").max().alias("last")]
        figures = [nw.col(role).max() for role in FIGURE_ROLES]
        try:
            [(first, last, *_)] = self.engine.rows(self.estimates(trim=True).select(*extremes, *figures))
        except EngineError:
            self.adapt()
            return
        if not are_years([year for year in (first, last) if isinstance(year, float)]):
            self.adapt()

    def adapt(self) -> None:
        """Find out how texts are written that the engine couldn't read: each step is a pass over all rows.

        Raises
        ------
        DataError
            How numbers are written can't be told.
        EngineError
            A row can't be read.
        """
        self._rows.mend()
        if self.forms is not None:
            return
        number = self.number_form()
        years = distinct_texts(self.engine, self._texts(Role.YEAR)) if Role.YEAR in self.columns.position else ()
        self.forms = WrittenForms(number, derive_year_form(years, self.profile.file.year), example_of_years(years))

    def number_form(self) -> NumberForm:
        """Return how numbers are written by the texts of all rows.

        Raises
        ------
        DataError
            That can't be told.
        EngineError
            A row can't be read.
        """
        stated, text = self.profile.file, self.text
        figures = [
            NumberColumn(
                self.columns.header[role].strip(), kinds_of_numbers(self.engine, self._texts(role)), role in COUNT_ROLES
            )
            for role in FIGURE_ROLES
            if role in self.columns.position
        ]
        has_comma_fields = text is None or text.layout.delimiter == ","
        try:
            return derive_number_form(figures, stated.decimal, stated.thousands, has_comma_fields=has_comma_fields)
        except UndecidedNumbersError as error:
            raise DataError(f"{self.source.name}: {error}") from error

    def _kept_rows(self, beside: Sequence[int] = ()) -> Frame:
        return kept_rows(self.frame([*self.columns.used, *beside]), self._kept_spellings)

    def _texts(self, role: Role) -> Frame:
        """Return the trimmed texts of a role's column, without those that stand for an empty field."""
        trimmed = field_text(self.columns.position[role]).str.strip_chars(BLANKS)
        return self._kept_rows().select(text=trimmed).filter(~nw.col("text").is_in(("", *self.profile.missing)))

    @cached_property
    def _kept_spellings(self) -> dict[Column, tuple[str, ...]]:
        """How the texts that rows are kept by are spelt in the file."""
        return {column: self._spellings(column, texts) for column, texts in self.columns.keep.items()}

    def _spellings(self, column: Column, texts: Iterable[str]) -> tuple[str, ...]:
        """Return how a column spells some texts; a DataError where it has none of them."""
        name, wanted = column_name(column.position), {normal(text) for text in texts}
        distinct = self.frame([column.position]).select(nw.col(name).cast(nw.String).fill_null("")).unique()
        found = sorted(str(text) for (text,) in self.engine.rows(distinct))
        kept = tuple(text for text in found if normal(text) in wanted)
        if not kept:
            raise DataError(
                f"{self.source.name}: keep under [rows] leaves no row: {column.header.strip()!r} is never "
                f"{' or '.join(map(shown, texts))}; it is {_some(found)}"
            )
        return kept

    def check_texts(self, arrays: Arrays) -> None:
        """Refuse names with control characters in them.

        Raises
        ------
        DataError
            The message names the first row with one.
        """
        for text in itertools.chain.from_iterable(arrays.dictionaries.values()):
            fault = control_fault(text.replace(STRATA_SEPARATOR, ""))
            if fault:
                raise self.explained(ValueError(f"{text!r} {fault}"))

    def explained(self, error: Exception) -> DataError:
        """Return the error that names the first unreadable field, reading row by row; else the engine's own words."""
        forms = self.forms or WrittenForms(year=YearForm(self.profile.file.year))
        try:
            fault = first_fault(self.rows(), self.columns, self.profile.missing, forms)
        except DataError as found:
            return self._with_advice(str(found), self._footer_above(found))
        if fault is None:
            return DataError(f"{self.source.name}: {error}")
        column = self._rows.column_of(fault.row, fault.position)
        place = f"{self.source.name}, {self.place} {fault.row.line}, column {column!r}"
        return self._with_advice(f"{place}: {fault.problem}", self._advice(fault, forms))

    def _with_advice(self, problem: str, advice: _Advice) -> DataError:
        return DataError("; ".join(filter(None, (problem, advice.words))), settings=advice.settings)

    def _advice(self, fault: RowFault, forms: WrittenForms) -> _Advice:
        """Return the setting that would help with a field that can't be read."""
        if [field.strip() for field in fault.row.fields] == [name.strip() for name in self.header]:
            return _Advice("the line repeats the column names, as in files that were pasted together; remove it")
        if fault.role is Role.YEAR:
            count = self.text.lines_from(fault.row.line) if self.text and not re.search("[0-9]", fault.text) else 0
            # Words alone: a row with as many fields as others may be meant, and a person decides.
            return _Advice(_footer(count).words) if 0 < count <= _FEW_LINES else _Advice()
        if fault.role is None or number_hint(fault.text) or text_fault(fault.text):
            return _Advice()
        counts: Counter[str] = Counter()
        for role in set(FIGURE_ROLES) & set(self.columns.position):
            counts.update(distinct_texts(self.engine, self._texts(role), read=forms.number_of(role).pattern))
        marks = [(text, count) for text, count in counts.most_common() if not number_hint(text)]
        stated = self.profile.missing
        settings = (missing_line(stated, marks),) if all(is_missing_mark(text) for text, _ in marks) else ()
        return _Advice(marks_sentence(stated, marks), settings) if marks else _Advice()

    def _footer_above(self, error: DataError) -> _Advice:
        tail = self.text.tail(len(self.header)) if self.text else None
        return _footer(tail.line_count) if tail and f"line {tail.line}," in str(error) else _Advice()

    def left_out_rows(self, limit: int) -> tuple[LeftOutRow, ...]:
        """Return the first rows that have no place in the cube; rows of a Parquet file are counted from 1."""
        return left_out_rows(self.rows(), self.columns, self.profile.missing, self.place, limit)

    def figures(self, roles: Sequence[Role]) -> Iterator[FigureRow]:
        """Yield the numbers of each row that is kept, in the order of ``roles``."""
        forms = self.forms or WrittenForms()
        question = self.columns.recipes.get(Role.QUESTION)
        places = [self.columns.position.get(role) for role in roles]
        for line, fields in self.rows():
            texts = [field.strip(BLANKS) for field in fields]
            numbers = [
                None if place is None else forms.number_of(role).number(texts[place])
                for role, place in zip(roles, places, strict=True)
            ]
            yield FigureRow(
                line,
                question.text(texts) if question else self.columns.fixed.get(Role.QUESTION, ""),
                tuple(math.nan if number is None else number for number in numbers),
            )

    def rows(self) -> Iterator[NumberedRow]:
        """Yield the rows that are kept as texts, in the file's order."""
        wanted = {column.position: {normal(text) for text in texts} for column, texts in self.columns.keep.items()}
        for row in self._rows.rows():
            if all(normal(row.fields[position]) in texts for position, texts in wanted.items()):
                yield row


class _Advice(NamedTuple):
    """What would help with a field that can't be read: in words, and as lines of a mapping file."""

    words: str = ""
    settings: tuple[Line, ...] = ()


def _footer(line_count: int) -> _Advice:
    line = f"footer = {line_count}"
    return _Advice(f"if the table ends above, state `{line}` under [file] in a mapping file", (("file", line),))


def _some(texts: list[str], limit: int = 12) -> str:
    more = f" and {len(texts) - limit:,} more" if len(texts) > limit else ""
    return ", ".join(map(shown, texts[:limit])) + more
