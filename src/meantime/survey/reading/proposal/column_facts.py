"""What each column of a table holds, counted over its rows by the engine: numbers, years, how many distinct texts.

Counts only; what they make of a column is in ``column_guesses.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import narwhals as nw

from meantime.survey.reading.engines import Engine
from meantime.survey.reading.forms.year_forms import YearForm
from meantime.survey.reading.row_faults import BLANKS

if TYPE_CHECKING:
    from meantime.survey.reading.engines import Frame

MOST_ROWS = 5_000_000
"""How many rows are looked at; of a longer table, nothing is sure."""

_SHOWN_TEXTS, _SHOWN_MARKS = 60, 200
_DIGITS = "[0-9][0-9.,'\u2019 \u00a0\u202f\u2009]*"
_DASHES = "\\-\u2013\u2212"
NUMBER = rf"^(=?(± ?|[+]/- ?|[+{_DASHES}])?{_DIGITS}([eE][+-]?[0-9]+)?\s?%?|[+{_DASHES}]?\.[0-9]+)$"
"""A number in whatever form people write it: ``1,001.3``, ``23,4``, ``39.9 %``, a minus as typographers have it."""
_PLAIN = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_YEAR = r"^((1[0-9]{3}|20[0-9]{2}|2100)(\.0+)?|(1[0-9]{3}|20[0-9]{2})-[01][0-9]-[0-3][0-9]([T ].*)?)$"
_SPAN = rf"^(1[0-9]{{3}}|20[0-9]{{2}})\s?[/{_DASHES}]\s?(1[0-9]{{3}}|20[0-9]{{2}}|[0-9]{{2}})$"
_NUMBER_IN_INTERVAL = r"-?[0-9]+[.,]?[0-9]*\s?%?"
_INTERVAL = rf"^[(\[]?\s?{_NUMBER_IN_INTERVAL}\s?([,;{_DASHES}]|to)\s*{_NUMBER_IN_INTERVAL}\s?[)\]]?$"
_PATTERNS = {
    "number": NUMBER, "plain": _PLAIN, "decimal": r"^[^A-Za-z]*[0-9][.,][0-9]+[^A-Za-z]*$", "year": _YEAR,
    "span": _SPAN, "interval": _INTERVAL,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column: how many of its rows hold a text, and how many of these look like what.

    ``texts`` are the commonest texts, ``marks`` those among numbers that look like none; ``odd_numbers`` are numbers
    that aren't written the plain way.
    """

    header: str
    position: int
    stated: int
    distinct: int
    number: int
    plain: int
    decimal: int
    year: int
    span: int
    interval: int
    minimum: float | None
    maximum: float | None
    texts: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    odd_numbers: tuple[str, ...] = ()

    @property
    def is_numeric(self) -> bool:
        """Whether nearly all texts are numbers, apart from the marks that often stand for a missing one."""
        words = sum(1 for mark in self.marks if len(mark) > 12)
        return self.number > 0 and not words and (self.number >= 0.9 * self.stated or self._few_marks)

    @property
    def _few_marks(self) -> bool:
        return self.number >= 0.3 * self.stated and len(self.marks) <= 5

    @property
    def is_years(self) -> bool:
        """Whether nearly all texts are years, dates or spans of years."""
        are_known = bool(self.texts) and all(YearForm("first").year(text) is not None for text in self.texts)
        return are_known or (self.stated > 0 and self.year + self.span >= 0.9 * self.stated)

    @property
    def spans(self) -> list[str]:
        """The texts that are spans of years, of which a mapping has to say which year counts."""
        rule, none = YearForm("first"), YearForm()
        return [text for text in self.texts if none.year(text) is None and rule.year(text) is not None]

    @property
    def is_strata(self) -> bool:
        """Whether it may tell groups apart: texts, or a few whole numbers."""
        few = self.distinct <= max(30, self.stated // 10)
        return self.stated > 0 and (not self.is_numeric or (not self.decimal and few)) and self.distinct <= 2000


def column_facts(engine: Engine, frame: Frame, headers: Sequence[str]) -> tuple[tuple[ColumnFacts, ...], int]:
    """Count what each column holds.

    Parameters
    ----------
    engine
        The engine of the frame.
    frame
        All columns as texts without blanks around them, called ``c0``, ``c1``, ...
    headers
        Their names, in order.

    Returns
    -------
    tuple
        The facts of each column, and how many rows there are.
    """
    places = range(len(headers))
    counted = [each for place in places for each in _counts(place)]
    [row] = engine.rows(frame.select(nw.len().alias("row_count"), *counted))
    row_count, width = _whole(row[0]), len(_PATTERNS) + 4
    found = []
    for place in places:
        stated, distinct, *numbers, low, high = row[1 + place * width : 1 + (place + 1) * width]
        distinct_count = _whole(distinct) - (_whole(stated) < row_count)  # the empty text is none
        number, plain, decimal, year, span, interval = map(_whole, numbers)
        facts = ColumnFacts(
            headers[place], place, _whole(stated), distinct_count, number, plain, decimal, year, span, interval,
            _float(low), _float(high),
        )  # fmt: skip
        found.append(_with_texts(engine, frame, facts))
    return tuple(found), row_count


def trimmed(frame: Frame, count: int) -> Frame:
    """Return a frame's columns ``c0`` to ``cN`` as texts without blanks around them; empty where there is none."""
    schema = frame.collect_schema()

    def text(name: str) -> nw.Expr:
        column = nw.col(name)
        if schema[name].is_float():
            column = nw.when(~column.is_nan()).then(column)
        return column.cast(nw.String).fill_null("").str.strip_chars(BLANKS).alias(name)

    return frame.select(*(text(f"c{place}") for place in range(count)))


def _counts(place: int) -> list[nw.Expr]:
    column = nw.col(f"c{place}")
    number = nw.when(column.str.contains(_PLAIN)).then(column).cast(nw.Float64)
    found = [
        (column != "").sum(),
        column.n_unique(),
        *(column.str.contains(pattern).sum() for pattern in _PATTERNS.values()),
        number.min(),
        number.max(),
    ]
    return [each.alias(f"c{place}_{number}") for number, each in enumerate(found)]


def _with_texts(engine: Engine, frame: Frame, facts: ColumnFacts) -> ColumnFacts:
    """Add the commonest texts, and those that aren't plain numbers where most are numbers."""
    name = f"c{facts.position}"
    filled = frame.filter(nw.col(name) != "").select(name)
    texts = _commonest(engine, filled, name, _SHOWN_TEXTS)
    if not facts.number:
        return replace(facts, texts=texts)
    odd = _commonest(engine, filled.filter(~nw.col(name).str.contains(_PLAIN)), name, _SHOWN_MARKS)
    marks = _commonest(engine, filled.filter(~nw.col(name).str.contains(NUMBER)), name, _SHOWN_MARKS)
    return replace(facts, texts=texts, marks=marks, odd_numbers=tuple(text for text in odd if text not in marks))


def _commonest(engine: Engine, frame: Frame, name: str, limit: int) -> tuple[str, ...]:
    counted = frame.group_by(name).agg(nw.len().alias("row_count"))
    rows = engine.rows(counted.sort("row_count", name, descending=[True, False]).head(limit))
    return tuple(str(text) for text, _ in rows)


def _whole(number: object) -> int:
    return int(number) if isinstance(number, int | float) else 0


def _float(number: object) -> float | None:
    return float(number) if isinstance(number, int | float) else None
