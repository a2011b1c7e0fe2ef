"""From a statistic's answer to the JSON that is stored and sent. What JSON can't hold is refused, never changed."""

from __future__ import annotations

import math

import orjson

from meantime.errors import StatisticError


def encode_answer(answer: object) -> bytes:
    """Encode an answer as JSON.

    Raises
    ------
    StatisticError
        JSON can't hold it: a NaN or an infinity, a set, half of a surrogate pair.

    Examples
    --------
    >>> encode_answer({"Ohio": 33.2, "Guam": None})
    b'{"Ohio":33.2,"Guam":null}'
    """
    try:
        content = orjson.dumps(answer)
    except (TypeError, RecursionError) as error:  # orjson's own error is a TypeError
        raise StatisticError(f"the result can't be written as JSON: {error}; report this as a bug") from error
    # orjson writes NaN and infinities as null, so only a text with a null can hide one.
    if b"null" in content and not _is_finite(answer):
        raise StatisticError("the result can't be written as JSON: it holds NaN or an infinity; report this as a bug")
    return content


def _is_finite(answer: object) -> bool:
    """Whether no number in an answer is NaN or infinite."""
    if isinstance(answer, float):
        return math.isfinite(answer)
    if isinstance(answer, dict):
        return all(map(_is_finite, answer.values()))
    if isinstance(answer, list | tuple):
        return all(map(_is_finite, answer))
    return True
