"""A source's rows as estimates: one column a role, texts and floats, one narwhals expression for every engine.

Which columns there are is decided in ``columns.py``; the rows become cells in ``cube/rollup.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from meantime.survey.reading.columns import NUMBER_ROLES, TEXT_ROLES, ColumnMap, Role
from meantime.survey.reading.row_faults import BLANKS

if TYPE_CHECKING:
    from meantime.survey.reading.engines import Frame


def estimate_rows(source: Frame, columns: ColumnMap, missing: tuple[str, ...], *, trim: bool) -> Frame:
    """Return a source's rows with one column a role, as texts and floats.

    Parameters
    ----------
    source
        Columns named by role, text or number, only those that the file has.
    columns
        Gives the texts of the roles without a column.
    missing
        Texts that stand for an empty field.
    trim
        Whether to cut blanks off both ends of every field first. It takes as long as reading, so it is left out where
        no field has them.

    Returns
    -------
    Frame
        A missing text is empty, a missing number null. A row without category or stratum has neither.
    """
    schema = source.collect_schema()

    def field(role: Role) -> nw.Expr:
        found = nw.col(role).cast(nw.String)
        return found.str.strip_chars(BLANKS) if trim else found

    def text(role: Role) -> nw.Expr:
        if role not in columns.position:
            return nw.lit(columns.fixed.get(role, "")).alias(role)
        found = field(role)
        filled = nw.when(found.is_in(missing)).then(nw.lit("")).otherwise(found) if missing else found
        return filled.fill_null("").alias(role)

    def number(role: Role) -> nw.Expr:
        if role not in columns.position:
            fixed = columns.fixed.get(role)
            return nw.lit(float(fixed) if fixed else None, nw.Float64).alias(role)
        if schema[role] != nw.String:
            found = nw.col(role).cast(nw.Float64)
            return nw.when(~found.is_nan()).then(found).alias(role)
        return nw.when(~field(role).is_in(("", *missing))).then(field(role)).cast(nw.Float64).alias(role)

    typed = source.select(*(text(role) for role in TEXT_ROLES), *(number(role) for role in NUMBER_ROLES))
    whole = (nw.col("category") != "") & (nw.col("stratum") != "")
    footnote = nw.when(nw.col("footnote") == "").then(nw.col("footnote_symbol")).otherwise(nw.col("footnote"))
    return typed.with_columns(
        category=nw.when(whole).then(nw.col("category")).otherwise(nw.lit("")),
        stratum=nw.when(whole).then(nw.col("stratum")).otherwise(nw.lit("")),
        footnote=nw.when(footnote != "").then(footnote),
    ).drop("footnote_symbol")
