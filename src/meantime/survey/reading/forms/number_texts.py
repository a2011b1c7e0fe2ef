"""What a table's number columns hold as texts, asked of an engine over all rows.

Asked only when a number could not be cast: each question is a pass over the source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

if TYPE_CHECKING:
    from meantime.survey.reading.engines import Engine, Frame

_KINDS_LIMIT = 5_000
_TEXTS_LIMIT = 200


def kinds_of_numbers(engine: Engine, texts: Frame) -> tuple[str, ...]:
    """Return one text of each kind: texts of one kind differ in their digits from 1 to 9 alone, or not at all.

    ``texts`` is a frame of one column, ``text``.
    """
    kinds = (
        texts.filter(nw.col("text").str.contains("[0-9]"))
        .with_columns(kind=nw.col("text").str.replace_all("[1-9]", "9"))
        .group_by("kind")
        .agg(text=nw.col("text").min())
        .sort("kind")
        .head(_KINDS_LIMIT)
    )
    return tuple(str(found) for _, found in engine.rows(kinds))


def distinct_texts(engine: Engine, texts: Frame, *, read: str = "") -> dict[str, int]:
    """Return the texts that the pattern ``read`` doesn't match, with how often each is there, the commonest first."""
    unread = texts.filter(~nw.col("text").str.contains(read)) if read else texts
    counted = unread.group_by("text").agg(count=nw.len()).sort("count", "text", descending=[True, False])
    return {str(found): int(str(count)) for found, count in engine.rows(counted.head(_TEXTS_LIMIT))}
