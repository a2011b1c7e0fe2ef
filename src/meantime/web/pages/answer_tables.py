"""Any answer as a table for people: which columns are shown, how they are headed, how a number is written.

Each statistic adds fields of its own to its records; the table goes by the fields that are there. Every field is in
the downloads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from meantime.statistics.result import DIMENSION_FIELDS, Record, Scalar

MOST_ROWS = 400
"""A longer table is read by a program, not by eye."""

DIMENSIONS = (*DIMENSION_FIELDS, "against", "coefficient")

FIRST = ("rank", "value", "low", "verdict", "difference", "difference_low", "reference", "p_adjusted", "p_value")
"""Fields that are shown first, after the dimensions, where they are there; ``low`` stands for the interval."""

FURTHER = (
    "course",
    "first_value",
    "last_value",
    "highest_stratum",
    "highest_value",
    "lowest_stratum",
    "lowest_value",
    "ratio",
    "crude_value",
    "population",
    "share_percent",
    "count",
    "mean",
    "minimum",
    "maximum",
    "i_squared_percent",
    "cells_not_surveyed",
    "sample_size",
    "reliability",
)
"""Fields that are shown after these; those that aren't named here take a reader who asks for all columns."""

_MISSING = {"value": "no value", "low": "none", "difference_low": "none"}


@dataclass(frozen=True, slots=True)
class Column:
    """``field`` is the records'; ``kind`` is one of text, number, probability, interval, verdict."""

    field: str
    heading: str
    kind: str
    digits: int = 1


@dataclass(frozen=True, slots=True)
class AnswerTable:
    """A table: ``about`` are the dimensions that are the same everywhere, ``left_out`` the rows that aren't shown."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    about: Sequence[str]
    left_out: int
    field_count: int


def answer_table(records: Sequence[Record], *, has_all_columns: bool = False) -> AnswerTable:
    """Return the records of an answer as a table.

    Parameters
    ----------
    records
        All have the same fields.
    has_all_columns
        Whether every field has its column, rather than those that people look at first.
    """
    fields = list(records[0]) if records else []
    dimensions = [name for name in DIMENSIONS if name in fields]
    varying = [name for name in dimensions if len({record[name] for record in records}) > 1]
    shown = varying or dimensions[:1]
    about = [str(records[0][name]) for name in dimensions if name not in shown and records[0][name] is not None]
    named = fields if has_all_columns else [name for name in (*FIRST, *FURTHER) if name in fields]
    if "p_adjusted" in named and not has_all_columns:
        named = [name for name in named if name != "p_value"]
    values = [name for name in named if name not in dimensions and not _is_said_elsewhere(name, records, named)]
    columns = [*(Column(name, _heading(name), "text") for name in shown), *_columns(values, records)]
    rows = [[_cell(record, column) for column in columns] for record in records[:MOST_ROWS]]
    return AnswerTable(columns, rows, list(dict.fromkeys(about)), max(0, len(records) - MOST_ROWS), len(fields))


def _is_said_elsewhere(name: str, records: Sequence[Record], named: Sequence[str]) -> bool:
    """Whether a field says nothing beside the others: an interval's upper end, or nothing at all."""
    if name == "reliability":
        return all(record[name] in ("ok", None) for record in records)
    is_upper_end = name.endswith("high") and f"{name[: -len('high')]}low" in named
    return is_upper_end or all(record[name] is None for record in records)


def _columns(names: Sequence[str], records: Sequence[Record]) -> Iterator[Column]:
    for name in names:
        numbers = [abs(value) for record in records if isinstance(value := record[name], float | int)]
        digits = 2 if numbers and max(numbers) < 2.0 else 0 if numbers and max(numbers) >= 10_000.0 else 1
        if name.endswith("low") and f"{name[: -len('low')]}high" in records[0]:
            yield Column(name, _heading(f"{name[: -len('low')]}interval"), "interval", digits)
        elif name == "verdict":
            yield Column(name, "Verdict", "verdict")
        elif name.startswith("p_") or name.endswith("_p"):
            yield Column(name, _heading(name), "probability")
        else:
            yield Column(name, _heading(name), "number" if numbers else "text", digits)


def _heading(name: str) -> str:
    special = {"p_adjusted": "p, adjusted", "p_value": "p", "sample_size": "Sample", "i_squared_percent": "I² (%)"}
    return special.get(name, name.replace("_percent", " (%)").replace("_", " ").capitalize())


def _cell(record: Record, column: Column) -> str:
    value = record[column.field]
    if column.kind == "interval":
        low, high = value, record[f"{column.field[: -len('low')]}high"]
        if not isinstance(low, float | int) or not isinstance(high, float | int):
            return _missing(record, column)
        return f"{_number(low, column.digits)} to {_number(high, column.digits)}"
    if value is None:
        return _missing(record, column)
    if column.kind == "probability" and isinstance(value, float):
        return "< 0.001" if value < 0.001 else f"{value:.3f}"
    return _plain(value, column.digits)


def _missing(record: Record, column: Column) -> str:
    if column.field == "value" and record.get("reliability") == "suppressed":
        return "suppressed"
    return "not tested" if column.kind == "verdict" else _MISSING.get(column.field, "")


def _plain(value: Scalar, digits: int) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _number(value, digits)
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)


def _number(value: float, digits: int) -> str:
    """Return a number with a real minus sign; one that rounds to zero has none."""
    text = f"{value:,.{digits}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text.replace("-", "\N{MINUS SIGN}")
