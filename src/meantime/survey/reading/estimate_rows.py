"""A source's rows as estimates: one column a role, texts and floats, one narwhals expression for every engine.

Which columns there are is decided in ``columns.py``; the rows become cells in ``cube/rollup.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import narwhals as nw

from meantime.survey.reading.columns import NUMBER_ROLES, STRATA_ROLES, TEXT_ROLES, Column, ColumnMap, Role
from meantime.survey.reading.forms.written_forms import WrittenForms
from meantime.survey.reading.recipes import Recipe
from meantime.survey.reading.row_faults import BLANKS

if TYPE_CHECKING:
    from meantime.survey.reading.engines import Frame

STRATA_SEPARATOR = "\x1f"
"""Stands between texts of several strata columns, until ``cube/cell_names.py`` makes category and stratum of them."""


def column_name(position: int) -> str:
    """Return what a file's column is called in a frame."""
    return f"c{position}"


def kept_rows(source: Frame, keep: Mapping[Column, tuple[str, ...]]) -> Frame:
    """Return the rows that have one of the stated texts, as written in the file, in each of the stated columns."""
    for column, texts in keep.items():
        source = source.filter(field_text(column.position).is_in(texts))
    return source


def estimate_rows(
    source: Frame,
    columns: ColumnMap,
    missing: tuple[str, ...],
    forms: WrittenForms | None = None,
    *,
    trim: bool,
    beside: Sequence[int] = (),
) -> Frame:
    """Return a source's rows with one column a role, as texts and floats.

    Parameters
    ----------
    source
        The file's columns that are needed, text or number, called as `column_name` says.
    columns
        Says how each role's text is made.
    missing
        Texts that stand for an empty field.
    forms
        How numbers and years are written; None where the engine reads them by itself.
    trim
        Whether to cut blanks off both ends of every field first. It takes as long as reading, so it is left out where
        no field has them.
    beside
        Further columns that stay what they are but for blanks around them.

    Returns
    -------
    Frame
        A missing text is empty, a missing number null. A row without category or stratum has neither; where there are
        several strata columns, these hold their headers and their texts, joined by `STRATA_SEPARATOR`.
    """
    fields = _Fields(columns, missing, trim, forms)
    schema = source.collect_schema()
    texts = [fields.role_text(role).alias(role) for role in TEXT_ROLES]
    numbers = [fields.role_number(role, schema).alias(role) for role in NUMBER_ROLES]
    others = [field_text(position).str.strip_chars(BLANKS).alias(column_name(position)) for position in beside]
    typed = source.select(*texts, *numbers, *others)
    whole = nw.lit(value=True) if columns.strata else (nw.col("category") != "") & (nw.col("stratum") != "")
    footnote = nw.when(nw.col("footnote") == "").then(nw.col("footnote_symbol")).otherwise(nw.col("footnote"))
    return typed.with_columns(
        category=nw.when(whole).then(nw.col("category")).otherwise(nw.lit("")),
        stratum=nw.when(whole).then(nw.col("stratum")).otherwise(nw.lit("")),
        footnote=nw.when(footnote != "").then(footnote),
    ).drop("footnote_symbol")


@dataclass(frozen=True, slots=True)
class _Fields:
    """The expressions of a row's fields, and of the roles that are made of them."""

    columns: ColumnMap
    missing: tuple[str, ...]
    trim: bool
    forms: WrittenForms | None

    def role_text(self, role: Role) -> nw.Expr:
        """Return the text of a role, empty where it's missing."""
        if self.columns.strata and role in STRATA_ROLES:
            return self._strata(role)
        recipe = self.columns.recipes.get(role)
        if recipe is None:
            return nw.lit(self.columns.fixed.get(role, ""))
        return self._joined(recipe) if recipe.column is None else self._filled(recipe.column, trim=self.trim)

    def role_number(self, role: Role, schema: nw.Schema) -> nw.Expr:
        """Return the number of a role, null where it's missing."""
        recipe = self.columns.recipes.get(role)
        if recipe is None or recipe.column is None:
            fixed = self.columns.fixed.get(role)
            return nw.lit(float(fixed) if fixed else None, nw.Float64)
        dtype = schema[column_name(recipe.column)]
        if dtype.is_numeric():
            return _typed_number(nw.col(column_name(recipe.column)), dtype)
        if isinstance(dtype, (nw.Date, nw.Datetime)) and role is Role.YEAR:
            return nw.col(column_name(recipe.column)).dt.year().cast(nw.Float64)
        field = self._field(recipe.column, trim=self.trim or self.forms is not None)
        filled = nw.when(~field.is_in(("", *self.missing))).then(field)
        if self.forms is not None:
            form = self.forms.year if role is Role.YEAR else self.forms.number_of(role)
            filled = nw.when(~field.is_in(("", *self.missing))).then(form.plain(field))
        return filled.cast(nw.Float64)

    def _field(self, position: int, *, trim: bool) -> nw.Expr:
        return field_text(position).str.strip_chars(BLANKS) if trim else field_text(position)

    def _filled(self, position: int, *, trim: bool) -> nw.Expr:
        found = self._field(position, trim=trim)
        return nw.when(found.is_in(self.missing)).then(nw.lit("")).otherwise(found) if self.missing else found

    def _strata(self, role: Role) -> nw.Expr:
        if role is Role.CATEGORY:
            return nw.lit(STRATA_SEPARATOR.join(column.header.strip() for column in self.columns.strata))
        texts = [self._filled(column.position, trim=True) for column in self.columns.strata]
        return nw.concat_str(texts, separator=STRATA_SEPARATOR)

    def _joined(self, recipe: Recipe) -> nw.Expr:
        """Return a text of several columns; blanks are always cut off these."""
        pieces: list[nw.Expr] = []
        is_begun = nw.lit(value=False)
        for part in recipe.parts:
            found = self._filled(part.position, trim=True)
            wrapped = nw.concat_str(nw.lit(part.opening), found, nw.lit(part.closing))
            separated = nw.when(is_begun).then(nw.concat_str(nw.lit(part.separator), wrapped)).otherwise(wrapped)
            pieces.append(nw.when(found == "").then(nw.lit("")).otherwise(separated))
            is_begun = is_begun | (found != "")
        return nw.concat_str(pieces)


def _typed_number(found: nw.Expr, dtype: nw.dtypes.DType) -> nw.Expr:
    """Return a number of a Parquet file: NaN is empty, and a float of 32 bits is the shortest decimal that gives it."""
    if not dtype.is_float():
        return found.cast(nw.Float64)
    number = found.cast(nw.String).cast(nw.Float64) if dtype == nw.Float32 else found
    # Not `is_nan`: an engine answers that from a file's statistics, which know nothing of NaN. Infinity stays, to be
    # refused.
    is_other = found.cast(nw.String) != "nan"
    return nw.when(found.is_finite()).then(number).otherwise(nw.when(is_other).then(number))


def field_text(position: int) -> nw.Expr:
    """Return the texts of one of the file's columns, empty where there is none."""
    return nw.col(column_name(position)).cast(nw.String).fill_null("")
