"""What a table's number columns hold as texts, asked of an engine over all rows.

Asked only when a number could not be cast: each question is a pass over the source.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import narwhals as nw

if TYPE_CHECKING:
    from meantime.survey.reading.engines import Engine, Frame

_KINDS_LIMIT = 5_000
_TEXTS_LIMIT = 200


def kinds_of_numbers(engine: Engine, frame: Frame, text: nw.Expr) -> tuple[str, ...]:
    """Return one text of each kind: texts of one kind differ in their digits from 1 to 9 alone, or not at all."""
    kinds = (
        _filled(frame, text)
        .filter(nw.col("text").str.contains("[0-9]"))
        .with_columns(kind=nw.col("text").str.replace_all("[1-9]", "9"))
        .group_by("kind")
        .agg(text=nw.col("text").min())
        .sort("kind")
        .head(_KINDS_LIMIT)
    )
    return tuple(str(found) for _, found in engine.rows(kinds))


def distinct_texts(engine: Engine, frame: Frame, text: nw.Expr, *, read: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Return the texts that no pattern of ``read`` matches, and how often each is there, the commonest first."""
    counted = (
        _filled(frame, text)
        .filter(*(~nw.col("text").str.contains(pattern) for pattern in read))
        .group_by("text")
        .agg(count=nw.len())
        .sort("count", "text", descending=[True, False])
        .head(_TEXTS_LIMIT)
    )
    return tuple(_counts(engine.rows(counted)))


def _filled(frame: Frame, text: nw.Expr) -> Frame:
    return frame.select(text=text).filter(nw.col("text") != "")


def _counts(rows: Iterator[tuple[object, ...]]) -> Iterator[tuple[str, int]]:
    for text, count in rows:
        yield str(text), int(str(count))
